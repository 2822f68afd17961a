"""An officer's badge: what an office signs and prints as a QR code, so that a terminal without a screen takes commands.

Text: `AO1:` and, in base 45, the same bytes as a token (`token_file`) with the officer's id in place of the subject's,
signed for its own domain: a badge is never a token, nor the other way round. `docs/officers.md` describes it.

Rules: reading is pure: the time, the revoked serials and the roster's officers are given. Badge and token serials share
one list of revoked ones. Whoever holds a badge has the officer's authority: that is why acts are bounded per day, a
void needs a second badge, and every act leaves a record with the officer's id.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.token_file import CodeForm, RefusedToken, SignedCode, read_code, sign_code

PREFIX = "AO1:"
BADGE_FORM = CodeForm(PREFIX, b"edge-agent badge v1\n", "badge", "officer id")


class BadgeProblem(str, Enum):
    """Why a badge is not taken. Only the last three know its serial: they come after the signature."""

    FOREIGN = "badge_foreign"
    DAMAGED = "badge_damaged"
    EXPIRED = "badge_expired"
    REVOKED = "badge_revoked"
    UNKNOWN_OFFICER = "badge_unknown_officer"


@dataclass(frozen=True)
class Badge:
    """officer_id: opaque, as in the roster. last_day: the last day (UTC) it is taken. serial: 12 hex digits."""

    officer_id: str
    last_day: date
    serial: str


@dataclass(frozen=True)
class RefusedBadge:
    """serial: empty when the signature does not hold, because then nothing in it can be believed."""

    problem: BadgeProblem
    serial: str = ""


def sign_badge(badge: Badge, key: Ed25519PrivateKey) -> str:
    """The badge's text, all in the letters of a QR code's alphanumeric mode. Raises TokenError naming the field."""
    return sign_code(BADGE_FORM, SignedCode(badge.officer_id, badge.last_day, badge.serial), key)


def read_badge(
    text: str, public_key: Ed25519PublicKey, now_utc: datetime, revoked: Container[str], officers: Container[str]
) -> Badge | RefusedBadge:
    """What a scanned text is. now_utc: aware; revoked: serials; officers: ids in the roster in force. Never raises."""
    found = read_code(BADGE_FORM, text, public_key, now_utc, revoked)
    if isinstance(found, RefusedToken):
        return RefusedBadge(BadgeProblem(f"badge_{found.problem.value}"), found.serial)
    if found.holder not in officers:
        return RefusedBadge(BadgeProblem.UNKNOWN_OFFICER, found.serial)
    return Badge(found.holder, found.last_day, found.serial)
