"""Templates and names at rest: AES-256-GCM, one ciphertext per row.

Rules: a fresh random nonce per row; the row's place (kind, subject, roster version) is authenticated with it, so that a
ciphertext moved to another row or kept from another roster does not open. The key never leaves this object.
"""

from __future__ import annotations

import hashlib
import secrets

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from edge_agent.core.model import Embedding
from edge_agent.key_files import derive
from edge_agent.ports import StoreError

_NONCE_BYTES = 12
_LITTLE_FLOAT32 = np.dtype("<f4")


class TemplateCipher:
    """Seals and opens the personal columns of the database with a key derived from the terminal's template key."""

    def __init__(self, template_key: bytes) -> None:
        self._aead = AESGCM(derive(template_key, "templates"))
        self.check_value = hashlib.sha256(derive(template_key, "key check")).hexdigest()[:32]
        """Tells whether a database was sealed with this key, and nothing about the key."""

    def seal_template(self, subject_id: str, roster_version: int, template: Embedding) -> bytes:
        """Ciphertext of a template, shape (d,), stored as little-endian float32."""
        plain = np.ascontiguousarray(template, dtype=_LITTLE_FLOAT32).tobytes()
        return self._seal("template", subject_id, roster_version, plain)

    def open_template(self, subject_id: str, roster_version: int, sealed: bytes) -> Embedding:
        """The template, shape (d,), float32. Raises StoreError when it was not sealed with this key for this row."""
        plain = self._open("template", subject_id, roster_version, sealed)
        return np.frombuffer(plain, dtype=_LITTLE_FLOAT32).astype(np.float32)

    def seal_name(self, subject_id: str, roster_version: int, name: str) -> bytes:
        """Ciphertext of a display name."""
        return self._seal("name", subject_id, roster_version, name.encode())

    def open_name(self, subject_id: str, roster_version: int, sealed: bytes) -> str:
        """The display name. Raises StoreError like `open_template`."""
        return self._open("name", subject_id, roster_version, sealed).decode()

    def _seal(self, kind: str, subject_id: str, roster_version: int, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._aead.encrypt(nonce, plain, _place(kind, subject_id, roster_version))

    def _open(self, kind: str, subject_id: str, roster_version: int, sealed: bytes) -> bytes:
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._aead.decrypt(nonce, ciphertext, _place(kind, subject_id, roster_version))
        except (InvalidTag, ValueError) as error:
            raise StoreError(
                f"the {kind} of subject {subject_id} (roster {roster_version}) can't be opened: the row was changed; "
                "import the roster again under a newer version"
            ) from error


def _place(kind: str, subject_id: str, roster_version: int) -> bytes:
    return f"{kind}\0{subject_id}\0{roster_version}".encode()
