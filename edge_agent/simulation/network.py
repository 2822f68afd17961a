"""The link that comes for a while: records go up by the real courier, and the centre is asked by the real desk.

Rules: a record leaves an outbox only by the broker's own acknowledgement; a link that ends leaves some unanswered, and
they are sent again, while what was on its way down is lost. Only bodies of records and signed messages cross, byte for
byte.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from itertools import count

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part
from edge_agent.ports import OutboxRow
from edge_agent.simulation.clock import VirtualTime
from edge_agent.simulation.terminal import SimulatedTerminal
from edge_agent.store import SqliteOutbox
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.courier import Courier
from edge_agent.uplink.wire import Message, Topics, event_message

PREFIX = "aid/v1"
WINDOW = 10
"""`uplink.inflight_max`."""


def silent(kind: str, **fields: object) -> None:
    """Takes what would go into a log; a day tells by its books."""


class Broker:
    """What arrived: terminal -> sequence -> body; a record that came twice is counted, not kept twice.

    centre: gets every message, and answers with messages to send down; None: nobody asks it.
    """

    def __init__(self, centre: Callable[[str, bytes], list[Message]] | None = None) -> None:
        self.records: dict[str, dict[int, bytes]] = {}
        self.repeated = 0
        self.asked = 0
        self._centre = centre
        self._links: dict[str, Link] = {}

    def connect(self, terminal: str, link: Link) -> None:
        """This link is where messages to this terminal go."""
        self._links[terminal] = link

    def take_record(self, topics: Topics, row: OutboxRow) -> None:
        """One record came up."""
        kept = self.records.setdefault(topics.terminal, {})
        if row.sequence in kept:
            self.repeated += 1
        kept[row.sequence] = row.body
        self._to_centre(event_message(topics, row))

    def take_request(self, message: Message) -> None:
        """One question came up."""
        self.asked += 1
        self._to_centre(message)

    def _to_centre(self, message: Message) -> None:
        if self._centre is None:
            return
        for answer in self._centre(message.topic, message.payload):
            self._links[answer.topic.split("/")[-2]].deliver(answer)


class Link:
    """One terminal's connection to the broker, pumped by the day's loop. centre: whose signature answers must have."""

    def __init__(
        self,
        terminal: SimulatedTerminal,
        broker: Broker,
        time: VirtualTime,
        centre: Ed25519PublicKey,
        chance: random.Random,
    ) -> None:
        identity = terminal.parts.identity
        self._topics = Topics(PREFIX, identity.site, identity.id)
        self._terminal = terminal
        self._broker = broker
        self._time = time
        self._centre = centre
        self._outbox = SqliteOutbox(terminal.parts.database)
        self._courier = Courier(Backoff(1.0, 60.0, chance.random))
        self._mids = count(1)
        self._unanswered: list[int] = []
        self._coming_down: deque[Message] = deque()
        self._asking: AuthorityDesk | None = None
        self.up = False
        broker.connect(terminal.id, self)

    def boot(self) -> None:
        """The terminal's process has started."""
        self._asking = AuthorityDesk(
            self._topics,
            self._terminal.parts.keys.signing,
            self._centre,
            wait_s=self._terminal.gallery.rules.limits.authorise_s,
            post=self._terminal.post,
            releases=self._terminal.releases,
            report=silent,
            clock=lambda: self._time.s,
            utc_now=lambda: self._terminal.clock.now().utc,
        )
        self._terminal.ask_centre = self._asking.ask
        if self.up:
            self._terminal.clock.confirm()
        else:
            self._terminal.post(PartFailed(Part.UPLINK, "no network"))

    def open(self) -> None:
        """The network is there, and with it the right time."""
        self.up = True
        self._courier.link_opened(WINDOW)
        if self._terminal.powered:
            self._terminal.clock.confirm()
            self._terminal.post(PartRecovered(Part.UPLINK))

    def lose(self) -> None:
        """It has gone; what was sent and not answered will be sent again."""
        self.up = False
        self._courier.link_lost()
        self._unanswered.clear()
        self._coming_down.clear()
        if self._asking is not None:
            self._asking.link_lost()
        if self._terminal.powered:
            self._terminal.post(PartFailed(Part.UPLINK, "no network"))

    def deliver(self, message: Message) -> None:
        """The broker sends this down."""
        if self.up and self._terminal.powered:
            self._coming_down.append(message)

    def pump(self) -> None:
        """What the last round sent is answered and what came down is taken; then the next round goes out."""
        if not self.up or not self._terminal.powered or self._asking is None:
            return
        while self._coming_down:
            message = self._coming_down.popleft()
            self._asking.take(message.topic, message.payload)
        for mid in self._unanswered:
            if not self._asking.acknowledged(mid):
                self._courier.answered(mid, 0, self._time.s)
        self._unanswered.clear()
        self._asking.turn(self._send_request)
        self._courier.pump(self._outbox, self._send_record, self._time.s)

    def close(self) -> None:
        """Close the outbox's connection."""
        self._outbox.close()

    def _send_record(self, row: OutboxRow) -> int:
        self._broker.take_record(self._topics, row)
        return self._sent()

    def _send_request(self, message: Message) -> int:
        self._broker.take_request(message)
        return self._sent()

    def _sent(self) -> int:
        mid = next(self._mids)
        self._unanswered.append(mid)
        return mid
