"""A badge: what the office signed comes out, nothing else does, and a token is never a badge."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.badge_file import PREFIX, Badge, BadgeProblem, RefusedBadge, read_badge, sign_badge
from edge_agent.token_file import Token, TokenError, from_base45, sign_token, to_base45

OFFICE = Ed25519PrivateKey.from_private_bytes(b"office key of the tests, 32 byte")
NEIGHBOUR = Ed25519PrivateKey.from_private_bytes(b"another office's key, 32 bytes..")
BADGE = Badge("petugas-01", date(2026, 12, 31), "0123456789ab")
TEXT = sign_badge(BADGE, OFFICE)
NOON = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)


def read(
    text: str,
    now: datetime = NOON,
    revoked: frozenset[str] = frozenset(),
    officers: frozenset[str] = frozenset({"petugas-01"}),
) -> Badge | RefusedBadge:
    return read_badge(text, OFFICE.public_key(), now, revoked, officers)


def test_what_was_signed_comes_out() -> None:
    assert read(TEXT) == BADGE
    assert TEXT.startswith("AO1:")
    assert set(TEXT) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@given(bit=st.integers(0, 8 * len(from_base45(TEXT[len(PREFIX) :])) - 1))
def test_no_flipped_bit_is_taken(bit: int) -> None:
    raw = bytearray(from_base45(TEXT[len(PREFIX) :]))
    raw[bit // 8] ^= 1 << bit % 8
    told = read(PREFIX + to_base45(bytes(raw)), officers=_Everybody())
    assert told == RefusedBadge(BadgeProblem.FOREIGN if bit < 32 else BadgeProblem.DAMAGED)


@given(text=st.text(max_size=300).map(PREFIX.__add__))
def test_any_text_is_refused_and_nothing_raises(text: str) -> None:
    assert isinstance(read(text, officers=_Everybody()), RefusedBadge)


def test_each_refusal_has_its_own_problem() -> None:
    assert read(TEXT, now=datetime(2027, 1, 1, tzinfo=timezone.utc)) == RefusedBadge(BadgeProblem.EXPIRED, BADGE.serial)
    assert read(TEXT, revoked=frozenset({BADGE.serial})) == RefusedBadge(BadgeProblem.REVOKED, BADGE.serial)
    assert read(TEXT, officers=frozenset()) == RefusedBadge(BadgeProblem.UNKNOWN_OFFICER, BADGE.serial)
    assert read(sign_badge(BADGE, NEIGHBOUR)) == RefusedBadge(BadgeProblem.FOREIGN)
    assert read(TEXT[:-2]) == RefusedBadge(BadgeProblem.DAMAGED)
    jakarta = timezone(timedelta(hours=7))
    assert read(TEXT, now=datetime(2027, 1, 1, 6, 59, tzinfo=jakarta)) == BADGE


def test_a_card_of_a_recipient_is_no_badge_even_with_the_prefix_changed() -> None:
    """One key signs both; whoever rewrites the first letters of their card must not become an officer."""
    token = sign_token(Token("petugas-01", date(2026, 12, 31), "0123456789ab"), OFFICE)
    assert read(token) == RefusedBadge(BadgeProblem.FOREIGN)
    assert read(PREFIX + token[len(PREFIX) :]) == RefusedBadge(BadgeProblem.DAMAGED)


def test_a_national_number_is_no_officer_id() -> None:
    with pytest.raises(TokenError, match=r"badge: officer id.*national number") as error:
        sign_badge(Badge("3201234567890001", date(2026, 1, 1), "0" * 12), OFFICE)
    assert "3201234567890001" not in str(error.value)


class _Everybody(frozenset[str]):
    """A roster that knows every id: only the signature stands between a changed id and its acceptance."""

    def __contains__(self, _: object) -> bool:
        return True
