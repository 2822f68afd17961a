"""Runs the session: events in, effects performed, answers back in, until nothing is left to do.

Rules: one thread. What the recorder and the slip desk do is done here, the same for every terminal, threads or not; the
rest (lights, workers, telemetry) is the shell's. An event is told of before the session sees it, and what comes of
telling it follows it at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import structlog

from edge_agent.core.messages import (
    AskAuthority,
    AskPrinterStatus,
    Effect,
    Event,
    MarkSlip,
    PartFailed,
    PartRecovered,
    PrintActSlip,
    PrintSlip,
    RecordAct,
    RecordClaim,
    RecordOutcome,
    ReportEnd,
    SetPace,
    ShowSignal,
    TokenRefused,
)
from edge_agent.core.model import Part
from edge_agent.core.rules import Now, Rules
from edge_agent.core.session import Session, step
from edge_agent.core.slip import Slip
from edge_agent.core.state import WITH_PERSON
from edge_agent.recorder import Recorder
from edge_agent.slip_desk import SlipDesk

ShellEffect = ShowSignal | ReportEnd | AskPrinterStatus | AskAuthority | SetPace

_log = structlog.get_logger("agent")


class Shell(Protocol):
    """What is done by whoever runs the session."""

    def perform(self, effect: ShellEffect) -> None:
        """Do it, or have it done; answers come as events."""

    def print_slip(self, slip_of: str, slip: Slip) -> None:
        """Hand a slip to the printer; slip_of: the id of its session or act."""


class SessionRunner:
    """session: as it is now. problems: of parts that don't work, for technicians.

    rules: those in force at each step. clock_s: monotonic seconds. chance: 16 fresh random bytes.
    stepped: called when the session has taken an event.
    """

    def __init__(
        self,
        session: Session,
        *,
        recorder: Recorder,
        slips: SlipDesk,
        rules: Callable[[], Rules],
        clock_s: Callable[[], float],
        chance: Callable[[], bytes],
        shell: Shell,
        stepped: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self.session = session
        self.problems: dict[Part, str] = {}
        self._recorder = recorder
        self._slips = slips
        self._rules = rules
        self._clock_s = clock_s
        self._chance = chance
        self._shell = shell
        self._stepped = stepped

    def handle(self, *events: Event) -> None:
        """Tell of each event, then step the session with it and with every answer that its effects bring."""
        for event in events:
            self.step(self._told(event))

    def note(self, kind: str, data: Mapping[str, Any]) -> None:
        """Record an event of the terminal itself."""
        self.handle(*self._recorder.note(kind, data, self._clock_s()))

    def step(self, events: Iterable[Event]) -> None:
        """Step the session with these, told of or not, and with every answer."""
        waiting = deque(events)
        while waiting:
            event = waiting.popleft()
            before, now = self.session, Now(self._clock_s(), self._chance())
            self.session, effects = step(before, event, now, self._rules())
            self._stepped(event)
            if self.session.phase is not before.phase:
                session_id = self.session.session_id or before.session_id
                _log.info("phase", phase=self.session.phase.value, after=before.phase.value, session=session_id)
            for effect in effects:
                for answer in self._perform(effect, now.monotonic_s):
                    waiting.extend(self._told(answer))

    def _told(self, event: Event) -> list[Event]:
        """The event, noticed, and what came of noticing it."""
        return [event, *(told for consequence in self._notice(event) for told in self._told(consequence))]

    def _notice(self, event: Event) -> list[Event]:
        """Tell logs and ledger of parts that fail and recover, of copies that came out and of tokens not taken."""
        now_s = self._clock_s()
        copy = self._slips.copy_ended(event)
        if copy is not None:
            return self._recorder.mark_slip(copy, now_s)
        if isinstance(event, PartFailed):
            self.problems[event.part] = event.problem
            _log.error("part_failed", part=event.part.value, problem=event.problem)
            if event.part is not Part.STORE:
                return self._recorder.note("part.failed", {"part": event.part.value, "problem": event.problem}, now_s)
        elif isinstance(event, PartRecovered) and event.part in self.problems:
            del self.problems[event.part]
            _log.info("part_recovered", part=event.part.value)
            if event.part is not Part.STORE:
                return self._recorder.note("part.recovered", {"part": event.part.value}, now_s)
        elif isinstance(event, TokenRefused) and not event.again:
            data = {"problem": event.problem, "serial": event.serial or None}
            if self.session.phase in WITH_PERSON:
                data["session"] = self.session.session_id
            return self._recorder.note("token.refused", data, now_s)
        return []

    def _perform(self, effect: Effect, now_s: float) -> list[Event]:
        """Do what the session asks; the events that answer at once."""
        if isinstance(effect, (RecordClaim, RecordOutcome)):
            return self._recorder.record(effect, now_s)
        if isinstance(effect, RecordAct):
            return self._recorder.record_act(effect, now_s)
        if isinstance(effect, MarkSlip):
            return self._recorder.mark_slip(effect, now_s)
        if isinstance(effect, PrintSlip):
            return self._slips.print(effect.receipt, self._shell.print_slip)
        if isinstance(effect, PrintActSlip):
            return self._slips.print_act(effect.receipt, self._shell.print_slip)
        self._shell.perform(effect)
        return []
