"""One person's template as a file of the office: `<subject_id>.enrolment`.

Layout: the line `AIDENROLMENT 1`, a header line (RFC 8785 canonical JSON), then nonce and AES-256-GCM ciphertext of the
template as little-endian float32; the header is authenticated with it.

Rules: the office's key (32 bytes) stays in the office. The file is written whole or not at all. No image is kept.
"""

from __future__ import annotations

import secrets
from pathlib import Path

import numpy as np
import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import ValidationError

from edge_agent.enrolment.photos import Enrolment
from edge_agent.key_files import derive
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_schema import Closed, Label, Sha256, SubjectId, first_problem
from edge_agent.whole_file import write_whole

SUFFIX = ".enrolment"
MAGIC = b"AIDENROLMENT 1"
_LARGEST_FILE_BYTES = 1_000_000
_NONCE_BYTES = 12
_FLOAT32 = np.dtype("<f4")


class EnrolmentHeader(Closed):
    """What stands readable in the file. photos: how many went into the template."""

    subject_id: SubjectId
    embedder: Label
    embedder_sha256: Sha256
    photos: int


def write_enrolment(folder: Path, enrolment: Enrolment, office_key: bytes) -> Path:
    """Write the person's file into `folder`, replacing an earlier one. Raises RosterError."""
    if enrolment.template is None:
        raise RosterError(f"subject {enrolment.subject_id}: no photograph was accepted, so there is nothing to write")
    path = folder / f"{enrolment.subject_id}{SUFFIX}"
    try:
        header = EnrolmentHeader(
            subject_id=enrolment.subject_id,
            embedder=enrolment.embedder.name,
            embedder_sha256=enrolment.embedder.sha256,
            photos=enrolment.photos,
        )
    except ValidationError as error:
        raise RosterError(f"{first_problem(error)}; correct --subject") from error
    head = rfc8785.dumps(header.model_dump(mode="json"))
    nonce = secrets.token_bytes(_NONCE_BYTES)
    plain = np.ascontiguousarray(enrolment.template, dtype=_FLOAT32).tobytes()
    sealed = nonce + _aead(office_key).encrypt(nonce, plain, head)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise RosterError(f"{folder}: can't be made ({error.strerror}); choose another --folder") from error
    write_whole(path, b"%s\n%s\n%s" % (MAGIC, head, sealed))
    return path


def read_enrolment(path: Path, office_key: bytes) -> Enrolment:
    """The person's template. Raises RosterError naming the file and what to do."""
    again = "enrol the person again or copy the file again"
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES)
    except OSError as error:
        raise RosterError(f"{path}: can't be read ({error.strerror})") from error
    magic, _, rest = content.partition(b"\n")
    head, _, sealed = rest.partition(b"\n")
    if magic != MAGIC:
        raise RosterError(f"{path}: not an enrolment file; {again}")
    try:
        plain = _aead(office_key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], head)
    except (InvalidTag, ValueError) as error:
        raise RosterError(f"{path}: damaged, or made with another office key; {again}") from error
    try:
        header = EnrolmentHeader.model_validate_json(head)
    except ValidationError as error:
        raise RosterError(f"{path}: {first_problem(error)}; {again}") from error
    if header.subject_id != path.name.removesuffix(SUFFIX):
        raise RosterError(f"{path}: is of subject {header.subject_id}; give the file its own name back")
    template = np.frombuffer(plain, dtype=_FLOAT32).astype(np.float32)
    embedder = EmbedderId(header.embedder, header.embedder_sha256)
    return Enrolment(header.subject_id, embedder, template, header.photos)


def _aead(office_key: bytes) -> AESGCM:
    return AESGCM(derive(office_key, "enrolment"))
