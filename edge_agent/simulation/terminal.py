"""One terminal's process in virtual time: the agent's session runner, store and desks, without its threads.

Rules: everything that decides, records or words is the product's own. A power cut drops the
process wherever it is, at a store's checkpoint for instance; what the store has committed is all that is left of it.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.core.messages import (
    ActRecorded,
    AskAuthority,
    AskPrinterStatus,
    Event,
    FaceObserved,
    ReportEnd,
    SetPace,
    Ticked,
)
from edge_agent.core.model import FaceObservation, Receipt, Signal
from edge_agent.core.officer_acts import ActReceipt
from edge_agent.core.rules import Rules
from edge_agent.core.session import Phase, Session
from edge_agent.core.slip import Phrases, Slip, SlipTerminal
from edge_agent.gallery_hold import GalleryHold
from edge_agent.ports import EmbedderId
from edge_agent.recorder import Recorder
from edge_agent.release_desk import ReleaseDesk
from edge_agent.session_runner import SessionRunner, ShellEffect
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
    def session(self) -> Session:
        """The session as it is now; without power, one that nothing has happened to."""
        return self.runner.session if self.powered else Session()

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
        self._inbox.clear()
        self.recorder = Recorder(self.store, self.clock.now)
        self.gallery = GalleryHold(parts.rules(self.store), self.store.gallery)
        identity = parts.identity
        shown = SlipTerminal(
            identity.id, identity.site, identity.place, parts.complaint_channel, identity.timezone, show_name=True
        )
        self.runner = SessionRunner(
            Session(closed_by=self.store.closed_by()),
            recorder=self.recorder,
            slips=SlipDesk(parts.phrases, shown, self.store),
            rules=lambda: self.gallery.rules,
            clock_s=lambda: self.clock.monotonic_s,
            chance=lambda: self._chance.randbytes(16),
            shell=self,
            stepped=self._note_step,
        )
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
        self.runner.note("started", {"version": "simulated"})
        self.printer.ask_status()

    def cut(self) -> None:
        """The process is gone, with all that was only in memory."""
        self.powered = False
        self.checkpoints_left = None
        self._inbox.clear()
        self.printer.forget()
        self.store.close()

    def stop(self) -> None:
        """The end of the day: the process ends in order."""
        self.runner.note("stopped", {})
        self.recorder.finish(self.clock.monotonic_s)
        self.powered = False
        self.store.close()

    def post(self, event: Event) -> None:
        """An event of the world, handled at the next turn."""
        self._inbox.append(event)

    def turn(self, seen: FaceObservation | None) -> None:
        """One tick's worth: what came meanwhile, a frame when there is one, then time itself. Raises PowerCut."""
        for event in self.printer.due():
            self.runner.handle(event)
        while self._inbox:
            self.runner.handle(self._inbox.popleft())
        if seen is not None:
            self.runner.handle(FaceObserved(seen))
        self.runner.handle(Ticked())
        now_s = self.clock.monotonic_s
        self.releases.settle(now_s)
        self.runner.handle(*self.recorder.retry(now_s))
        self.runner.handle(*self.gallery.follow(self.session.phase is Phase.OUT_OF_SERVICE, now_s))

    def perform(self, effect: ShellEffect) -> None:
        """What the session asks of the rest of the terminal (`session_runner.Shell`); the lights are in its state."""
        if isinstance(effect, AskAuthority):
            self.ask_centre(effect)
        elif isinstance(effect, AskPrinterStatus):
            self.printer.ask_status()
        elif isinstance(effect, SetPace):
            self.awake = effect.awake
        elif isinstance(effect, ReportEnd):
            self.ended.append(Ended(effect, self.session.receipt))

    def print_slip(self, slip_of: str, slip: Slip) -> None:
        """Hand a slip to the printer."""
        self.printer.print_slip(slip_of, slip)

    def _note_step(self, event: Event) -> None:
        """Keep what the day wants to know."""
        self.phases.add(self.session.phase)
        if isinstance(event, ActRecorded):
            self.acts.append(event.receipt)

    def _checkpoint(self, _: str) -> None:
        if self.checkpoints_left is None:
            return
        self.checkpoints_left -= 1
        if self.checkpoints_left <= 0:
            raise PowerCut
