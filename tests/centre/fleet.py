"""Several real terminals and a real centre with nothing between them but a network that a test misuses.

Real: each terminal's `Store` (SQLite file), its `AuthorityDesk` and `ReleaseDesk`, the centre's `CentreDesk` and its
books, every signature. Made up: the network (messages wait here until a test delivers, repeats or loses them), the
session (asks, waits, claims) and the clocks.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.centre.books import Books
from edge_agent.centre.desk import CentreDesk
from edge_agent.core.messages import AskAuthority, AuthorityAnswered, AuthorityNeeded, ClaimRecorded, RecordClaim
from edge_agent.core.model import Entitlement, Outcome, Receipt
from edge_agent.core.officer_acts import Act, ActRequest
from edge_agent.key_files import exchange_key
from edge_agent.release_desk import ReleaseDesk
from edge_agent.roster_file import sign_roster
from edge_agent.roster_list import roster_list
from edge_agent.store import Keys, SqliteOutbox, Store
from edge_agent.store.database import connect
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.wire import Message, Topics, event_message
from tests.store.terminal import EMBEDDER, EVIDENCE, OFFICE, TERMINAL, Clock, roster

PREFIX, SITE = "aid/v1", TERMINAL.site
WAIT_S = 5.0


class PowerCut(BaseException):
    """Not an Exception, so that nothing catches it."""


@dataclass
class Fuse:
    """Cuts the power at the n-th step from now; None: not at all."""

    steps: int | None = None

    def __call__(self, _step: str) -> None:
        if self.steps is None:
            return
        self.steps -= 1
        if self.steps < 0:
            self.steps = None
            raise PowerCut


@dataclass(eq=False)
class Packet:
    """One message under way. to: a terminal's id, or "centre"."""

    to: str
    topic: str
    payload: bytes
    about: str


def key_of(name: str) -> bytes:
    """32 bytes that are always the same for a name."""
    return hashlib.sha256(name.encode()).digest()


@dataclass
class Visit:
    """One person in front of one terminal. receipt: what they were told in the end."""

    session_id: str
    subject_id: str
    receipt: Receipt | None = None
    needed: tuple[str, ...] = ()


