"""One ledger record: a CloudEvents 1.0 JSON object, chained by hash and signed. `docs/records.md` is the description.

Rules: the hash is SHA-256 over the RFC 8785 canonical bytes of the object without `signature`; the Ed25519 signature is
over the same bytes. Data holds numbers, booleans and short text: opaque ids, never a name, a national number, an image
or an embedding. Fractions are rounded to four decimals, so that canonical bytes are short and the same everywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.clock import to_milliseconds
from edge_agent.core.model import Benefit, Claim, Entitlement, Evidence, Timestamp
from edge_agent.core.officer_acts import Assistance
from edge_agent.key_files import key_id
from edge_agent.signed_json import is_signed, signature_of, signed_bytes

GENESIS = "0" * 64
"""`prevhash` of a terminal's first record."""

DECIMALS = 4


@dataclass(frozen=True)
class SignedRecord:
    """body: canonical JSON with the signature, UTF-8; hash: SHA-256 hex of the canonical JSON without it."""

    body: bytes
    hash: str


@dataclass(frozen=True)
class RecordSource:
    """Who speaks and what kind of event it is."""

    terminal_id: str
    event_id: str
    event_type: str


@dataclass(frozen=True)
class Position:
    """Where the record stands: sequence from 1, the hash before it, and its time, which never runs backwards."""

    sequence: int
    previous_hash: str
    time: datetime


def sign_record(
    key: Ed25519PrivateKey,
    source: RecordSource,
    position: Position,
    at: Timestamp,
    data: Mapping[str, Any],
) -> SignedRecord:
    """Make the record. When `position.time` is later than the clock, the clock was behind and the record says so."""
    held = position.time > to_milliseconds(at.utc)
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": source.event_id,
        "source": f"urn:aid:terminal:{source.terminal_id}",
        "type": source.event_type,
        "time": instant_text(position.time),
        "datacontenttype": "application/json",
        # The sequence extension is text that sorts; 32-bit CloudEvents integers can't hold milliseconds since boot.
        "sequence": f"{position.sequence:010}",
        "prevhash": position.previous_hash,
        "clocktrusted": at.clock_trusted and not held,
        "monotonicms": str(at.monotonic_ms),
        "bootid": at.boot_id,
        "keyid": key_id(key.public_key()),
        "data": rounded(data),
    }
    if held:
        event["clockutc"] = instant_text(at.utc)
    signed = signed_bytes(event)
    event["signature"] = signature_of(signed, key)
    return SignedRecord(rfc8785.dumps(event), hashlib.sha256(signed).hexdigest())


def check_signature(event: Mapping[str, Any], public_key: Ed25519PublicKey) -> tuple[str, bool]:
    """(hash, whether the signature is this key's) of a parsed record. ValueError when it has no canonical form."""
    signed = signed_bytes(event)
    return hashlib.sha256(signed).hexdigest(), is_signed(event, signed, public_key)


def rounded(value: Any) -> Any:
    """The value with floats rounded to DECIMALS; mappings and sequences are copied."""
    if isinstance(value, float):
        return round(value, DECIMALS)
    if isinstance(value, Mapping):
        return {str(name): rounded(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(part) for part in value]
    return value


def instant_text(instant: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: sorts as text."""
    return to_milliseconds(instant).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def parse_instant(text: str) -> datetime:
    """The inverse of `instant_text`."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)


def amount_text(amount: Decimal) -> str:
    """Plain digits, never an exponent."""
    return format(amount, "f")


def benefit_data(benefit: Benefit) -> dict[str, str]:
    """A benefit as data; the amount is decimal text, since JSON numbers are binary fractions."""
    return {"kind": benefit.kind, "amount": amount_text(benefit.amount), "unit": benefit.unit, "item": benefit.item}


def claim_data(claim: Claim) -> dict[str, Any]:
    """What an auditor needs of a claim. proxy: subject id of who fetched it for somebody else; grant: the centre's."""
    return {
        "claim_id": claim.claim_id,
        "claim_number": claim.claim_number,
        "entitlement_id": claim.entitlement_id,
        "programme": claim.programme,
        "cycle": claim.cycle,
        **benefit_data(claim.benefit),
        "portion": claim.portion,
        "left": amount_text(claim.left),
        "proxy": claim.proxy_id,
        "grant": claim.grant_number,
    }


def assistance_data(assistance: Assistance) -> dict[str, str]:
    """Who vouched, and why."""
    return {"officer": assistance.officer_id, "reason": assistance.reason.value}


def entitlement_data(entitlement: Entitlement) -> dict[str, str]:
    """The entitlement that a refusal is about."""
    return {
        "entitlement_id": entitlement.entitlement_id,
        "programme": entitlement.programme,
        "cycle": entitlement.cycle,
        "valid_from": entitlement.valid_from.isoformat(),
        "valid_until": entitlement.valid_until.isoformat(),
    }


def evidence_data(evidence: Evidence) -> dict[str, Any]:
    """How the person was recognised: numbers only."""
    return {
        "kind": evidence.kind.value,
        "score": evidence.score,
        "threshold": evidence.threshold,
        "runner_up": evidence.runner_up,
        "margin": evidence.margin,
        "gallery_size": evidence.gallery_size,
        "frames": evidence.frames,
        "pad": evidence.pad.value,
        "pad_attempts": evidence.pad_attempts,
        "pad_cues": dict(evidence.pad_cues),
    }
