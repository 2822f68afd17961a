"""Totals from records alone: the same as the terminal's own, and the exclusion rate as docs/proof.md defines it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.model import Reason
from edge_agent.core.officer_acts import Act, ActRequest, DayTotals
from edge_agent.core.policy import OfficerLimits
from edge_agent.store import Store
from edge_agent.store.officer_counts import officer_counts
from edge_agent.store.public_totals import full_totals, public_totals
from edge_agent.store.record_totals import Exclusion, exclusion_of, gather, totals_of
from tests.store.ledger_day import DAY, ZONE, events_of, give, live_a_day
from tests.store.terminal import Clock, claim_of, referral


@pytest.fixture
def lived(tmp_path: Path, clock: Clock) -> Store:
    return live_a_day(tmp_path, clock)


def test_a_day_in_records(lived: Store) -> None:
    assert totals_of(events_of(lived), DAY, ZONE) == DayTotals(
        day=DAY,
        given=4,
        claims=4,
        referred=(("not_live", 1), ("not_recognised", 1)),
        not_entitled=(("already_claimed", 1),),
        abandoned=1,
        assisted=1,
        voided=1,
        reprinted=1,
        resolved=1,
        unprinted=4,
        value=(("kg", Decimal(30)),),
    )


def test_the_terminals_own_day_end_says_the_same(lived: Store, clock: Clock) -> None:
    before = totals_of(events_of(lived), DAY, ZONE)
    ended = lived.record_act(ActRequest("end", Act.DAY_END, "o1"), clock(minutes=1)).receipt
    assert ended.totals == before


def test_another_day_is_another_days(lived: Store, clock: Clock) -> None:
    clock.utc += timedelta(days=1)
    lived.record_outcome(referral("next"), clock())
    assert totals_of(events_of(lived), DAY, ZONE).referred == (("not_live", 1), ("not_recognised", 1))
    assert totals_of(events_of(lived), "2026-03-11", ZONE).referred == (("not_recognised", 1),)
    assert totals_of(events_of(lived), "2026-03-12", ZONE).served == 0


def test_an_older_records_day_is_the_local_one_of_its_time(lived: Store) -> None:
    """Noon in Jakarta is still the 9th in Honolulu."""
    older = [
        {**event, "data": {name: part for name, part in event["data"].items() if name != "day"}}
        for event in events_of(lived)
    ]
    assert totals_of(older, DAY, ZONE) == totals_of(events_of(lived), DAY, ZONE)
    assert totals_of(older, "2026-03-09", "Pacific/Honolulu").given == 4


def test_a_clock_that_was_ahead_loses_nobody_from_their_day(lived: Store, clock: Clock) -> None:
    before, noon = totals_of(events_of(lived), DAY, ZONE), clock.utc
    clock.trusted = False
    lived.record_terminal_event("started", {}, clock(days=3))
    clock.trusted, clock.utc = True, noon
    lived.record_outcome(referral("after"), clock(minutes=1))
    assert totals_of(events_of(lived), DAY, ZONE).served == before.served + 1


def test_excluded_is_who_was_referred_and_not_made_good_that_day(lived: Store, clock: Clock) -> None:
    def now() -> Exclusion:
        return exclusion_of(gather(events_of(lived), ZONE), DAY)

    assert now() == Exclusion(served=7, excluded=1), "one of the two referrals was resolved"
    lived.record_outcome(referral("r-3", Reason.PRINTER_UNAVAILABLE), clock(minutes=1))
    assert now() == Exclusion(served=8, excluded=2)
    clock.utc += timedelta(days=1)
    late = lived.record_outcome(referral("r-4"), clock()).receipt
    lived.record_act(ActRequest("late", Act.REFERRAL_RESOLVED, "o1", None, late.case_number), clock())
    assert now() == Exclusion(served=8, excluded=2), "another day's acts change nothing"


def test_who_is_given_it_later_the_same_day_was_not_excluded() -> None:
    def outcome(place: int, outcome: str, subject: str | None) -> dict[str, object]:
        kind = "aid.claim.recorded.v1" if outcome == "GIVEN" else "aid.session.ended.v1"
        data = {"session": f"x{place}", "outcome": outcome, "case_number": f"C{place}", "subject": subject}
        return {"type": kind, "time": f"2026-03-10T05:0{place}:00.000Z", "data": data}

    before = [outcome(0, "REFERRED", "s1"), outcome(1, "GIVEN", "s1")]
    assert exclusion_of(gather(before, ZONE), DAY) == Exclusion(2, 0)
    after = [outcome(0, "GIVEN", "s1"), outcome(1, "REFERRED", "s1")]
    assert exclusion_of(gather(after, ZONE), DAY) == Exclusion(2, 1)
    nobody = [outcome(0, "REFERRED", None), outcome(1, "GIVEN", "s1")]
    assert exclusion_of(gather(nobody, ZONE), DAY) == Exclusion(2, 1), "who was not recognised can't be followed"


def test_records_older_than_portions_officers_and_proxies_count(lived: Store) -> None:
    old = [
        {
            **event,
            "data": {name: part for name, part in event["data"].items() if name not in ("assisted", "assistance")},
        }
        for event in events_of(lived)
    ]
    assert totals_of(old, DAY, ZONE).given == 4
    assert totals_of(old, DAY, ZONE).assisted == 0


def test_records_that_lack_what_their_type_needs_are_passed_over() -> None:
    broken = [{}, {"type": "aid.claim.recorded.v1", "time": "2026-03-10T05:00:00.000Z", "data": {"outcome": "?"}}]
    assert totals_of(broken, DAY, ZONE).served == 0


def test_the_public_sees_no_small_count_and_no_person(lived: Store) -> None:
    facts = gather(events_of(lived), ZONE)
    table = public_totals(facts, "kiosk-1", DAY)
    assert not any(isinstance(count, int) and 0 < count < 5 for count in table.values())
    assert table["given"] in ("<5", "withheld")
    assert table["value"] == {"kg": "withheld"}
    assert table["exclusion_rate"] == {"at_most": round(4 / 7, 4), "count": "<5", "of": 7}
    assert table["referred_by_reason"] == table["not_entitled_by_reason"] == {}
    assert "s1" not in repr(table)
    full = full_totals(facts, "kiosk-1", DAY)
    assert full["exclusion_rate"] == {"rate": 0.1429, "count": 1, "of": 7, "ci95": [0.0257, 0.5131]}


def test_a_busy_days_rates_are_told(lived: Store, clock: Clock) -> None:
    for n in range(8):
        lived.record_outcome(referral(f"more-{n}"), clock(minutes=1))
    table = public_totals(gather(events_of(lived), ZONE), "kiosk-1", DAY)
    assert (table["served"], table["referred"]) == (15, 10)
    assert table["referred_by_reason"] == {"other": 10}, "one not_live and nine not_recognised would tell the one"
    assert table["exclusion_rate"] == {"at_most": round(10 / 15, 4), "count": "withheld", "of": 15}, "one was made good"


def test_officers_are_counted_against_policy(lived: Store) -> None:
    first, second = officer_counts(events_of(lived), ZONE, OfficerLimits(assisted_per_day=0))
    assert (first.officer_id, first.day, first.over) == ("o1", DAY, ("assisted",))
    assert dict(first.counts) == {"assisted": 1, "reprints": 1, "voids": 1, "resolved": 0, "not_done": 1}
    assert dict(first.assist_reasons) == {"veil": 1}
    assert (second.officer_id, second.counts["voids"], second.counts["resolved"]) == ("o2", 1, 1)
    assert second.over == ()
    assert officer_counts(events_of(lived), ZONE, OfficerLimits(), "2026-03-11") == []


def test_given_is_given_again_after_a_void(lived: Store, clock: Clock) -> None:
    give(lived, clock, "s4", "g-s4-again")
    totals = totals_of(events_of(lived), DAY, ZONE)
    assert (totals.given, totals.claims, totals.value) == (5, 5, (("kg", Decimal(40)),))
    assert lived.record_claim(claim_of("s4", "third"), clock()).receipt.reason is Reason.ALREADY_CLAIMED  # type: ignore[union-attr]
