"""The terminal's chain of signed records: append, head, verify.

Rules: `append` runs inside the caller's transaction and also queues the record for the broker. Sequence numbers have no
gaps. Time never runs backwards: a record is never earlier than the one before it. Verification streams, so a chain of
any length fits. A chain alone can't show that its end was cut off: that needs a head known from elsewhere (a day-end
slip, the centre), which `verify` takes as `known_head`.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.clock import to_milliseconds
from edge_agent.core.model import Timestamp
from edge_agent.key_files import key_id
from edge_agent.ports import StoreError
from edge_agent.store.database import connect, told
from edge_agent.store.records import (
    GENESIS,
    Position,
    RecordSource,
    check_signature,
    instant_text,
    parse_instant,
    sign_record,
)

Checkpoint = Callable[[str], None]
"""Called with the name of each step of a transaction; tests kill the process there."""

_MAGIC = b"SQLite format 3\x00"
_EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True)
class Head:
    """The last record: sequence (0: none yet), hash (SHA-256 hex) and time."""

    sequence: int = 0
    hash: str = GENESIS
    time: datetime = _EARLIEST


@dataclass(frozen=True)
class BrokenRecord:
    """The first record that does not hold, by the sequence number expected there, and why."""

    sequence: int
    why: str


@dataclass(frozen=True)
class Verification:
    """count: records that hold, from the first; head_*: the last of them; first_broken: None when all hold."""

    count: int
    head_sequence: int
    head_hash: str
    first_broken: BrokenRecord | None

    @property
    def intact(self) -> bool:
        """Whether every record holds."""
        return self.first_broken is None


class Ledger:
    """The ledger table through one connection. Methods raise `sqlite3.Error`; the caller's transaction explains it."""

    def __init__(
        self, connection: sqlite3.Connection, key: Ed25519PrivateKey, terminal_id: str, checkpoint: Checkpoint
    ) -> None:
        self._connection = connection
        self._key = key
        self._terminal_id = terminal_id
        self._checkpoint = checkpoint

    def head(self) -> Head:
        """The last record's position."""
        row = self._connection.execute("SELECT seq, hash, time FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        return Head(row[0], row[1], parse_instant(row[2])) if row else Head()

    def append(self, event_type: str, data: Mapping[str, Any], at: Timestamp) -> Head:
        """Sign the next record, store it and queue it for the broker, inside the caller's transaction."""
        last = self.head()
        time = max(last.time, to_milliseconds(at.utc))
        position = Position(last.sequence + 1, last.hash, time)
        event_id = str(uuid.uuid4())
        record = sign_record(self._key, RecordSource(self._terminal_id, event_id, event_type), position, at, data)
        self._connection.execute(
            "INSERT INTO ledger (seq, event_id, type, time, hash, body) VALUES (?, ?, ?, ?, ?, ?)",
            (
                position.sequence,
                event_id,
                event_type,
                instant_text(time),
                record.hash,
                record.body,
            ),
        )
        self._checkpoint("ledger:appended")
        self._connection.execute("INSERT INTO outbox (seq) VALUES (?)", (position.sequence,))
        self._checkpoint("outbox:queued")
        if at.clock_trusted:
            trusted = "INSERT OR REPLACE INTO meta (key, value) VALUES ('last_trusted', ?)"
            self._connection.execute(trusted, (instant_text(at.utc),))
        return Head(position.sequence, record.hash, time)

    def check_head(self, path: Path) -> None:
        """Verify the last record before anything is appended to it. Raises StoreError."""
        row = self._connection.execute("SELECT seq, hash, body FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
        if row is None:
            return
        count = self._connection.execute("SELECT count(*) FROM ledger").fetchone()[0]
        if count != row[0]:
            raise StoreError(f"{path}: the ledger ends at record {row[0]} but has {count} records; {_TAMPERED}")
        try:
            event = json.loads(row[2])
            digest, signed = check_signature(event, self._key.public_key())
        except (ValueError, AttributeError) as error:
            raise StoreError(f"{path}: the last ledger record ({row[0]}) can't be read; {_TAMPERED}") from error
        if digest != row[1] or not signed:
            raise StoreError(f"{path}: the last ledger record ({row[0]}) has a wrong hash or signature; {_TAMPERED}")


_TAMPERED = (
    "it was changed outside this software: keep the file with its -wal and -shm files, tell the programme office, "
    "and find the first broken record with `edge-agent ledger verify`"
)


def verify(
    source: Path | Iterable[bytes], public_key: Ed25519PublicKey, known_head: tuple[int, str] | None = None
) -> Verification:
    """Check a chain record by record.

    source: a terminal's database (opened read-only), a JSON Lines export, or the records as JSON texts in order.
    Detects a changed, missing, inserted, repeated or reordered record and a forged signature. known_head: (sequence,
    hash) from elsewhere; without it, records missing at the end are not noticed. Raises StoreError when a file can't be
    read.
    """
    records = read_records(source) if isinstance(source, Path) else source
    head = Head()
    count = 0
    expected_key = key_id(public_key)
    for body in records:
        why, head = _check(body, head, public_key, expected_key)
        if why:
            return Verification(count, head.sequence, head.hash, BrokenRecord(count + 1, why))
        count += 1
        if known_head is not None and known_head[0] == head.sequence and known_head[1] != head.hash:
            why = "its hash is not the one known from elsewhere: the chain was replaced"
            return Verification(count - 1, count - 1, head.hash, BrokenRecord(head.sequence, why))
    if known_head is not None and known_head[0] > head.sequence:
        why = f"records {head.sequence + 1} to {known_head[0]} are missing at the end"
        return Verification(count, head.sequence, head.hash, BrokenRecord(head.sequence + 1, why))
    return Verification(count, head.sequence, head.hash, None)


def is_database(path: Path) -> bool:
    """Whether a file is an SQLite database. Raises StoreError: it can't be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror}); correct the path") from error


def read_records(path: Path) -> Iterator[bytes]:
    """The record bodies of a database (read-only) or of a JSON Lines file, in order. Raises StoreError."""
    if not is_database(path):
        try:
            with path.open("rb") as file:
                yield from (line for line in file if line.strip())
        except OSError as error:
            raise StoreError(f"{path}: can't be read ({error.strerror}); correct the path") from error
    else:
        with closing(connect(path, "FULL", read_only=True)) as connection, told(path):
            for (body,) in connection.execute("SELECT body FROM ledger ORDER BY seq"):
                yield bytes(body)


def _check(body: bytes, before: Head, public_key: Ed25519PublicKey, expected_key: str) -> tuple[str, Head]:
    """("", the new head) when the record holds after `before`; (why not, `before`) otherwise."""
    try:
        event = json.loads(body)
        sequence, time = int(event["sequence"]), parse_instant(event["time"])
        previous, key = str(event["prevhash"]), str(event["keyid"])
        digest, signed = check_signature(event, public_key)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return f"is not a record ({type(error).__name__})", before
    if sequence != before.sequence + 1:
        return f"has sequence {sequence}: a record is missing, repeated or out of order", before
    if key != expected_key:
        return f"is signed by key {key[:16]}, not by {expected_key}", before
    if not signed:
        return "its signature does not fit: it was changed or forged", before
    if previous != before.hash:
        return "does not follow the record before it: that one was changed or replaced", before
    if time < before.time:
        return "is earlier than the record before it", before
    return "", Head(sequence, digest, time)
