"""Entitlements that this terminal gave back to the centre, so that another may redeem them.

Rules: methods run inside the caller's transaction, on the main thread, like every claim: a claim and a release of the
same entitlement can't come between each other. What was given back stays given back, whatever rosters follow; only a
grant with a higher number, fresh from the centre, opens it here again. The record says by itself what was given of it
here, so that the centre need not have every earlier record to know what is left.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from decimal import Decimal

from edge_agent.core.model import Timestamp
from edge_agent.store.ledger import Checkpoint, Head, Ledger
from edge_agent.store.record_types import ENTITLEMENT_RELEASED
from edge_agent.store.records import amount_text


@dataclass(frozen=True)
class Released:
    """What came of a request to give back. claimed: nothing is left of it, so nothing was given back.

    grant_number: the highest grant that is void from now on (claimed: that was asked for). head: the record.
    """

    entitlement_id: str
    grant_number: int
    claimed: bool
    head: Head


@dataclass(frozen=True)
class _Standing:
    claim_id: str
    portion: int
    amount: Decimal
    at: str


class GrantTable:
    """What was given back, through the store's connection."""

    def __init__(self, connection: sqlite3.Connection, ledger: Ledger, checkpoint: Checkpoint) -> None:
        self._connection = connection
        self._ledger = ledger
        self._checkpoint = checkpoint

    def release(self, entitlement_id: str, grant_number: int, at: Timestamp) -> Released:
        """Give an entitlement back, or record that nothing of it is left here.

        grant_number: the highest grant that is to be void, 0 for the home. Asked again, it records its answer again:
        the centre asks only when it has none.
        """
        claims = self._standing(entitlement_id)
        claimed = bool(claims) and self._is_whole(entitlement_id, claims)
        if not claimed:
            grant_number = max(grant_number, self._number(entitlement_id) or 0)
        data = {
            "entitlement_id": entitlement_id,
            "grant_number": grant_number,
            "claimed": claimed,
            "claims": [
                {"claim_id": one.claim_id, "portion": one.portion, "amount": amount_text(one.amount), "at": one.at}
                for one in claims
            ],
        }
        head = self._ledger.append(ENTITLEMENT_RELEASED, data, at)
        if not claimed:
            self._connection.execute(
                "INSERT INTO released (entitlement_id, grant_number, seq) VALUES (?, ?, ?)"
                " ON CONFLICT (entitlement_id) DO UPDATE SET grant_number = excluded.grant_number, seq = excluded.seq",
                (entitlement_id, grant_number, head.sequence),
            )
        self._checkpoint("release:inserted")
        return Released(entitlement_id, grant_number, claimed, head)

    def _number(self, entitlement_id: str) -> int | None:
        row = self._connection.execute(
            "SELECT grant_number FROM released WHERE entitlement_id = ?", (entitlement_id,)
        ).fetchone()
        return None if row is None else int(row[0])

    def _standing(self, entitlement_id: str) -> list[_Standing]:
        """What was given of it here and not taken back."""
        rows = self._connection.execute(
            "SELECT claim_id, portion, amount, claimed_at FROM claim WHERE entitlement_id = ? AND voided_seq IS NULL"
            " ORDER BY portion",
            (entitlement_id,),
        )
        return [_Standing(claim_id, portion, Decimal(amount), at) for claim_id, portion, amount, at in rows]

    def _is_whole(self, entitlement_id: str, claims: list[_Standing]) -> bool:
        """Whether these claims are all of it. One that no roster knows any more counts as used up by any claim."""
        row = self._connection.execute(
            "SELECT amount FROM entitlement WHERE entitlement_id = ?", (entitlement_id,)
        ).fetchone()
        return row is None or sum(one.amount for one in claims) >= Decimal(row[0])
