"""The outbox as the uplink sees it: its own connection to the same file, from its own thread.

Rules: the connection is opened by the first call, hence in the thread that uses it. The body is read from the ledger.
`synchronous=NORMAL` is enough here: a lost deletion only means that a record is sent twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from edge_agent.ports import OutboxRow
from edge_agent.store.database import connect, told


class SqliteOutbox:
    """`ports.Outbox` over the terminal's database file, which `Store.open` has made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def oldest(self, limit: int) -> Sequence[OutboxRow]:
        """Up to `limit` rows by ascending sequence. Raises StoreError."""
        with told(self._path):
            rows = self._open().execute(
                "SELECT seq, event_id, type, body FROM outbox JOIN ledger USING (seq) ORDER BY seq LIMIT ?", (limit,)
            )
            return [OutboxRow(*row) for row in rows]

    def delete(self, sequence: int) -> None:
        """Forget an acknowledged row; unknown numbers are ignored. Raises StoreError."""
        with told(self._path):
            self._open().execute("DELETE FROM outbox WHERE seq = ?", (sequence,))

    def depth(self) -> int:
        """Rows waiting. Raises StoreError."""
        with told(self._path):
            return int(self._open().execute("SELECT count(*) FROM outbox").fetchone()[0])

    def close(self) -> None:
        """Close the connection; safe to call twice, and from the thread that joins the uplink."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, synchronous="NORMAL")
        return self._connection
