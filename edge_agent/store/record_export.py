"""Records for other systems: JSON Lines as signed, a plain CSV, and OpenSPP's entitlement transactions.

Rules: the CSV and OpenSPP's forms hold no subject, not even an opaque id, and never a proxy's or an officer's. Field
names of OpenSPP are those of its models `spp.entitlement.transactions` (money) and
`spp.inkind.entitlement.transactions` (goods); docs/proof.md tells what goes where.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.store.record_files import Event, data_of, local_day, sequence_of, terminal_of
from edge_agent.store.record_types import CLAIM_RECORDED, CLAIM_VOIDED, SESSION_ENDED
from edge_agent.store.records import amount_text, parse_instant

MONEY_FIELDS = (
    "transaction_uuid",
    "entitlement_id",
    "service_point_id",
    "service_point_device_id",
    "user_id",
    "receipt_number",
    "timestamp_transaction_created",
    "transaction_type",
    "currency_id",
    "amount_charged_by_service_point",
    "value_remaining",
)
GOODS_FIELDS = (*MONEY_FIELDS, "product_id", "quantity", "uom_id", "quantity_remaining")
CSV_FIELDS = (
    "terminal",
    "sequence",
    "time",
    "type",
    "site",
    "outcome",
    "reason",
    "case_number",
    "claim_number",
    "entitlement_id",
    "programme",
    "cycle",
    "kind",
    "amount",
    "unit",
    "item",
    "portion",
    "left",
    "assisted",
    "proxy",
    "voided",
)
_VOID_SPACE = uuid.UUID("6b1f6f0a-54a0-5d0e-9a53-3b0b6f6a7e11")
"""A void's transaction_uuid is a version 5 UUID of the claim's in this name space: the same at every export."""


@dataclass(frozen=True)
class OpensppDefaults:
    """What OpenSPP's models require and no record holds. currency: of goods, which cost nothing; user: who imports."""

    currency: str = "IDR"
    user: str = ""


@dataclass(frozen=True)
class _Claim:
    """One claim as a record tells it. left: None in records older than portions: all of it was given."""

    event: Event
    data: Mapping[str, Any]
    claim: Mapping[str, Any]
    amount: Decimal
    left: Decimal

    @property
    def goods(self) -> bool:
        return self.claim.get("kind") != "money"


def within(events: Iterable[Event], timezone: str, first: date | None, last: date | None) -> Iterator[Event]:
    """The records of these local days, both inclusive; None: without an end."""
    zone = ZoneInfo(timezone)
    for event in events:
        try:
            day = date.fromisoformat(local_day(event, zone))
        except (KeyError, ValueError):
            continue
        if (first is None or first <= day) and (last is None or day <= last):
            yield event


def rows(events: Iterable[Event]) -> Iterator[dict[str, str]]:
    """One row a claim, an outcome without one, or a voided claim."""
    for event in events:
        kind, data = event.get("type"), data_of(event)
        common = {
            "terminal": terminal_of(event) or "",
            "sequence": str(sequence_of(event) or ""),
            "time": str(event.get("time", "")),
            "type": str(kind),
            "site": _word(data.get("site")),
            "outcome": _word(data.get("outcome")),
            "reason": _word(data.get("reason")),
            "case_number": _word(data.get("case_number")),
            "assisted": _flag(data.get("assisted") is True),
        }
        if kind == CLAIM_RECORDED:
            for claim in _dicts(data.get("claims")):
                words = ("claim_number", "entitlement_id", "programme", "cycle", "kind", "amount", "unit", "item")
                told = {name: _word(claim.get(name)) for name in words}
                more = {"portion": _word(claim.get("portion", 1)), "left": _word(claim.get("left", "0"))}
                yield {**common, **told, **more, "proxy": _flag(bool(claim.get("proxy")))}
        elif kind == SESSION_ENDED:
            yield common
        elif kind == CLAIM_VOIDED:
            yield {**common, "voided": _flag(True)}


def transactions(
    events: Iterable[Event], chosen: Iterable[Event], defaults: OpensppDefaults
) -> Iterator[tuple[bool, dict[str, str]]]:
    """(whether goods, the transaction) of the chosen ones among all records: PURCHASE a claim, VOID a voided one.

    events: all of the terminal's, in order, because a void is told with what it takes back.
    """
    wanted = {id_of(event) for event in chosen}
    claims: dict[str, _Claim] = {}
    remaining: dict[str, Decimal] = {}
    for event in events:
        kind, data = event.get("type"), data_of(event)
        if kind == CLAIM_RECORDED:
            for claim in _claims(event, data):
                claims[str(claim.claim.get("claim_id"))] = claim
                remaining[_right(claim)] = claim.left
                if id_of(event) in wanted:
                    yield claim.goods, _transaction(claim, event, "PURCHASE", claim.left, defaults)
        elif kind == CLAIM_VOIDED:
            for claim_id in data.get("claims") or ():
                voided = claims.get(str(claim_id))
                if voided is None:
                    continue
                remaining[_right(voided)] = remaining.get(_right(voided), Decimal(0)) + voided.amount
                if id_of(event) in wanted:
                    yield voided.goods, _transaction(voided, event, "VOID", remaining[_right(voided)], defaults)


def id_of(event: Event) -> tuple[str | None, str]:
    """What tells records apart."""
    return terminal_of(event), str(event.get("id"))


def _transaction(
    claim: _Claim, event: Event, kind: str, remaining: Decimal, defaults: OpensppDefaults
) -> dict[str, str]:
    told = claim.claim
    claim_id = str(told.get("claim_id"))
    row = {
        "transaction_uuid": claim_id if kind == "PURCHASE" else str(uuid.uuid5(_VOID_SPACE, claim_id)),
        "entitlement_id": _word(told.get("entitlement_id")),
        "service_point_id": _word(claim.data.get("site")),
        "service_point_device_id": terminal_of(event) or "",
        "user_id": defaults.user,
        "receipt_number": _word(told.get("claim_number")),
        "timestamp_transaction_created": _odoo_instant(event),
        "transaction_type": kind,
    }
    if not claim.goods:
        return row | {
            "currency_id": _word(told.get("unit")),
            "amount_charged_by_service_point": amount_text(claim.amount),
            "value_remaining": amount_text(remaining),
        }
    return row | {
        "currency_id": defaults.currency,
        "amount_charged_by_service_point": "0",
        "value_remaining": "0",
        "product_id": _word(told.get("item")),
        "quantity": amount_text(claim.amount),
        "uom_id": _word(told.get("unit")),
        "quantity_remaining": amount_text(remaining),
    }


def _odoo_instant(event: Event) -> str:
    """UTC, whole seconds, as Odoo imports it; empty where the record has no time."""
    try:
        return parse_instant(str(event["time"])).strftime("%Y-%m-%d %H:%M:%S")
    except (KeyError, ValueError):
        return ""


def _claims(event: Event, data: Mapping[str, Any]) -> Iterator[_Claim]:
    for claim in _dicts(data.get("claims")):
        try:
            amount, left = Decimal(str(claim["amount"])), Decimal(str(claim.get("left", "0")))
        except (KeyError, InvalidOperation):
            continue
        yield _Claim(event, data, claim, amount, left)


def _right(claim: _Claim) -> str:
    return str(claim.claim.get("entitlement_id"))


def _dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    return (one for one in value if isinstance(one, dict)) if isinstance(value, list) else iter(())


def _word(value: Any) -> str:
    return "" if value is None else str(value)


def _flag(value: bool) -> str:
    return "true" if value else "false"
