"""Signed JSON: one key, one domain, every field; whatever stands in `signature` is no error."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.signed_json import base64url, from_base64url, is_signed, signature_of, signed_bytes

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of the tests for signing 2")
OTHER = Ed25519PrivateKey.from_private_bytes(b"a key of the tests for signing 3")
CONTENT = {"b": 1, "a": "é", "c": [True, None]}


def holds(content: dict[str, Any], key: Ed25519PrivateKey = KEY, domain: bytes = b"") -> bool:
    return is_signed(content, signed_bytes(content), key.public_key(), domain)


def test_what_was_signed_holds_in_any_form_of_the_same_object() -> None:
    signed = {**CONTENT, "signature": signature_of(signed_bytes(CONTENT), KEY)}
    assert holds(json.loads(json.dumps(signed, indent=3, sort_keys=True)))
    assert signed_bytes(signed) == b'{"a":"\xc3\xa9","b":1,"c":[true,null]}'


def test_another_field_key_or_domain_does_not() -> None:
    signed = {**CONTENT, "signature": signature_of(signed_bytes(CONTENT), KEY, b"one\n")}
    assert holds(signed, domain=b"one\n")
    assert not holds(signed, domain=b"two\n")
    assert not holds(signed)
    assert not holds(signed, OTHER, b"one\n")
    assert not holds({**signed, "b": 2}, domain=b"one\n")
    assert not holds({**signed, "d": 2}, domain=b"one\n")


@pytest.mark.parametrize("signature", [None, "", "x", "%%%", 7, [], "é", "A" * 86])
def test_no_signature_is_one_that_does_not_hold(signature: object) -> None:
    assert not holds({**CONTENT, "signature": signature})


@pytest.mark.parametrize("raw", [b"", b"\xff", b"\xff\xfe", b"\xff\xfe\xfd", bytes(range(32))])
def test_base64url_without_padding_and_back(raw: bytes) -> None:
    assert "=" not in base64url(raw)
    assert from_base64url(base64url(raw)) == raw == base64.urlsafe_b64decode(base64url(raw) + "==")
