"""Officers' acts: each one is written with its record, bounded by day and officer, and answered once."""

from __future__ import annotations

import argparse
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.act_slip import head_of
from edge_agent.core.messages import ClaimRecorded, ClaimRefused, MarkSlip
from edge_agent.core.model import Outcome, Reason, Receipt
from edge_agent.core.officer_acts import (
    Act,
    ActProblem,
    ActReceipt,
    ActRequest,
    Assistance,
    AssistReason,
    DayTotals,
)
from edge_agent.core.policy import Officer, OfficerLimits, Policy
from edge_agent.core.slip import SlipTerminal
from edge_agent.key_files import write_public_key
from edge_agent.ports import StoreError
from edge_agent.store import Store, ledger_commands
from edge_agent.store.day_totals import assisted_today
from edge_agent.store.ledger import verify
from tests.store.terminal import (
    NOON,
    SIGNING,
    Clock,
    claim_of,
    entitlement,
    open_store,
    referral,
    roster,
    write_roster,
)

OFFICERS = (Officer("o1"), Officer("o2"), Officer("o3"))
DAY = "2026-03-10"


def make_store(folder: Path, clock: Clock, *, limits: OfficerLimits | None = None, **changes: Any) -> Store:
    store = open_store(folder / "terminal.db")
    policy = Policy(officers=limits or OfficerLimits())
    content = roster(1, 6, officers=OFFICERS, policy=policy, **changes)
    store.import_roster(write_roster(folder / "roster.aid", content), clock())
    return store


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Any:
    with make_store(tmp_path, clock) as opened:
        yield opened


def act(store: Store, clock: Clock, request: ActRequest) -> ActReceipt:
    return store.record_act(request, clock()).receipt


def events(store: Store) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(store.path)) as raw:
        return [
            json.loads(row[0]) for row in raw.execute("SELECT body FROM ledger JOIN outbox USING (seq) ORDER BY seq")
        ]


def give(store: Store, clock: Clock, subject: str = "s1", session: str = "session-1") -> Receipt:
    answer = store.record_claim(claim_of(subject, session), clock())
    assert isinstance(answer, ClaimRecorded)
    return answer.receipt


def void(case: str, first: str = "o1", second: str | None = "o2", act_id: str = "act-1") -> ActRequest:
    return ActRequest(act_id, Act.VOID, first, second, case)


def test_a_void_needs_two_officers_and_opens_the_entitlement_again(store: Store, clock: Clock) -> None:
    first = give(store, clock)
    alone = act(store, clock, void(first.case_number, second="o1"))
    assert alone.problem is ActProblem.SAME_OFFICER
    assert isinstance(store.record_claim(claim_of("s1", "session-2"), clock()), ClaimRefused)
    done = act(store, clock, void(first.case_number, act_id="act-2"))
    assert (done.problem, done.case_number, done.second_officer_id) == (None, first.case_number, "o2")
    assert done.copy is not None
    assert [claim.voided for claim in done.copy.claims] == [True]
    assert done.copy.display_name == first.display_name
    event = events(store)[-1]
    assert event["type"] == "aid.claim.voided.v1"
    assert event["data"] == {
        "act_id": "act-2",
        "claims": [first.claims[0].claim_id],
        "case_number": first.case_number,
        "officer": "o1",
        "second_officer": "o2",
        "day": DAY,
        "site": "desa-sukamaju",
    }
    again = give(store, clock, session="session-3")
    assert again.claims[0].entitlement_id == first.claims[0].entitlement_id
    assert act(store, clock, void(first.case_number, act_id="act-3")).problem is ActProblem.ALREADY_VOID
    assert isinstance(store.record_claim(claim_of("s1", "session-4"), clock()), ClaimRefused)


