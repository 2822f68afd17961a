"""The roster as a file: what an office signs and seals, and a terminal checks and opens. `docs/roster.md` describes it.

Layout: three lines of text, then the sealed payload.

    AIDROSTER 1 <length of everything after the second line>
    <Ed25519 signature over everything after this line, base64url>
    <header, RFC 8785 canonical JSON>
    <payload, AES-256-GCM>

Rules: the signature is verified before anything else is parsed. The payload (names, templates, entitlements) is
encrypted with a random content key, which the header holds once per terminal, sealed to its X25519 exchange key, and
once for the office, so that the office can tell what changes from one file to the next (`roster_sealing`). Models are
closed: an unknown field is an error, so that nothing personal slips in unseen.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import rfc8785
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import BaseModel, ValidationError

from edge_agent.key_files import key_id
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_content import (
    Roster,
    RosterSubject,
    base64url,
    content_sha256,
    payload_of,
    roster_of,
    without_unwanted_names,
)
from edge_agent.roster_delta import applied, difference
from edge_agent.roster_payload import RosterDelta, RosterPayload
from edge_agent.roster_schema import RosterHeader, first_problem
from edge_agent.roster_sealing import NONCE_BYTES, open_key, seal_key

__all__ = [
    "Roster",
    "RosterFile",
    "RosterSubject",
    "open_at_office",
    "open_roster",
    "read_header",
    "read_roster",
    "sign_delta",
    "sign_roster",
]

MAGIC = b"AIDROSTER 1"
LARGEST_FILE_BYTES = 128 * 1024 * 1024
"""About 100,000 subjects of two 128-float templates; more is not a site's roster."""

_OFFICE = "office"
_COPY_AGAIN = "the old roster stays; copy the file again or ask the office for it"
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class RosterFile:
    """A file whose signature held, opened. sha256: of the whole file, hex."""

    path: Path
    header: RosterHeader
    payload: RosterPayload | RosterDelta
    sha256: str
    content_key: bytes = field(repr=False)

    def roster(self, base: Roster | None = None) -> Roster:
        """The roster it holds; of a delta, `base` with the changes made. Raises RosterError."""
        payload = self.payload
        if isinstance(payload, RosterDelta):
            if base is None:
                version = self.header.base_version
                raise RosterError(f"{self.path}: is a delta; it needs the roster of version {version} it was made from")
            try:
                payload = applied(payload_of(base), payload)
            except RosterError as error:
                raise RosterError(f"{self.path}: {error}; the old roster stays; make the delta again") from error
        return roster_of(self.header, payload, self.sha256, str(self.path))


def sign_roster(
    roster: Roster,
    key: Ed25519PrivateKey,
    terminals: Mapping[str, X25519PublicKey],
    office: X25519PublicKey | None = None,
) -> bytes:
    """The file's bytes: sealed to these terminals (id -> exchange key), signed by the office's key.

    office: the office's own exchange key (`key_files.exchange_key` of its secret); without it no delta can be made from
    the file. Names leave only when the roster's policy shows them. Raises RosterError when the roster itself breaks a
    rule of the format.
    """
    if not terminals:
        raise RosterError("roster: sealed to no terminal; name at least one terminal's exchange key")
    roster = replace(without_unwanted_names(roster), terminals=len(terminals))
    content_key = secrets.token_bytes(32)
    header = RosterHeader(
        site=roster.site,
        version=roster.version,
        issued_at=roster.issued_at,
        embedder=roster.embedder.name,
        embedder_sha256=roster.embedder.sha256,
        dimensions=int(roster.subjects[0].templates.shape[1]) if roster.subjects else 1,
        signed_by=key_id(key.public_key()),
        nonce=base64url(secrets.token_bytes(NONCE_BYTES)),
        sealed_to=[seal_key(content_key, name, public) for name, public in sorted(terminals.items())],
        sealed_to_office=None if office is None else seal_key(content_key, _OFFICE, office),
        content_sha256=content_sha256(roster),
    )
    return _signed(header, payload_of(roster), content_key, key)


