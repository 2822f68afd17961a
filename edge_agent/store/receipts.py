"""Receipts and claims as rows, and back.

Rules: what a receipt said once it says again, so that a repeated request or a slip printed after a restart is the same.
The display name is not kept with the receipt: it comes from the roster when it is needed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from edge_agent.core.model import Benefit, Claim, Entitlement, EntitlementState, Outcome, Reason, Receipt
from edge_agent.ports import StoreError
from edge_agent.store.records import amount_text, benefit_data, instant_text, parse_instant

_CLAIM_COLUMNS = (
    "claim_id, claim_number, entitlement_id, subject_id, programme, cycle, kind, amount, unit, item, "
    "claimed_at, terminal_id, place, portion, left_amount, proxy_id, assisted_by, assist_reason, grant_number"
)
_ENTITLEMENT_COLUMNS = (
    "entitlement_id, subject_id, programme, cycle, kind, amount, unit, item, valid_from, valid_until, state, home, "
    "lease_until, portion, portion_days"
)


def insert_claim(connection: sqlite3.Connection, claim: Claim, session_id: str, sequence: int) -> None:
    """Add the claim's row; a second one that stands for the same portion is an `sqlite3.IntegrityError`."""
    benefit = claim.benefit
    connection.execute(
        f"INSERT INTO claim ({_CLAIM_COLUMNS}, session_id, seq) VALUES ({_marks(21)})",
        (
            claim.claim_id,
            claim.claim_number,
            claim.entitlement_id,
            claim.subject_id,
            claim.programme,
            claim.cycle,
            benefit.kind,
            amount_text(benefit.amount),
            benefit.unit,
            benefit.item,
            instant_text(claim.claimed_at),
            claim.terminal_id,
            claim.place,
            claim.portion,
            amount_text(claim.left),
            claim.proxy_id,
            claim.assisted_by,
            claim.assist_reason,
            claim.grant_number,
            session_id,
            sequence,
        ),
    )


def claims_where(connection: sqlite3.Connection, column: str, *values: str) -> tuple[Claim, ...]:
    """Claims by `subject_id`, `session_id`, `entitlement_id` or `claim_id`, in the order in which they were made."""
    rows = connection.execute(
        f"SELECT {_CLAIM_COLUMNS}, voided_seq FROM claim WHERE {column} IN ({_marks(len(values))})"
        " ORDER BY seq, claim_number",
        values,
    )
    return tuple(_claim(row) for row in rows)


def insert_entitlement(connection: sqlite3.Connection, entitlement: Entitlement) -> None:
    """Add the entitlement's row."""
    connection.execute(
        f"INSERT INTO entitlement ({_ENTITLEMENT_COLUMNS}) VALUES ({_marks(15)})", _entitlement_values(entitlement)
    )


def entitlements_where(connection: sqlite3.Connection, column: str, *values: str) -> list[Entitlement]:
    """Entitlements of the roster by any of these `subject_id` or `entitlement_id`."""
    rows = connection.execute(
        f"SELECT {_ENTITLEMENT_COLUMNS} FROM entitlement WHERE {column} IN ({_marks(len(values))})", values
    )
    return [_entitlement(row) for row in rows]


def all_entitlements(connection: sqlite3.Connection) -> list[Entitlement]:
    """Every entitlement of the roster."""
    rows = connection.execute(f"SELECT {_ENTITLEMENT_COLUMNS} FROM entitlement ORDER BY entitlement_id")
    return [_entitlement(row) for row in rows]


def insert_session(connection: sqlite3.Connection, receipt: Receipt, subject_id: str | None, day: str) -> None:
    """Add the session's row, with all of the receipt that is not in columns as JSON. day: local, ISO 8601."""
    detail: dict[str, Any] = {"remaining": [benefit_data(benefit) for benefit in receipt.remaining]}
    if receipt.earlier is not None:
        detail["earlier"] = receipt.earlier.claim_id
    if receipt.entitlement is not None:
        detail["entitlement"] = _entitlement_values(receipt.entitlement)
    if receipt.roster_issued_at is not None:
        detail["roster_issued_at"] = instant_text(receipt.roster_issued_at)
    if receipt.open_from is not None:
        detail["open_from"] = receipt.open_from.isoformat()
    if receipt.tries:
        detail["tries"] = receipt.tries
    connection.execute(
        "INSERT INTO session (session_id, outcome, reason, case_number, subject_id, recorded_at, seq, detail, day)"
        f" VALUES ({_marks(9)})",
        (
            receipt.session_id,
            receipt.outcome.value,
            receipt.reason.value if receipt.reason else None,
            receipt.case_number,
            subject_id,
            instant_text(receipt.recorded_at),
            receipt.record_seq,
            json.dumps(detail),
            day,
        ),
    )


