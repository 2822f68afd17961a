"""Making what a roster took away really gone from disk, and saying so in the ledger.

Rules: an import notes in its own transaction what must be wiped (`meta`), so a crash after the commit is made good at
the next open. Wiping: pages freed by the import are overwritten in the file (`secure_delete`, then a checkpoint that
truncates the write-ahead log), the file is rewritten without them (`VACUUM`), and that log is truncated too. Only then
does the record say so. Claims and ledger of people who left stay: they are the books.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_agent.core.model import Timestamp
from edge_agent.ports import StoreError
from edge_agent.store.database import told, transaction
from edge_agent.store.ledger import Checkpoint, Ledger
from edge_agent.store.record_types import SUBJECT_DELETED
from edge_agent.store.records import instant_text, parse_instant

_PENDING = "wipe_pending"
_IDS_PER_RECORD = 500
"""Keeps a record well under a broker's usual message limit (64 KiB at 64 characters an id)."""


class Deletion:
    """What is still to be wiped, through the store's connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path, ledger: Ledger, checkpoint: Checkpoint) -> None:
        self._connection = connection
        self._path = path
        self._ledger = ledger
        self._checkpoint = checkpoint

    def order(self, subject_ids: Iterable[str], roster: dict[str, Any], at: Timestamp) -> None:
        """Note, inside the import's transaction, that old rows must be wiped and these subjects recorded as deleted.

        roster: as records name it. What an earlier import ordered and is not done yet stays ordered.
        """
        earlier = self._pending()
        subjects = sorted({*(earlier["subjects"] if earlier else ()), *subject_ids})
        order = {"subjects": subjects, "roster": roster, "at": {**asdict(at), "utc": instant_text(at.utc)}}
        self._connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (_PENDING, json.dumps(order)),
        )

    def finish(self) -> None:
        """Wipe and record what was ordered; nothing when nothing was. Raises StoreError: it stays ordered."""
        with told(self._path):
            order = self._pending()
            if order is None:
                return
            self._truncate_log()
            self._checkpoint("deletion:truncated")
            self._connection.execute("VACUUM")
            self._truncate_log()
        self._checkpoint("deletion:wiped")
        at = order["at"]
        ordered_at = Timestamp(parse_instant(at["utc"]), at["clock_trusted"], at["monotonic_ms"], at["boot_id"])
        subjects: list[str] = order["subjects"]
        with transaction(self._connection, self._path):
            for start in range(0, len(subjects), _IDS_PER_RECORD):
                data = {"subjects": subjects[start : start + _IDS_PER_RECORD], "roster": order["roster"]}
                self._ledger.append(SUBJECT_DELETED, data, ordered_at)
            self._connection.execute("DELETE FROM meta WHERE key = ?", (_PENDING,))
        self._checkpoint("deletion:recorded")

    def _pending(self) -> dict[str, Any] | None:
        row = self._connection.execute("SELECT value FROM meta WHERE key = ?", (_PENDING,)).fetchone()
        order: dict[str, Any] | None = json.loads(row[0]) if row else None
        return order

    def _truncate_log(self) -> None:
        busy = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        if busy:
            raise StoreError(
                f"{self._path}: another process reads the file, so that deleted templates can't be wiped yet; close "
                "it (a database browser?), then start the terminal or import again"
            )