def sign_delta(old: RosterFile, new: RosterFile, key: Ed25519PrivateKey) -> bytes:
    """A file that turns `old` into `new`, for the terminals that `new` is sealed to. Both: full, `open_at_office`.

    Raises RosterError when they don't follow each other.
    """
    before, after = without_unwanted_names(old.roster()), without_unwanted_names(new.roster())
    if (before.site, before.embedder) != (after.site, after.embedder):
        raise RosterError(f"{new.path}: is of another site or embedder than {old.path}; import it as a whole")
    if after.version <= before.version:
        raise RosterError(
            f"{new.path}: version {after.version} does not follow {before.version} of {old.path}; "
            "name the older file first"
        )
    # The content key is the one `new` is sealed with: its recipients are exactly those of the delta. The nonce is new.
    header = new.header.model_copy(
        update={
            "kind": "delta",
            "signed_by": key_id(key.public_key()),
            "nonce": base64url(secrets.token_bytes(NONCE_BYTES)),
            "content_sha256": content_sha256(after),
            "base_version": before.version,
            "base_sha256": content_sha256(before),
        }
    )
    changes = difference(payload_of(before), payload_of(after))
    return _signed(header, changes, new.content_key, key)


def open_roster(
    path: Path,
    public_key: Ed25519PublicKey,
    terminal_id: str,
    exchange_key: X25519PrivateKey,
    embedder: EmbedderId | None = None,
) -> RosterFile:
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
    mine = next((entry for entry in header.sealed_to if entry.terminal == terminal_id), None)
    if mine is None:
        others = ", ".join(entry.terminal for entry in header.sealed_to[:5])
        raise RosterError(
            f"{path}: sealed_to: is for {others}, not for terminal '{terminal_id}'; the old roster stays; "
            "ask the office for a roster sealed to this terminal"
        )
    content_key = open_key(mine, exchange_key)
    if content_key is None:
        raise RosterError(
            f"{path}: sealed_to: is for exchange key {mine.exchange_key}, this terminal's is "
            f"{key_id(exchange_key.public_key())}; the old roster stays; send the office this terminal's exchange key "
            "(`edge-agent keys show`)"
        )
    return _opened(path, content, (header, head, sealed), content_key)


def open_at_office(path: Path, public_key: Ed25519PublicKey, office: X25519PrivateKey) -> RosterFile:
    """As `open_roster`, by the office that made the file. office: its exchange key. Raises RosterError."""
    content = _read(path)
    header, head, sealed = _verified(path, content, public_key)
    if header.sealed_to_office is None:
        raise RosterError(
            f"{path}: sealed_to_office: is missing, so the office can't open it; build rosters with --office-key to "
            "make deltas from them, and import this one as a whole"
        )
    content_key = open_key(header.sealed_to_office, office)
    if content_key is None:
        raise RosterError(
            f"{path}: sealed_to_office: is for exchange key {header.sealed_to_office.exchange_key}, the office key "
            f"given has {key_id(office.public_key())}; give the office key the file was built with"
        )
    return _opened(path, content, (header, head, sealed), content_key)


def read_roster(
    path: Path,
    public_key: Ed25519PublicKey,
    terminal_id: str,
    exchange_key: X25519PrivateKey,
    embedder: EmbedderId | None = None,
) -> Roster:
    """A full roster, opened as by `open_roster`. Raises RosterError, also for a delta."""
    return open_roster(path, public_key, terminal_id, exchange_key, embedder).roster()


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


def _signed(
    header: RosterHeader, payload: RosterPayload | RosterDelta, content_key: bytes, key: Ed25519PrivateKey
) -> bytes:
    head = rfc8785.dumps(header.model_dump(mode="json", exclude_none=True))
    plain = rfc8785.dumps(payload.model_dump(mode="json"))
    sealed = AESGCM(content_key).encrypt(base64.urlsafe_b64decode(header.nonce), plain, head)
    signed = head + b"\n" + sealed
    if len(signed) > LARGEST_FILE_BYTES - 1024:
        raise RosterError(f"roster: {len(signed)} bytes, at most {LARGEST_FILE_BYTES}; split the site")
    signature = base64.urlsafe_b64encode(key.sign(signed))
    return b"%s %d\n%s\n%s" % (MAGIC, len(signed), signature, signed)


def _opened(path: Path, content: bytes, parts: tuple[RosterHeader, bytes, bytes], content_key: bytes) -> RosterFile:
    header, head, sealed = parts
    try:
        plain = AESGCM(content_key).decrypt(base64.urlsafe_b64decode(header.nonce), sealed, head)
    except (InvalidTag, ValueError) as error:
        raise RosterError(f"{path}: payload: can't be opened with the sealed key; {_COPY_AGAIN}") from error
    payload: RosterPayload | RosterDelta
    payload = _parse(path, RosterDelta, plain) if header.kind == "delta" else _parse(path, RosterPayload, plain)
    return RosterFile(path, header, payload, hashlib.sha256(content).hexdigest(), content_key)


def _parse(path: Path, model: type[_Model], content: bytes) -> _Model:
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise RosterError(f"{path}: {first_problem(error)}; the old roster stays; build the roster again") from error
