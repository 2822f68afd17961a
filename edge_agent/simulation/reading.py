"""Reads what a terminal's database and ledger say, from outside of its process, as an auditor would.

Rules: read-only; nothing here decides.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from edge_agent.store.database import connect, told


@dataclass(frozen=True)
class ClaimRow:
    """One claim as it stands in the database."""

    claim_id: str
    entitlement_id: str
    portion: int
    subject_id: str
    amount: Decimal
    unit: str
    proxy_id: str | None
    assisted_by: str | None
    voided: bool


def claims_of_session(database: Path, session_id: str) -> list[ClaimRow]:
    """The claims of one session. Raises StoreError."""
    with closing(connect(database, "NORMAL", read_only=True)) as connection, told(database):
        return list(_claims(connection, session_id))


def _claims(connection: sqlite3.Connection, session_id: str) -> Iterator[ClaimRow]:
    rows = connection.execute(
        "SELECT claim_id, entitlement_id, portion, subject_id, amount, unit, proxy_id, assisted_by,"
        " voided_seq IS NOT NULL FROM claim WHERE session_id = ? ORDER BY claim_number",
        (session_id,),
    )
    for row in rows:
        yield ClaimRow(row[0], row[1], row[2], row[3], Decimal(row[4]), row[5], row[6], row[7], bool(row[8]))


def slip_states(database: Path) -> dict[str, str]:
    """session -> what the terminal itself says of its slip: printed, failed or pending. Raises StoreError."""
    with closing(connect(database, "NORMAL", read_only=True)) as connection, told(database):
        return dict(connection.execute("SELECT session_id, slip FROM session").fetchall())


def outbox_sequences(database: Path) -> set[int]:
    """Sequence numbers that still wait for the centre. Raises StoreError."""
    with closing(connect(database, "NORMAL", read_only=True)) as connection, told(database):
        return {row[0] for row in connection.execute("SELECT seq FROM outbox")}
