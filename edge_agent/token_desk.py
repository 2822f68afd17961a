"""Where scanned codes arrive, from camera and reader: tells cards, badges, commands and slips apart, checks them and
tells the session.

Rules: from any thread; posting never blocks. The text of a code goes no further than this file. A code in view is read
several times a second and told again each second, because the session may only now be able to use it. A refused one is
to be recorded once a minute, and refusals of different codes seconds apart (else `TokenRefused.again`), so that nobody
can fill the ledger by waving codes. Slips of other terminals, and forged ones, are passed over in silence: people hold
their papers up, and that is no attack. A sheet of command cards that was not cut apart commands nothing: which card was
meant can't be known.
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

from edge_agent import badge_file, command_card, slip_code
from edge_agent.badge_file import RefusedBadge, read_badge
from edge_agent.command_card import read_command
from edge_agent.core.act_slip import HEAD_PREFIX
from edge_agent.core.messages import BadgeShown, CommandShown, SlipShown, TokenPresented, TokenRefused
from edge_agent.core.model import Timestamp
from edge_agent.token_file import RefusedToken, read_token

TELL_AGAIN_S = 1.0
REFUSE_AGAIN_S = 60.0
REFUSALS_APART_S = 5.0
SLIP_PREFIXES = (slip_code.PREFIX, "aid:1:", HEAD_PREFIX)
"""How the codes on slips begin: signed ones, those of earlier versions, and a day's end."""
UNKNOWN_COMMAND = "command_unknown"
MANY_COMMANDS = "command_many"
COMMANDS_APART_S = 1.0
"""Two different command cards seen closer together than this lie side by side."""

CodeEvent = TokenPresented | TokenRefused | BadgeShown | CommandShown | SlipShown

ReadSlip = Callable[[str], str | None]
"""The case number of a slip of this very terminal whose signature holds; None for any other text."""

_log = structlog.get_logger("tokens")


@dataclass(frozen=True)
class TokenBook:
    """What codes are held against: the office's key and, of the roster in force, people, withdrawn serials and day.

    issued_at: codes that had expired by then stay expired, whatever the clock says; None without a roster. officers:
    ids whose badges are taken.
    """

    public_key: Ed25519PublicKey
    subjects: frozenset[str]
    revoked: frozenset[str]
    issued_at: datetime | None
    officers: frozenset[str] = frozenset()


def believable_now(at: Timestamp, past: datetime | None) -> datetime:
    """The instant that codes are held against. past: one that has surely come (`Store.surely_past`).

    A clock that nobody confirmed lets none expire that was good then, or a board that comes back a year ahead would
    lock its own officers out."""
    return at.utc if at.clock_trusted or past is None else past


def read_own_slips(public_key: Ed25519PublicKey, terminal_id: str) -> ReadSlip:
    """Reads the slips that this terminal printed. public_key: of its ledger."""

    def read(text: str) -> str | None:
        code = slip_code.read_slip_code(text, public_key)
        if not isinstance(code, slip_code.SlipCode) or code.terminal_id != terminal_id:
            return None
        return code.case_number

    return read


class TokenDesk:
    """Takes texts, posts what they are. now_utc: the terminal's clock, aware."""

    def __init__(
        self,
        book: TokenBook,
        now_utc: Callable[[], datetime],
        post: Callable[[CodeEvent], None],
        clock: Callable[[], float] = time.monotonic,
        read_slip: ReadSlip = lambda _: None,
    ) -> None:
        self._book = book
        self._now_utc = now_utc
        self._post = post
        self._clock = clock
        self._read_slip = read_slip
        self._lock = threading.Lock()
        self._told_s: dict[bytes, float] = {}
        self._refused_s: dict[bytes, float] = {}
        self._command = ("", float("-inf"))

    def present(self, *texts: str) -> None:
        """Somebody holds these codes up; texts were seen together."""
        commands = {text for text in texts if text.startswith(command_card.PREFIX)}
        for text in texts:
            self._present(text, alone=len(commands) < 2 or text not in commands)

    def _present(self, text: str, alone: bool) -> None:
        mark = hashlib.sha256(text.encode("utf-8", "replace")).digest()
        with self._lock:
            now_s = self._clock()
            self._forget_old(now_s)
            if text.startswith(command_card.PREFIX):
                other, seen_s = self._command
                alone = alone and (text == other or now_s - seen_s >= COMMANDS_APART_S)
                self._command = (text, now_s)
            if mark in self._told_s:
                return
            self._told_s[mark] = now_s
            event = self._read(text, mark, now_s) if alone else TokenRefused(MANY_COMMANDS, again=True)
        if event is not None:
            self._post(event)

    def _read(self, text: str, mark: bytes, now_s: float) -> CodeEvent | None:
        if text.startswith(SLIP_PREFIXES):
            case_number = self._read_slip(text)
            return SlipShown(case_number) if case_number is not None else None
        if text.startswith(command_card.PREFIX):
            command = read_command(text)
            return CommandShown(command) if command is not None else self._refused(UNKNOWN_COMMAND, "", mark, now_s)
        book, now = self._book, self._now_utc()
        if book.issued_at is not None:
            now = max(now, book.issued_at)
        if text.startswith(badge_file.PREFIX):
            badge = read_badge(text, book.public_key, now, book.revoked, book.officers)
            if isinstance(badge, RefusedBadge):
                return self._refused(badge.problem.value, badge.serial, mark, now_s)
            _log.debug("badge_read", serial=badge.serial, officer=badge.officer_id)
            return BadgeShown(badge.officer_id)
        token = read_token(text, book.public_key, now, book.revoked, book.subjects)
        if isinstance(token, RefusedToken):
            return self._refused(token.problem.value, token.serial, mark, now_s)
        _log.debug("token_read", serial=token.serial)
        return TokenPresented(token.subject_id)

    def _refused(self, problem: str, serial: str, mark: bytes, now_s: float) -> TokenRefused:
        again = self._again(mark, now_s)
        if not again:
            _log.warning("token_refused", problem=problem, serial=serial or None)
        return TokenRefused(problem, serial, again)

    def _again(self, mark: bytes, now_s: float) -> bool:
        """Whether this refusal, or another one, has been told so lately that it need not be recorded."""
        if mark in self._refused_s or (self._refused_s and now_s - max(self._refused_s.values()) < REFUSALS_APART_S):
            return True
        self._refused_s[mark] = now_s
        return False

    def _forget_old(self, now_s: float) -> None:
        self._told_s = {mark: at_s for mark, at_s in self._told_s.items() if now_s - at_s < TELL_AGAIN_S}
        self._refused_s = {mark: at_s for mark, at_s in self._refused_s.items() if now_s - at_s < REFUSE_AGAIN_S}
