"""A token: what an office signs and prints as a QR code, so that a session compares one person with one claim (1:1).

Text: `AT1:` and, in base 45 (RFC 9285), key id (4 bytes) · last day (2) · serial (6) · subject id (1 to 64) · Ed25519
signature (64). `docs/tokens.md` describes it. An officer's badge (`badge_file`) is signed in the same way.

Rules: nothing of a token is believed before its signature holds. Reading is pure: the time, the revoked serials and the
known subjects are given. A token is a bearer's claim, never a proof: the face still decides.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from edge_agent.ports import TerminalError
from edge_agent.roster_schema import SubjectId, TokenSerial, first_problem

PREFIX = "AT1:"
TEXT_MAX = 256
"""Longest text looked at; a token of the longest subject id has 214 characters."""
FIRST_DAY = date(2024, 1, 1)
"""Day 0 of the two bytes that hold the last day; they reach into the year 2203."""

_KEY_BYTES, _DAY_BYTES, _SERIAL_BYTES, _SIGNATURE_BYTES = 4, 2, 6, 64
_HEAD_BYTES = _KEY_BYTES + _DAY_BYTES + _SERIAL_BYTES
_BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES = {letter: value for value, letter in enumerate(_BASE45)}
_HOLDER: TypeAdapter[str] = TypeAdapter(SubjectId)
_SERIAL: TypeAdapter[str] = TypeAdapter(TokenSerial)


class TokenError(TerminalError):
    """A token can't be made, printed or read with what was given."""


class TokenProblem(str, Enum):
    """Why a token is not taken. Only the last three know its serial: they come after the signature."""

    FOREIGN = "foreign"
    DAMAGED = "damaged"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN_SUBJECT = "unknown_subject"


@dataclass(frozen=True)
class Token:
    """subject_id: whom the bearer claims to be. last_day: the last day (UTC) it is taken. serial: 12 hex digits."""

    subject_id: str
    last_day: date
    serial: str


@dataclass(frozen=True)
class RefusedToken:
    """serial: empty when the signature does not hold, because then nothing in it can be believed."""

    problem: TokenProblem
    serial: str = ""


@dataclass(frozen=True)
class CodeForm:
    """One kind of signed code. prefix: how its text begins. domain: goes before what is signed, so that the office's
    signature under one kind, or under a roster, never holds for another. what, holder: its names in messages."""

    prefix: str
    domain: bytes
    what: str
    holder: str


TOKEN_FORM = CodeForm(PREFIX, b"edge-agent token v1\n", "token", "subject id")


@dataclass(frozen=True)
class SignedCode:
    """What the office signed: whose code it is, the last day (UTC) it is taken, and its serial."""

    holder: str
    last_day: date
    serial: str


def new_serial() -> str:
    """A random serial: among a million tokens, two share one with a chance of 0.2 %, and then only fall together."""
    return secrets.token_hex(_SERIAL_BYTES)


def sign_token(token: Token, key: Ed25519PrivateKey) -> str:
    """The token's text, all in the letters of a QR code's alphanumeric mode. Raises TokenError naming the field."""
    return sign_code(TOKEN_FORM, SignedCode(token.subject_id, token.last_day, token.serial), key)


def sign_code(form: CodeForm, code: SignedCode, key: Ed25519PrivateKey) -> str:
    """The text of a code of this kind. Raises TokenError naming the field."""
    try:
        holder = _HOLDER.validate_python(code.holder).encode("ascii")
        serial = bytes.fromhex(_SERIAL.validate_python(code.serial))
    except ValidationError as error:
        raise TokenError(f"{form.what}: {form.holder} or serial: {first_problem(error)}") from error
    days = (code.last_day - FIRST_DAY).days
    if not 0 <= days < 1 << (8 * _DAY_BYTES):
        raise TokenError(
            f"{form.what}: last_day: {code.last_day} is out of range; give a day from {FIRST_DAY} to 2203-06-07"
        )
    content = _key_mark(key.public_key()) + days.to_bytes(_DAY_BYTES, "big") + serial + holder
    return form.prefix + to_base45(content + key.sign(form.domain + content))


def read_token(
    text: str, public_key: Ed25519PublicKey, now_utc: datetime, revoked: Container[str], subjects: Container[str]
) -> Token | RefusedToken:
    """What a scanned text is. now_utc: aware; revoked: serials; subjects: those of the roster in force.

    FOREIGN: another format, or signed by another key. DAMAGED: ours, but not whole or changed. Never raises.
    """
    found = read_code(TOKEN_FORM, text, public_key, now_utc, revoked)
    if isinstance(found, RefusedToken):
        return found
    if found.holder not in subjects:
        return RefusedToken(TokenProblem.UNKNOWN_SUBJECT, found.serial)
    return Token(found.holder, found.last_day, found.serial)


def read_code(
    form: CodeForm, text: str, public_key: Ed25519PublicKey, now_utc: datetime, revoked: Container[str]
) -> SignedCode | RefusedToken:
    """A code of this kind whose signature holds, which has neither expired nor been revoked. Never raises."""
    if len(text) > TEXT_MAX or not text.startswith(form.prefix):
        return RefusedToken(TokenProblem.FOREIGN)
    try:
        raw = from_base45(text[len(form.prefix) :])
    except ValueError:
        return RefusedToken(TokenProblem.DAMAGED)
    content, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
    if len(content) <= _HEAD_BYTES:
        return RefusedToken(TokenProblem.DAMAGED)
    if content[:_KEY_BYTES] != _key_mark(public_key):
        return RefusedToken(TokenProblem.FOREIGN)
    try:
        public_key.verify(signature, form.domain + content)
        code = _signed(content)
    except (InvalidSignature, ValueError):
        return RefusedToken(TokenProblem.DAMAGED)
    if now_utc.astimezone(timezone.utc).date() > code.last_day:
        return RefusedToken(TokenProblem.EXPIRED, code.serial)
    if code.serial in revoked:
        return RefusedToken(TokenProblem.REVOKED, code.serial)
    return code


def to_base45(content: bytes) -> str:
    """RFC 9285: two bytes become three letters, a last single byte two."""
    letters: list[str] = []
    for start in range(0, len(content), 2):
        pair = content[start : start + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, digit = divmod(value, 45)
            letters.append(_BASE45[digit])
    return "".join(letters)


def from_base45(text: str) -> bytes:
    """RFC 9285. Raises ValueError for another letter, a wrong length or a group that stands for no bytes."""
    content = bytearray()
    for start in range(0, len(text), 3):
        group = text[start : start + 3]
        if len(group) == 1 or not set(group) <= _VALUES.keys():
            raise ValueError("not base 45")
        value = sum(_VALUES[letter] * 45**place for place, letter in enumerate(group))
        try:
            content += value.to_bytes(len(group) - 1, "big")
        except OverflowError as error:
            raise ValueError("not base 45") from error
    return bytes(content)


def _signed(content: bytes) -> SignedCode:
    """From what was signed. Raises ValueError: an office signed an id that is none."""
    days = int.from_bytes(content[_KEY_BYTES : _KEY_BYTES + _DAY_BYTES], "big")
    holder = _HOLDER.validate_python(content[_HEAD_BYTES:].decode("ascii"))
    serial = content[_KEY_BYTES + _DAY_BYTES : _HEAD_BYTES].hex()
    return SignedCode(holder, FIRST_DAY + timedelta(days=days), serial)


def _key_mark(public_key: Ed25519PublicKey) -> bytes:
    """The first bytes of the key's id: tells our tokens from another office's; proves nothing."""
    return hashlib.sha256(public_key.public_bytes_raw()).digest()[:_KEY_BYTES]
