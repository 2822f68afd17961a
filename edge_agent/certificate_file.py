"""A terminal's certificate: the office's word which key signs the records and slips of which terminal, until when.

A file of canonical JSON (RFC 8785) with the terminal's public key, signed by the office's Ed25519 key (`roster.pem`) in
a domain of its own. It holds nothing secret: it is made to be handed to auditors and to whoever checks slips.

Rules: what is read was checked: its form, that key and key id agree and, where the office's key is given, the
signature. A certificate says nothing of slips dated after its last day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import Field, ValidationError

from edge_agent.key_files import key_id
from edge_agent.ports import TerminalError
from edge_agent.roster_schema import Base64, Closed, Identifier, first_problem
from edge_agent.signed_json import base64url, from_base64url, is_signed, signature_of, signed_bytes

FORM = "edge-agent terminal certificate v1"
_DOMAIN = (FORM + "\n").encode()
_FILE_BYTES_MAX = 16_384
KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class CertificateError(TerminalError):
    """A certificate can't be made, read or trusted; the text names file, field and remedy."""


@dataclass(frozen=True)
class Certificate:
    """key: what the terminal signs with. last_day: the last day (UTC) whose slips it speaks for. office: the key id of
    who signed; trusted: whether that was checked against the office's own key."""

    terminal_id: str
    site: str
    key: Ed25519PublicKey
    issued_on: date
    last_day: date
    office: str
    trusted: bool

    @property
    def key_id(self) -> str:
        """Short name of the terminal's key."""
        return key_id(self.key)

    def covers(self, instant: datetime) -> bool:
        """Whether it speaks for something dated then; a day more, since local days end at other hours than UTC's."""
        return instant.astimezone(timezone.utc).date() <= self.last_day + timedelta(days=1)


class _Fields(Closed):
    form: Literal["edge-agent terminal certificate v1"]
    terminal: Identifier
    site: Identifier
    key: Base64
    key_id: KeyId
    issued_on: date
    last_day: date
    signed_by: KeyId
    signature: Base64


def sign_certificate(
    terminal_id: str, site: str, key: Ed25519PublicKey, office: Ed25519PrivateKey, *, issued_on: date, last_day: date
) -> bytes:
    """The file's content. Raises CertificateError naming the field."""
    if last_day < issued_on:
        raise CertificateError(f"certificate: last_day: {last_day} is before {issued_on}; give a day to come")
    content = {
        "form": FORM,
        "terminal": terminal_id,
        "site": site,
        "key": base64url(key.public_bytes_raw()),
        "key_id": key_id(key),
        "issued_on": issued_on.isoformat(),
        "last_day": last_day.isoformat(),
        "signed_by": key_id(office.public_key()),
    }
    signed = {**content, "signature": signature_of(signed_bytes(content), office, _DOMAIN)}
    try:
        _Fields.model_validate(signed)
    except ValidationError as error:
        raise CertificateError(f"certificate: {first_problem(error)}") from error
    return rfc8785.dumps(signed) + b"\n"


def read_certificate(path: Path, office: Ed25519PublicKey | None = None) -> Certificate:
    """A certificate. office: the key it must be signed by; None: whoever signed is believed.

    Raises CertificateError.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_FILE_BYTES_MAX + 1)
    except OSError as error:
        raise CertificateError(f"{path}: can't be read ({error.strerror}); correct the path") from error
    if len(raw) > _FILE_BYTES_MAX:
        raise CertificateError(f"{path}: too large for a certificate; correct the path")
    try:
        content: Any = json.loads(raw)
        fields = _Fields.model_validate(content)
        key = Ed25519PublicKey.from_public_bytes(from_base64url(fields.key))
    except ValidationError as error:
        raise CertificateError(
            f"{path}: is no terminal's certificate: {first_problem(error)}; ask the office for it"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CertificateError(f"{path}: is no terminal's certificate; ask the office for it") from error
    if key_id(key) != fields.key_id:
        raise CertificateError(f"{path}: key_id: does not fit the key; the file was changed, ask the office for it")
    if office is not None:
        _check(path, content, fields, office)
    return Certificate(
        fields.terminal, fields.site, key, fields.issued_on, fields.last_day, fields.signed_by, office is not None
    )


def _check(path: Path, content: dict[str, Any], fields: _Fields, office: Ed25519PublicKey) -> None:
    """Raises CertificateError when this office did not sign exactly this."""
    if fields.signed_by != key_id(office):
        raise CertificateError(
            f"{path}: signed_by: is {fields.signed_by}, the office's key is {key_id(office)}; "
            "it is not by this office: trust nothing that rests on it"
        )
    if not is_signed(content, signed_bytes(content), office, _DOMAIN):
        raise CertificateError(
            f"{path}: signature: is not the office's; the file was changed or forged: ask the office for it"
        )
