"""The roster as a file: what an office signs and seals, and a terminal checks and opens. `docs/roster.md` describes it.

Layout: three lines of text, then the sealed payload.

    AIDROSTER 1 <length of everything after the second line>
    <Ed25519 signature over everything after this line, base64url>
    <header, RFC 8785 canonical JSON>
    <payload, AES-256-GCM>

Rules: the signature is verified before anything else is parsed. The payload (names, templates, entitlements) is
encrypted with a random content key, which the header holds once per terminal, sealed to its X25519 exchange key
(ephemeral X25519, HKDF-SHA-256, AES-256-GCM). Models are closed: an unknown field is an error, so that nothing personal
slips in unseen.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import rfc8785
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import BaseModel, ValidationError

from edge_agent.key_files import key_id
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_content import (
    Roster,
    RosterSubject,
    base64url,
    content_sha256,
    payload_of,
    subject_of,
    without_unwanted_names,
)
from edge_agent.roster_payload import RosterPayload
from edge_agent.roster_schema import RosterHeader, SealedKey, first_problem

__all__ = ["Roster", "RosterSubject", "read_header", "read_roster", "sign_roster"]

MAGIC = b"AIDROSTER 1"
LARGEST_FILE_BYTES = 128 * 1024 * 1024
"""About 100,000 subjects of two 128-float templates; more is not a site's roster."""

_NONCE_BYTES = 12
_COPY_AGAIN = "the old roster stays; copy the file again or ask the office for it"
_Model = TypeVar("_Model", bound=BaseModel)


def sign_roster(roster: Roster, key: Ed25519PrivateKey, terminals: Mapping[str, X25519PublicKey]) -> bytes:
    """The file's bytes: sealed to these terminals (id -> exchange key), signed by the office's key.

    Raises RosterError when the roster itself breaks a rule of the format.
    """
    if not terminals:
        raise RosterError("roster: sealed to no terminal; name at least one terminal's exchange key")
    roster = replace(without_unwanted_names(roster), terminals=len(terminals))
    payload = rfc8785.dumps(payload_of(roster).model_dump(mode="json"))
    content_key, nonce = secrets.token_bytes(32), secrets.token_bytes(_NONCE_BYTES)
    header = RosterHeader(
        site=roster.site,
        version=roster.version,
        issued_at=roster.issued_at,
        embedder=roster.embedder.name,
        embedder_sha256=roster.embedder.sha256,
        dimensions=int(roster.subjects[0].templates.shape[1]) if roster.subjects else 1,
        signed_by=key_id(key.public_key()),
        nonce=base64url(nonce),
        sealed_to=[_seal_key(content_key, name, public) for name, public in sorted(terminals.items())],
        content_sha256=content_sha256(roster),
    )
    head = rfc8785.dumps(header.model_dump(mode="json"))
    sealed = AESGCM(content_key).encrypt(nonce, payload, head)
    signed = head + b"\n" + sealed
    if len(signed) > LARGEST_FILE_BYTES - 1024:
        raise RosterError(f"roster: {len(signed)} bytes, at most {LARGEST_FILE_BYTES}; split the site")
    signature = base64.urlsafe_b64encode(key.sign(signed))
    return b"%s %d\n%s\n%s" % (MAGIC, len(signed), signature, signed)


def read_roster(
    path: Path,
    public_key: Ed25519PublicKey,
    terminal_id: str,
    exchange_key: X25519PrivateKey,
    embedder: EmbedderId | None = None,
) -> Roster:
    """Check the signature, then open and validate. Raises RosterError naming the file, the field and what to do.

    embedder: when given, a roster with templates of another one is refused by name.
    """
    content = _read(path)
    header, head, sealed = _verified(path, content, public_key)
    if embedder is not None and (header.embedder, header.embedder_sha256) != (embedder.name, embedder.sha256):
        made_for = EmbedderId(header.embedder, header.embedder_sha256)
        raise RosterError(
            f"{path}: embedder: templates are of {made_for}, this terminal runs {embedder}; the old roster stays; "
            "ask the office for a roster made with this terminal's model"
        )
    content_key = _open_key(path, header, terminal_id, exchange_key)
    try:
        payload_bytes = AESGCM(content_key).decrypt(_bytes(header.nonce), sealed, head)
    except (InvalidTag, ValueError) as error:
        raise RosterError(f"{path}: payload: can't be opened with the sealed key; {_COPY_AGAIN}") from error
    payload = _parse(path, RosterPayload, payload_bytes)
    subjects = tuple(
        subject_of(record, header.dimensions, f"{path}: subjects.{place}")
        for place, record in enumerate(payload.subjects)
    )
    return Roster(
        header.site,
        header.version,
        header.issued_at,
        EmbedderId(header.embedder, header.embedder_sha256),
        subjects,
        tuple(record.to_entitlement() for record in payload.entitlements),
        hashlib.sha256(content).hexdigest(),
        frozenset(payload.revoked_tokens),
        payload.policy.to_policy(),
        payload.programmes,
        tuple(record.to_proxy() for record in payload.proxies),
        tuple(record.to_officer() for record in payload.officers),
        len(header.sealed_to),
        header.content_sha256,
    )


