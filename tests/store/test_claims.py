"""One transaction per outcome: claim, record and outbox row together, once, and the same answer when asked again."""

from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge_agent.core.messages import ClaimRecorded, ClaimRefused, MarkSlip, RecordOutcome
from edge_agent.core.model import EntitlementState, MatchKind, Outcome, PadVerdict, Reason
from edge_agent.ports import StoreError
from edge_agent.store import SqliteOutbox, Store
from tests.store.terminal import NOON, Clock, claim_of, entitlement, open_store, referral, roster, write_roster


def last_event(store: Store) -> dict[str, Any]:
    outbox = SqliteOutbox(store.path)
    event: dict[str, Any] = json.loads(outbox.oldest(1000)[-1].body)
    outbox.close()
    return event


def test_a_claim_answers_with_what_the_slip_needs(store: Store, clock: Clock) -> None:
    answer = store.record_claim(claim_of("s1"), clock())
    assert isinstance(answer, ClaimRecorded)
    receipt = answer.receipt
    assert (receipt.outcome, receipt.reason, receipt.recorded_at) == (Outcome.GIVEN, None, NOON)
    assert receipt.display_name == "Ibu Nomor 1"
    assert [claim.entitlement_id for claim in receipt.claims] == ["s1.bpnt"]
    assert receipt.claims[0].claim_number == receipt.case_number
    assert (receipt.claims[0].terminal_id, receipt.claims[0].place) == ("kiosk-1", "Balai Desa Sukamaju")
    assert (receipt.record_seq, receipt.record_hash) == (store.ledger_head().sequence, store.ledger_head().hash)


