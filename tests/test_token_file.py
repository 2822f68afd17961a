"""A token: what the office signed comes out, and nothing else does; every refusal has its own reason."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.token_file import (
    FIRST_DAY,
    PREFIX,
    RefusedToken,
    Token,
    TokenError,
    TokenProblem,
    from_base45,
    new_serial,
    read_token,
    sign_token,
    to_base45,
)

OFFICE = Ed25519PrivateKey.from_private_bytes(b"office key of the tests, 32 byte")
NEIGHBOUR = Ed25519PrivateKey.from_private_bytes(b"another office's key, 32 bytes..")
TOKEN = Token("kpm-0017", date(2026, 12, 31), "0123456789ab")
TEXT = sign_token(TOKEN, OFFICE)
NOON = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)
SUBJECTS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True).filter(
    lambda text: not (text.isdigit() and len(text) == 16)
)


def read(
    text: str,
    key: Ed25519PrivateKey = OFFICE,
    now: datetime = NOON,
    revoked: frozenset[str] = frozenset(),
    subjects: frozenset[str] = frozenset({"kpm-0017"}),
) -> Token | RefusedToken:
    return read_token(text, key.public_key(), now, revoked, subjects)


@given(subject=SUBJECTS, days=st.integers(0, 65_535), serial=st.binary(min_size=6, max_size=6).map(bytes.hex))
def test_what_was_signed_comes_out(subject: str, days: int, serial: str) -> None:
    token = Token(subject, FIRST_DAY + timedelta(days=days), serial)
    text = sign_token(token, OFFICE)
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    long_ago = datetime(2024, 1, 1, tzinfo=timezone.utc)
    assert read(text, now=long_ago, subjects=frozenset({subject})) == token


@given(bit=st.integers(0, 8 * len(from_base45(TEXT[len(PREFIX) :])) - 1))
def test_no_flipped_bit_is_taken(bit: int) -> None:
    raw = bytearray(from_base45(TEXT[len(PREFIX) :]))
    raw[bit // 8] ^= 1 << bit % 8
    told = read(PREFIX + to_base45(bytes(raw)), subjects=_Everybody())
    assert told == RefusedToken(TokenProblem.FOREIGN if bit < 32 else TokenProblem.DAMAGED)


@given(place=st.integers(0, len(TEXT) - 1), letter=st.characters())
def test_no_other_letter_is_taken(place: int, letter: str) -> None:
    text = TEXT[:place] + letter + TEXT[place + 1 :]
    assert isinstance(read(text, subjects=_Everybody()), RefusedToken) or text == TEXT


@given(text=st.one_of(st.text(max_size=300), st.text(max_size=300).map(PREFIX.__add__)))
def test_any_text_is_refused_and_nothing_raises(text: str) -> None:
    assert isinstance(read(text), RefusedToken)


@pytest.mark.parametrize("end", range(len(PREFIX), len(TEXT)))
def test_a_part_of_a_token_is_damaged(end: int) -> None:
    assert read(TEXT[:end]) == RefusedToken(TokenProblem.DAMAGED)


@pytest.mark.parametrize("text", ["", "https://example.org", "aid:1:kiosk-1:12:3T9Q-00CV:5fe1", "AT2:" + TEXT[4:]])
def test_another_format_is_foreign(text: str) -> None:
    assert read(text) == RefusedToken(TokenProblem.FOREIGN)


def test_another_office_is_foreign() -> None:
    assert read(TEXT, key=NEIGHBOUR) == RefusedToken(TokenProblem.FOREIGN)


def test_a_longer_text_than_any_token_is_not_even_decoded() -> None:
    assert read(TEXT + "0" * 3000) == RefusedToken(TokenProblem.FOREIGN)


def test_the_last_day_counts_and_the_next_does_not() -> None:
    assert read(TEXT, now=datetime(2026, 12, 31, 23, 59, 59, tzinfo=timezone.utc)) == TOKEN
    late = RefusedToken(TokenProblem.EXPIRED, TOKEN.serial)
    assert read(TEXT, now=datetime(2027, 1, 1, tzinfo=timezone.utc)) == late
    jakarta = timezone(timedelta(hours=7))
    assert read(TEXT, now=datetime(2027, 1, 1, 6, 59, tzinfo=jakarta)) == TOKEN


def test_revoked_and_unknown_are_told_by_serial_only() -> None:
    assert read(TEXT, revoked=frozenset({TOKEN.serial})) == RefusedToken(TokenProblem.REVOKED, TOKEN.serial)
    assert read(TEXT, subjects=frozenset()) == RefusedToken(TokenProblem.UNKNOWN_SUBJECT, TOKEN.serial)


def test_a_signature_for_something_else_is_no_token() -> None:
    """Rosters are signed with the same key."""
    content = from_base45(TEXT[len(PREFIX) :])[:-64]
    assert read(PREFIX + to_base45(content + OFFICE.sign(content))) == RefusedToken(TokenProblem.DAMAGED)


@pytest.mark.parametrize(
    ("token", "words"),
    [
        (Token("3201234567890001", date(2026, 1, 1), "0" * 12), "national number"),
        (Token("kpm 17", date(2026, 1, 1), "0" * 12), "subject id"),
        (Token("kpm-17", date(2023, 12, 31), "0" * 12), "last_day: 2023-12-31"),
        (Token("kpm-17", date(2300, 1, 1), "0" * 12), "last_day: 2300-01-01"),
        (Token("kpm-17", date(2026, 1, 1), "0123"), "serial"),
    ],
)
def test_what_can_not_be_signed(token: Token, words: str) -> None:
    with pytest.raises(TokenError, match=words) as error:
        sign_token(token, OFFICE)
    assert token.subject_id not in str(error.value)


def test_serials_differ() -> None:
    assert len({new_serial() for _ in range(100)}) == 100


@pytest.mark.parametrize(("plain", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")])
def test_base45_as_in_rfc_9285(plain: bytes, text: str) -> None:
    assert (to_base45(plain), from_base45(text)) == (text, plain)


@pytest.mark.parametrize("text", ["GGW", ":::", "::", "A", "ab0", "BB8A", "BB8é0"])
def test_what_is_not_base45(text: str) -> None:
    with pytest.raises(ValueError, match="base 45"):
        from_base45(text)


class _Everybody(frozenset[str]):
    """A roster that knows every id: only the signature stands between a changed id and its acceptance."""

    def __contains__(self, _: object) -> bool:
        return True
