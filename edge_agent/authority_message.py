"""What terminal and centre say to each other about who may redeem an entitlement, signed: request, answer, release.

JSON objects. `signature` is Ed25519 (base64url, unpadded) over DOMAIN and the RFC 8785 canonical bytes of the rest, so
no such message is ever a ledger record, a roster or a token, nor the other way round. `docs/authority.md` describes it.

Rules: nothing of a message is believed before its signature holds, whatever the broker says of its sender. Ids only: no
message holds a name, a national number, an image or an embedding, and no error text holds a part of a message.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from edge_agent.core.policy import Authority
from edge_agent.ports import TerminalError
from edge_agent.roster_schema import EntitlementId, Identifier, first_problem
from edge_agent.signed_json import is_signed, signature_of, signed_bytes

DOMAIN = b"edge-agent authority v1\n"
MESSAGE_MAX_BYTES = 65_536
"""Longer ones aren't looked at; an answer about ENTITLEMENTS_MAX entitlements has under 30,000."""
ENTITLEMENTS_MAX = 50
"""In one request: what one person and those they fetch for have open at once."""
_REQUEST_ID_BYTES = 16

RequestId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
GrantNumber = Annotated[int, Field(ge=0, lt=2**53)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=15, decimal_places=3)]
Portion = Annotated[int, Field(ge=1, lt=2**31)]


class MessageRefusedError(TerminalError):
    """A message is not what it should be, or not signed by whom it should be; nothing of it was used."""


class AuthorityMessage(BaseModel):
    """What every one of them says. terminal: who asks, or who is spoken to. Receivers ignore keys they don't know."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    wire_version: Literal[1] = 1
    request_id: RequestId
    site: Identifier
    terminal: Identifier
    at: AwareDatetime = Field(description="by the sender's clock; nothing is decided by it")


class AuthoriseRequest(AuthorityMessage):
    """Terminal to centre: may these be redeemed here, now? Signed by the terminal's key."""

    kind: Literal["authorise"] = "authorise"
    entitlement_ids: Annotated[list[EntitlementId], Field(min_length=1, max_length=ENTITLEMENTS_MAX)]


class Decision(BaseModel):
    """The centre's word on one entitlement.

    answer: granted: this terminal and for now no other may redeem it; claimed: nothing of it is left, by the centre's
    books; refused: the centre doesn't know it; waiting: another terminal holds it and is being asked to give it back.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    entitlement_id: EntitlementId
    answer: Literal["granted", "claimed", "refused", "waiting"]
    grant_number: Annotated[int, Field(ge=1, lt=2**53)] | None = Field(None, description="with `granted` only")
    granted_at: AwareDatetime | None = Field(None, description="with `granted` only")
    given_elsewhere: Amount = Field(Decimal(0), description="with `granted`: what other terminals gave of it")
    portions_elsewhere: Annotated[list[Portion], Field(max_length=1000)] = Field(
        [], description="with `granted`: the portions that they gave"
    )
    latest_elsewhere: AwareDatetime | None = Field(None, description="with `granted`: when they gave last")

    def authority(self) -> Authority | None:
        """As the core knows it; None unless granted."""
        if self.answer != "granted" or self.grant_number is None or self.granted_at is None:
            return None
        return Authority(
            self.entitlement_id,
            self.grant_number,
            self.granted_at,
            self.given_elsewhere,
            tuple(self.portions_elsewhere),
            self.latest_elsewhere,
        )


class AuthoriseAnswer(AuthorityMessage):
    """Centre to the terminal that asked; request_id is the request's. Signed by the centre's key.

    While a decision is `waiting`, a further answer to the same request may follow.
    """

    kind: Literal["answer"] = "answer"
    decisions: Annotated[list[Decision], Field(min_length=1, max_length=ENTITLEMENTS_MAX)]

    @property
    def final(self) -> bool:
        """Nothing more will come."""
        return all(decision.answer != "waiting" for decision in self.decisions)


class ReleaseRequest(AuthorityMessage):
    """Centre to the terminal that may redeem an entitlement: give it back. Signed by the centre's key.

    Answered by the record `aid.entitlement.released.v1`. grant_number: the highest grant that is to be void, 0 for the
    home the roster gave.
    """

    kind: Literal["release"] = "release"
    entitlement_id: EntitlementId
    grant_number: GrantNumber


M = TypeVar("M", bound=AuthorityMessage)


def new_request_id() -> str:
    """Random, 128 bits: nobody can guess the next one, so an answer to it can't have been made beforehand."""
    return secrets.token_hex(_REQUEST_ID_BYTES)


def sign_message(message: AuthorityMessage, key: Ed25519PrivateKey) -> bytes:
    """The message as it goes on the wire: canonical JSON with its signature, UTF-8."""
    content = message.model_dump(mode="json")
    return rfc8785.dumps({**content, "signature": signature_of(signed_bytes(content), key, DOMAIN)})


def read_message(kind: type[M], payload: bytes, key: Ed25519PublicKey) -> M:
    """The message, if it is one of this kind and signed by this key. Raises MessageRefusedError."""
    content = json_object(payload)
    if not signed_by(content, key, DOMAIN):
        raise MessageRefusedError("its signature does not fit: it was changed, or another key signed it")
    if "kind" not in content:
        raise MessageRefusedError("kind: is missing")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise MessageRefusedError(first_problem(error)) from error


def json_object(payload: bytes, max_bytes: int = MESSAGE_MAX_BYTES) -> Mapping[str, Any]:
    """A JSON object of at most so many bytes. Raises MessageRefusedError."""
    if len(payload) > max_bytes:
        raise MessageRefusedError(f"has {len(payload)} bytes; more than {max_bytes} are not looked at")
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise MessageRefusedError("is not JSON") from error
    if not isinstance(content, dict):
        raise MessageRefusedError("is not a JSON object")
    return content


def signed_by(content: Mapping[str, Any], key: Ed25519PublicKey, domain: bytes = b"") -> bool:
    """Whether its `signature` is this key's. domain: empty for ledger records."""
    try:
        return is_signed(content, signed_bytes(content), key, domain)
    except (ValueError, RecursionError):
        return False
