"""What the centre's books take from a terminal's records: claims, voids and releases. The rest is not looked at.

Rules: a record counts only if the terminal whose topic it came on has signed it. One that says nothing usable is None,
never an error: a terminal's later records must not wait behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from edge_agent.authority_message import MessageRefusedError, json_object, signed_by
from edge_agent.centre.books import ReportedClaim
from edge_agent.roster_schema import EntitlementId, first_problem

RECORD_MAX_BYTES = 1_000_000
_Id = Annotated[str, Field(min_length=1, max_length=100)]
_Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=3)]


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Claim(_Data):
    claim_id: _Id
    entitlement_id: EntitlementId
    amount: _Amount
    portion: Annotated[int, Field(ge=1, lt=2**31)] = 1


class _Claims(_Data):
    claims: list[_Claim]


class _Voids(_Data):
    claims: list[_Id]


class _Standing(_Data):
    claim_id: _Id
    portion: Annotated[int, Field(ge=1, lt=2**31)]
    amount: _Amount
    at: AwareDatetime


class _Release(_Data):
    entitlement_id: EntitlementId
    grant_number: Annotated[int, Field(ge=0, lt=2**53)]
    claimed: bool
    claims: list[_Standing]


class _ClaimRecorded(_Data):
    type: Literal["aid.claim.recorded.v1"]
    time: AwareDatetime
    data: _Claims


class _ClaimVoided(_Data):
    type: Literal["aid.claim.voided.v1"]
    data: _Voids


class _EntitlementReleased(_Data):
    type: Literal["aid.entitlement.released.v1"]
    data: _Release


_KINDS: dict[str, type[_ClaimRecorded] | type[_ClaimVoided] | type[_EntitlementReleased]] = {
    "aid.claim.recorded.v1": _ClaimRecorded,
    "aid.claim.voided.v1": _ClaimVoided,
    "aid.entitlement.released.v1": _EntitlementReleased,
}


@dataclass(frozen=True)
class Claimed:
    """Something was given."""

    claims: tuple[ReportedClaim, ...]


@dataclass(frozen=True)
class Voided:
    """Claims were taken back."""

    claim_ids: tuple[str, ...]


@dataclass(frozen=True)
class GivenBack:
    """A terminal's answer to a release request. number: grants up to it are void; None: nothing of it was left to give
    back. claims: what it gave of the entitlement, all that stands."""

    entitlement_id: str
    number: int | None
    claims: tuple[ReportedClaim, ...]


Report = Claimed | Voided | GivenBack


def read_record(body: bytes, terminal: str, key: Ed25519PublicKey) -> Report | None:
    """What a record says that matters here; None: another type. Raises MessageRefusedError: it is not this terminal's,
    or makes no sense."""
    event = json_object(body, RECORD_MAX_BYTES)
    kind = _KINDS.get(str(event.get("type")))
    if kind is None:
        return None
    if event.get("source") != f"urn:aid:terminal:{terminal}":
        raise MessageRefusedError("source: is not the terminal on whose topic it came")
    if not signed_by(event, key):
        raise MessageRefusedError("its signature does not fit: it was changed, or another key signed it")
    try:
        return _report(kind.model_validate(event))
    except ValidationError as error:
        raise MessageRefusedError(first_problem(error)) from error


def _report(record: _ClaimRecorded | _ClaimVoided | _EntitlementReleased) -> Report:
    if isinstance(record, _ClaimRecorded):
        claims = (
            ReportedClaim(one.claim_id, one.entitlement_id, one.portion, one.amount, record.time)
            for one in record.data.claims
        )
        return Claimed(claims=tuple(claims))
    if isinstance(record, _ClaimVoided):
        return Voided(claim_ids=tuple(record.data.claims))
    said = record.data
    standing = (
        ReportedClaim(one.claim_id, said.entitlement_id, one.portion, one.amount, one.at) for one in said.claims
    )
    return GivenBack(
        entitlement_id=said.entitlement_id,
        number=None if said.claimed else said.grant_number,
        claims=tuple(standing),
    )
