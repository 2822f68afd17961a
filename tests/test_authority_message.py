"""Signed messages between terminal and centre: only whole, only from the right key, only of the right kind."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.authority_message import (
    ENTITLEMENTS_MAX,
    MESSAGE_MAX_BYTES,
    AuthoriseAnswer,
    AuthoriseRequest,
    Decision,
    MessageRefusedError,
    ReleaseRequest,
    new_request_id,
    read_message,
    sign_message,
)

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of a terminal in the tests")
AT = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)


def request(*entitlements: str) -> AuthoriseRequest:
    return AuthoriseRequest(
        request_id=new_request_id(),
        site="desa-1",
        terminal="t1",
        at=AT,
        entitlement_ids=list(entitlements or ("s1.bpnt",)),
    )


def release() -> ReleaseRequest:
    return ReleaseRequest(
        request_id=new_request_id(), site="desa-1", terminal="t1", at=AT, entitlement_id="s1.bpnt", grant_number=0
    )


def test_what_was_signed_is_read_again() -> None:
    said = request("s1.bpnt", "s1.pkh")
    assert read_message(AuthoriseRequest, sign_message(said, KEY), KEY.public_key()) == said


def test_amounts_and_instants_survive() -> None:
    decision = Decision(
        entitlement_id="s1.bpnt",
        answer="granted",
        grant_number=3,
        granted_at=AT,
        given_elsewhere=Decimal("2.5"),
        portions_elsewhere=[1],
        latest_elsewhere=AT,
    )
    answer = AuthoriseAnswer(request_id=new_request_id(), site="d", terminal="t1", at=AT, decisions=[decision])
    (found,) = read_message(AuthoriseAnswer, sign_message(answer, KEY), KEY.public_key()).decisions
    authority = found.authority()
    assert authority is not None
    assert (authority.grant_number, authority.given_elsewhere, authority.portions_elsewhere) == (
        3,
        Decimal("2.5"),
        (1,),
    )


def test_another_key_is_refused() -> None:
    with pytest.raises(MessageRefusedError, match="signature"):
        read_message(AuthoriseRequest, sign_message(request(), KEY), Ed25519PrivateKey.generate().public_key())


def test_any_change_is_refused() -> None:
    content = json.loads(sign_message(request(), KEY))
    for name in content:
        changed = {**content, name: "t2"}
        with pytest.raises(MessageRefusedError):
            read_message(AuthoriseRequest, json.dumps(changed).encode(), KEY.public_key())


def test_one_kind_is_not_taken_for_another() -> None:
    with pytest.raises(MessageRefusedError, match="kind"):
        read_message(AuthoriseRequest, sign_message(release(), KEY), KEY.public_key())


def test_a_key_added_later_is_signed_and_ignored() -> None:
    class Later(AuthoriseRequest):
        why: str = "new"

    said = Later(**request().model_dump())
    assert read_message(AuthoriseRequest, sign_message(said, KEY), KEY.public_key()).terminal == "t1"


def test_the_largest_answer_fits() -> None:
    ids = [f"{'s' * 60}{number:04}.{'e' * 134}" for number in range(ENTITLEMENTS_MAX)]
    decisions = [
        Decision(entitlement_id=one, answer="granted", grant_number=1, granted_at=AT, latest_elsewhere=AT)
        for one in ids
    ]
    answer = AuthoriseAnswer(request_id=new_request_id(), site="d", terminal="t1", at=AT, decisions=decisions)
    assert len(sign_message(answer, KEY)) < MESSAGE_MAX_BYTES


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"[]", b"null", b"{}", b'{"signature": 7}', b'{"a": 1e400}', b"[" * 60_000, b"x" * 70_000],
)
def test_rubbish_is_refused_in_words(payload: bytes) -> None:
    with pytest.raises(MessageRefusedError):
        read_message(AuthoriseRequest, payload, KEY.public_key())


def test_request_ids_differ() -> None:
    assert len({new_request_id() for _ in range(100)}) == 100