def test_every_act_that_is_not_done_leaves_a_record_too(store: Store, clock: Clock) -> None:
    case = store.record_outcome(referral(), clock()).receipt.case_number
    answer = act(store, clock, void(case))
    assert answer.problem is ActProblem.NOT_A_CLAIM
    event = events(store)[-1]
    assert event["type"] == "aid.officer.acted.v1"
    assert event["data"] == {
        "act_id": "act-1",
        "act": "void",
        "officer": "o1",
        "second_officer": "o2",
        "case_number": case,
        "problem": "not_a_claim",
        "day": DAY,
        "site": "desa-sukamaju",
    }
    assert (answer.record_seq, answer.record_hash) == (store.ledger_head().sequence, store.ledger_head().hash)


def test_an_act_is_answered_once(store: Store, clock: Clock, tmp_path: Path) -> None:
    case = give(store, clock).case_number
    requests = [
        ActRequest("act-1", Act.REPRINT, "o1", case_number=case),
        void(case, act_id="act-2"),
        void(case, act_id="act-3"),
        ActRequest("act-4", Act.DAY_END, "o1"),
    ]
    first = [act(store, clock, request) for request in requests]
    head = store.ledger_head()
    store.close()
    with open_store(tmp_path / "terminal.db") as again:
        second = [again.record_act(request, clock(days=1)).receipt for request in requests]
        # The first answer came before the void; what is printed again after it shows the claim as void.
        assert [replace(one, copy=None) for one in second] == [replace(one, copy=None) for one in first]
        assert second[1:] == first[1:]
        assert again.ledger_head() == head
        with pytest.raises(StoreError, match="act-1: already recorded"):
            again.record_act(ActRequest("act-1", Act.CLOSE, "o1"), clock())


def test_copies_are_counted_and_a_card_finds_the_slip(store: Store, clock: Clock) -> None:
    receipt = give(store, clock)
    store.record_claim(claim_of("s1", "session-2"), clock())
    numbers = [
        act(store, clock, ActRequest(f"act-{n}", Act.REPRINT, "o1", case_number=receipt.case_number)).copy_number
        for n in range(2)
    ]
    by_card = act(store, clock, ActRequest("act-card", Act.REPRINT, "o1", subject_id="s1"))
    assert [*numbers, by_card.copy_number] == [1, 2, 3]
    assert by_card.copy == receipt, "the claim, not the refusal that came after it"
    assert by_card.case_number == receipt.case_number
    data = events(store)[-1]["data"]
    assert (data["act"], data["copy"], data["case_number"]) == ("reprint", 3, receipt.case_number)
    none = act(store, clock, ActRequest("act-none", Act.REPRINT, "o1", subject_id="s2"))
    assert (none.problem, none.copy, none.copy_number) == (ActProblem.NOTHING_TO_PRINT, None, 0)
    unknown = act(store, clock, ActRequest("act-unknown", Act.REPRINT, "o1", case_number="K7Q4-9999"))
    assert unknown.problem is ActProblem.UNKNOWN_CASE


def test_a_voided_slip_is_not_printed_again_as_if_it_stood(store: Store, clock: Clock) -> None:
    case = give(store, clock).case_number
    act(store, clock, void(case))
    again = act(store, clock, ActRequest("act-2", Act.REPRINT, "o1", case_number=case))
    assert again.problem is ActProblem.ALREADY_VOID


def test_a_referral_is_resolved_once(store: Store, clock: Clock) -> None:
    case = store.record_outcome(referral(), clock()).receipt.case_number
    done = act(store, clock, ActRequest("act-1", Act.REFERRAL_RESOLVED, "o1", case_number=case))
    assert done.problem is None
    event = events(store)[-1]
    assert (event["type"], event["data"]["case_number"], event["data"]["officer"]) == (
        "aid.referral.resolved.v1",
        case,
        "o1",
    )
    twice = act(store, clock, ActRequest("act-2", Act.REFERRAL_RESOLVED, "o2", case_number=case))
    assert twice.problem is ActProblem.ALREADY_RESOLVED
    given_case = give(store, clock, session="session-2").case_number
    wrong = act(store, clock, ActRequest("act-3", Act.REFERRAL_RESOLVED, "o2", case_number=given_case))
    assert wrong.problem is ActProblem.NOT_A_REFERRAL


