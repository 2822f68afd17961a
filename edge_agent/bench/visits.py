"""Visits of puppets to the whole terminal, in this process and in real time: how long each took, and for what.

Rules: the terminal is built by `wiring` from a settings file, as the service's is; it is only watched: its session, a
value that is replaced at each step, is looked at a few hundred times a second. Instants are monotonic seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge_agent.core.liveness import Step
from edge_agent.core.model import Signal
from edge_agent.core.rules import PadRules
from edge_agent.core.state import WITH_PERSON, Phase, Session
from edge_agent.devices.puppet.behaviour import Visitor
from edge_agent.devices.puppet.motion import Pose
from edge_agent.devices.puppet.script import Visit
from edge_agent.settings import load
from edge_agent.watchdog import SystemdNotifier
from edge_agent.wiring import build_terminal

LOOK_EVERY_S = 0.004
VISIT_AT_MOST_S = 70.0
_ARRIVED_S = 5.0
_PARALLAX_PER_DEG = 0.24 / 20
"""Of real heads (docs/liveness.md)."""


@dataclass(frozen=True)
class VisitTimes:
    """Seconds from the first good frame to the decision, and its parts, which add up to it.

    decision: until the session asks for the claim, or refers. acquire: until the challenge begins. pauses: before cues.
    turning: from a cue until its turn is seen. returning: until the head is seen to look ahead again. watched: after
    the last turn, until somebody in doubt has blinked. identify: the rest. tries: challenges begun; with more than one,
    the earlier ones are in acquire. outcome: of the session.
    """

    decision: float
    acquire: float
    pauses: float
    turning: float
    returning: float
    watched: float
    identify: float
    tries: int
    outcome: str


@dataclass
class Watch:
    """Makes times of the sessions it is shown, one after another."""

    finished: list[VisitTimes] = field(default_factory=list)
    _good_s: float | None = None
    _steps: dict[tuple[int, Step], float] = field(default_factory=dict)
    _challenged_s: float = 0.0
    _identifying_s: float | None = None
    _decided_s: float | None = None

    def see(self, session: Session, now_s: float) -> None:
        """The session as it is now."""
        if session.phase is Phase.IDLE and not (session.armed and session.arriving_s is not None):
            self._take_leave(session)
            return
        if self._decided_s is not None:
            return
        # Nobody near enough is arriving with a problem, so the first frame without one is good.
        if self._good_s is None and not session.problems and session.phase in (Phase.IDLE, Phase.ACQUIRING):
            self._good_s = now_s
        if session.phase is Phase.ACQUIRING:
            self._steps.clear()
        elif session.phase is Phase.CHALLENGING and session.challenge is not None:
            self._challenged_s = session.entered_s
            self._steps.setdefault((session.challenge.index, session.challenge.step), session.challenge.since_s)
        elif session.phase not in WITH_PERSON and session.phase is not Phase.IDLE:
            self._decide(session)

    def _decide(self, session: Session) -> None:
        """The decision is where RECORDING begins. Identifying may be too short to be seen; the session kept it."""
        after_s = dict(session.phases_s)
        recording_s = session.entered_s
        for phase in (Phase.PRINTING, Phase.SETTLING):
            if session.phase is phase:
                recording_s -= after_s.get(Phase.RECORDING.value, 0.0)
            if session.phase is Phase.SETTLING and phase is Phase.SETTLING:
                recording_s -= after_s.get(Phase.PRINTING.value, 0.0)
        self._decided_s = recording_s
        took_s = after_s.get(Phase.IDENTIFYING.value)
        self._identifying_s = None if took_s is None else recording_s - took_s

    def _take_leave(self, session: Session) -> None:
        """Nobody is being served: keep the times of whoever was, and forget them."""
        if self._good_s is not None and self._decided_s is not None:
            self.finished.append(self._times(session, self._good_s, self._decided_s))
        self._good_s = self._decided_s = self._identifying_s = None
        self._steps.clear()

    def _times(self, session: Session, good_s: float, decided_s: float) -> VisitTimes:
        outcome = session.outcome.value if session.outcome is not None else "unknown"
        if self._identifying_s is None:
            return VisitTimes(decided_s - good_s, decided_s - good_s, 0, 0, 0, 0, 0, session.pad_attempts, outcome)
        ends_s = [*list(self._steps.values())[1:], self._identifying_s]
        took_s = {step: 0.0 for step in Step}
        for ((_, step), begun_s), end_s in zip(self._steps.items(), ends_s, strict=True):
            took_s[step] += end_s - begun_s
        return VisitTimes(
            decision=decided_s - good_s,
            acquire=self._challenged_s - good_s,
            pauses=took_s[Step.PAUSE],
            turning=took_s[Step.TURN],
            returning=took_s[Step.RETURN],
            watched=took_s[Step.PASSED],
            identify=decided_s - self._identifying_s,
            tries=session.pad_attempts,
            outcome=outcome,
        )


def person_alone_s(turns: int, seed: int, people: int) -> list[float]:
    """Seconds that a puppet's own reactions and movements take for so many turns, were every light and every judgement
    there at once: what no terminal can be faster than. One entry for each of so many people.
    """
    took_s: list[float] = []
    for number in range(people):
        rng = np.random.default_rng((seed, number))
        visitor = Visitor(Visit(), rng, 0.0)
        begun_s = now_s = _ARRIVED_S
        for _ in range(turns):
            cue = Signal.TURN_LEFT if rng.integers(2) else Signal.TURN_RIGHT
            for signal, shown in ((cue, _turned), (Signal.LOOK_AHEAD, _ahead)):
                visitor.watch(signal, now_s)
                while not shown(visitor.stance(now_s).pose):
                    now_s += LOOK_EVERY_S
                    visitor.watch(signal, now_s)
        took_s.append(now_s - begun_s)
    return took_s


def _turned(pose: Pose) -> bool:
    return abs(pose.yaw_deg) * _PARALLAX_PER_DEG >= PadRules().turn_parallax


def _ahead(pose: Pose) -> bool:
    return abs(pose.yaw_deg) * _PARALLAX_PER_DEG <= PadRules().centre_parallax


def serve(config: Path, visits: int, tell: Callable[[int], None]) -> list[VisitTimes]:
    """Run the terminal of these settings until so many visits are over. tell: how many are. Raises TerminalError."""
    terminal = build_terminal(load(config), SystemdNotifier(None))
    watch, ended = Watch(), threading.Event()
    until_s = time.monotonic() + visits * VISIT_AT_MOST_S

    def look() -> None:
        told = 0
        while not ended.wait(LOOK_EVERY_S) and len(watch.finished) < visits and time.monotonic() < until_s:
            watch.see(terminal.agent.session, time.monotonic())
            if len(watch.finished) > told:
                told = len(watch.finished)
                tell(told)
        terminal.agent.request_stop()

    watching = threading.Thread(target=look, name="bench-watch", daemon=True)
    watching.start()
    try:
        terminal.run()
    finally:
        ended.set()
        watching.join(5.0)
    return watch.finished
