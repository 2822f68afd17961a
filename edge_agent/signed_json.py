"""Signed JSON objects: `signature` is Ed25519 over the RFC 8785 canonical bytes of all the rest.

Rules: what is not a ledger record has a domain, which goes before what is signed, so that no certificate passes for a
message or a record, nor the other way round. Base64 is base64url without padding.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


def signed_bytes(content: Mapping[str, Any]) -> bytes:
    """What is signed: canonical JSON without `signature`. Raises ValueError, RecursionError: there is no such form."""
    return rfc8785.dumps({name: value for name, value in content.items() if name != "signature"})


def signature_of(signed: bytes, key: Ed25519PrivateKey, domain: bytes = b"") -> str:
    """The text of `signature`."""
    return base64url(key.sign(domain + signed))


def is_signed(content: Mapping[str, Any], signed: bytes, key: Ed25519PublicKey, domain: bytes = b"") -> bool:
    """Whether the object's `signature` is this key's over these bytes, its own. Never raises."""
    try:
        key.verify(from_base64url(str(content.get("signature", ""))), domain + signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def base64url(raw: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
