"""The content key of a roster file, sealed to one recipient's X25519 key.

Rules: an ephemeral key per recipient, HKDF-SHA-256 over the shared secret and both public keys, AES-256-GCM with the
recipient's name authenticated. Only a recipient's own name opens its entry.
"""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge_agent.key_files import key_id
from edge_agent.roster_content import base64url
from edge_agent.roster_schema import SealedKey

NONCE_BYTES = 12


def seal_key(content_key: bytes, recipient: str, public_key: X25519PublicKey) -> SealedKey:
    """The content key for one recipient."""
    ephemeral = X25519PrivateKey.generate()
    wrapping = _wrapping_key(ephemeral.exchange(public_key), ephemeral.public_key(), public_key)
    # The wrapping key is used once, so a fixed nonce is safe.
    sealed = AESGCM(wrapping).encrypt(bytes(NONCE_BYTES), content_key, recipient.encode())
    return SealedKey(
        terminal=recipient,
        exchange_key=key_id(public_key),
        ephemeral=base64url(ephemeral.public_key().public_bytes_raw()),
        sealed=base64url(sealed),
    )


def open_key(entry: SealedKey, exchange_key: X25519PrivateKey) -> bytes | None:
    """The content key; None when the entry is not sealed to this exchange key."""
    try:
        ephemeral = X25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(entry.ephemeral))
        wrapping = _wrapping_key(exchange_key.exchange(ephemeral), ephemeral, exchange_key.public_key())
        sealed = base64.urlsafe_b64decode(entry.sealed)
        return AESGCM(wrapping).decrypt(bytes(NONCE_BYTES), sealed, entry.terminal.encode())
    except (InvalidTag, ValueError):
        return None


def _wrapping_key(shared: bytes, ephemeral: X25519PublicKey, recipient: X25519PublicKey) -> bytes:
    context = b"edge-agent roster v1" + ephemeral.public_bytes_raw() + recipient.public_bytes_raw()
    return HKDF(hashes.SHA256(), 32, None, context).derive(shared)
