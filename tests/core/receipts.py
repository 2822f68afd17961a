"""Receipts of every kind for slip tests: one invented person in an invented village."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal

from edge_agent.core.model import Benefit, Claim, Entitlement, Outcome, Reason, Receipt
from edge_agent.core.slip import SlipTerminal

RECORDED_AT = datetime(2026, 11, 24, 2, 5, tzinfo=timezone.utc)
RICE = Benefit("goods", Decimal("10.0"), "kg", "beras")
CASH = Benefit("money", Decimal("600000"), "IDR")
HASH = "0123456789abcdef" * 4
TERMINAL = SlipTerminal(
    id="T-0012",
    site="SITE-7",
    place="Balai Desa Sukamaju",
    complaint_channel="Dinas Sosial, telepon 0800-000-000",
    timezone="Asia/Jakarta",
)


def claim(number: str = "K7Q4-0012", benefit: Benefit = RICE, programme: str = "BPNT") -> Claim:
    return Claim(
        claim_id=f"id-{number}",
        claim_number=number,
        entitlement_id=f"E-{number}",
        subject_id="S-000123",
        programme=programme,
        cycle="2026-11",
        benefit=benefit,
        claimed_at=RECORDED_AT,
        terminal_id="T-0012",
        place="Balai Desa Sukamaju",
    )


def entitlement() -> Entitlement:
    return Entitlement(
        entitlement_id="E-1",
        subject_id="S-000123",
        programme="BPNT",
        cycle="2026-11",
        benefit=RICE,
        valid_from=date(2026, 12, 1),
        valid_until=date(2026, 12, 31),
    )


def given(*claims: Claim, remaining: tuple[Benefit, ...] = ()) -> Receipt:
    return Receipt(
        session_id="0b0e0c3a-0000-4000-8000-000000000001",
        outcome=Outcome.GIVEN,
        reason=None,
        case_number="K7Q4-0012",
        recorded_at=RECORDED_AT,
        record_seq=12,
        record_hash=HASH,
        claims=claims or (claim(),),
        remaining=remaining,
        display_name="Siti Contoh",
    )


def refused(reason: Reason, earlier: Claim | None = None, about: Entitlement | None = None) -> Receipt:
    return Receipt(
        session_id="0b0e0c3a-0000-4000-8000-000000000002",
        outcome=reason.outcome,
        reason=reason,
        case_number="K7Q4-0013",
        recorded_at=RECORDED_AT,
        record_seq=13,
        record_hash=HASH,
        earlier=earlier,
        entitlement=about,
        display_name="Siti Contoh",
    )


def printable_reasons() -> list[Reason]:
    return [reason for reason in Reason if reason.outcome is not Outcome.ABANDONED]
