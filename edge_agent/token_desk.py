"""Where scanned codes arrive, from camera and reader: checks them and tells the session.

Rules: from any thread; posting never blocks. The text of a code goes no further than this file. A card in view is read
several times a second and told again each second, because the session may only now be able to use it. A refused one is
to be recorded once a minute, and refusals of different codes seconds apart (else `TokenRefused.again`), so that nobody
can fill the ledger by waving codes. Our own slips carry codes too: they are passed over in silence.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent.core.messages import TokenPresented, TokenRefused
from edge_agent.token_file import RefusedToken, read_token

TELL_AGAIN_S = 1.0
REFUSE_AGAIN_S = 60.0
REFUSALS_APART_S = 5.0
SLIP_PREFIX = "aid:1:"
"""How `core.slip.qr_text` begins."""

_log = structlog.get_logger("tokens")


@dataclass(frozen=True)
class TokenBook:
    """What a token is held against: the office's key and, of the roster in force, people, withdrawn serials and day.

    issued_at: tokens that had expired by then stay expired, whatever the clock says; None without a roster.
    """

    public_key: Ed25519PublicKey
    subjects: frozenset[str]
    revoked: frozenset[str]
    issued_at: datetime | None


class TokenDesk:
    """Takes texts, posts TokenPresented and TokenRefused. now_utc: the terminal's clock, aware."""

    def __init__(
        self,
        book: TokenBook,
        now_utc: Callable[[], datetime],
        post: Callable[[TokenPresented | TokenRefused], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book = book
        self._now_utc = now_utc
        self._post = post
        self._clock = clock
        self._lock = threading.Lock()
        self._told_s: dict[bytes, float] = {}
        self._refused_s: dict[bytes, float] = {}

    def present(self, text: str) -> None:
        """Somebody holds this code up."""
        if text.startswith(SLIP_PREFIX):
            return
        mark = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        with self._lock:
            now_s = self._clock()
            self._forget_old(now_s)
            if mark in self._told_s:
                return
            self._told_s[mark] = now_s
            book = self._book
            now = self._now_utc()
            if book.issued_at is not None:
                now = max(now, book.issued_at)
            found = read_token(text, book.public_key, now, book.revoked, book.subjects)
            again = isinstance(found, RefusedToken) and self._again(mark, now_s)
        if isinstance(found, RefusedToken):
            if not again:
                _log.warning("token_refused", problem=found.problem.value, serial=found.serial or None)
            self._post(TokenRefused(found.problem.value, found.serial, again))
        else:
            _log.debug("token_read", serial=found.serial)
            self._post(TokenPresented(found.subject_id))

    def _again(self, mark: bytes, now_s: float) -> bool:
        """Whether this refusal, or another one, has been told so lately that it need not be recorded."""
        if mark in self._refused_s or (self._refused_s and now_s - max(self._refused_s.values()) < REFUSALS_APART_S):
            return True
        self._refused_s[mark] = now_s
        return False

    def _forget_old(self, now_s: float) -> None:
        self._told_s = {mark: at_s for mark, at_s in self._told_s.items() if now_s - at_s < TELL_AGAIN_S}
        self._refused_s = {mark: at_s for mark, at_s in self._refused_s.items() if now_s - at_s < REFUSE_AGAIN_S}
