"""One terminal's books as an auditor reads them: its records, the claims in them, and what a day came to.

Rules: pure; reads only what it is given. Records are the CloudEvents of docs/records.md as parsed JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from edge_agent.store.day_totals import totals_data
from edge_agent.store.record_totals import totals_of
from edge_agent.store.record_types import CLAIM_RECORDED, CLAIM_VOIDED

Event = Mapping[str, Any]


@dataclass(frozen=True)
class LedgerCopy:
    """One terminal's books. events: all its records, in order; bodies: the same as signed.

    broken: why the chain does not hold; empty: it does. slips: session -> printed, failed or pending, as the terminal
    itself says. waiting: sequences in its outbox; delivered: sequence -> body, as the centre has them.
    """

    terminal: str
    events: tuple[Event, ...]
    bodies: tuple[bytes, ...] = ()
    broken: str = ""
    slips: Mapping[str, str] = field(default_factory=dict)
    waiting: frozenset[int] = frozenset()
    delivered: Mapping[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class BookedClaim:
    """One claim as its terminal recorded it; voided: by a later record of the same terminal."""

    claim_id: str
    terminal: str
    session: str
    subject: str
    entitlement: str
    portion: int
    amount: Decimal
    unit: str
    proxy: str | None
    assisted: bool
    voided: bool


def booked_claims(ledger: LedgerCopy) -> Iterator[BookedClaim]:
    """Every claim of this ledger."""
    voided = {claim for event in events_of(ledger, CLAIM_VOIDED) for claim in event["data"]["claims"]}
    for event in events_of(ledger, CLAIM_RECORDED):
        data = event["data"]
        for claim in data["claims"]:
            yield BookedClaim(
                claim_id=claim["claim_id"],
                terminal=ledger.terminal,
                session=data["session"],
                subject=data["subject"],
                entitlement=claim["entitlement_id"],
                portion=claim["portion"],
                amount=Decimal(claim["amount"]),
                unit=claim["unit"],
                proxy=claim["proxy"],
                assisted=bool(data.get("assisted")),
                voided=claim["claim_id"] in voided,
            )


def events_of(ledger: LedgerCopy, *types: str) -> Iterator[Event]:
    """Its records of these types, in order."""
    return (event for event in ledger.events if event["type"] in types)


def counted_totals(ledger: LedgerCopy, day: str) -> dict[str, Any]:
    """The totals of a day (ISO 8601), counted from records alone, as a day's end has them."""
    # No time zone is needed: every record of a simulated day names the day it counts to.
    return totals_data(totals_of(ledger.events, day, "UTC"))
