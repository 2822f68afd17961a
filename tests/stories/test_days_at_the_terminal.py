"""Stories of people at the terminal: real agent, store and printer; only camera and models are stood in for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.clock import SystemClock
from edge_agent.core import serving
from edge_agent.core.model import Outcome, PadMode, Part, Signal
from edge_agent.core.rules import PadRules
from edge_agent.store.ledger import read_records, verify
from tests.box import SIGNING, FaultyStore, terminal_box
from tests.store.terminal import entitlement, open_store, roster, write_roster


def test_a_person_receives_their_rice_once_and_is_told_so_the_second_time(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.serve(1)
        box.serve(1, expect=Signal.NOT_ENTITLED)
        box.serve(2)
    assert box.outcomes() == [("GIVEN", None), ("NOT_ENTITLED", "already_claimed"), ("GIVEN", None)]
    given, told, _ = box.slip_texts().values()
    assert "10 kg beras" in given
    assert "BANTUAN" in given
    assert "BELUM DAPAT" in told
    assert verify(box.path, SIGNING.public_key()).intact


def test_a_stranger_is_referred_never_called_not_entitled(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.serve(99, expect=Signal.REFERRED)
    assert box.outcomes() == [("REFERRED", "not_recognised")]


def test_somebody_who_does_not_follow_the_lights_is_referred(tmp_path: Path) -> None:
    with terminal_box(tmp_path, pad=PadRules(turns=1, attempts=2, answer_max_s=0.6)) as box:
        box.serve(1, turns=False, expect=Signal.REFERRED)
    assert box.outcomes() == [("REFERRED", "could_not_turn")]


def test_the_same_is_given_and_recorded_as_not_live_when_liveness_is_only_recorded(tmp_path: Path) -> None:
    pad = PadRules(mode=PadMode.RECORDED, turns=1, answer_max_s=0.6)
    with terminal_box(tmp_path, pad=pad) as box:
        box.serve(1, turns=False)
    assert box.outcomes() == [("GIVEN", None)]
    claim = next(json.loads(body) for body in read_records(box.path) if b"claim.recorded" in body)
    assert '"pad":"not_live"' in json.dumps(claim["data"], separators=(",", ":"))


def test_a_token_names_somebody_else_and_the_face_decides(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.shows(Signal.READY)
        box.token("s2")
        box.serve(1, expect=Signal.REFERRED)
        box.shows(Signal.READY)
        box.token("s1")
        box.serve(1)
    assert box.outcomes() == [("REFERRED", "not_recognised"), ("GIVEN", None)]


def test_leaving_early_is_recorded_and_prints_nothing(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.shows(Signal.READY)
        box.person.step_up(1, turns=False)
        box.shows(Signal.LOOK_AHEAD)
        box.person.leave()
        box.shows(Signal.ABANDONED)
        box.shows(Signal.READY)
    assert box.outcomes() == [("ABANDONED", "walked_away")]
    assert box.slip_texts() == {}


def test_the_paper_ends_mid_slip_the_claim_stands_and_nobody_gets_it_twice(tmp_path: Path) -> None:
    script = tmp_path / "printer.yaml"
    script.write_text("speed_mm_s: 200\nfaults: [{fault: paper_out, slip: 1, after_mm: 20, clears_after_s: 4}]\n")
    with terminal_box(tmp_path, printer_script=script) as box:
        box.serve(1, expect=Signal.TAKE_SLIP_FAILED)
        box.shows(Signal.PAPER_OUT)
        box.shows(Signal.READY)  # somebody put in paper
        box.serve(1, expect=Signal.NOT_ENTITLED)
    assert box.outcomes() == [("GIVEN", None), ("NOT_ENTITLED", "already_claimed")]
    types = [json.loads(body)["type"] for body in read_records(box.path)]
    assert types.count("aid.slip.failed.v1") == 1


def test_who_comes_back_for_a_slip_that_never_came_out_gets_a_copy(tmp_path: Path) -> None:
    script = tmp_path / "printer.yaml"
    script.write_text("speed_mm_s: 200\nfaults: [{fault: paper_out, slip: 1, after_mm: 20, clears_after_s: 1}]\n")
    with terminal_box(tmp_path, printer_script=script) as box:
        box.serve(1, expect=Signal.TAKE_SLIP_FAILED)
    with open_store(box.path) as store:
        assert [receipt.outcome for receipt in store.unprinted()] == [Outcome.GIVEN]
    with terminal_box(tmp_path) as again:
        again.serve(1, expect=Signal.NOT_ENTITLED)
        again.wait(lambda: any(name.endswith("-copy1.txt") for name in again.slip_texts()), "the copy")
        again.shows(Signal.READY)
    copy = next(text for name, text in again.slip_texts().items() if name.endswith("-copy1.txt"))
    assert "SALINAN" in copy
    assert "10 kg beras" in copy
    types = [json.loads(body)["type"] for body in read_records(again.path)]
    assert types.count("aid.claim.recorded.v1") == 1
    assert types.count("aid.slip.failed.v1") == 1
    assert types.count("aid.slip.printed.v1") == 2  # of the second visit, and the copy
    with open_store(again.path) as store:
        assert store.unprinted() == []


def test_no_paper_means_closed_before_anybody_is_asked_for_anything(tmp_path: Path) -> None:
    script = tmp_path / "printer.yaml"
    script.write_text("faults: [{fault: paper_out, after_slip: 0, clears_after_s: 2}]\n")
    with terminal_box(tmp_path, printer_script=script) as box:
        box.person.step_up(1)
        box.shows(Signal.PAPER_OUT)
        box.wait(lambda: box.agent.session.signal is Signal.GIVEN, "the person who waited for paper to be served")
        box.person.leave()
    assert box.outcomes() == [("GIVEN", None)]


def test_a_full_disk_gives_nothing_and_loses_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    stores: list[FaultyStore] = []

    def wrap(store):  # type: ignore[no-untyped-def]
        stores.append(FaultyStore(store))
        return stores[0]

    with terminal_box(tmp_path, store_wrapper=wrap) as box:
        box.shows(Signal.READY)
        stores[0].full = True
        box.person.step_up(1)
        box.shows(Signal.OUT_OF_SERVICE)
        assert box.slip_texts() == {}
        assert "disk full" in box.agent.snapshot().parts[Part.STORE].problem
        stores[0].full = False
        box.wait(lambda: box.agent.session.signal is Signal.GIVEN, "service after the disk was freed")
        box.person.leave()
    assert box.outcomes() == [("REFERRED", "terminal_fault"), ("GIVEN", None)]
    assert verify(box.path, SIGNING.public_key()).intact


def test_the_camera_dies_while_somebody_is_served(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.shows(Signal.READY)
        box.person.step_up(1, turns=False)
        box.shows(Signal.LOOK_AHEAD)
        box.fail(Part.CAMERA)
        box.shows(Signal.REFERRED)
        box.shows(Signal.OUT_OF_SERVICE)
        box.person.leave()
        box.recover(Part.CAMERA)
        box.serve(2)
    assert box.outcomes() == [("REFERRED", "terminal_fault"), ("GIVEN", None)]
    types = [json.loads(body)["type"] for body in read_records(box.path)]
    assert "aid.terminal.part.failed.v1" in types
    assert "aid.terminal.part.recovered.v1" in types


def test_being_stopped_while_serving_refers_and_prints_first(tmp_path: Path) -> None:
    with terminal_box(tmp_path) as box:
        box.shows(Signal.READY)
        box.person.step_up(1, turns=False)
        box.shows(Signal.LOOK_AHEAD)
    assert box.outcomes() == [("REFERRED", "terminal_fault")]
    assert len(box.slip_texts()) == 1
    types = [json.loads(body)["type"] for body in read_records(box.path)]
    assert types[-1] == "aid.terminal.stopped.v1"


def test_who_waits_for_the_centre_when_the_terminal_is_stopped_has_an_outcome_and_a_slip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "may_ask", lambda session, rules: True)
    clock = SystemClock(lambda: True)
    today = clock.now().utc.date()
    elsewhere = [entitlement("s1", valid_from=today, valid_until=today, home="kiosk-2")]
    with open_store(tmp_path / "terminal.db") as store:
        content = roster(subjects=1, entitlements=elsewhere, issued_at=clock.now().utc)
        store.import_roster(write_roster(tmp_path / "roster.aid", content), clock.now())
    with terminal_box(tmp_path) as box:
        box.shows(Signal.READY)
        box.person.step_up(1)
        box.shows(Signal.ASKING_CENTRE)
    assert box.outcomes() == [("REFERRED", "not_home")]
    assert len(box.slip_texts()) == 1
