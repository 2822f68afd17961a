"""Where codes arrive: each kind is told apart, refused ones are recorded once, and no text goes further."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.badge_file import Badge, sign_badge
from edge_agent.command_card import COMMANDS, command_text
from edge_agent.core.messages import BadgeShown, CommandShown, SlipShown, TokenPresented, TokenRefused
from edge_agent.core.model import Timestamp
from edge_agent.key_files import key_id
from edge_agent.slip_code import code_of, sign_slip
from edge_agent.token_desk import (
    REFUSALS_APART_S,
    REFUSE_AGAIN_S,
    TELL_AGAIN_S,
    CodeEvent,
    TokenBook,
    TokenDesk,
    believable_now,
    read_own_slips,
)
from tests.cards import LAST_DAY, SERIAL, token_text
from tests.core.receipts import given

OFFICE = Ed25519PrivateKey.from_private_bytes(b"office key of the tests, 32 byte")
NOON = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)
OUR_SLIP = "AS1:signed by this terminal"


def badge_text(officer: str, key: Ed25519PrivateKey = OFFICE, last_day: date = LAST_DAY) -> str:
    return sign_badge(Badge(officer, last_day, SERIAL), key)


class Desk:
    """A desk with a clock that a test moves, and everything it posted."""

    def __init__(self, revoked: frozenset[str] = frozenset(), issued_at: datetime | None = NOON) -> None:
        self.now_s, self.utc = 100.0, NOON
        self.posted: list[CodeEvent] = []
        book = TokenBook(OFFICE.public_key(), frozenset({"s1", "s2"}), revoked, issued_at, frozenset({"o1"}))
        self.desk = TokenDesk(
            book, lambda: self.utc, self.posted.append, lambda: self.now_s, {OUR_SLIP: "K7Q4-0012"}.get
        )

    def shown(self, *texts: str, after_s: float = REFUSALS_APART_S) -> list[CodeEvent]:
        self.now_s += after_s
        self.posted.clear()
        self.desk.present(*texts)
        return list(self.posted)


GOOD = token_text("s1", OFFICE)
BEFORE = (NOON - timedelta(days=1)).date()


@pytest.mark.parametrize(
    ("text", "revoked", "told"),
    [
        (GOOD, "", TokenPresented("s1")),
        ("https://example.org", "", TokenRefused("foreign")),
        (token_text("s1", Ed25519PrivateKey.generate()), "", TokenRefused("foreign")),
        (GOOD[:-1], "", TokenRefused("damaged")),
        (token_text("s1", OFFICE, last_day=BEFORE), "", TokenRefused("expired", SERIAL)),
        (GOOD, SERIAL, TokenRefused("revoked", SERIAL)),
        (token_text("s9", OFFICE), "", TokenRefused("unknown_subject", SERIAL)),
        (badge_text("o1"), "", BadgeShown("o1")),
        (badge_text("o1", Ed25519PrivateKey.generate()), "", TokenRefused("badge_foreign")),
        (badge_text("o1")[:-1], "", TokenRefused("badge_damaged")),
        (badge_text("o1", last_day=BEFORE), "", TokenRefused("badge_expired", SERIAL)),
        (badge_text("o1"), SERIAL, TokenRefused("badge_revoked", SERIAL)),
        (badge_text("s1"), "", TokenRefused("badge_unknown_officer", SERIAL)),
        ("AO1:" + GOOD[4:], "", TokenRefused("badge_damaged")),
        *((command_text(command), "", CommandShown(command)) for command in COMMANDS),
        ("AC1:GIVE:EVERYTHING", "", TokenRefused("command_unknown")),
        (OUR_SLIP, "", SlipShown("K7Q4-0012")),
    ],
)
def test_each_code_has_its_answer(text: str, revoked: str, told: object) -> None:
    assert Desk(frozenset({revoked})).shown(text) == [told]


def test_a_card_in_view_is_told_again_each_second_so_that_it_is_not_missed() -> None:
    desk = Desk()
    told = [desk.shown(GOOD, after_s=0.25) for _ in range(9)]
    assert [bool(one) for one in told] == [True, False, False, False] * 2 + [True]
    assert TELL_AGAIN_S == 1.0


def recorded(told: list[list[CodeEvent]]) -> list[int]:
    """Places of the refusals that are to be recorded."""
    refusals = ((place, one) for place, posted in enumerate(told) for one in posted if isinstance(one, TokenRefused))
    return [place for place, one in refusals if not one.again]


def test_a_refused_card_in_view_is_told_each_second_and_recorded_once_a_minute() -> None:
    desk, expired = Desk(), token_text("s1", OFFICE, last_day=BEFORE)
    told = [desk.shown(expired, after_s=1.0) for _ in range(int(REFUSE_AGAIN_S) + 1)]
    assert all(len(posted) == 1 for posted in told)
    assert recorded(told) == [0, int(REFUSE_AGAIN_S)]
    assert desk.shown(expired, after_s=0.25) == []


def test_nobody_fills_the_ledger_by_waving_codes() -> None:
    desk = Desk()
    told = [desk.shown(f"code {number}", after_s=0.25) for number in range(400)]
    assert len(recorded(told)) == 100 / REFUSALS_APART_S


def test_a_good_card_is_not_held_up_by_a_refused_one() -> None:
    desk = Desk()
    desk.shown("foreign")
    assert desk.shown(GOOD, after_s=0.0) == [TokenPresented("s1")]


@pytest.mark.parametrize(
    "text", ["AS1:of another terminal", "AS1:", "aid:1:kiosk-1:12:3T9Q-00CV:5fe1", "AH1:kiosk-1:77:0123"]
)
def test_slips_that_are_not_ours_are_passed_over_in_silence(text: str) -> None:
    with structlog.testing.capture_logs() as logs:
        assert Desk().shown(text) == []
    assert logs == []


def test_a_sheet_of_command_cards_commands_nothing() -> None:
    desk, sheet = Desk(), [command_text(command) for command in COMMANDS[:3]]
    many = TokenRefused("command_many", again=True)
    assert desk.shown(*sheet, GOOD) == [many, many, many, TokenPresented("s1")]
    assert desk.shown(sheet[0]) == [CommandShown(COMMANDS[0])]
    assert desk.shown(sheet[1], after_s=0.5) == [many], "read one after the other, they still lie side by side"
    assert desk.shown(sheet[1], after_s=1.0) == [CommandShown(COMMANDS[1])], "held up alone it counts"


def test_only_this_terminals_own_slips_name_a_case() -> None:
    ours = Ed25519PrivateKey.from_private_bytes(b"ledger key of the tests, 32 byte")
    theirs = Ed25519PrivateKey.generate()
    read = read_own_slips(ours.public_key(), "T-0012")

    def slip(key: Ed25519PrivateKey, copy: int = 0) -> str:
        return sign_slip(code_of(given(), "T-0012", "SITE-7", key_id(key.public_key()), copy), key)

    assert (read(slip(ours)), read(slip(ours, copy=3))) == ("K7Q4-0012", "K7Q4-0012")
    assert [read(text) for text in (slip(theirs), slip(ours)[:-2], "AS1:", "")] == [None] * 4
    assert read_own_slips(ours.public_key(), "T-0013")(slip(ours)) is None


def test_a_refused_badge_in_view_is_recorded_once_a_minute() -> None:
    desk, late = Desk(), badge_text("o1", last_day=BEFORE)
    told = [desk.shown(late, after_s=1.0) for _ in range(int(REFUSE_AGAIN_S) + 1)]
    assert recorded(told) == [0, int(REFUSE_AGAIN_S)]


def test_a_command_card_held_up_is_told_again_each_second() -> None:
    desk = Desk()
    told = [desk.shown(command_text(COMMANDS[0]), after_s=0.5) for _ in range(5)]
    assert [bool(one) for one in told] == [True, False, True, False, True]


def test_a_clock_that_fell_back_does_not_revive_old_cards() -> None:
    desk = Desk()
    desk.utc = datetime(2024, 1, 2, tzinfo=timezone.utc)
    assert desk.shown(token_text("s1", OFFICE, last_day=BEFORE)) == [TokenRefused("expired", SERIAL)]
    assert desk.shown(token_text("s1", OFFICE, last_day=NOON.date())) == [TokenPresented("s1")]
    without = Desk(issued_at=None)
    without.utc = datetime(2024, 1, 2, tzinfo=timezone.utc)
    assert without.shown(token_text("s1", OFFICE, last_day=date(2024, 1, 2))) == [TokenPresented("s1")]


def test_a_clock_that_nobody_confirmed_lets_no_badge_expire() -> None:
    ahead = Timestamp(NOON + timedelta(days=3650), False, 1000, "boot-1")
    assert believable_now(ahead, NOON) == NOON
    assert believable_now(ahead, None) == ahead.utc
    assert believable_now(replace(ahead, clock_trusted=True), NOON) == ahead.utc


def test_no_log_line_holds_a_text_or_a_subject() -> None:
    badges = [badge_text("o1"), badge_text("s1")]
    texts = [GOOD, GOOD[:-1], "https://example.org/s1", token_text("s9", OFFICE), "\udc80\x00", *badges]
    with structlog.testing.capture_logs() as logs:
        desk = Desk()
        for text in texts:
            desk.shown(text)
    assert {entry["event"] for entry in logs} == {"token_read", "token_refused", "badge_read"}
    written = str(logs)
    assert not any(text in written for text in texts)
    assert "'s1'" not in written
    assert "'s9'" not in written