def test_the_day_is_totalled_from_the_tables(tmp_path: Path, clock: Clock) -> None:
    rights = [entitlement(f"s{n}") for n in range(1, 7)] + [entitlement("s1", "pkh")]
    with make_store(tmp_path, clock, entitlements=rights) as store:
        clock.utc = NOON - timedelta(days=1)
        store.record_outcome(referral("yesterday"), clock())
        clock.utc = NOON
        first = give(store, clock)
        store.mark_slip(MarkSlip("session-1", True), clock())
        help_ = replace(claim_of("s2", "session-2"), evidence=None, assistance=Assistance("o1", AssistReason.VEIL))
        assert isinstance(store.record_claim(help_, clock()), ClaimRecorded)
        give(store, clock, "s3", "session-3")
        store.record_claim(claim_of("s3", "session-4"), clock())
        case = store.record_outcome(referral("session-5"), clock()).receipt.case_number
        store.record_outcome(referral("session-6", Reason.NOT_LIVE), clock())
        store.record_outcome(referral("session-7", Reason.WALKED_AWAY), clock())
        act(store, clock, ActRequest("a1", Act.REPRINT, "o1", case_number=first.case_number))
        act(store, clock, ActRequest("a2", Act.REFERRAL_RESOLVED, "o1", case_number=case))
        act(store, clock, void(first.case_number, act_id="a3"))
        before = store.ledger_head()
        ended = act(store, clock, ActRequest("a4", Act.DAY_END, "o1"))
        assert ended.totals == DayTotals(
            day=DAY,
            given=3,
            claims=4,
            referred=(("not_live", 1), ("not_recognised", 1)),
            not_entitled=(("already_claimed", 1),),
            abandoned=1,
            assisted=1,
            voided=2,
            reprinted=1,
            resolved=1,
            unprinted=5,
            value=(("kg", Decimal(20)),),
        )
        assert (ended.totals.served, ended.totals.exceptions) == (6, 3)
        event = events(store)[-1]
        assert event["type"] == "aid.day.ended.v1"
        assert event["data"]["head"] == {"sequence": before.sequence, "hash": before.hash}
        assert event["data"]["totals"]["referred"] == {"not_live": 1, "not_recognised": 1}
        assert event["data"]["totals"]["value"] == {"kg": "20"}
        assert verify(store.path, SIGNING.public_key(), (ended.record_seq, ended.record_hash)).intact


def test_the_local_day_bounds_an_officer(tmp_path: Path, clock: Clock) -> None:
    with make_store(tmp_path, clock, limits=OfficerLimits(1, 2, 1)) as store:
        case = give(store, clock).case_number

        def reprint(number: int, officer: str = "o1") -> ActProblem | None:
            return act(store, clock, ActRequest(f"r{number}", Act.REPRINT, officer, case_number=case)).problem

        assert [reprint(n) for n in range(3)] == [None, None, ActProblem.LIMIT_REACHED]
        assert reprint(3, "o2") is None
        clock.utc = NOON.replace(hour=16, minute=59)  # 23:59 in Jakarta
        assert reprint(4) is ActProblem.LIMIT_REACHED
        clock.utc = NOON.replace(hour=17, minute=0)
        assert reprint(5) is None


def test_two_officers_who_take_turns_void_no_more_than_one(tmp_path: Path, clock: Clock) -> None:
    with make_store(tmp_path, clock, limits=OfficerLimits(voids_per_day=1)) as store:
        cases = [give(store, clock, f"s{n}", f"session-{n}").case_number for n in range(1, 4)]
        assert act(store, clock, void(cases[0], "o1", "o2", "v1")).problem is None
        assert act(store, clock, void(cases[1], "o2", "o1", "v2")).problem is ActProblem.LIMIT_REACHED
        assert act(store, clock, void(cases[1], "o3", "o2", "v3")).problem is ActProblem.LIMIT_REACHED


