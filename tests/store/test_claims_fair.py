"""Portions, proxies, officers' help, offline limits, age of the roster and the clock: through the real store."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge_agent.core.messages import AuthorityNeeded, ClaimRecorded, RecordClaim
from edge_agent.core.model import Entitlement, Outcome, Reason, Receipt
from edge_agent.core.officer_acts import Act, ActRequest, Assistance, AssistReason
from edge_agent.core.policy import Authority, Officer, OfficerLimits, OfflineLimits, Policy, Proxy
from edge_agent.store import SqliteOutbox, Store
from tests.store.terminal import NOON, Clock, claim_of, entitlement, open_store, roster, write_roster

Put = Callable[..., None]
RICE = entitlement("s1", "bpnt", portion=Decimal(4))


@pytest.fixture
def kiosk(database: Path) -> Iterator[Store]:
    with open_store(database) as store:
        yield store


@pytest.fixture
def put(kiosk: Store, tmp_path: Path, clock: Clock) -> Put:
    """Puts a roster with these rights in force."""

    def import_it(*rights: Entitlement, version: int = 1, **changes: Any) -> None:
        content = roster(version, entitlements=list(rights), **changes)
        kiosk.import_roster(write_roster(tmp_path / f"roster-{version}.aid", content), clock())

    return import_it


def receipt(answer: object) -> Receipt:
    assert not isinstance(answer, AuthorityNeeded)
    return answer.receipt  # type: ignore[attr-defined, no-any-return]


def helped(subject: str, session: str, officer: str = "siti") -> RecordClaim:
    return RecordClaim(session, subject, None, Assistance(officer, AssistReason.VEIL))


def records(store: Store, kind: str) -> list[dict[str, Any]]:
    with closing(SqliteOutbox(store.path)) as outbox:
        events = [json.loads(row.body) for row in outbox.oldest(1000)]
    return [event["data"] for event in events if event["type"] == kind]


def test_one_portion_a_day_until_nothing_is_left(kiosk: Store, clock: Clock, put: Put) -> None:
    put(RICE)
    given = []
    for day in range(4):
        for visit in ("morning", "evening"):
            answer = receipt(kiosk.record_claim(claim_of("s1", f"{day}-{visit}"), clock()))
            given += [(claim.benefit.amount, claim.portion, claim.left) for claim in answer.claims]
            if visit == "evening":
                assert answer.reason is (Reason.NOT_YET_VALID if day < 2 else Reason.ALREADY_CLAIMED)
                assert answer.open_from == (date(2026, 3, 11 + day) if day < 2 else None)
                assert answer.earlier is not None
        clock(days=1)
    assert given == [(4, 1, 6), (4, 2, 2), (2, 3, 0)]
    first = records(kiosk, "aid.claim.recorded.v1")[0]
    assert (first["claims"][0]["portion"], first["claims"][0]["left"]) == (1, "6")
    assert (first["assisted"], first["assistance"]) == (False, None)


def test_what_a_receipt_said_it_says_again_after_a_restart(
    kiosk: Store, clock: Clock, put: Put, database: Path
) -> None:
    put(RICE)
    given = receipt(kiosk.record_claim(claim_of("s1", "first"), clock()))
    refused = receipt(kiosk.record_claim(claim_of("s1", "second"), clock()))
    assert given.roster_issued_at == NOON
    assert [benefit.amount for benefit in given.remaining] == [6]
    kiosk.close()
    with open_store(database) as again:
        assert receipt(again.record_claim(claim_of("s1", "first"), clock())) == given
        assert receipt(again.record_claim(claim_of("s1", "second"), clock())) == refused


def test_a_proxy_fetches_it_once_and_is_named_in_the_record(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1"), entitlement("s2"), proxies=(Proxy("s1.bpnt", "2026-03", "s2"),))
    both = receipt(kiosk.record_claim(claim_of("s2", "proxy"), clock()))
    assert {(claim.subject_id, claim.proxy_id) for claim in both.claims} == {("s1", "s2"), ("s2", None)}
    proxies = [claim["proxy"] for claim in records(kiosk, "aid.claim.recorded.v1")[0]["claims"]]
    assert sorted(proxies, key=str) == [None, "s2"]
    told = receipt(kiosk.record_claim(claim_of("s1", "herself"), clock()))
    assert (told.reason, told.earlier) == (Reason.ALREADY_CLAIMED, both.claims[0])


def test_an_officer_on_duty_fetches_nothing_for_others(kiosk: Store, clock: Clock, put: Put) -> None:
    put(
        entitlement("s1"),
        proxies=(Proxy("s1.bpnt", "2026-03", "s2"),),
        officers=(Officer("siti", "s2"), Officer("agus")),
    )
    kiosk.record_act(ActRequest("a-1", Act.SIGN_IN, "siti"), clock())
    assert receipt(kiosk.record_claim(claim_of("s2", "proxy"), clock())).reason is Reason.PROXY_ON_DUTY
    next_day = receipt(kiosk.record_claim(claim_of("s2", "tomorrow"), clock(days=1)))
    assert next_day.outcome is Outcome.GIVEN, "not on duty that day"


def test_officers_help_within_their_bound_and_never_themselves(kiosk: Store, clock: Clock, put: Put) -> None:
    bound = Policy(officers=OfficerLimits(assisted_per_day=1))
    rights = [entitlement(f"s{number}") for number in (1, 2, 3)]
    put(*rights, officers=(Officer("siti", "s3"), Officer("agus")), policy=bound)
    own = receipt(kiosk.record_claim(helped("s3", "own"), clock()))
    assert own.reason is Reason.PROXY_ON_DUTY
    stranger = receipt(kiosk.record_claim(helped("s1", "who", "nobody"), clock()))
    assert stranger.reason is Reason.ASSISTED_LIMIT, "an officer the roster doesn't know helps nobody"
    first = receipt(kiosk.record_claim(helped("s1", "one"), clock()))
    assert (first.claims[0].assisted_by, first.claims[0].assist_reason) == ("siti", "veil")
    assert receipt(kiosk.record_claim(helped("s2", "two"), clock())).reason is Reason.ASSISTED_LIMIT
    assert receipt(kiosk.record_claim(helped("s2", "three", "agus"), clock())).outcome is Outcome.GIVEN
    (record, _) = records(kiosk, "aid.claim.recorded.v1")
    assert (record["assisted"], record["evidence"]) == (True, None), "never counted as biometric"
    assert record["assistance"] == {"officer": "siti", "reason": "veil"}


def test_what_the_centre_has_not_heard_of_is_bounded(kiosk: Store, clock: Clock, put: Put) -> None:
    rights = [entitlement(f"s{number}") for number in (1, 2, 3)]
    put(*rights, policy=Policy(offline=OfflineLimits(claims_max=2, value_max=(("kg", Decimal(100)),), hours_max=24.0)))
    for subject in ("s1", "s2"):
        assert receipt(kiosk.record_claim(claim_of(subject, subject), clock())).outcome is Outcome.GIVEN
    assert receipt(kiosk.record_claim(claim_of("s3", "third"), clock())).reason is Reason.OFFLINE_LIMIT
    with closing(SqliteOutbox(kiosk.path)) as outbox:
        for row in outbox.oldest(100):
            outbox.delete(row.sequence)
    assert receipt(kiosk.record_claim(claim_of("s3", "after"), clock())).outcome is Outcome.GIVEN


def test_a_terminal_silent_for_too_long_gives_nothing(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1"), policy=Policy(offline=OfflineLimits(hours_max=24.0)))
    assert receipt(kiosk.record_claim(claim_of("s1", "late"), clock(hours=25))).reason is Reason.OFFLINE_TOO_LONG


def test_an_old_roster_refers_everybody(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1"), policy=Policy(roster_max_age_days=10))
    assert receipt(kiosk.record_claim(claim_of("s1", "late"), clock(days=11))).reason is Reason.ROSTER_TOO_OLD


def test_the_centre_is_asked_before_anything_is_recorded(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1", home="kiosk-2"))
    ask = replace(claim_of("s1"), may_ask=True)
    head = kiosk.ledger_head()
    assert kiosk.record_claim(ask, clock()) == AuthorityNeeded("session-1", ("s1.bpnt",))
    assert kiosk.ledger_head() == head
    granted = replace(claim_of("s1"), authorities=(Authority("s1.bpnt", 4, NOON),))
    answer = kiosk.record_claim(granted, clock())
    assert isinstance(answer, ClaimRecorded)
    assert answer.receipt.claims[0].grant_number == 4
    assert records(kiosk, "aid.claim.recorded.v1")[0]["claims"][0]["grant"] == 4


def test_what_was_given_back_is_not_given_here(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1", home="kiosk-1"))
    kiosk.release("s1.bpnt", 0, clock())
    assert receipt(kiosk.record_claim(claim_of("s1", "a"), clock())).reason is Reason.NOT_HOME
    granted = replace(claim_of("s1", "b"), authorities=(Authority("s1.bpnt", 1, NOON),))
    assert receipt(kiosk.record_claim(granted, clock())).outcome is Outcome.GIVEN


FUTURE = {"valid_from": date(2026, 3, 12), "valid_until": date(2026, 3, 31)}


def test_a_clock_set_back_by_a_day_does_not_bring_the_day_back(kiosk: Store, clock: Clock, put: Put) -> None:
    """What ended yesterday has ended, although the clock, which nobody confirmed, says that it is yesterday."""
    put(entitlement("s1", valid_from=date(2026, 3, 1), valid_until=date(2026, 3, 10)))
    kiosk.record_terminal_event("started", {}, clock(days=1))
    clock.trusted = False
    back = receipt(kiosk.record_claim(claim_of("s1"), clock(days=-1)))
    assert back.reason is Reason.CLOCK_UNTRUSTED
    assert back.recorded_at == NOON + timedelta(days=1)


def test_a_clock_set_ahead_by_a_year_gives_nothing_and_poisons_nothing(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1"), entitlement("s2", valid_from=date(2027, 3, 1), valid_until=date(2027, 3, 31)))
    clock.trusted = False
    clock(days=365)
    for subject in ("s1", "s2"):
        told = receipt(kiosk.record_claim(claim_of(subject, f"ahead-{subject}"), clock()))
        assert told.reason is Reason.CLOCK_UNTRUSTED
    # Set right again by hand, still not confirmed: the records of the wrong year don't hold the next decision there.
    right = receipt(kiosk.record_claim(claim_of("s1", "right"), clock(days=-365)))
    assert right.outcome is Outcome.GIVEN
    assert right.recorded_at - NOON < timedelta(minutes=1)


def test_no_instant_before_the_last_confirmed_one_or_the_roster_is_believed(
    kiosk: Store, clock: Clock, put: Put, database: Path
) -> None:
    """So that cutting the network and the power brings no expired badge back."""
    assert kiosk.surely_past() is None
    put(entitlement("s1"))
    assert kiosk.surely_past() == NOON, "the roster's"
    clock.trusted = False
    kiosk.record_terminal_event("started", {}, clock(days=9))
    assert kiosk.surely_past() == NOON
    clock.trusted = True
    kiosk.record_terminal_event("started", {}, clock(days=-4))
    kiosk.close()
    with open_store(database) as again:
        assert again.surely_past() == NOON + timedelta(days=5)


def test_an_unconfirmed_clock_that_lags_is_led_by_what_was_confirmed(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1", **FUTURE))
    kiosk.record_terminal_event("started", {}, clock(days=3))
    clock.trusted = False
    assert receipt(kiosk.record_claim(claim_of("s1"), clock(days=-30))).outcome is Outcome.GIVEN


def test_a_void_claim_may_be_made_again_once(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1"), officers=(Officer("siti"), Officer("agus")))
    first = receipt(kiosk.record_claim(claim_of("s1", "a"), clock()))
    void = ActRequest("v-1", Act.VOID, "siti", "agus", first.case_number)
    assert kiosk.record_act(void, clock()).receipt.problem is None
    assert receipt(kiosk.record_claim(claim_of("s1", "b"), clock())).outcome is Outcome.GIVEN
    assert receipt(kiosk.record_claim(claim_of("s1", "c"), clock())).reason is Reason.ALREADY_CLAIMED


def test_an_officers_word_fetches_nothing_for_others(kiosk: Store, clock: Clock, put: Put) -> None:
    """A proxy comes with their own face: or one badge and one card would empty the rights of everybody they fetch for,
    and count as one."""
    others = [entitlement("s1"), entitlement("s3")]
    fetching = tuple(Proxy(right.entitlement_id, "2026-03", "s2") for right in others)
    put(*others, entitlement("s2"), proxies=fetching, officers=(Officer("siti"),))
    own = receipt(kiosk.record_claim(helped("s2", "own"), clock()))
    assert [claim.entitlement_id for claim in own.claims] == ["s2.bpnt"]
    again = receipt(kiosk.record_claim(helped("s2", "again"), clock()))
    assert (again.outcome, again.reason) == (Outcome.REFERRED, Reason.NOT_RECOGNISED)
    by_face = receipt(kiosk.record_claim(claim_of("s2", "face"), clock()))
    assert {claim.proxy_id for claim in by_face.claims} == {"s2"}
    spent = receipt(kiosk.record_claim(helped("s2", "spent"), clock()))
    assert spent.reason is Reason.ALREADY_CLAIMED


def test_an_officer_who_stays_at_the_desk_past_midnight_still_vouches_for_others_only(
    kiosk: Store, clock: Clock, put: Put
) -> None:
    put(entitlement("s1"), proxies=(Proxy("s1.bpnt", "2026-03", "s2"),), officers=(Officer("siti", "s2"),))
    kiosk.record_act(ActRequest("a-1", Act.SIGN_IN, "siti"), clock(hours=11, minutes=59))
    assert receipt(kiosk.record_claim(helped("s2", "self"), clock(minutes=2))).reason is Reason.PROXY_ON_DUTY


def test_a_void_that_the_centre_has_not_heard_of_is_not_held_against_the_person(
    kiosk: Store, clock: Clock, put: Put
) -> None:
    put(entitlement("s1", home="kiosk-2"), officers=(Officer("siti"), Officer("agus")))
    granted = replace(claim_of("s1", "a"), authorities=(Authority("s1.bpnt", 1, NOON),))
    given = receipt(kiosk.record_claim(granted, clock()))
    kiosk.record_act(ActRequest("v-1", Act.VOID, "siti", "agus", given.case_number), clock())
    told = replace(claim_of("s1", "b"), claimed=("s1.bpnt",))
    assert receipt(kiosk.record_claim(told, clock())).reason is Reason.NOT_HOME
    with closing(SqliteOutbox(kiosk.path)) as outbox:
        for row in outbox.oldest(100):
            outbox.delete(row.sequence)
    after = replace(claim_of("s1", "c"), claimed=("s1.bpnt",))
    assert receipt(kiosk.record_claim(after, clock())).reason is Reason.CLAIMED_ELSEWHERE


def test_a_claim_that_may_be_asked_for_writes_nothing_at_all(kiosk: Store, clock: Clock, put: Put) -> None:
    put(entitlement("s1", home="kiosk-2"), entitlement("s2"), proxies=(Proxy("s1.bpnt", "2026-03", "s2"),))
    before = content(kiosk.path)
    for subject in ("s1", "s2"):
        ask = replace(claim_of(subject, f"ask-{subject}"), may_ask=True)
        assert isinstance(kiosk.record_claim(ask, clock()), AuthorityNeeded)
    assert content(kiosk.path) == before


def content(path: Path) -> list[str]:
    """All rows of all tables."""
    with closing(sqlite3.connect(path)) as raw:
        return list(raw.iterdump())


def test_a_slip_still_owed_is_owed_to_whoever_was_served_and_nobody_else(kiosk: Store, clock: Clock, put: Put) -> None:
    """What a proxy fetched is in the way of the entitled person, whose the proxy's slip is not; and the other way."""
    proxies = (Proxy("s1.bpnt", "2026-03", "s2"), Proxy("s3.bpnt", "2026-03", "s2"))
    put(entitlement("s1"), entitlement("s2"), entitlement("s3"), proxies=proxies)
    kiosk.record_claim(claim_of("s3", "s3-herself"), clock())
    fetched = receipt(kiosk.record_claim(claim_of("s2", "proxy"), clock()))
    herself = receipt(kiosk.record_claim(claim_of("s1", "s1-herself"), clock()))
    assert herself.earlier in fetched.claims
    assert kiosk.unprinted("s1-herself") == []
    again = receipt(kiosk.record_claim(claim_of("s2", "proxy-again"), clock()))
    assert again.earlier is not None
    assert kiosk.unprinted("proxy-again") == [fetched]
    assert [owed.session_id for owed in kiosk.unprinted()] == ["s3-herself", "proxy"]
