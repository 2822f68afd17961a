"""The fields of a roster file, validated: closed models with bounds. What a whole roster must fulfil: `roster_payload`.

Rules: a subject's id is opaque; 16 digits, the form of a national number (NIK), are refused, since ids go on the wire.
Amounts are decimal text without exponent, days ISO 8601, instants RFC 3339 with an offset. Instants are kept in UTC to
the millisecond, as the terminal stores them, so that the same content has the same bytes everywhere.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from edge_agent.clock import to_milliseconds
from edge_agent.core.model import Benefit, Entitlement, EntitlementState

_NIK = r"\d{16}"


def _opaque(value: str) -> str:
    """Refuses what a national number looks like: alone, with separators, or as a part of a longer id."""
    alone = re.sub(r"[._:-]", "", value)
    if re.fullmatch(_NIK, alone) or re.search(rf"(?<!\d){_NIK}(?!\d)", value):
        raise ValueError("looks like a national number (16 digits); use an opaque id")
    return value


def _plain(value: Decimal) -> Decimal:
    return Decimal(format(value, "f"))


Identifier = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
SubjectId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_opaque)]
OfficerId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"), AfterValidator(_opaque)]
EntitlementId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,199}$"), AfterValidator(_opaque)]
Label = Annotated[str, Field(min_length=1, max_length=80)]
Base64 = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+={0,2}$", max_length=100_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
TokenSerial = Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
"""A token's serial (`token_file`): 6 random bytes in hex."""
Version = Annotated[int, Field(ge=1, lt=2**53)]
_AMOUNT_TEXT = {"type": "string", "pattern": r"^(?=.*[1-9])[0-9]{1,12}(\.[0-9]{1,3})?$"}
Amount = Annotated[
    Decimal, Field(gt=0, max_digits=15, decimal_places=3), AfterValidator(_plain), WithJsonSchema(_AMOUNT_TEXT)
]
Unit = Annotated[str, Field(min_length=1, max_length=16)]
Instant = Annotated[AwareDatetime, AfterValidator(to_milliseconds)]


class Closed(BaseModel):
    """Unknown fields are refused; values don't change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SealedKey(Closed):
    """The content key for one terminal. exchange_key: id of the X25519 key it is sealed to; the rest base64url."""

    terminal: Identifier
    exchange_key: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
    ephemeral: Base64
    sealed: Base64


class RosterHeader(Closed):
    """What stands readable in the file: nothing personal. dimensions: floats in each template.

    content_sha256: of the content that is in force after the import (`roster_content.content_sha256`); full files from
    before it have none. sealed_to_office: the content key for the office that made it, so that it can make a delta.
    kind "delta": only what changed since the content base_sha256 of version base_version.
    """

    kind: Literal["full", "delta"] = "full"
    site: Identifier
    version: Version
    issued_at: Instant
    embedder: Label
    embedder_sha256: Sha256
    dimensions: Annotated[int, Field(ge=1, le=4096)]
    signed_by: str
    nonce: Base64
    sealed_to: Annotated[list[SealedKey], Field(min_length=1, max_length=100)]
    sealed_to_office: SealedKey | None = None
    content_sha256: Sha256 | None = None
    base_version: Version | None = None
    base_sha256: Sha256 | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> RosterHeader:
        if self.kind == "full":
            if self.base_version is not None or self.base_sha256 is not None:
                raise ValueError("base_version: a full roster has no base")
            return self
        if self.base_version is None or self.base_sha256 is None or self.content_sha256 is None:
            raise ValueError("base_version: a delta needs base_version, base_sha256 and content_sha256")
        if self.base_version >= self.version:
            raise ValueError(f"base_version: {self.base_version} is not older than version {self.version}")
        return self


class SubjectRecord(Closed):
    """One person. templates: little-endian float32, base64url; each is one row of the gallery."""

    subject_id: SubjectId
    display_name: Annotated[str, Field(max_length=80)] = ""
    templates: Annotated[list[Base64], Field(min_length=1, max_length=20)]


class EntitlementRecord(Closed):
    """One entitlement, flat; fields as `core.model.Entitlement` and `Benefit`."""

    entitlement_id: EntitlementId
    subject_id: SubjectId
    programme: Label
    cycle: Label
    kind: Literal["money", "goods"]
    amount: Amount
    unit: Unit
    item: Annotated[str, Field(max_length=40)] = ""
    valid_from: date
    valid_until: date
    state: EntitlementState = EntitlementState.ACTIVE
    home: Identifier | None = None
    lease_until: Instant | None = None
    portion: Amount | None = None
    portion_days: Annotated[int, Field(ge=1, le=366)] = 1

    @model_validator(mode="after")
    def _fits_together(self) -> EntitlementRecord:
        if self.valid_until < self.valid_from:
            raise ValueError(f"valid_until: {self.valid_until} is before valid_from {self.valid_from}")
        if self.kind == "money" and not (len(self.unit) == 3 and self.unit.isalpha() and self.unit.isupper()):
            raise ValueError(f"unit: '{self.unit}' is not an ISO 4217 code; money needs one ('IDR')")
        if self.kind == "goods" and not self.item:
            raise ValueError("item: goods need one ('beras')")
        if self.lease_until is not None and self.home is None:
            raise ValueError("lease_until: a lease needs a home terminal")
        if self.portion is not None and self.portion > self.amount:
            raise ValueError(f"portion: {self.portion} is more than the amount {self.amount}")
        return self

    def to_entitlement(self) -> Entitlement:
        """As the core knows it."""
        benefit = Benefit(self.kind, self.amount, self.unit, self.item)
        return Entitlement(
            self.entitlement_id,
            self.subject_id,
            self.programme,
            self.cycle,
            benefit,
            self.valid_from,
            self.valid_until,
            self.state,
            self.home,
            self.lease_until,
            self.portion,
            self.portion_days,
        )

    @classmethod
    def of(cls, entitlement: Entitlement) -> EntitlementRecord:
        """From what the core knows. Raises pydantic's ValidationError."""
        benefit = entitlement.benefit
        return cls(
            entitlement_id=entitlement.entitlement_id,
            subject_id=entitlement.subject_id,
            programme=entitlement.programme,
            cycle=entitlement.cycle,
            kind=benefit.kind,
            amount=benefit.amount,
            unit=benefit.unit,
            item=benefit.item,
            valid_from=entitlement.valid_from,
            valid_until=entitlement.valid_until,
            state=entitlement.state,
            home=entitlement.home,
            lease_until=entitlement.lease_until,
            portion=entitlement.portion,
            portion_days=entitlement.portion_days,
        )


def first_problem(error: ValidationError) -> str:
    """The first error in one line: field and message, without the value (it may be personal)."""
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    message = problem["msg"].removeprefix("Value error, ")
    return f"{field}: {message}" if field else message
