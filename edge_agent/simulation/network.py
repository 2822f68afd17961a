"""The link that comes for a while: each terminal's outbox goes to a stand-in broker, by the real courier.

Rules: a record leaves an outbox only by the broker's own acknowledgement; a link that ends leaves some unanswered, and
they are sent again. Only bodies of records cross, byte for byte.
"""

from __future__ import annotations

import random
from itertools import count
from pathlib import Path

from edge_agent.ports import OutboxRow
from edge_agent.store import SqliteOutbox
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.courier import Courier

WINDOW = 10
"""`uplink.inflight_max`."""


class Broker:
    """What arrived: terminal -> sequence -> body; a record that came twice is counted, not kept twice."""

    def __init__(self) -> None:
        self.records: dict[str, dict[int, bytes]] = {}
        self.repeated = 0

    def take(self, terminal: str, row: OutboxRow) -> None:
        """One message."""
        kept = self.records.setdefault(terminal, {})
        if row.sequence in kept:
            self.repeated += 1
        kept[row.sequence] = row.body


class Link:
    """One terminal's connection to the broker, pumped by the day's loop."""

    def __init__(self, terminal: str, database: Path, broker: Broker, chance: random.Random) -> None:
        self._terminal = terminal
        self._broker = broker
        self._outbox = SqliteOutbox(database)
        self._courier = Courier(Backoff(1.0, 60.0, chance.random))
        self._mids = count(1)
        self._unanswered: list[int] = []
        self.up = False

    def open(self) -> None:
        """The network is there."""
        self.up = True
        self._courier.link_opened(WINDOW)

    def lose(self) -> None:
        """It has gone; what was sent and not answered will be sent again."""
        self.up = False
        self._courier.link_lost()
        self._unanswered.clear()

    def pump(self, now_s: float) -> None:
        """Answers to the last round come in, then the next round goes out."""
        if not self.up:
            return
        for mid in self._unanswered:
            self._courier.answered(mid, 0, now_s)
        self._unanswered.clear()
        self._courier.pump(self._outbox, self._send, now_s)

    def close(self) -> None:
        """Close the outbox's connection."""
        self._outbox.close()

    def _send(self, row: OutboxRow) -> int:
        self._broker.take(self._terminal, row)
        mid = next(self._mids)
        self._unanswered.append(mid)
        return mid
