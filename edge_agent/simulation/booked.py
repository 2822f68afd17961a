"""One terminal's books as an auditor reads them: its records, the claims in them, and what a day came to.

Rules: pure; reads only what it is given. Records are the CloudEvents of docs/records.md as parsed JSON.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from edge_agent.core.model import Outcome

CLAIMED, ENDED, VOIDED = "aid.claim.recorded.v1", "aid.session.ended.v1", "aid.claim.voided.v1"
PRINTED, DAY_ENDED = "aid.slip.printed.v1", "aid.day.ended.v1"
ACTED, RESOLVED = "aid.officer.acted.v1", "aid.referral.resolved.v1"

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
    voided = {claim for event in events_of(ledger, VOIDED) for claim in event["data"]["claims"]}
    for event in events_of(ledger, CLAIMED):
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
    return (event for event in ledger.events if event["type"] in types)


def counted_totals(ledger: LedgerCopy, day: str) -> dict[str, Any]:
    """The totals of a day (ISO 8601), counted from records alone."""
    outcomes = [event["data"] for event in events_of(ledger, CLAIMED, ENDED)]
    today = [data for data in outcomes if data["day"] == day]
    sessions = {data["session"] for data in today}
    claims = [claim for claim in booked_claims(ledger) if claim.session in sessions]
    printed = {event["data"]["session"] for event in events_of(ledger, PRINTED)}
    value: dict[str, Decimal] = defaultdict(Decimal)
    for claim in claims:
        if not claim.voided:
            value[claim.unit] += claim.amount
    acts = Counter(
        event["data"]["act"]
        for event in events_of(ledger, ACTED)
        if event["data"]["problem"] is None and event["data"]["day"] == day
    )
    return {
        "given": sum(data["outcome"] == Outcome.GIVEN.value for data in today),
        "claims": len(claims),
        "referred": _reasons(today, Outcome.REFERRED),
        "not_entitled": _reasons(today, Outcome.NOT_ENTITLED),
        "abandoned": sum(data["outcome"] == Outcome.ABANDONED.value for data in today),
        "assisted": len({claim.session for claim in claims if claim.assisted}),
        "voided": sum(
            len(event["data"]["claims"]) for event in events_of(ledger, VOIDED) if event["data"]["day"] == day
        ),
        "reprinted": acts["reprint"],
        "resolved": sum(event["data"]["day"] == day for event in events_of(ledger, RESOLVED)),
        "unprinted": sum(
            data["outcome"] != Outcome.ABANDONED.value and data["session"] not in printed for data in today
        ),
        "value": {unit: format(amount, "f") for unit, amount in sorted(value.items())},
    }


def _reasons(outcomes: list[Event], outcome: Outcome) -> dict[str, int]:
    return dict(sorted(Counter(data["reason"] for data in outcomes if data["outcome"] == outcome.value).items()))
