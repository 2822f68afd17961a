"""One terminal's process in virtual time: it does what the agent does with events and effects, without threads.

Rules: the session, the store, the recorder, the slips and the token desk are the product's own. A power cut drops the
process wherever it is, at a store's checkpoint for instance; what the store has committed is all that is left of it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.core.messages import (
    ActRecorded,
    AskAuthority,
    AskPrinterStatus,
    Effect,
    Event,
    FaceObserved,
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
    Ticked,
    TokenRefused,
)
from edge_agent.core.model import FaceObservation, Part, Receipt, Signal
from edge_agent.core.officer_acts import ActReceipt
from edge_agent.core.rules import Now, Rules
from edge_agent.core.session import Phase, Session, step
from edge_agent.core.slip import Phrases, SlipTerminal
from edge_agent.core.state import WITH_PERSON
from edge_agent.gallery_hold import GalleryHold
from edge_agent.ports import EmbedderId
from edge_agent.recorder import Recorder
from edge_agent.release_desk import ReleaseDesk
from edge_agent.simulation.clock import TerminalClock, VirtualTime
from edge_agent.simulation.printing import PrinterDesk
from edge_agent.slip_desk import SlipDesk
from edge_agent.store import Keys, Store, TerminalIdentity
from edge_agent.token_desk import TokenBook, TokenDesk, believable_now, read_own_slips


class PowerCut(BaseException):
    """Passes through every handler of errors, as a power cut does."""


@dataclass(frozen=True)
class TerminalParts:
    """What a terminal is made of. rules: of a gallery; complaint_channel stands on slips."""

    identity: TerminalIdentity
    keys: Keys
    database: Path
    embedder: EmbedderId
    rules: Callable[[Store], Rules]
    phrases: Phrases
    complaint_channel: str


@dataclass(frozen=True)
class Ended:
    """One session as this process saw it end. receipt: None when nothing could be committed."""

    end: ReportEnd
    receipt: Receipt | None


class SimulatedTerminal:
    """Call `boot`, then `turn` every 0.1 s of virtual time. Without power it is dark and hears nothing."""

    def __init__(self, parts: TerminalParts, time: VirtualTime, printer: PrinterDesk, chance: random.Random) -> None:
        self.id = parts.identity.id
        self.parts = parts
        self.clock = TerminalClock(time, chance)
        self.printer = printer
        self.session = Session()
        self.powered = False
        self.awake = False
        self.ended: list[Ended] = []
        """Sessions ended since somebody last looked."""
        self.acts: list[ActReceipt] = []
        """Acts recorded since somebody last looked."""
        self.ask_centre: Callable[[AskAuthority], None] = lambda _: None
        self.phases: set[Phase] = set()
        self.checkpoints_left: int | None = None
        """How many store checkpoints there are until the mains fail; None: they don't."""
        self._chance = chance
        self._inbox: deque[Event] = deque()

    @property
    def signal(self) -> Signal | None:
        """What the lights show; None: dark."""
        return self.session.signal if self.powered else None

    def boot(self) -> None:
        """Power is there: open the store and serve."""
        parts = self.parts
        self.store = Store.open(
            parts.database, parts.keys, parts.identity, embedder=parts.embedder, checkpoint=self._checkpoint
        )
        self.powered = True
        self.session = Session(closed_by=self.store.closed_by())
        self._inbox.clear()
        self.recorder = Recorder(self.store, self.clock.now)
        self.gallery = GalleryHold(parts.rules(self.store), self.store.gallery)
        identity = parts.identity
        shown = SlipTerminal(
            identity.id, identity.site, identity.place, parts.complaint_channel, identity.timezone, show_name=True
        )
        self.slips = SlipDesk(parts.phrases, shown, self.store)
        book = TokenBook(
            parts.keys.roster,
            frozenset(self.gallery.rules.gallery.subject_ids),
            self.store.revoked_tokens(),
            self.store.roster_info().issued_at,
            frozenset(officer.officer_id for officer in self.store.officers()),
        )
        past = self.store.surely_past()
        self.codes = TokenDesk(
            book,
            lambda: believable_now(self.clock.now(), past),
            self._inbox.append,
            clock=lambda: self.clock.monotonic_s,
            read_slip=read_own_slips(parts.keys.signing.public_key(), self.id),
        )
        self.releases = ReleaseDesk(self.store, self.clock.now, lambda: None)
        self._note("started", {"version": "simulated"})
        self.printer.ask_status()

    def cut(self) -> None:
        """The process is gone, with all that was only in memory."""
        self.powered = False
        self.checkpoints_left = None
        self.session = Session()
        self._inbox.clear()
        self.printer.forget()
        self.store.close()

    def stop(self) -> None:
        """The end of the day: the process ends in order."""
        self._note("stopped", {})
        self.recorder.finish(self.clock.monotonic_s)
        self.powered = False
        self.store.close()

    def post(self, event: Event) -> None:
        """An event of the world, handled at the next turn."""
        self._inbox.append(event)

    def turn(self, seen: FaceObservation | None) -> None:
        """One tick's worth: what came meanwhile, a frame when there is one, then time itself. Raises PowerCut."""
        for event in self.printer.due():
            self._handle(event)
        while self._inbox:
            self._handle(self._inbox.popleft())
        if seen is not None:
            self._handle(FaceObserved(seen))
        self._handle(Ticked())
        now_s = self.clock.monotonic_s
        self.releases.settle(now_s)
        self._handle_all(self.recorder.retry(now_s))
        self._handle_all(self.gallery.follow(self.session.phase is Phase.OUT_OF_SERVICE, now_s))

    def _handle_all(self, events: Iterable[Event]) -> None:
        for event in events:
            self._handle(event)

    def _handle(self, event: Event) -> None:
        waiting = deque(self._told(event))
        while waiting:
            one = waiting.popleft()
            now = Now(self.clock.monotonic_s, self._chance.randbytes(16))
            self.session, effects = step(self.session, one, now, self.gallery.rules)
            self.phases.add(self.session.phase)
            for effect in effects:
                for answer in self._perform(effect, now.monotonic_s):
                    waiting.extend(self._told(answer))

    def _told(self, event: Event) -> list[Event]:
        return [event, *(told for consequence in self._notice(event) for told in self._told(consequence))]

    def _notice(self, event: Event) -> list[Event]:
        copy = self.slips.copy_ended(event)
        now_s = self.clock.monotonic_s
        if copy is not None:
            return self.recorder.mark_slip(copy, now_s)
        if isinstance(event, (PartFailed, PartRecovered)) and event.part is not Part.STORE:
            kind = "part.failed" if isinstance(event, PartFailed) else "part.recovered"
            return self.recorder.note(kind, {"part": event.part.value}, now_s)
        if isinstance(event, TokenRefused) and not event.again:
            data = {"problem": event.problem, "serial": event.serial or None}
            if self.session.phase in WITH_PERSON:
                data["session"] = self.session.session_id
            return self.recorder.note("token.refused", data, now_s)
        return []

    def _perform(self, effect: Effect, now_s: float) -> list[Event]:
        if isinstance(effect, (RecordClaim, RecordOutcome)):
            return self.recorder.record(effect, now_s)
        if isinstance(effect, RecordAct):
            answers = self.recorder.record_act(effect, now_s)
            self.acts += [answer.receipt for answer in answers if isinstance(answer, ActRecorded)]
            return answers
        if isinstance(effect, MarkSlip):
            return self.recorder.mark_slip(effect, now_s)
        if isinstance(effect, PrintSlip):
            return self.slips.print(effect.receipt, self.printer.print_slip)
        if isinstance(effect, PrintActSlip):
            return self.slips.print_act(effect.receipt, self.printer.print_slip)
        if isinstance(effect, AskAuthority):
            self.ask_centre(effect)
        elif isinstance(effect, AskPrinterStatus):
            self.printer.ask_status()
        elif isinstance(effect, SetPace):
            self.awake = effect.awake
        elif isinstance(effect, ReportEnd):
            self.ended.append(Ended(effect, self.session.receipt))
        elif not isinstance(effect, ShowSignal):
            raise AssertionError(f"the day does not know the effect {type(effect).__name__}")
        return []

    def _note(self, kind: str, data: dict[str, object]) -> None:
        self._handle_all(self.recorder.note(kind, data, self.clock.monotonic_s))

    def _checkpoint(self, _: str) -> None:
        if self.checkpoints_left is None:
            return
        self.checkpoints_left -= 1
        if self.checkpoints_left <= 0:
            raise PowerCut