class Node:
    """One terminal. send: what its link does with a message."""

    def __init__(
        self, name: str, folder: Path, send: Callable[[str, Message], None], now_s: Callable[[], float]
    ) -> None:
        self.name = name
        self.path = folder / name / "terminal.db"
        self.signing = Ed25519PrivateKey.from_private_bytes(key_of(name))
        self.keys = Keys(key_of(name + " template"), self.signing, OFFICE.public_key())
        self.clock = Clock()
        self.fuse = Fuse()
        self.linked = True
        self.visits = 0
        self.cuts = 0
        self._send, self._now_s = send, now_s
        self._posted: list[AuthorityAnswered] = []
        self.given: list[str] = []
        self.store = self._open()

    def _open(self) -> Store:
        terminal = replace(TERMINAL, id=self.name)
        store = Store.open(self.path, self.keys, terminal, embedder=EMBEDDER, checkpoint=self.fuse)
        self.visit: Visit | None = None
        self.releases = ReleaseDesk(store, self.clock, lambda: None)
        self.desk = AuthorityDesk(
            Topics(PREFIX, SITE, self.name),
            self.signing,
            OFFICE.public_key(),
            wait_s=WAIT_S,
            post=self._posted.append,
            releases=self.releases,
            report=lambda _kind, **_fields: None,
            clock=self._now_s,
        )
        return store

    def powered(self, action: Callable[[], object]) -> None:
        """Do it; where the power is cut meanwhile, start again with what is on disk."""
        try:
            action()
        except PowerCut:
            self.cuts += 1
            self.restart()

    def restart(self) -> None:
        """Everything in memory is gone."""
        self.store.close()
        self._posted.clear()
        self.store = self._open()

    def arrive(self, subject_id: str) -> Visit:
        """A person is recognised; whoever stood there before has left."""
        self.end_visit()
        self.visits += 1
        visit = self.visit = Visit(f"{self.name}-{self.cuts}-{self.visits}", subject_id)
        answer = self.store.record_claim(
            RecordClaim(visit.session_id, subject_id, EVIDENCE, may_ask=True), self.clock()
        )
        if isinstance(answer, AuthorityNeeded):
            visit.needed = answer.entitlement_ids
            self.desk.ask(AskAuthority(visit.session_id, answer.entitlement_ids))
        else:
            self._told(visit, answer.receipt)
        return visit

    def tick(self) -> None:
        """What the uplink and the main thread do by themselves."""
        self.desk.turn(self._publish if self.linked else None)
        self.desk.acknowledged(7)
        self.releases.settle(self._now_s())
        while self._posted:
            self._answered(self._posted.pop(0))

    def end_visit(self) -> None:
        """The centre did not answer in time."""
        if self.visit is not None and self.visit.receipt is None:
            self._conclude(self.visit, AuthorityAnswered(self.visit.session_id))

    def _answered(self, answer: AuthorityAnswered) -> None:
        if self.visit is not None and self.visit.session_id == answer.session_id and self.visit.receipt is None:
            self._conclude(self.visit, answer)

    def _conclude(self, visit: Visit, answer: AuthorityAnswered) -> None:
        request = RecordClaim(
            visit.session_id, visit.subject_id, EVIDENCE, authorities=answer.authorities, claimed=answer.claimed
        )
        said = self.store.record_claim(request, self.clock())
        assert not isinstance(said, AuthorityNeeded)
        assert isinstance(said, ClaimRecorded) == (said.receipt.outcome is Outcome.GIVEN)
        self._told(visit, said.receipt)

    def void(self, case_number: str) -> bool:
        """Two officers take back what was given in this case; whether they could."""
        self.given.remove(case_number)
        number = f"{self.name}-{case_number}"
        request = ActRequest(number, Act.VOID, f"{number}-a", f"{number}-b", case_number)
        return self.store.record_act(request, self.clock()).receipt.problem is None

    def _told(self, visit: Visit, receipt: Receipt) -> None:
        visit.receipt = receipt
        if receipt.outcome is Outcome.GIVEN:
            self.given.append(receipt.case_number)

    def _publish(self, message: Message) -> int:
        self._send(self.name, message)
        return 7

    def standing(self) -> list[tuple[str, int, Decimal]]:
        """(entitlement, portion, amount) of every claim that stands."""
        with closing(connect(self.path, "FULL", read_only=True)) as connection:
            rows = connection.execute(
                "SELECT entitlement_id, portion, amount FROM claim WHERE voided_seq IS NULL"
            ).fetchall()
        return [(entitlement_id, portion, Decimal(amount)) for entitlement_id, portion, amount in rows]


