"""Stories of people with a card: the printed code before a camera, the real desk, agent and store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import structlog

from edge_agent.core.model import Part, Signal
from edge_agent.core.state import Phase
from edge_agent.devices import token_reader
from edge_agent.ports import Frame
from edge_agent.settings import TokenSettings
from edge_agent.store import SqliteOutbox
from edge_agent.store.ledger import read_records, verify
from edge_agent.token_desk import TokenBook, TokenDesk
from edge_agent.uplink.wire import PartState
from edge_agent.vision.codes import CodeWatch, QrReader
from tests.box import CARDS, SIGNING, Box, terminal_box
from tests.cards import SERIAL, held_up, token_text
from tests.devices.test_token_reader import Port
from tests.store.terminal import OFFICE

LOST = "fedcba987654"


class Hall:
    """A terminal, and a camera before which cards are held."""

    def __init__(self, box: Box) -> None:
        self.box = box
        info = box.store.roster_info()
        subjects = frozenset(box.store.gallery().subject_ids)
        book = TokenBook(OFFICE.public_key(), subjects, frozenset({LOST}), info.issued_at)
        desk = TokenDesk(book, lambda: datetime.now(timezone.utc), box.agent.inbox.post)
        self._watch = CodeWatch(QrReader(), self.wanted, desk.present, interval_s=0.0)

    def wanted(self) -> bool:
        return self.box.agent.session.phase in (Phase.IDLE, Phase.ACQUIRING)

    def hold_up(self, text: str, **held: Any) -> None:
        self.box.shows(Signal.READY)
        self._watch.look(Frame(held_up(text, **held), time.monotonic(), 0))


@contextmanager
def hall(folder: Path, tokens: TokenSettings = CARDS) -> Iterator[Hall]:
    with terminal_box(folder, tokens=tokens) as box:
        yield Hall(box)


def records(box: Box) -> list[dict[str, Any]]:
    return [json.loads(body) for body in read_records(box.path)]


def data_of(box: Box, kind: str) -> list[dict[str, Any]]:
    return [record["data"] for record in records(box) if record["type"] == kind]


def test_a_card_makes_it_one_to_one(tmp_path: Path) -> None:
    with hall(tmp_path) as there:
        there.hold_up(token_text("s1", OFFICE), rotation_deg=12.0, tilt_deg=20.0)
        there.box.serve(1)
        there.box.serve(2)
    first, second = data_of(there.box, "aid.claim.recorded.v1")
    assert (first["evidence"]["kind"], second["evidence"]["kind"]) == ("verification", "identification")
    assert verify(there.box.path, SIGNING.public_key()).intact


def test_somebody_elses_card_gets_nobody_anything(tmp_path: Path) -> None:
    with hall(tmp_path) as there:
        there.hold_up(token_text("s2", OFFICE))
        there.box.serve(1, expect=Signal.REFERRED)
    assert there.box.outcomes() == [("REFERRED", "not_recognised")]


@pytest.mark.parametrize(
    ("text", "problem", "serial"),
    [
        ("https://example.org", "foreign", None),
        (token_text("s1", SIGNING), "foreign", None),
        (token_text("s1", OFFICE)[:-3], "damaged", None),
        (token_text("s1", OFFICE, last_day=date(2025, 1, 1)), "expired", SERIAL),
        (token_text("s1", OFFICE, serial=LOST), "revoked", LOST),
        (token_text("s77", OFFICE), "unknown_subject", SERIAL),
    ],
    ids=["other", "other office", "damaged", "expired", "revoked", "unknown"],
)
def test_a_card_that_is_not_taken_has_its_reason_on_record_and_the_face_still_serves(
    tmp_path: Path, text: str, problem: str, serial: str | None
) -> None:
    with hall(tmp_path) as there:
        there.hold_up(text)
        there.box.serve(1)
    assert data_of(there.box, "aid.terminal.token.refused.v1") == [{"problem": problem, "serial": serial}]
    (claim,) = data_of(there.box, "aid.claim.recorded.v1")
    assert claim["evidence"]["kind"] == "identification"


def test_where_policy_says_so_the_bearer_is_sent_to_the_officer_with_the_card(tmp_path: Path) -> None:
    with hall(tmp_path, TokenSettings(fall_back_to_identification=False)) as there:
        there.hold_up(token_text("s1", OFFICE, serial=LOST))
        there.box.serve(1, expect=Signal.REFERRED)
        there.box.serve(2)
    assert there.box.outcomes() == [("REFERRED", "token_refused"), ("GIVEN", None)]
    assert [one["problem"] for one in data_of(there.box, "aid.terminal.token.refused.v1")] == ["revoked"]
    assert any("kartu" in text.lower() for text in there.box.slip_texts().values())


def test_a_card_reader_that_is_unplugged_is_told_and_aid_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_reader, "STEADY_S", 0.2)
    port = Port(tmp_path)
    with terminal_box(tmp_path, tokens=TokenSettings(reader="serial", device=str(port.path))) as box:
        parts = box.agent.snapshot
        box.wait(lambda: not parts().parts.get(Part.TOKEN_READER, PartState(True)).working, "telemetry of it")
        assert "check the cable" in parts().parts[Part.TOKEN_READER].problem
        box.serve(1)
        port.plug_in()
        box.wait(lambda: parts().parts[Part.TOKEN_READER].working, "the reader")
    port.unplug()
    assert box.outcomes() == [("GIVEN", None)]
    assert [one["part"] for one in data_of(box, "aid.terminal.part.failed.v1")] == ["token_reader"]
    assert [one["part"] for one in data_of(box, "aid.terminal.part.recovered.v1")] == ["token_reader"]


def test_a_terminal_without_a_card_reader_does_not_speak_of_one(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.shows(Signal.READY)
        assert Part.TOKEN_READER not in box.agent.snapshot().parts


def test_nothing_of_a_card_leaves_but_its_serial(tmp_path: Path) -> None:
    good, expired = token_text("s1", OFFICE), token_text("s2", OFFICE, last_day=date(2025, 1, 1))
    with structlog.testing.capture_logs() as logs, hall(tmp_path) as there:
        there.hold_up(good)
        there.box.serve(1)
        there.hold_up(expired)
        there.box.serve(2)
    outbox = SqliteOutbox(there.box.path)
    left = [row.body.decode() for row in outbox.oldest(1000)]
    outbox.close()
    assert len(left) == len(records(there.box)) > 4
    kept = [*left, *there.box.slip_texts().values(), str(logs)]
    for text in (good, expired):
        parts = {text, text[4:], text[4:40], text[-40:]}
        assert not any(part in one for part in parts for one in kept)
    assert any(entry["event"] == "token_refused" for entry in logs)