def read_header(path: Path, public_key: Ed25519PublicKey) -> RosterHeader:
    """The part a signature check alone may show. Raises RosterError."""
    return _verified(path, _read(path), public_key)[0]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise RosterError(f"{path}: can't be read ({error.strerror}); correct the path") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise RosterError(f"{path}: larger than {LARGEST_FILE_BYTES} bytes: not a site's roster; {_COPY_AGAIN}")
    return content


def _verified(path: Path, content: bytes, public_key: Ed25519PublicKey) -> tuple[RosterHeader, bytes, bytes]:
    """(header, its bytes, sealed payload), only after the signature holds."""
    first, _, rest = content.partition(b"\n")
    signature, _, signed = rest.partition(b"\n")
    if not first.startswith(MAGIC + b" "):
        what = "empty" if not content else "not a roster file (its first line is not 'AIDROSTER 1 …')"
        raise RosterError(f"{path}: {what}; {_COPY_AGAIN}")
    try:
        public_key.verify(base64.urlsafe_b64decode(signature), signed)
    except (InvalidSignature, ValueError) as error:
        raise RosterError(f"{path}: signature: {_why_unsigned(first, signed)}") from error
    head, _, sealed = signed.partition(b"\n")
    return _parse(path, RosterHeader, head), head, sealed


def _why_unsigned(first_line: bytes, signed: bytes) -> str:
    """The likeliest cause, from a length that is itself not signed: a hint, nothing more."""
    length = first_line[len(MAGIC) + 1 :]
    if length.isdigit() and len(length) < 12 and len(signed) < int(length):
        return f"{len(signed)} of {int(length)} bytes are here: half-written; {_COPY_AGAIN}"
    return f"is not by the key in store.roster_key, or the file was damaged or changed; {_COPY_AGAIN}"


def _seal_key(content_key: bytes, terminal_id: str, public_key: X25519PublicKey) -> SealedKey:
    ephemeral = X25519PrivateKey.generate()
    wrapping = _wrapping_key(ephemeral.exchange(public_key), ephemeral.public_key(), public_key)
    # The wrapping key is used once, so a fixed nonce is safe.
    sealed = AESGCM(wrapping).encrypt(bytes(_NONCE_BYTES), content_key, terminal_id.encode())
    return SealedKey(
        terminal=terminal_id,
        exchange_key=key_id(public_key),
        ephemeral=base64url(ephemeral.public_key().public_bytes_raw()),
        sealed=base64url(sealed),
    )


def _open_key(path: Path, header: RosterHeader, terminal_id: str, exchange_key: X25519PrivateKey) -> bytes:
    mine = next((entry for entry in header.sealed_to if entry.terminal == terminal_id), None)
    if mine is None:
        others = ", ".join(entry.terminal for entry in header.sealed_to[:5])
        raise RosterError(
            f"{path}: sealed_to: is for {others}, not for terminal '{terminal_id}'; the old roster stays; "
            "ask the office for a roster sealed to this terminal"
        )
    public_key = exchange_key.public_key()
    try:
        ephemeral = X25519PublicKey.from_public_bytes(_bytes(mine.ephemeral))
        wrapping = _wrapping_key(exchange_key.exchange(ephemeral), ephemeral, public_key)
        return AESGCM(wrapping).decrypt(bytes(_NONCE_BYTES), _bytes(mine.sealed), terminal_id.encode())
    except (InvalidTag, ValueError) as error:
        raise RosterError(
            f"{path}: sealed_to: is for exchange key {mine.exchange_key}, this terminal's is {key_id(public_key)}; "
            "the old roster stays; send the office this terminal's exchange key (`edge-agent keys show`)"
        ) from error


def _wrapping_key(shared: bytes, ephemeral: X25519PublicKey, recipient: X25519PublicKey) -> bytes:
    context = b"edge-agent roster v1" + ephemeral.public_bytes_raw() + recipient.public_bytes_raw()
    return HKDF(hashes.SHA256(), 32, None, context).derive(shared)


def _parse(path: Path, model: type[_Model], content: bytes) -> _Model:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise RosterError(f"{path}: {first_problem(error)}; the old roster stays; build the roster again") from error


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