@dataclass
class Fleet:
    """Terminals t1 … tn, all with the same roster, and their centre. entitlements: of subjects s1 … s4."""

    folder: Path
    size: int
    entitlements: Sequence[Entitlement]
    now_s: float = 0.0
    packets: list[Packet] = field(default_factory=list)
    told: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        names = [f"t{number}" for number in range(1, self.size + 1)]
        self.nodes = {name: Node(name, self.folder, self._from_terminal, lambda: self.now_s) for name in names}
        content = roster(1, 4, list(self.entitlements))
        sealed_to = {name: exchange_key(node.keys.template).public_key() for name, node in self.nodes.items()}
        path = self.folder / "roster.aid"
        path.write_bytes(sign_roster(content, OFFICE, sealed_to))
        for node in self.nodes.values():
            node.store.import_roster(path, node.clock())
        self._list = roster_list(SITE, 1, names, self.entitlements)
        self.fuse = Fuse()
        self.centre_cuts = 0
        self._open_centre()

    def close(self) -> None:
        self.books.close()
        for node in self.nodes.values():
            node.store.close()

    def _open_centre(self) -> None:
        self.books = Books(self.folder / "books.db", self.fuse)
        self.books.learn([self._list])
        self.centre = CentreDesk(
            self.books,
            OFFICE,
            {name: node.signing.public_key() for name, node in self.nodes.items()},
            PREFIX,
            tell=lambda kind, **fields: self.told.append((kind, fields)),
            now_s=lambda: self.now_s,
        )

    def restart_centre(self) -> None:
        self.books.close()
        self.fuse.steps = None
        self._open_centre()

    def _from_terminal(self, _name: str, message: Message) -> None:
        self.packets.append(Packet("centre", message.topic, message.payload, "request"))

    def upload(self, name: str, count: int, acknowledged: bool = True) -> None:
        """The terminal's oldest records set out; unacknowledged they will be sent again."""
        if not self.nodes[name].linked:
            return
        outbox = SqliteOutbox(self.nodes[name].store.path)
        for row in outbox.oldest(count):
            message = event_message(Topics(PREFIX, SITE, name), row)
            self.packets.append(Packet("centre", message.topic, message.payload, row.event_type))
            if acknowledged:
                outbox.delete(row.sequence)
        outbox.close()

    def deliver(self, packet: Packet) -> None:
        """A message arrives, by no means in order."""
        if packet.to == "centre":
            self._to_centre(packet)
        else:
            node = self.nodes[packet.to]
            if not node.linked:
                return
            node.powered(lambda: node.desk.take(packet.topic, packet.payload))

    def deliver_all(self, to: str, about: str = "") -> None:
        """What is under way to a terminal or the centre arrives, oldest first."""
        due = [packet for packet in self.packets if packet.to == to and about in packet.about]
        self.packets = [packet for packet in self.packets if packet not in due]
        for packet in due:
            self.deliver(packet)

    def _to_centre(self, packet: Packet) -> None:
        try:
            answers = self.centre.take(packet.topic, packet.payload)
        except PowerCut:
            # Not acknowledged: the broker still has it.
            self.centre_cuts += 1
            self.restart_centre()
            self.packets.append(packet)
            return
        for answer in answers:
            to = answer.topic.split("/")[-2]
            about = "release" if answer.topic.endswith("/commands") else "answer"
            self.packets.append(Packet(to, answer.topic, answer.payload, about))

    def tick(self, name: str) -> None:
        node = self.nodes[name]
        node.powered(node.tick)

    def link(self, name: str, up: bool) -> None:
        """The terminal's network comes or goes, and with it what was sent and not yet acknowledged."""
        self.nodes[name].linked = up
        self.nodes[name].desk.link_lost()

    def run(self, rounds: int = 12) -> None:
        """Everything arrives, in order, and everybody answers."""
        for _ in range(rounds):
            for name in self.nodes:
                self.tick(name)
                self.upload(name, 1000)
            under_way, self.packets = self.packets, []
            for packet in under_way:
                self.deliver(packet)

    def given(self) -> dict[str, list[tuple[int, Decimal]]]:
        """Entitlement -> (portion, amount) of what stands, over all terminals."""
        found: dict[str, list[tuple[int, Decimal]]] = defaultdict(list)
        for node in self.nodes.values():
            for entitlement_id, portion, amount in node.standing():
                found[entitlement_id].append((portion, amount))
        return found

    def assert_nothing_given_twice(self) -> None:
        whole = {one.entitlement_id: one.benefit.amount for one in self.entitlements}
        for entitlement_id, given in self.given().items():
            portions = [portion for portion, _ in given]
            assert len(set(portions)) == len(portions), f"{entitlement_id}: portions {sorted(portions)}"
            total = sum(amount for _, amount in given)
            assert total <= whole[entitlement_id], f"{entitlement_id}: {total} of {whole[entitlement_id]}"
