"""What one local day came to at this terminal, and how often each officer helped: counted from the tables.

Rules: reads only, inside the caller's transaction. A session belongs to the local day it was recorded on
(`session.day`), an act to the day it was done on: a void counts on the day of the void, whenever the claim was made.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from edge_agent.core.model import Outcome
from edge_agent.core.officer_acts import Act, DayTotals
from edge_agent.store.records import amount_text


def totals_of(connection: sqlite3.Connection, day: str) -> DayTotals:
    """day: ISO 8601."""
    counts: dict[Outcome, list[tuple[str, int]]] = {outcome: [] for outcome in Outcome}
    rows = connection.execute(
        "SELECT outcome, coalesce(reason, ''), count(*) FROM session WHERE day = ? GROUP BY 1, 2 ORDER BY 2", (day,)
    )
    for outcome, reason, count in rows:
        counts[Outcome(outcome)].append((reason, count))
    return DayTotals(
        day=day,
        given=sum(count for _, count in counts[Outcome.GIVEN]),
        claims=_one(connection, "SELECT count(*) FROM claim JOIN session USING (session_id) WHERE day = ?", day),
        referred=tuple(counts[Outcome.REFERRED]),
        not_entitled=tuple(counts[Outcome.NOT_ENTITLED]),
        abandoned=sum(count for _, count in counts[Outcome.ABANDONED]),
        assisted=_one(
            connection,
            "SELECT count(DISTINCT session_id) FROM claim JOIN session USING (session_id)"
            " WHERE day = ? AND assisted_by IS NOT NULL",
            day,
        ),
        voided=_one(
            connection, "SELECT count(*) FROM claim JOIN officer_act ON officer_act.seq = voided_seq WHERE day = ?", day
        ),
        reprinted=_done(connection, Act.REPRINT, day),
        resolved=_done(connection, Act.REFERRAL_RESOLVED, day),
        unprinted=_one(
            connection,
            "SELECT count(*) FROM session WHERE day = ? AND outcome <> 'ABANDONED' AND slip <> 'printed'",
            day,
        ),
        value=_value(connection, day),
    )


def assisted_today(connection: sqlite3.Connection, officer_id: str, day: str) -> int:
    """Sessions of this local day in which this officer vouched for a claim; one voided since counts too."""
    return _one(
        connection,
        "SELECT count(DISTINCT session_id) FROM claim JOIN session USING (session_id)"
        " WHERE day = ? AND assisted_by = ?",
        day,
        officer_id,
    )


def acts_today(connection: sqlite3.Connection, act: Act, officer_id: str, day: str) -> int:
    """Acts of this kind that were done in this local day with this officer's badge, as the first or the second."""
    return _one(
        connection,
        "SELECT count(*) FROM officer_act WHERE day = ? AND act = ? AND problem IS NULL"
        " AND ? IN (officer_id, second_officer_id)",
        day,
        act.value,
        officer_id,
    )


def totals_data(totals: DayTotals) -> dict[str, Any]:
    """As data of a record and of the act's row."""
    return {
        "given": totals.given,
        "claims": totals.claims,
        "referred": dict(totals.referred),
        "not_entitled": dict(totals.not_entitled),
        "abandoned": totals.abandoned,
        "assisted": totals.assisted,
        "voided": totals.voided,
        "reprinted": totals.reprinted,
        "resolved": totals.resolved,
        "unprinted": totals.unprinted,
        "value": {unit: amount_text(amount) for unit, amount in totals.value},
    }


def totals_from(day: str, data: Mapping[str, Any]) -> DayTotals:
    """The inverse of `totals_data`."""
    counts = {name: value for name, value in data.items() if isinstance(value, int)}
    return DayTotals(
        day=day,
        referred=tuple(sorted(data["referred"].items())),
        not_entitled=tuple(sorted(data["not_entitled"].items())),
        value=tuple(sorted((unit, Decimal(amount)) for unit, amount in data["value"].items())),
        **counts,
    )


def _value(connection: sqlite3.Connection, day: str) -> tuple[tuple[str, Decimal], ...]:
    """Given and not voided, by unit; decimals are summed here, because SQLite would make binary fractions of them."""
    value: dict[str, Decimal] = {}
    rows = connection.execute(
        "SELECT unit, amount FROM claim JOIN session USING (session_id) WHERE day = ? AND voided_seq IS NULL", (day,)
    )
    for unit, amount in rows:
        value[unit] = value.get(unit, Decimal(0)) + Decimal(amount)
    return tuple(sorted(value.items()))


def _done(connection: sqlite3.Connection, act: Act, day: str) -> int:
    statement = "SELECT count(*) FROM officer_act WHERE day = ? AND act = ? AND problem IS NULL"
    return _one(connection, statement, day, act.value)


def _one(connection: sqlite3.Connection, statement: str, *values: str) -> int:
    count: int = connection.execute(statement, values).fetchone()[0]
    return count
