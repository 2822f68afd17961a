"""What one visitor does: comes up, watches the LEDs, answers as told (or not), and goes.

Rules: knows signals, not LEDs; a signal is answered after a human reaction time, each in its turn. Nothing is drawn
here.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from edge_agent.core.model import Signal
from edge_agent.devices.puppet.motion import Blinks, LookingAbout, Pose, Reach, Sway
from edge_agent.devices.puppet.script import Behaviour, Visit

NEAR_M, FAR_M = 0.6, 2.4
"""Where a visitor stands to be served, and where one first comes into view."""

ENDINGS = frozenset(
    {
        Signal.GIVEN,
        Signal.REFERRED,
        Signal.NOT_ENTITLED,
        Signal.ABANDONED,
        Signal.TAKE_SLIP_FAILED,
        Signal.PAPER_OUT,
        Signal.OUT_OF_SERVICE,
        Signal.CLOSED_BY_OFFICER,
        Signal.STOPPED,
    }
)
"""After these there is nothing more to wait for."""

_TURNS = {Signal.TURN_LEFT: 1.0, Signal.TURN_RIGHT: -1.0}
_STEPS = {Signal.COME_CLOSER: 0.8, Signal.STEP_BACK: 1.25}
_NEAREST_M, _FURTHEST_M = 0.3, 1.5
_WALK_UP_S, _WALK_OFF_S, _STEP_S, _TURN_S = 2.4, 1.8, 0.7, 0.55
_STEP_AGAIN_S = 1.6
_LATE_BY_S = 3.0
_AWAY_DEG, _BOWED_DEG = 32.0, 10.0


@dataclass(frozen=True)
class Stance:
    """Where a visitor is and how they hold themselves. aside: 0 in the middle … ±1 just out of view; up: likewise.

    lean_deg: of the whole body. speed: eye distances a second that the face moves in the picture, for motion blur.
    """

    distance_m: float
    aside: float
    up: float
    lean_deg: float
    pose: Pose
    speed: float


class Visitor:
    """One visit in progress. Instants are monotonic seconds and must not fall."""

    def __init__(self, visit: Visit, rng: np.random.Generator, begun_s: float) -> None:
        self._visit = visit
        self._rng = rng
        self._distance = Reach(FAR_M)
        self._distance.to(NEAR_M, begun_s, _WALK_UP_S)
        self._aside = Reach(float(rng.choice((-1.3, 1.3))))
        self._aside.to(0.0, begun_s, 0.75 * _WALK_UP_S)
        self._yaw = Reach(0.0)
        self._about = LookingAbout(rng, _AWAY_DEG, begun_s, least_deg=_AWAY_DEG)
        self._sways = {name: Sway(rng, size) for name, size in _SWAYS.items()}
        self._blinks = Blinks(rng, begun_s)
        self._seen: Signal | None = None
        self._seen_s = begun_s
        self._answers: deque[tuple[float, Signal]] = deque()
        self._leave_s = begun_s + visit.at_most_s
        self._gone_s: float | None = None

    @property
    def leaving(self) -> bool:
        """Whether the visitor has turned to go."""
        return self._gone_s is not None

    def gone(self, now_s: float) -> bool:
        """Whether nobody is to be seen any more."""
        return self._gone_s is not None and now_s >= self._gone_s

    def watch(self, signal: Signal | None, now_s: float) -> None:
        """Look at the LEDs, and do what is due. None: the LEDs don't tell yet."""
        again = signal in _STEPS and now_s >= self._seen_s + _STEP_AGAIN_S
        if signal is not None and (signal is not self._seen or again):
            self._seen, self._seen_s = signal, now_s
            due_s = now_s + float(self._rng.uniform(*self._visit.reaction_s))
            if self._visit.behaviour is Behaviour.LATE and signal in _TURNS:
                due_s += _LATE_BY_S
            if self._answers:
                due_s = max(due_s, self._answers[-1][0])
            self._answers.append((due_s, signal))
        while self._answers and self._answers[0][0] <= now_s:
            self._answer(self._answers.popleft()[1], now_s)
        if now_s >= self._leave_s and not self.leaving:
            self._leave(now_s)

    def stance(self, now_s: float) -> Stance:
        """How the visitor stands now."""
        sway = {name: one.at(now_s) for name, one in self._sways.items()}
        looks_away = self._visit.behaviour is Behaviour.LOOKS_AWAY
        yaw = self._about.at(now_s) if looks_away else self._yaw.at(now_s)
        # The eye line drops a little in a turn and the head tilts with it, as necks do.
        pose = Pose(
            yaw + sway["yaw"],
            (_BOWED_DEG if looks_away else 0.0) + 0.08 * abs(yaw) + sway["pitch"],
            0.06 * yaw + sway["roll"],
            self._blinks.at(now_s),
        )
        turning = abs(np.deg2rad(self._yaw.speed(now_s)))
        walking = 2.0 * abs(self._aside.speed(now_s)) + abs(self._distance.speed(now_s))
        return Stance(
            distance_m=self._distance.at(now_s),
            aside=self._aside.at(now_s) + sway["aside"],
            up=sway["up"],
            lean_deg=sway["lean"],
            pose=pose,
            speed=float(turning + walking),
        )

    def _answer(self, signal: Signal, now_s: float) -> None:
        behaviour = self._visit.behaviour
        if self.leaving:
            return
        if signal in ENDINGS:
            self._leave_s = min(self._leave_s, now_s + self._visit.stay_after_s)
        elif signal in _STEPS and behaviour is not Behaviour.IGNORES:
            target = min(max(self._distance.target * _STEPS[signal], _NEAREST_M), _FURTHEST_M)
            self._distance.to(target, now_s, _STEP_S)
        if signal in _TURNS and behaviour is Behaviour.WALKS_OFF:
            self._leave(now_s)
        elif signal in _TURNS and behaviour is not Behaviour.IGNORES:
            way = -_TURNS[signal] if behaviour is Behaviour.WRONG else _TURNS[signal]
            reach = self._visit.turn_deg * float(self._rng.uniform(0.92, 1.08))
            self._yaw.to(way * reach, now_s, _TURN_S * float(self._rng.uniform(0.85, 1.2)))
        elif self._yaw.target != 0.0:
            self._yaw.to(0.0, now_s, _TURN_S * float(self._rng.uniform(0.85, 1.2)))

    def _leave(self, now_s: float) -> None:
        self._gone_s = now_s + _WALK_OFF_S
        side = float(self._rng.choice((-1.0, 1.0)))
        self._yaw.to(20.0 * side, now_s, _TURN_S)
        self._aside.to(1.4 * side, now_s, _WALK_OFF_S)
        self._distance.to(1.5, now_s, _WALK_OFF_S)


_SWAYS = {"aside": 0.02, "up": 0.012, "lean": 0.8, "yaw": 1.6, "pitch": 1.5, "roll": 1.0}
"""Amplitudes: shares of half a picture's width and height, and degrees."""
