"""One terminal and the people around it: a queue, whoever stands before the lens, and what they take home.

Rules: moves only when the day's loop says so. Whatever happens is written into the truth as it happens, never as a
terminal says it did; only what people were told (lights, slips) moves them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from edge_agent.core.model import Signal
from edge_agent.core.session import Phase
from edge_agent.core.slip import QrCode
from edge_agent.simulation.clock import VirtualTime
from edge_agent.simulation.likeness import FaceModel, Look
from edge_agent.simulation.network import Link
from edge_agent.simulation.officer import DeskVisit, Job
from edge_agent.simulation.reading import claims_of_session
from edge_agent.simulation.terminal import PowerCut, SimulatedTerminal
from edge_agent.simulation.truth import Arrival, Handed, Truth
from edge_agent.simulation.visitor import Errand, Visitor, nobody

TICK_S, QUIET_TICK_S = 0.1, 0.5
IDLE_FRAME_S = 0.25
WALK_S = (1.0, 3.0)
PATIENCE_S = 120.0
"""Longest stay before the lens; who is not served by then steps back."""


@dataclass(frozen=True, eq=False)
class Queued:
    """Somebody in the queue since `joined_s`."""

    errand: Errand
    joined_s: float


class Hall:
    """One terminal's place. follow: called when somebody has left the lens, with their arrival if there was one.

    officers: asked whenever somebody may step up whether an officer has something to do first.
    """

    def __init__(
        self,
        terminal: SimulatedTerminal,
        truth: Truth,
        link: Link,
        *,
        time: VirtualTime,
        seed: int,
        faces: FaceModel,
        follow: Callable[[Hall, Errand, Arrival | None], None],
        officers: Callable[[Hall], DeskVisit | None],
    ) -> None:
        self.terminal = terminal
        self.link = link
        self.queue: deque[Queued] = deque()
        self.codes: dict[str, str] = {}
        """session or act -> QR text of its newest slip."""
        self.copies: dict[str, str] = {}
        """act -> the session whose slip it printed again"""
        self.queued: list[tuple[float, int]] = []
        """(second of the day, people in the queue) at each change"""
        self.open = True
        """Until the day has been ended here."""
        self._truth = truth
        self._time = time
        self._faces = faces
        self._follow = follow
        self._officers = officers
        self._desk: DeskVisit | None = None
        self.answered: list[Job] = []
        """Jobs of officers that the terminal answered since somebody last looked."""
        self._rng = np.random.default_rng(seed)
        self._chance = Random(seed)
        self._visitor: Visitor | None = None
        self._joined_s = 0.0
        self._arrival: Arrival | None = None
        self._arrivals: dict[str, Arrival] = {}
        self._next_at_s = 0.0
        self._framed_s = 0.0
        self._tracks = 0
        self._slips_seen = 0
        self._gone: list[tuple[Errand, Arrival | None]] = []

    @property
    def empty(self) -> bool:
        """Nobody is here and nothing is under way."""
        idle = self.terminal.session.phase is Phase.IDLE
        nobody_here = self._visitor is None and self._desk is None
        return not self.queue and not self._gone and nobody_here and idle

    def join(self, errand: Errand, first: bool = False) -> None:
        """Somebody joins the queue; first: those behind let them through."""
        queued = Queued(errand, self._time.s)
        if first:
            self.queue.appendleft(queued)
        else:
            self.queue.append(queued)
        self.queued.append((self._time.s, len(self.queue)))

    def tick(self) -> float:
        """One tick; seconds until the next one is due."""
        now_s, terminal = self._time.s, self.terminal
        self._take_slips()
        visitor = self._visitor
        if visitor is not None:
            visitor.see(terminal.signal, now_s)
            if (visitor.leaves_s is not None and now_s >= visitor.leaves_s) or now_s - visitor.came_s > PATIENCE_S:
                self._leave(visitor)
        if self._desk is not None:
            self._watch_desk(self._desk, now_s)
        if not terminal.powered:
            self._let_go()
            return QUIET_TICK_S
        if self._visitor is None and self._desk is None:
            self._call_next(now_s)
        try:
            self._look_and_turn(now_s)
        except PowerCut:
            self.cut_power()
            return QUIET_TICK_S
        self._note_sessions(now_s)
        self._let_go()
        quiet = (
            self._visitor is None
            and self._desk is None
            and terminal.session.phase is Phase.IDLE
            and terminal.session.armed
        )
        return QUIET_TICK_S if quiet else TICK_S

    def close(self) -> None:
        """The day is over here."""
        self.open = False
        self.terminal.stop()
        self.link.close()

    def cut_power(self) -> None:
        """The mains fail: what was not told by now will never be."""
        self._truth.cuts.append(self._time.s)
        self.terminal.cut()
        for arrival in self._arrivals.values():
            if arrival.outcome is None and not arrival.interrupted:
                arrival.interrupted, arrival.ended_s = True, self._time.s

    def _look_and_turn(self, now_s: float) -> None:
        terminal, visitor = self.terminal, self._visitor
        seen = None
        if terminal.awake or now_s - self._framed_s >= IDLE_FRAME_S:
            self._framed_s = now_s
            captured_s = terminal.clock.monotonic_s
            there = visitor is not None and now_s >= visitor.came_s
            seen = (
                visitor.frame(terminal.session.signal, now_s, captured_s) if visitor and there else nobody(captured_s)
            )
        texts = visitor.codes(terminal.signal, now_s) if visitor is not None else ()
        if self._desk is not None:
            texts = self._desk.codes(now_s)
        for text in texts:
            terminal.codes.present(text)
        terminal.turn(seen)

    def _watch_desk(self, desk: DeskVisit, now_s: float) -> None:
        answered = desk.see(self.terminal.signal, now_s)
        if answered is not None:
            self.answered.append(answered)
        if desk.over:
            self._desk = None

    def _call_next(self, now_s: float) -> None:
        self._desk = self._officers(self)
        if self._desk is not None:
            return
        if not self.queue or self.terminal.signal is not Signal.READY:
            self._next_at_s = now_s + self._chance.uniform(*WALK_S)
            return
        if now_s < self._next_at_s:
            return
        queued = self.queue.popleft()
        self.queued.append((now_s, len(self.queue)))
        self._tracks += 1
        look = Look(self._faces, queued.errand.person.face, self._rng)
        self._visitor = Visitor(queued.errand, self._tracks, now_s, look, Random(self._chance.getrandbits(64)))
        self._joined_s = queued.joined_s
        self._arrival = None

    def _leave(self, visitor: Visitor) -> None:
        self._visitor = None
        self._gone.append((visitor.errand, self._arrival))
        self._arrival = None

    def _let_go(self) -> None:
        """Who has left decides what to do next as soon as it is known how their session ended."""
        gone, self._gone = self._gone, []
        for errand, arrival in gone:
            if arrival is None or arrival.outcome is not None or arrival.interrupted:
                self._follow(self, errand, arrival)
            else:
                self._gone.append((errand, arrival))

    def _note_sessions(self, now_s: float) -> None:
        """Sessions that began and ended in this tick."""
        session, visitor = self.terminal.session, self._visitor
        began = session.session_id and session.session_id not in self._arrivals
        person = visitor.errand.person if visitor is not None else self._desk.person if self._desk else None
        if began and person is not None:
            joined_s = self._joined_s if visitor is not None else now_s
            self._arrival = Arrival(
                person=person.number,
                subject_id=person.subject_id,
                terminal=self.terminal.id,
                joined_s=joined_s,
                came_s=now_s,
                session_id=session.session_id,
                assisted=visitor is None,
            )
            self._arrivals[session.session_id] = self._arrival
            self._truth.arrivals.append(self._arrival)
        for ended in self.terminal.ended:
            arrival = self._arrivals[ended.end.session_id]
            arrival.ended_s, arrival.outcome, arrival.reason = now_s, ended.end.outcome, ended.end.reason
            if ended.receipt is not None:
                arrival.case_number = ended.receipt.case_number
        self.terminal.ended.clear()

    def _take_slips(self) -> None:
        """Slips that have come out by now: their owner takes them, and what they are for is handed out."""
        out = self.terminal.printer.out
        while self._slips_seen < len(out) and out[self._slips_seen].out_s <= self._time.s:
            finished = out[self._slips_seen]
            self._slips_seen += 1
            name = self.copies.get(finished.name, finished.name)
            key = (self.terminal.id, name)
            self._truth.slips[key] = self._truth.slips.get(key, 0) + 1
            for part in finished.slip.parts:
                if isinstance(part, QrCode):
                    self.codes[name] = part.text
            if name in self._arrivals:
                self._hand_out(self._arrivals[name])

    def take_back(self, case_number: str) -> None:
        """The claims of this slip are void: what was handed out for them comes back."""
        sessions = [one.session_id for one in self._arrivals.values() if one.case_number == case_number]
        database = self.terminal.parts.database
        claims = {claim.claim_id for session in sessions for claim in claims_of_session(database, session)}
        held = [one for one in self._truth.handed if one.claim_id in claims]
        returned = {one.claim_id for one in held if one.back}
        self._truth.handed += [replace(one, back=True) for one in held if one.claim_id not in returned]

    def _hand_out(self, arrival: Arrival) -> None:
        """Who has a slip that says "given" gets what it says, once."""
        handed = {one.claim_id for one in self._truth.handed}
        for claim in claims_of_session(self.terminal.parts.database, arrival.session_id):
            if claim.claim_id not in handed and not claim.voided:
                self._truth.handed.append(
                    Handed(claim.claim_id, self.terminal.id, arrival.person, claim.amount, claim.unit)
                )
