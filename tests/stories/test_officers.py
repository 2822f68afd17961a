"""Officers at a terminal without a screen: badge, command card and slips held before the camera, answered by lights."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from edge_agent.badge_file import Badge, sign_badge
from edge_agent.clock import SystemClock
from edge_agent.core.model import Signal
from edge_agent.core.officers import HELD_S
from edge_agent.core.policy import Officer, OfficerLimits, Policy
from edge_agent.core.state import Phase
from edge_agent.ports import Frame
from edge_agent.store.ledger import read_records, verify
from edge_agent.token_desk import TokenBook, TokenDesk, read_own_slips
from edge_agent.vision.codes import CodeWatch, QrReader
from edge_agent.wiring import reads_codes
from tests.box import Box, terminal_box
from tests.cards import LAST_DAY, SERIAL, held_up, token_text
from tests.store.terminal import OFFICE, SIGNING, TERMINAL, entitlement, open_store, roster, write_roster

LOST = "fedcba987654"


def badge(officer: str, serial: str = SERIAL) -> str:
    return sign_badge(Badge(officer, LAST_DAY, serial), OFFICE)


class Hall:
    """A terminal, and a camera before which codes are held until the light says what came of it."""

    def __init__(self, box: Box) -> None:
        self.box = box
        info = box.store.roster_info()
        book = TokenBook(
            OFFICE.public_key(),
            frozenset(box.store.gallery().subject_ids),
            frozenset({LOST}),
            info.issued_at,
            frozenset(officer.officer_id for officer in box.store.officers()),
        )
        self._desk = TokenDesk(
            book,
            lambda: datetime.now(timezone.utc),
            box.agent.inbox.post,
            read_slip=read_own_slips(SIGNING.public_key(), TERMINAL.id),
        )
        self._watch = CodeWatch(QrReader(), lambda: reads_codes(box.agent.session), self._desk.present)

    def hold_up(self, text: str, until: Signal) -> None:
        """Hold a card up until this light."""
        self._show(Frame(held_up(text, side_px=300), time.monotonic(), 0), until, "")

    def hold_up_slip(self, name: str, until: Signal, case: str = "") -> None:
        """Hold up the slip that came out under this name, as it was printed. case: until the desk knows this one."""
        (path,) = self.box.slips.glob(f"*{name}.png")
        grey = np.asarray(Pillow.open(path).convert("L"), np.uint8)
        frame = np.ascontiguousarray(np.repeat(grey[:, :, None], 3, axis=2))
        self._show(Frame(frame, time.monotonic(), 0), until, case)

    def _show(self, frame: Frame, until: Signal, case: str) -> None:
        def shown() -> bool:
            self._watch.look(frame)
            session = self.box.agent.session
            return session.signal is until and session.desk.case_number == case

        self.box.wait(shown, until.value)

    def look(self, text: str) -> None:
        """Hold a card up for one look."""
        self._watch.look(Frame(held_up(text, side_px=300), time.monotonic(), 0))

    def leave(self) -> None:
        """The officer is done."""
        if self.box.agent.session.phase is Phase.ASSISTING:
            self.hold_up("AC1:CANCEL", Signal.READY)

    def records(self, kind: str) -> list[dict[str, Any]]:
        events = [json.loads(body) for body in read_records(self.box.path)]
        return [event["data"] for event in events if event["type"] == kind]


@contextmanager
def hall(folder: Path, limits: OfficerLimits | None = None) -> Iterator[Hall]:
    """With officers o1 and o2; subjects s1 to s3 are entitled to rice today."""
    now = SystemClock(lambda: True).now()
    today = now.utc.date()
    rights = [entitlement(f"s{n}", valid_from=today, valid_until=today) for n in (1, 2, 3)]
    content = roster(
        entitlements=rights,
        issued_at=now.utc,
        officers=(Officer("o1"), Officer("o2")),
        policy=Policy(officers=limits or OfficerLimits()),
    )
    with open_store(folder / "terminal.db") as store:
        store.import_roster(write_roster(folder / "roster.aid", content), now)
    with terminal_box(folder) as box:
        yield Hall(box)


def test_an_officer_vouches_reprints_voids_with_another_and_ends_the_day(tmp_path: Path) -> None:
    with hall(tmp_path) as there:
        there.box.shows(Signal.READY)
        there.hold_up(badge("o1"), Signal.BADGE_READ)
        there.hold_up("AC1:ASSIST:VEIL", Signal.NEXT_CARD)
        there.hold_up(token_text("s1", OFFICE), Signal.GIVEN)
        (claim,) = there.records("aid.claim.recorded.v1")
        assert (claim["assisted"], claim["assistance"]) == (True, {"officer": "o1", "reason": "veil"})
        assert claim["evidence"] is None
        case = claim["case_number"]
        there.box.shows(Signal.BADGE_READ)
        there.hold_up("AC1:REPRINT", Signal.NEXT_CARD)
        there.hold_up_slip(case, Signal.ACT_DONE)
        assert "SALINAN 1" in there.box.slip_texts()[next(n for n in there.box.slip_texts() if "copy1" in n)]
        there.hold_up("AC1:VOID", Signal.NEXT_CARD)
        there.hold_up_slip(f"{case}-copy1", Signal.NEXT_CARD, case)
        there.hold_up(badge("o2"), Signal.ACT_DONE)
        assert there.records("aid.claim.voided.v1")[0]["second_officer"] == "o2"
        there.box.shows(Signal.BADGE_READ)
        there.hold_up("AC1:DAY_END", Signal.ACT_DONE)
        (ended,) = there.records("aid.day.ended.v1")
        assert (ended["totals"]["assisted"], ended["totals"]["voided"], ended["totals"]["reprinted"]) == (1, 1, 1)
        there.leave()
        there.box.serve(1)
        slips = there.box.slip_texts()
    assert [title for text in slips.values() for title in ("DIBATALKAN", "TUTUP HARI") if title in text]
    assert verify(there.box.path, SIGNING.public_key()).intact


def test_one_officer_alone_voids_nothing(tmp_path: Path) -> None:
    with hall(tmp_path) as there:
        there.box.serve(1)
        case = there.records("aid.claim.recorded.v1")[0]["case_number"]
        there.box.shows(Signal.READY)
        there.hold_up(badge("o1"), Signal.BADGE_READ)
        there.hold_up("AC1:VOID", Signal.NEXT_CARD)
        there.hold_up_slip(case, Signal.NEXT_CARD, case)
        until_s = time.monotonic() + HELD_S + 1.5  # longer than a badge that is only still in view counts as the same
        while time.monotonic() < until_s:
            there.look(badge("o1"))
            time.sleep(0.1)
        assert there.box.agent.session.signal is Signal.NEXT_CARD
        assert there.records("aid.claim.voided.v1") == []


def test_a_card_without_a_badge_commands_nothing(tmp_path: Path) -> None:
    with hall(tmp_path) as there:
        there.box.shows(Signal.READY)
        for text in ("AC1:CLOSE", "AC1:DAY_END", "AC1:ASSIST:VEIL"):
            there.look(text)
            time.sleep(1.1)  # cards apart
        assert there.box.agent.session.phase is Phase.IDLE
        assert there.records("aid.officer.acted.v1") + there.records("aid.day.ended.v1") == []
        there.box.serve(1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [(badge("o9"), "badge_unknown_officer"), (badge("o1", LOST), "badge_revoked"), (badge("o1")[:-3], "badge_damaged")],
)
def test_a_badge_that_is_not_taken_opens_no_desk_and_is_on_record(tmp_path: Path, text: str, problem: str) -> None:
    with hall(tmp_path) as there:
        there.box.shows(Signal.READY)
        there.hold_up(text, Signal.CARD_REFUSED)
        there.box.shows(Signal.READY)
        assert [data["problem"] for data in there.records("aid.terminal.token.refused.v1")] == [problem]
        assert there.records("aid.officer.acted.v1") == []


def test_closed_by_an_officer_until_an_officer_opens_it(tmp_path: Path) -> None:
    with hall(tmp_path) as there:
        there.box.shows(Signal.READY)
        there.hold_up(badge("o1"), Signal.BADGE_READ)
        there.hold_up("AC1:CLOSE", Signal.CLOSED_BY_OFFICER)
        there.box.person.step_up(1)
        time.sleep(1.0)
        assert there.box.outcomes() == []
        there.box.person.leave()
        there.hold_up(badge("o2"), Signal.BADGE_READ)
        there.hold_up("AC1:OPEN", Signal.READY)
        there.box.serve(1)
        acts = [(data["act"], data["officer"]) for data in there.records("aid.officer.acted.v1")]
    assert acts == [("sign_in", "o1"), ("close", "o1"), ("sign_in", "o2"), ("open", "o2")]


def test_what_is_over_the_bound_is_told_on_a_slip(tmp_path: Path) -> None:
    with hall(tmp_path, OfficerLimits(reprints_per_day=0)) as there:
        there.box.serve(1)
        there.box.shows(Signal.READY)
        there.hold_up(badge("o1"), Signal.BADGE_READ)
        there.hold_up("AC1:REPRINT", Signal.NEXT_CARD)
        there.hold_up(token_text("s1", OFFICE), Signal.ACT_REFUSED)
        there.leave()
        told = " ".join(" ".join(there.box.slip_texts().values()).split())
        assert "Batas untuk hari ini sudah tercapai" in told
        assert there.records("aid.officer.acted.v1")[-1]["problem"] == "limit_reached"