def test_assisted_sessions_are_counted_by_officer_and_day(store: Store, clock: Clock) -> None:
    for number, officer in ((1, "o1"), (2, "o1"), (3, "o2")):
        request = replace(
            claim_of(f"s{number}", f"session-{number}"),
            evidence=None,
            assistance=Assistance(officer, AssistReason.BEDRIDDEN),
        )
        assert store.record_claim(request, clock()).receipt.outcome is Outcome.GIVEN  # type: ignore[union-attr]
    with closing(sqlite3.connect(store.path)) as raw:
        assert [assisted_today(raw, officer, DAY) for officer in ("o1", "o2", "o3")] == [2, 1, 0]
        assert assisted_today(raw, "o1", "2026-03-11") == 0


def test_closing_and_opening_are_records_without_bounds(store: Store, clock: Clock) -> None:
    for number in range(50):
        assert act(store, clock, ActRequest(f"c{number}", Act.CLOSE if number % 2 else Act.OPEN, "o1")).problem is None
    assert [event["data"]["act"] for event in events(store)[-2:]] == ["open", "close"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["claim", "void", "reprint", "next day"]),
        st.integers(1, 3),
        st.sampled_from(["o1", "o2", "o3"]),
        st.sampled_from(["o1", "o2", "o3"]),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
def test_whatever_officers_do_a_right_stands_at_most_once_and_nobody_exceeds_their_bound(
    steps: list[tuple[str, int, str, str]],
) -> None:
    """A model beside the store: which claim of whom stands, and how many voids and reprints each officer has left."""
    rights = [entitlement(f"s{n}", valid_until=date(2026, 12, 31)) for n in range(1, 4)]
    clock, limits = Clock(), OfficerLimits(9, 2, 2)
    with TemporaryDirectory() as folder, make_store(Path(folder), clock, limits=limits, entitlements=rights) as store:
        standing: dict[int, str] = {}
        latest: dict[int, str] = {}
        used: dict[tuple[str, str], int] = {}
        for number, (step, person, first, second) in enumerate(steps):
            if step == "next day":
                clock(days=1)
                used.clear()
            elif step == "claim":
                answer = store.record_claim(claim_of(f"s{person}", f"session-{number}"), clock())
                assert isinstance(answer, ClaimRefused if person in standing else ClaimRecorded)
                if isinstance(answer, ClaimRecorded):
                    standing[person] = latest[person] = answer.receipt.case_number
            elif step == "void":
                done = act(store, clock, void(latest.get(person, "none"), first, second, f"act-{number}"))
                spent = max(used.get((who, step), 0) for who in (first, second))
                assert (done.problem is None) == (person in standing and first != second and spent < 2), done.problem
                if done.problem is None:
                    del standing[person]
                    for who in (first, second):
                        used[who, step] = used.get((who, step), 0) + 1
            else:
                request = ActRequest(f"act-{number}", Act.REPRINT, first, case_number=latest.get(person, "none"))
                done = act(store, clock, request)
                assert (done.problem is None) == (person in standing and used.get((first, step), 0) < 2), done.problem
                used[first, step] = used.get((first, step), 0) + (done.problem is None)
        with closing(sqlite3.connect(store.path)) as raw:
            rows = raw.execute("SELECT subject_id FROM claim WHERE voided_seq IS NULL ORDER BY 1").fetchall()
            assert [row[0] for row in rows] == [f"s{person}" for person in sorted(standing)]
        assert verify(store.path, SIGNING.public_key()).intact


def test_the_code_of_a_day_end_slip_is_the_head_that_verify_asks_for(store: Store, clock: Clock) -> None:
    give(store, clock)
    ended = act(store, clock, ActRequest("a1", Act.DAY_END, "o1"))
    terminal = SlipTerminal("kiosk-1", "desa-sukamaju", "Balai Desa", "0800-1", "Asia/Jakarta")
    key = store.path.parent / "signing.pub.pem"
    write_public_key(key, SIGNING.public_key())
    for head, status in ((head_of(ended, terminal), 0), (head_of(ended, terminal)[:-1] + "!", 1)):
        parser = argparse.ArgumentParser()
        ledger_commands.add_commands(parser.add_subparsers())
        words = ["ledger", "verify", "--file", str(store.path), "--key", str(key), "--head", head]
        arguments = parser.parse_args(words)
        assert arguments.run(arguments) == status
