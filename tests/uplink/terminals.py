"""A terminal's uplink under test: a small SQLite outbox, made-up records, and a record of everything it told."""

from __future__ import annotations

import json
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Outcome, Paper, Part, PrinterStatus, Reason, Signal
from edge_agent.ports import Outbox, OutboxRow, StoreError
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.uplink.wire import HostReadings, PartState, Spread, TerminalSnapshot
from edge_agent.uplink.worker import UplinkWorker
from tests.brokers import Broker

SITE = "desa-07"
TERMINAL = "t-0042"
PREFIX = "aid/v1"
HERE = f"{PREFIX}/{SITE}/{TERMINAL}"


def record(sequence: int) -> OutboxRow:
    """A record as the ledger makes them, with opaque ids only."""
    event = {
        "specversion": "1.0",
        "id": f"{TERMINAL}-{sequence:08d}",
        "type": "org.aid.claim.recorded.v1",
        "source": f"/{SITE}/{TERMINAL}",
        "time": "2026-03-01T04:05:06Z",
        "sequence": str(sequence),
        "data": {"subject": f"s-{sequence:05d}", "outcome": "GIVEN", "clock_trusted": True},
    }
    body = json.dumps(event, separators=(",", ":")).encode()
    return OutboxRow(sequence, str(event["id"]), str(event["type"]), body)


class TableOutbox:
    """ports.Outbox over one table; every connection belongs to the thread that made it."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("CREATE TABLE IF NOT EXISTS outbox (sequence INTEGER PRIMARY KEY, id, type, body BLOB)")

    def add(self, rows: Sequence[OutboxRow]) -> None:
        values = [(row.sequence, row.event_id, row.event_type, row.body) for row in rows]
        self._db.execute("BEGIN IMMEDIATE")
        self._db.executemany("INSERT INTO outbox VALUES (?, ?, ?, ?)", values)
        self._db.execute("COMMIT")

    def oldest(self, limit: int) -> Sequence[OutboxRow]:
        rows = self._db.execute("SELECT * FROM outbox ORDER BY sequence LIMIT ?", (limit,))
        return [OutboxRow(*row) for row in rows]

    def delete(self, sequence: int) -> None:
        self._db.execute("DELETE FROM outbox WHERE sequence = ?", (sequence,))

    def depth(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def close(self) -> None:
        self._db.close()


class FailingOutbox(TableOutbox):
    """An outbox on a disk that is full for a while: `broken` names the calls that fail."""

    def __init__(self, path: Path, broken: set[str]) -> None:
        super().__init__(path)
        self._broken = broken

    def oldest(self, limit: int) -> Sequence[OutboxRow]:
        self._fail("oldest")
        return super().oldest(limit)

    def delete(self, sequence: int) -> None:
        self._fail("delete")
        super().delete(sequence)

    def _fail(self, call: str) -> None:
        if call in self._broken:
            raise StoreError("disk full: free some space on /var")


class LeapingClock:
    """A monotonic clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


class Terminal:
    """An UplinkWorker with its outbox and ears. Use as a context: it is stopped at the end."""

    def __init__(
        self,
        folder: Path,
        broker: Broker,
        *,
        clock: Callable[[], float] = time.monotonic,
        broken: set[str] | None = None,
        outbox_factory: Callable[[], Outbox] | None = None,
        host_readings: Callable[[], HostReadings] | None = None,
        needs_subscriber: bool = True,
        **settings: Any,
    ) -> None:
        self.path = folder / "terminal.db"
        self.outbox = TableOutbox(self.path)
        self.posted: list[PartFailed | PartRecovered] = []
        self.reports: list[tuple[str, dict[str, object]]] = []
        self.beats = 0
        self.waits = 0
        """Back-offs begun."""
        self._random = random.Random(7)
        values: dict[str, Any] = {
            "host": broker.host,
            "port": broker.port,
            "topic_prefix": PREFIX,
            "backoff_min_s": 0.05,
            "backoff_max_s": 0.4,
        }
        self.settings = UplinkSettings(**{**values, **settings})
        self.worker = UplinkWorker(
            self.settings,
            TERMINAL,
            SITE,
            outbox_factory or (lambda: FailingOutbox(self.path, broken if broken is not None else set())),
            snapshot=snapshot,
            post=self.posted.append,
            report=self._report,
            beat=self._beat,
            clock=clock,
            rng=self._draw,
            host=host_readings,
            needs_subscriber=needs_subscriber,
        )

    def __enter__(self) -> Terminal:
        self.worker.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        self.outbox.close()

    def stop(self, within_s: float = 5.0) -> bool:
        """Stop the worker and wait; whether it ended."""
        self.worker.stop(within_s)
        return self.worker.join(within_s + 30.0)

    def commit(self, *sequences: int) -> None:
        """Records come into being."""
        self.outbox.add([record(sequence) for sequence in sequences])
        self.worker.wake()

    def problems(self) -> list[str]:
        """Every problem posted, in order."""
        return [event.problem for event in list(self.posted) if isinstance(event, PartFailed)]

    def recovered(self) -> bool:
        """The last thing posted is a recovery."""
        return bool(self.posted) and isinstance(self.posted[-1], PartRecovered)

    def _report(self, kind: str, **fields: object) -> None:
        self.reports.append((kind, fields))

    def _draw(self) -> float:
        self.waits += 1
        return self._random.random()

    def _beat(self) -> None:
        self.beats += 1


def snapshot() -> TerminalSnapshot:
    """A terminal in service with a dead LED board."""
    return TerminalSnapshot(
        agent_version="1.2.3",
        store_schema=4,
        clock_trusted=True,
        models={"face_embedder": "ab" * 32},
        config_hash="cd" * 32,
        parts={Part.CAMERA: PartState(True), Part.LEDS: PartState(False, "line 17 is in use by another program")},
        printer=PrinterStatus(online=True, paper=Paper.NEAR_END),
        led_signal=Signal.READY,
        gallery_size=500,
        roster_version=12,
        outcomes={Outcome.GIVEN: 7, Outcome.REFERRED: 1},
        reasons={Reason.COULD_NOT_TURN: 1},
        liveness_failures=1,
        service=Spread(8, 9.5, 21.0, 30.2),
        waited=Spread(8, 4.0, 40.0, 61.0),
        assisted=2,
    )