def test_the_record_holds_the_evidence_rounded_and_no_name(store: Store, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    event = last_event(store)
    assert event["type"] == "aid.claim.recorded.v1"
    assert event["data"]["evidence"] == {
        "kind": "identification",
        "score": 0.9123,
        "threshold": 0.9,
        "runner_up": 0.7,
        "margin": 0.06,
        "gallery_size": 3,
        "frames": 5,
        "pad": "live",
        "pad_attempts": 1,
        "pad_cues": {"depth": 0.812, "integrity": 1.0},
    }
    assert event["data"]["roster"]["embedder"] == "test-net"
    assert "Ibu" not in json.dumps(event)


def test_a_second_session_is_told_of_the_first_claim(store: Store, clock: Clock) -> None:
    first = store.record_claim(claim_of("s1"), clock())
    second = store.record_claim(claim_of("s1", "session-2"), clock(hours=2))
    assert isinstance(second, ClaimRefused)
    assert (second.receipt.outcome, second.receipt.reason) == (Outcome.NOT_ENTITLED, Reason.ALREADY_CLAIMED)
    assert second.receipt.earlier == first.receipt.claims[0]
    event = last_event(store)
    assert (event["type"], event["data"]["reason"]) == ("aid.session.ended.v1", "already_claimed")
    assert event["data"]["earlier_claim"] == first.receipt.claims[0].claim_id


def test_asked_twice_the_store_answers_the_same_and_writes_once(store: Store, database: Path, clock: Clock) -> None:
    first = store.record_claim(claim_of("s1"), clock())
    refused = store.record_claim(claim_of("s1", "session-2"), clock())
    referred = store.record_outcome(referral("session-3"), clock())
    head = store.ledger_head()
    store.close()
    with open_store(database) as again:
        assert again.record_claim(claim_of("s1"), clock(days=1)) == first
        assert again.record_claim(claim_of("s1", "session-2"), clock(days=1)) == refused
        assert again.record_outcome(referral("session-3"), clock()) == referred
        assert again.ledger_head() == head


def test_a_session_of_somebody_else_is_an_error(store: Store, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    with pytest.raises(StoreError, match="another subject"):
        store.record_claim(claim_of("s2"), clock())


def test_several_entitlements_are_one_visit_with_one_number_each(store: Store, tmp_path: Path, clock: Clock) -> None:
    rights = [entitlement("s1", "bpnt"), entitlement("s1", "pkh"), entitlement("s1", "blt", home="kiosk-9")]
    store.import_roster(write_roster(tmp_path / "r2", roster(2, 1, rights)), clock())
    receipt = store.record_claim(claim_of("s1"), clock()).receipt
    assert [claim.claim_number for claim in receipt.claims] == [f"{receipt.case_number}-1", f"{receipt.case_number}-2"]
    assert receipt.remaining == (rights[2].benefit,)
    assert len(last_event(store)["data"]["claims"]) == 2
    other = store.record_claim(claim_of("s1", "session-2"), clock()).receipt
    assert (other.outcome, other.reason) == (Outcome.REFERRED, Reason.NOT_HOME)


def test_a_claim_survives_the_roster_it_came_from(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    store.import_roster(write_roster(tmp_path / "r2", roster(2)), clock())
    assert store.record_claim(claim_of("s1", "session-2"), clock()).receipt.reason is Reason.ALREADY_CLAIMED


def test_somebody_the_roster_lost_meanwhile_is_referred(store: Store, clock: Clock) -> None:
    receipt = store.record_claim(claim_of("gone"), clock()).receipt
    assert (receipt.outcome, receipt.reason) == (Outcome.REFERRED, Reason.NOT_RECOGNISED)


def test_a_refused_entitlement_comes_back_whole(store: Store, tmp_path: Path, clock: Clock) -> None:
    right = entitlement(
        "s1", state=EntitlementState.SUSPENDED, home="kiosk-1", lease_until=NOON + timedelta(days=3, microseconds=5000)
    )
    store.import_roster(write_roster(tmp_path / "r2", roster(2, 1, [right])), clock())
    first = store.record_claim(claim_of("s1"), clock()).receipt
    assert first.entitlement == right
    assert store.record_claim(claim_of("s1"), clock()).receipt == first


def test_the_local_day_decides(store: Store, tmp_path: Path, clock: Clock) -> None:
    """18:30 UTC on the 9th is half past one on the 10th in Jakarta."""
    right = entitlement("s1", valid_from=date(2026, 3, 10))
    store.import_roster(write_roster(tmp_path / "r2", roster(2, 1, [right])), clock())
    clock.utc = NOON.replace(day=9, hour=16, minute=30)
    assert store.record_claim(claim_of("s1"), clock()).receipt.reason is Reason.NOT_YET_VALID
    clock.utc = NOON.replace(day=9, hour=18, minute=30)
    assert store.record_claim(claim_of("s1", "session-2"), clock()).receipt.outcome is Outcome.GIVEN


def test_an_untrusted_clock_behind_the_ledger_does_not_decide(store: Store, tmp_path: Path, clock: Clock) -> None:
    right = entitlement("s1", valid_from=date(2026, 3, 10))
    store.import_roster(write_roster(tmp_path / "r2", roster(2, 1, [right])), clock())
    clock.utc, clock.trusted = NOON.replace(year=2025), False
    receipt = store.record_claim(claim_of("s1"), clock()).receipt
    assert (receipt.outcome, receipt.recorded_at) == (Outcome.GIVEN, NOON)


def test_slips_are_known_until_printed(store: Store, database: Path, clock: Clock) -> None:
    given = store.record_claim(claim_of("s1"), clock()).receipt
    store.record_outcome(referral("session-2"), clock())
    assert store.unprinted() == [given]
    store.mark_slip(MarkSlip("session-1", False, "paper out"), clock())
    store.close()
    with open_store(database) as again:
        assert again.unprinted() == [given]
        again.mark_slip(MarkSlip("session-1", True), clock())
        assert again.unprinted() == []
        event = last_event(again)
        assert (event["type"], event["data"]["case_number"]) == ("aid.slip.printed.v1", given.case_number)
        head = again.ledger_head()
        again.mark_slip(MarkSlip("session-1", True), clock())
        assert again.ledger_head() == head, "said twice, recorded once"
        again.mark_slip(MarkSlip("session-1", False, "copy jammed"), clock())
        assert again.unprinted() == [], "a copy that failed does not undo the slip"


def test_a_slip_without_an_outcome_is_an_error(store: Store, clock: Clock) -> None:
    with pytest.raises(StoreError, match="no recorded outcome"):
        store.mark_slip(MarkSlip("nobody", True), clock())


def test_an_outcome_must_go_with_its_reason(store: Store, clock: Clock) -> None:
    wrong = RecordOutcome(
        "x", Outcome.NOT_ENTITLED, Reason.NOT_RECOGNISED, MatchKind.IDENTIFICATION, PadVerdict.LIVE, 1
    )
    with pytest.raises(StoreError, match="does not go with"):
        store.record_outcome(wrong, clock())


def test_the_database_itself_refuses_a_second_claim_and_a_changed_record(
    store: Store, database: Path, clock: Clock
) -> None:
    store.record_claim(claim_of("s1"), clock())
    with sqlite3.connect(database) as raw:
        for statement in (
            "INSERT INTO claim (claim_id, claim_number, entitlement_id, session_id, subject_id, programme, cycle, kind,"
            " amount, unit, item, claimed_at, terminal_id, place, seq) SELECT 'x', 'x', entitlement_id, session_id,"
            " subject_id, programme, cycle, kind, amount, unit, item, claimed_at, terminal_id, place, seq FROM claim",
            "UPDATE claim SET voided_seq = seq, amount = '1'",
            "UPDATE claim SET amount = '1'",
            "DELETE FROM claim",
            "UPDATE ledger SET type = 'x'",
            "DELETE FROM ledger",
        ):
            with pytest.raises(sqlite3.IntegrityError):
                raw.execute(statement)
        raw.execute("UPDATE claim SET voided_seq = seq")
        with pytest.raises(sqlite3.IntegrityError, match="only voided once"):
            raw.execute("UPDATE claim SET voided_seq = NULL")
    raw.close()


def test_terminal_events_are_records(store: Store, clock: Clock) -> None:
    store.record_terminal_event(
        "part.failed", {"part": "printer", "problem": "offline", "temperature_c": 51.23456}, clock()
    )
    event = last_event(store)
    assert event["type"] == "aid.terminal.part.failed.v1"
    assert event["data"] == {"part": "printer", "problem": "offline", "temperature_c": 51.2346}
    with pytest.raises(StoreError, match="lower-case"):
        store.record_terminal_event("Part Failed", {}, clock())


def test_a_clock_a_year_ahead_that_nobody_confirmed_refers_and_leaves_the_right_open(
    store: Store, clock: Clock
) -> None:
    clock.trusted = False
    ahead = store.record_claim(claim_of("s1"), clock(days=400))
    assert isinstance(ahead, ClaimRefused)
    assert (ahead.receipt.outcome, ahead.receipt.reason) == (Outcome.REFERRED, Reason.CLOCK_UNTRUSTED)
    clock.trusted = True
    given = store.record_claim(claim_of("s1", "session-2"), clock(days=-400, hours=1))
    assert isinstance(given, ClaimRecorded)
