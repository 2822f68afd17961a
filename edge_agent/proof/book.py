"""A ledger as a slip is held against it: the chain verified with the certified key, its outcomes and voids.

Rules: only records before the first broken one are believed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent.slip_code import SlipBenefit
from edge_agent.store.ledger import BrokenRecord, verify
from edge_agent.store.record_files import Event, data_of, parsed, records_of, sequence_of
from edge_agent.store.record_types import CLAIM_VOIDED, OUTCOMES
from edge_agent.store.records import check_signature


@dataclass(frozen=True)
class RecordedOutcome:
    """What the ledger says of one visit. hash: of the record, hex; benefits as recorded, not shortened."""

    hash: str
    case_number: str
    outcome: str
    reason: str
    benefits: tuple[SlipBenefit, ...]


@dataclass(frozen=True)
class LedgerBook:
    """outcomes: by sequence. voided: case number -> day. until: time of the last record that holds. broken: the first
    that does not."""

    head_sequence: int
    until: str
    outcomes: Mapping[int, RecordedOutcome]
    voided: Mapping[str, str]
    broken: BrokenRecord | None = None


def open_book(path: Path, terminal_id: str, key: Ed25519PublicKey) -> LedgerBook:
    """The ledger of one terminal from a database, an export or the centre's copy. Raises StoreError."""
    bodies = records_of(path, terminal_id).bodies
    result = verify(bodies, key)
    events = [event for event in map(parsed, bodies[: result.count]) if event is not None]
    voided: dict[str, str] = {}
    for event in events:
        data = data_of(event)
        if event.get("type") == CLAIM_VOIDED:
            voided[str(data.get("case_number"))] = str(data.get("day") or event.get("time"))
    return LedgerBook(
        head_sequence=result.count,
        until=str(events[-1].get("time")) if events else "",
        outcomes=dict(_outcomes(events, key)),
        voided=voided,
        broken=result.first_broken,
    )


def _outcomes(events: list[Event], key: Ed25519PublicKey) -> Iterator[tuple[int, RecordedOutcome]]:
    for event in events:
        sequence = sequence_of(event)
        if event.get("type") in OUTCOMES and sequence is not None:
            data = data_of(event)
            yield (
                sequence,
                RecordedOutcome(
                    hash=check_signature(event, key)[0],
                    case_number=str(data.get("case_number")),
                    outcome=str(data.get("outcome")),
                    reason=str(data.get("reason") or ""),
                    benefits=tuple(_benefits(data.get("claims"))),
                ),
            )


def _benefits(claims: Any) -> Iterator[SlipBenefit]:
    for claim in claims if isinstance(claims, list) else ():
        try:
            amount = Decimal(str(claim["amount"]))
            words = [str(claim[name]) for name in ("programme", "kind", "unit")]
        except (KeyError, TypeError, InvalidOperation):
            continue
        yield SlipBenefit(words[0], words[1], amount, words[2], str(claim.get("item") or ""))