def count_copy(connection: sqlite3.Connection, session_id: str) -> int:
    """Number the next copy of this session's slip, from 1. Raises StoreError when it has none."""
    counted = "UPDATE session SET copies = copies + 1 WHERE session_id = ? RETURNING copies"
    rows = connection.execute(counted, (session_id,)).fetchall()
    if not rows:
        raise StoreError(f"session {session_id}: has no recorded outcome, so it has no slip to copy")
    return int(rows[0][0])


def receipts_where(
    connection: sqlite3.Connection, condition: str, values: Iterable[Any] = ()
) -> list[tuple[Receipt, str]]:
    """(receipt, subject_id or "") of the sessions that meet an SQL condition, oldest first."""
    rows = connection.execute(
        "SELECT session_id, outcome, reason, case_number, recorded_at, session.seq, hash, detail, subject_id"
        f" FROM session JOIN ledger USING (seq) WHERE {condition} ORDER BY session.seq",
        tuple(values),
    ).fetchall()
    return [(_receipt(connection, row), row[8] or "") for row in rows]


def _receipt(connection: sqlite3.Connection, row: Any) -> Receipt:
    session_id, outcome, reason, number, recorded_at, sequence, digest, detail_text, _ = row
    detail = json.loads(detail_text)
    earlier = claims_where(connection, "claim_id", detail["earlier"]) if "earlier" in detail else ()
    return Receipt(
        session_id=session_id,
        outcome=Outcome(outcome),
        reason=Reason(reason) if reason else None,
        case_number=number,
        recorded_at=parse_instant(recorded_at),
        record_seq=sequence,
        record_hash=digest,
        claims=claims_where(connection, "session_id", session_id),
        remaining=tuple(_benefit(*(b[k] for k in ("kind", "amount", "unit", "item"))) for b in detail["remaining"]),
        earlier=earlier[0] if earlier else None,
        entitlement=_entitlement(detail["entitlement"]) if "entitlement" in detail else None,
        roster_issued_at=parse_instant(detail["roster_issued_at"]) if "roster_issued_at" in detail else None,
        tries=detail.get("tries", 0),
        open_from=date.fromisoformat(detail["open_from"]) if "open_from" in detail else None,
    )


def _marks(count: int) -> str:
    return ", ".join("?" * count)


def _benefit(kind: str, amount: str, unit: str, item: str) -> Benefit:
    return Benefit(kind, Decimal(amount), unit, item)


def _claim(row: Any) -> Claim:
    claim_id, number, entitlement_id, subject_id, programme, cycle, kind, amount, unit, item, at, *rest = row
    terminal_id, place, portion, left, proxy_id, assisted_by, assist_reason, grant_number, voided_seq = rest
    return Claim(
        claim_id=claim_id,
        claim_number=number,
        entitlement_id=entitlement_id,
        subject_id=subject_id,
        programme=programme,
        cycle=cycle,
        benefit=_benefit(kind, amount, unit, item),
        claimed_at=parse_instant(at),
        terminal_id=terminal_id,
        place=place,
        portion=portion,
        left=Decimal(left),
        proxy_id=proxy_id,
        assisted_by=assisted_by,
        assist_reason=assist_reason,
        grant_number=grant_number,
        voided=voided_seq is not None,
    )


def _entitlement(row: Any) -> Entitlement:
    entitlement_id, subject_id, programme, cycle, kind, amount, unit, item, start, end, state, home, lease = row[:13]
    # A receipt written before portions were known ends with the lease.
    portion, portion_days = row[13:] or (None, 1)
    return Entitlement(
        entitlement_id=entitlement_id,
        subject_id=subject_id,
        programme=programme,
        cycle=cycle,
        benefit=_benefit(kind, amount, unit, item),
        valid_from=date.fromisoformat(start),
        valid_until=date.fromisoformat(end),
        state=EntitlementState(state),
        home=home,
        lease_until=parse_instant(lease) if lease else None,
        portion=Decimal(portion) if portion else None,
        portion_days=portion_days,
    )


def _entitlement_values(entitlement: Entitlement) -> tuple[Any, ...]:
    benefit = entitlement.benefit
    return (
        entitlement.entitlement_id,
        entitlement.subject_id,
        entitlement.programme,
        entitlement.cycle,
        benefit.kind,
        amount_text(benefit.amount),
        benefit.unit,
        benefit.item,
        entitlement.valid_from.isoformat(),
        entitlement.valid_until.isoformat(),
        entitlement.state.value,
        entitlement.home,
        instant_text(entitlement.lease_until) if entitlement.lease_until else None,
        amount_text(entitlement.portion) if entitlement.portion is not None else None,
        entitlement.portion_days,
    )
