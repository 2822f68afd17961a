"""The loop: take an event, have the session take it (`session_runner`), show the LEDs, feed the watchdog.

Rules: main thread only; it alone steps the session, writes the store and drives the LEDs. The watchdog is fed only
while every worker's heartbeat is fresh. When told to stop, it refers whoever is being served and lets their slip come
out.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from edge_agent import __version__
from edge_agent.clock import SystemClock
from edge_agent.core.messages import (
    AskAuthority,
    AskPrinterStatus,
    AuthorityAnswered,
    Event,
    FaceObserved,
    PartFailed,
    PartRecovered,
    PrinterStatusReported,
    ReportEnd,
    ShowSignal,
    SlipFailed,
    SlipPrinted,
    Ticked,
)
from edge_agent.core.model import ESSENTIAL_PARTS, Part, Signal
from edge_agent.core.session import Phase, Session
from edge_agent.core.slip import Slip
from edge_agent.core.state import UNDECIDED
from edge_agent.crew import Slot
from edge_agent.devices.printer_worker import PrinterWorker
from edge_agent.devices.token_reader import TokenReader
from edge_agent.disk_watch import DiskWatch
from edge_agent.gallery_hold import GalleryHold
from edge_agent.inbox import Inbox
from edge_agent.ports import LedPanel
from edge_agent.recorder import Recorder
from edge_agent.session_runner import SessionRunner, ShellEffect
from edge_agent.session_tally import SessionTally
from edge_agent.signal_desk import SignalDesk
from edge_agent.slip_desk import SlipDesk
from edge_agent.sounds import Sounds
from edge_agent.uplink.wire import PartState, TerminalSnapshot
from edge_agent.uplink.worker import UplinkWorker
from edge_agent.vision.worker import VisionWorker
from edge_agent.watchdog import Heartbeats, SystemdNotifier

TICK_S = 0.1
START_WITHIN_S = 20.0
"""A camera or printer that has not answered by then is left to report its own failure."""
STOP_WITHIN_S = 10.0
"""How long a person being served when the terminal is stopped may still take, and then each worker."""

_log = structlog.get_logger("agent")


@dataclass(frozen=True)
class Identity:
    """What the terminal says of itself in telemetry. models: name -> SHA-256 hex."""

    models: dict[str, str]
    config_hash: str
    store_schema: int
    roster_version: int
    subjects: int


@dataclass(frozen=True)
class Crew:
    """The workers. uplink, token_reader: None when switched off."""

    vision: Slot[VisionWorker]
    printer: Slot[PrinterWorker]
    uplink: Slot[UplinkWorker] | None
    token_reader: Slot[TokenReader] | None = None

    def all(self) -> tuple[Slot[VisionWorker] | Slot[PrinterWorker] | Slot[UplinkWorker] | Slot[TokenReader], ...]:
        """Every worker there is."""
        return (self.vision, self.printer, *(slot for slot in (self.uplink, self.token_reader) if slot is not None))


class Agent:
    """One terminal at work. Make the crew after the agent (it posts into `inbox`), then `run`.

    closed_by: the officer who closed this terminal before it was last stopped; empty: nobody.
    """

    def __init__(
        self,
        *,
        gallery: GalleryHold,
        recorder: Recorder,
        leds: LedPanel,
        slips: SlipDesk,
        identity: Identity,
        clock: SystemClock,
        heartbeats: Heartbeats,
        notifier: SystemdNotifier,
        disk: DiskWatch,
        sounds: Sounds | None = None,
        closed_by: str = "",
        settle_releases: Callable[[float], None] = lambda _now_s: None,
    ) -> None:
        self.inbox = Inbox()
        self._gallery = gallery
        self._recorder = recorder
        self.leds = leds
        self._signals = SignalDesk(leds, sounds or Sounds(), self.inbox.post)
        self._runner = SessionRunner(
            Session(closed_by=closed_by),
            recorder=recorder,
            slips=slips,
            rules=lambda: gallery.rules,
            clock_s=time.monotonic,
            chance=lambda: os.urandom(16),
            shell=self,
        )
        self._identity = identity
        self._clock = clock
        self._heartbeats = heartbeats
        self._notifier = notifier
        self._disk = disk
        self._settle_releases = settle_releases
        self._crew: Crew | None = None
        self._tally = SessionTally()
        self._snapshot = self._take_snapshot()
        self._stop = threading.Event()

    @property
    def session(self) -> Session:
        """The session as it is now."""
        return self._runner.session

    def snapshot(self) -> TerminalSnapshot:
        """The state as telemetry tells it; from any thread."""
        return self._snapshot

    def request_stop(self) -> None:
        """End `run` soon; from any thread or a signal handler."""
        self._stop.set()

    def run(self, crew: Crew) -> None:
        """Serve until told to stop."""
        self._crew = crew
        self._signals.show(Signal.STARTING, time.monotonic())
        told = {"version": __version__, "config": self._identity.config_hash, **self._identity.models}
        self._runner.note("started", told)
        for slot in crew.all():
            slot.start()
        try:
            self._await_parts()
            self._notifier.ready()
            _log.info("serving", subjects=self._identity.subjects)
            while not self._stop.is_set():
                self._turn()
            self._finish_session()
        finally:
            self._shut_down(crew)

    def _await_parts(self) -> None:
        """Hold events back until camera and printer have said something, so that nobody is told "broken" at start.

        Observations only tell that the camera works: nobody is served yet.
        """
        held: list[Event] = []
        awaited = {Part.CAMERA, Part.PRINTER}
        until_s = time.monotonic() + START_WITHIN_S
        while awaited and time.monotonic() < until_s and not self._stop.is_set():
            event = self.inbox.take(TICK_S)
            self._signals.tick(time.monotonic())
            if event is None:
                continue
            if not isinstance(event, FaceObserved):
                held.append(event)
            elif Part.CAMERA in awaited:
                awaited.discard(Part.CAMERA)
            if isinstance(event, PartFailed) and event.part in (Part.CAMERA, Part.VISION):
                awaited.discard(Part.CAMERA)
            if isinstance(event, PrinterStatusReported) or (
                isinstance(event, PartFailed) and event.part is Part.PRINTER
            ):
                awaited.discard(Part.PRINTER)
        # What closes the terminal comes first, or it would invite people for an instant.
        for event in sorted(held, key=_closes_later):
            self._runner.handle(event)

    def _turn(self) -> None:
        """One tick's worth: events as they come, then time itself."""
        until_s = time.monotonic() + TICK_S
        while (left_s := until_s - time.monotonic()) > 0:
            event = self.inbox.take(left_s)
            if event is not None:
                self._runner.handle(event)
        now_s = time.monotonic()
        self._runner.handle(Ticked())
        self._runner.handle(*self._recorder.retry(now_s))
        self._settle_releases(now_s)
        self._runner.handle(*self._gallery.follow(self.session.phase is Phase.OUT_OF_SERVICE, now_s))
        if self._crew is not None:
            for slot in self._crew.all():
                for event in slot.watch(now_s):
                    self.inbox.post(event)
        found = self._disk.look(now_s)
        if found is not None:
            self._runner.note(*found)
        self._signals.tick(now_s)
        self._snapshot = self._take_snapshot()
        self._notifier.status(self._status())
        self._notifier.feed(self._heartbeats.stale(now_s))

    def perform(self, effect: ShellEffect) -> None:
        """What the session asks of lights, sounds, workers and telemetry (`session_runner.Shell`)."""
        now_s = time.monotonic()
        if isinstance(effect, ShowSignal):
            _log.info("signal", signal=effect.signal.value)
            self._signals.show(effect.signal, now_s)
            self._signals.tick(now_s)
        elif isinstance(effect, ReportEnd):
            self._report_end(effect, now_s)
        elif self._crew is None:
            raise AssertionError(f"{effect} before the crew was there")
        elif isinstance(effect, AskAuthority):
            if self._crew.uplink is not None:
                self._crew.uplink.worker.ask(effect)
        elif isinstance(effect, AskPrinterStatus):
            self._crew.printer.worker.ask_status()
        else:
            self._crew.vision.worker.set_pace(effect.awake)

    def print_slip(self, slip_of: str, slip: Slip) -> None:
        """Hand a slip to the printer's thread."""
        if self._crew is None:
            raise AssertionError("a slip before the crew was there")
        self._crew.printer.worker.print_slip(slip_of, slip)

    def _report_end(self, end: ReportEnd, now_s: float) -> None:
        self._tally.count(end, now_s)
        receipt = self.session.receipt
        _log.info(
            "session_ended",
            session=end.session_id,
            outcome=end.outcome.value,
            reason=None if end.reason is None else end.reason.value,
            case=None if receipt is None else receipt.case_number,
            duration_s=end.duration_s,
            phases_s=_summed(end.phases_s),
        )

    def _take_snapshot(self) -> TerminalSnapshot:
        problems = self._runner.problems
        working = {part: PartState(part not in problems, problems.get(part, "")) for part in Part}
        return TerminalSnapshot(
            agent_version=__version__,
            store_schema=self._identity.store_schema,
            clock_trusted=self._clock.trusted,
            models=self._identity.models,
            config_hash=self._identity.config_hash,
            parts={part: state for part, state in working.items() if part not in self._untold_parts()},
            printer=self.session.printer,
            led_signal=self.session.signal,
            gallery_size=self._identity.subjects,
            roster_version=self._identity.roster_version,
            outcomes=self._tally.outcomes,
            reasons=self._tally.reasons,
            liveness_failures=self._tally.liveness_failures(time.monotonic()),
            service=self._tally.service(time.monotonic()),
            waited=self._tally.waited(time.monotonic()),
            assisted=self._tally.assisted,
        )

    def _untold_parts(self) -> set[Part]:
        """The uplink tells of itself; who has no card reader doesn't speak of one."""
        no_reader = self._crew is None or self._crew.token_reader is None
        return {Part.UPLINK, Part.TOKEN_READER} if no_reader else {Part.UPLINK}

    def _status(self) -> str:
        """One line for `systemctl status`."""
        if self.session.phase is not Phase.OUT_OF_SERVICE:
            counts = ", ".join(f"{outcome.value} {count}" for outcome, count in sorted(self._tally.outcomes.items()))
            return f"{self.session.phase.value}; {counts or 'nobody served yet'}"
        printer = self.session.printer
        closed = [f"closed by officer {self.session.closed_by}"] if self.session.closed_by else []
        reasons = closed + [
            f"{part.value}: {problem}" for part, problem in self._runner.problems.items() if part in ESSENTIAL_PARTS
        ]
        if printer is not None and not printer.can_print and Part.PRINTER not in self._runner.problems:
            reasons.append(f"printer: {printer.detail or 'paper ' + printer.paper.value}")
        return "OUT OF SERVICE: " + "; ".join(reasons)

    def _finish_session(self) -> None:
        """Refer whoever is being served, and wait for their slip."""
        if self.session.session_id and self.session.phase in UNDECIDED:
            # As if the centre were silent and vision had failed, which nobody is told: it hasn't.
            silent = AuthorityAnswered(self.session.session_id)
            self._runner.step([silent, PartFailed(Part.VISION, "the terminal is being stopped")])
        until_s = time.monotonic() + STOP_WITHIN_S
        while self.session.phase in (Phase.RECORDING, Phase.PRINTING) and time.monotonic() < until_s:
            self._turn()

    def _shut_down(self, crew: Crew) -> None:
        """Stop every worker, the uplink last, so that it can still send the last records."""
        self._notifier.stopping()
        until_s = time.monotonic() + STOP_WITHIN_S
        feeding = [slot for slot in crew.all() if slot is not crew.uplink]
        for slot in feeding:
            slot.stop()
        for slot in feeding:
            if not slot.join(until_s):
                _log.error("worker_did_not_stop", part=slot.part.value)
        self._take_last_words()
        self._runner.note("stopped", {"served": sum(self._tally.outcomes.values())})
        self._recorder.finish(time.monotonic())
        if crew.uplink is not None:
            crew.uplink.stop()
            if not crew.uplink.join(time.monotonic() + STOP_WITHIN_S):
                _log.error("worker_did_not_stop", part=Part.UPLINK.value)
        self._signals.close()
        _log.info("stopped")

    def _take_last_words(self) -> None:
        """A slip that came out, or didn't, while the printer was being stopped is still noted."""
        while (event := self.inbox.take(0.0)) is not None:
            if isinstance(event, (SlipPrinted, SlipFailed)):
                self._runner.handle(event)


def _closes_later(event: Event) -> int:
    """Order at start: news of parts nobody can be served without, then of the printer's paper, then the rest."""
    if isinstance(event, (PartFailed, PartRecovered)) and event.part in ESSENTIAL_PARTS:
        return 0
    return 1 if isinstance(event, PrinterStatusReported) else 2


def _summed(phases_s: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Seconds per phase; a phase entered twice counts twice."""
    total: dict[str, float] = {}
    for phase, took_s in phases_s:
        total[phase] = round(total.get(phase, 0.0) + took_s, 3)
    return total
