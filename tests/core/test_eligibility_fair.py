"""Portions, proxies, offline limits, the centre's grants, an old roster and a wrong clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.decision import Grant, Granted, Refused
from edge_agent.core.eligibility import decide
from edge_agent.core.model import Claim, Entitlement, Outcome, Reason
from edge_agent.core.policy import (
    DEFAULT_POLICY,
    Authority,
    Circumstances,
    OfflineLimits,
    OfflineUse,
    Policy,
    Proxy,
)
from tests.core.test_eligibility import DAY, EARLY, ELSEWHERE, HERE, LATE, LEASE_OVER, NOW, RICE, TODAY, claimed, right

WIB = timedelta(hours=7)


def decided(
    entitlements: list[Entitlement],
    claims: list[Claim] | None = None,
    *,
    who: str = "s1",
    policy: Policy = DEFAULT_POLICY,
    proxies: tuple[Proxy, ...] = (),
    **when: Any,
) -> Granted | Refused:
    values: dict[str, Any] = {"terminal_id": HERE, "at_utc": NOW, "today": TODAY, "utc_offset": WIB}
    return decide(who, entitlements, claims or [], Circumstances(**{**values, **when}), policy=policy, proxies=proxies)


def grants(decision: Granted | Refused) -> tuple[Grant, ...]:
    assert isinstance(decision, Granted), decision
    return decision.grants


def refused(decision: Granted | Refused) -> Refused:
    assert isinstance(decision, Refused), decision
    return decision


def portion(number: int, amount: str, days_ago: int, **changes: Any) -> Claim:
    claim = claimed("rice", NOW - days_ago * DAY)
    values = {"claim_id": f"c{number}", "benefit": replace(RICE, amount=Decimal(amount)), "portion": number}
    return replace(claim, **{**values, **changes})


BY_FOUR = right("rice", portion=Decimal(4))


def test_a_right_in_portions_gives_one_a_visit_and_names_what_is_left() -> None:
    (first,) = grants(decided([BY_FOUR]))
    assert (first.amount, first.portion, first.left) == (4, 1, 6)
    (second,) = grants(decided([BY_FOUR], [portion(1, "4", 1)]))
    assert (second.amount, second.portion, second.left) == (4, 2, 2)
    last = decided([BY_FOUR], [portion(1, "4", 2), portion(2, "4", 1)])
    assert (grants(last)[0].amount, grants(last)[0].portion, grants(last)[0].left) == (2, 3, 0)
    assert isinstance(last, Granted)
    assert last.remaining == ()
    done = refused(decided([BY_FOUR], [portion(1, "4", 3), portion(2, "4", 2), portion(3, "2", 1)]))
    assert done.reason is Reason.ALREADY_CLAIMED
    assert done.earlier is not None
    assert done.earlier.portion == 3


def test_the_next_portion_waits_for_its_day_by_the_local_calendar() -> None:
    """Claimed at 23:00 in Jakarta, which is 16:00 UTC: the next day begins an hour later, not eight."""
    late = portion(1, "4", 0, claimed_at=NOW.replace(day=9, hour=16))
    assert isinstance(decided([BY_FOUR], [late], today=date(2026, 3, 10)), Granted)
    same_day = refused(decided([BY_FOUR], [late], today=date(2026, 3, 9)))
    assert (same_day.reason, same_day.open_from) == (Reason.NOT_YET_VALID, date(2026, 3, 10))
    assert same_day.earlier == late
    weekly = replace(BY_FOUR, portion_days=7)
    assert refused(decided([weekly], [late])).open_from == date(2026, 3, 16)


def test_a_void_portion_is_given_again_under_its_own_number() -> None:
    void = portion(1, "4", 3, voided=True)
    (again,) = grants(decided([BY_FOUR], [void, portion(2, "4", 2)]))
    assert (again.portion, again.amount, again.left) == (1, 4, 2)
    (whole,) = grants(decided([right()], [replace(claimed(), voided=True)]))
    assert whole.amount == RICE.amount


def test_a_right_given_whole_is_not_opened_again_by_a_larger_amount_in_the_next_roster() -> None:
    raised = right(benefit=replace(RICE, amount=Decimal(15)))
    assert refused(decided([raised], [claimed()])).reason is Reason.ALREADY_CLAIMED


PROXY = Proxy("rice", "2026-03", "helper")


def test_a_proxy_fetches_one_right_of_its_cycle_with_their_own() -> None:
    own = right("own", subject_id="helper")
    fetched = grants(decided([right(), own, right("other")], who="helper", proxies=(PROXY,)))
    assert {(g.entitlement.entitlement_id, g.proxy_id) for g in fetched} == {("own", None), ("rice", "helper")}
    next_cycle = replace(PROXY, cycle="2026-04")
    assert refused(decided([right()], who="helper", proxies=(next_cycle,))).reason is Reason.NO_ENTITLEMENT
    assert refused(decided([right()], who="thief", proxies=(PROXY,))).reason is Reason.NO_ENTITLEMENT


def test_a_proxy_fetches_nothing_after_their_last_day_nor_what_was_fetched() -> None:
    ended = replace(PROXY, valid_until=TODAY - DAY)
    assert refused(decided([right()], who="helper", proxies=(ended,))).reason is Reason.NO_ENTITLEMENT
    assert isinstance(decided([right()], who="helper", proxies=(replace(PROXY, valid_until=TODAY),)), Granted)
    assert refused(decided([right()], [claimed()], who="helper", proxies=(PROXY,))).reason is Reason.ALREADY_CLAIMED


def test_the_officer_on_duty_is_no_proxy_but_has_their_own_right() -> None:
    on_duty = frozenset({"helper"})
    held = refused(decided([right()], who="helper", proxies=(PROXY,), on_duty=on_duty))
    assert held.reason is Reason.PROXY_ON_DUTY
    assert held.reason.outcome is Outcome.REFERRED
    own = right("own", subject_id="helper")
    decision = decided([right(), own], who="helper", proxies=(PROXY,), on_duty=on_duty)
    assert [grant.entitlement for grant in grants(decision)] == [own]
    assert isinstance(decision, Granted)
    assert decision.remaining == (RICE,)


def test_without_a_home_only_the_sole_terminal_or_the_centre_gives() -> None:
    assert isinstance(decided([right()]), Granted)
    asked = refused(decided([right()], sole=False))
    assert (asked.reason, asked.ask) == (Reason.NOT_HOME, ("rice",))
    granted = decided([right()], sole=False, authorities=(Authority("rice", 1, NOW),))
    assert grants(granted)[0].grant_number == 1


@pytest.mark.parametrize("entitlement", [ELSEWHERE, LEASE_OVER])
def test_the_centres_grant_stands_for_home_and_lease(entitlement: Entitlement) -> None:
    name = entitlement.entitlement_id
    assert refused(decided([entitlement])).ask == (name,)
    assert grants(decided([entitlement], authorities=(Authority(name, 3, NOW),)))[0].grant_number == 3
    other = Authority("something-else", 3, NOW)
    assert isinstance(decided([entitlement], authorities=(other,)), Refused)


def test_what_was_given_back_is_not_given_here_but_by_a_newer_grant() -> None:
    home = right(home=HERE)
    assert refused(decided([home], released=(("rice", 0),))).reason is Reason.NOT_HOME
    old, new = Authority("rice", 2, NOW), Authority("rice", 3, NOW)
    assert refused(decided([home], released=(("rice", 2),), authorities=(old,))).reason is Reason.NOT_HOME
    assert grants(decided([home], released=(("rice", 2),), authorities=(old, new)))[0].grant_number == 3


def test_the_centre_says_what_others_gave() -> None:
    told = refused(decided([ELSEWHERE], claimed_elsewhere=frozenset({"elsewhere"})))
    assert told.reason is Reason.CLAIMED_ELSEWHERE
    assert told.reason.outcome is Outcome.NOT_ENTITLED
    grant = Authority("rice", 1, NOW, given_elsewhere=Decimal(8), portions_elsewhere=(1, 2))
    (rest,) = grants(decided([replace(BY_FOUR, home="kiosk-2")], authorities=(grant,)))
    assert (rest.amount, rest.portion, rest.left) == (2, 3, 0)
    spent = replace(grant, given_elsewhere=Decimal(10), portions_elsewhere=(1, 2, 3))
    assert refused(decided([BY_FOUR], authorities=(spent,))).reason is Reason.CLAIMED_ELSEWHERE


def limited(**limits: Any) -> Policy:
    return replace(DEFAULT_POLICY, offline=OfflineLimits(**limits))


def test_offline_limits_hold_back_and_never_refuse() -> None:
    two = [right("a", valid_until=date(2026, 3, 20)), right("b")]
    used = OfflineUse(claims=4, value=(("kg", Decimal(95)),), oldest_at=NOW - timedelta(hours=30))
    decision = decided(two, policy=limited(claims_max=5), offline=used)
    assert [g.entitlement.entitlement_id for g in grants(decision)] == ["a"]
    assert isinstance(decision, Granted)
    assert decision.remaining == (RICE,), "what is held back stays theirs, and the slip says so"
    for policy, reason in [
        (limited(claims_max=4), Reason.OFFLINE_LIMIT),
        (limited(value_max=(("kg", Decimal(100)),)), Reason.OFFLINE_LIMIT),
        (limited(hours_max=24.0), Reason.OFFLINE_TOO_LONG),
    ]:
        held = refused(decided(two, policy=policy, offline=used))
        assert held.reason is reason
        assert held.reason.outcome is Outcome.REFERRED
    assert isinstance(decided(two, policy=limited(value_max=(("IDR", Decimal(1)),)), offline=used), Granted)
    assert isinstance(decided(two, policy=limited(hours_max=31.0), offline=used), Granted)
    online = decided([ELSEWHERE], policy=limited(claims_max=0), authorities=(Authority("elsewhere", 1, NOW),))
    assert isinstance(online, Granted), "the centre itself just granted it"


def test_an_old_roster_speaks_for_and_against_nobody() -> None:
    old = {"roster_issued_at": NOW - 46 * DAY}
    for entitlements in ([right()], [], [EARLY], [LATE], [ELSEWHERE]):
        told = refused(decided(entitlements, **old))
        assert told.reason is Reason.ROSTER_TOO_OLD
        assert told.reason.outcome is Outcome.REFERRED
    assert refused(decided([right()], [claimed()], **old)).reason is Reason.ALREADY_CLAIMED
    assert isinstance(decided([right()], roster_issued_at=NOW - 45 * DAY), Granted)
    assert isinstance(decided([right()], policy=Policy(roster_max_age_days=60), **old), Granted)


def test_a_clock_a_year_ahead_that_nobody_confirmed_gives_nothing_and_blames_nobody() -> None:
    ahead = {"at_utc": NOW + 365 * DAY, "today": TODAY + 365 * DAY, "roster_issued_at": NOW - DAY}
    next_year = right(valid_from=date(2027, 3, 1), valid_until=date(2027, 3, 31))
    for entitlements in ([right()], [next_year]):
        assert refused(decided(entitlements, clock_trusted=False, **ahead)).reason is Reason.CLOCK_UNTRUSTED


amounts = st.sampled_from([Decimal(1), Decimal(3), Decimal(4), Decimal(10)])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=30), amounts, amounts)
def test_never_more_than_the_right_whatever_is_voided(
    days: list[tuple[bool, int]], portion_size: Decimal, total: Decimal
) -> None:
    """Day by day one visit, some of the claims voided later: what stands never exceeds the right, and numbers are
    unique among what stands."""
    entitlement = right(benefit=replace(RICE, amount=total), portion=min(portion_size, total), valid_until=date.max)
    made: list[Claim] = []
    for number, (void, which) in enumerate(days):
        at = NOW + number * DAY
        decision = decided([entitlement], made, at_utc=at, today=(at + WIB).date())
        if isinstance(decision, Granted):
            (grant,) = decision.grants
            benefit = replace(RICE, amount=grant.amount)
            made.append(replace(claimed("rice", at), claim_id=str(number), benefit=benefit, portion=grant.portion))
            assert grant.amount > 0
        if void and which < len(made):
            made[which] = replace(made[which], voided=True)
        standing = [claim for claim in made if not claim.voided]
        assert sum(claim.benefit.amount for claim in standing) <= total
        assert len({claim.portion for claim in standing}) == len(standing)
    if not isinstance(decision_at_end(entitlement, made, len(days)), Granted):
        assert sum(claim.benefit.amount for claim in made if not claim.voided) == total


def decision_at_end(entitlement: Entitlement, made: list[Claim], days: int) -> Granted | Refused:
    at = NOW + (days + 2) * DAY
    return decided([entitlement], made, at_utc=at, today=(at + WIB).date())


UNCONFIRMED: dict[str, Any] = {"clock_trusted": False, "roster_issued_at": NOW - 5 * DAY}


def test_who_may_fetch_until_a_day_that_only_an_unconfirmed_clock_says_is_over_is_referred() -> None:
    ended = replace(PROXY, valid_until=TODAY - DAY)
    for own in ([], [right("own", subject_id="helper")]):
        told = refused(decided([right(), *own], [claimed("own")], who="helper", proxies=(ended,), **UNCONFIRMED))
        assert told.reason is Reason.CLOCK_UNTRUSTED
    before_the_roster = replace(PROXY, valid_until=TODAY - 20 * DAY)
    surely_over = refused(decided([right()], who="helper", proxies=(before_the_roster,), **UNCONFIRMED))
    assert surely_over.reason is Reason.NO_ENTITLEMENT, "it had ended before the office signed the roster"
    fetched = refused(decided([right()], [claimed()], who="helper", proxies=(ended,), **UNCONFIRMED))
    assert fetched.reason is Reason.NO_ENTITLEMENT


@pytest.mark.parametrize("other", [EARLY, right("over", valid_from=date(2026, 3, 1), valid_until=TODAY - DAY)])
def test_what_only_an_unconfirmed_clock_keeps_from_somebody_refers_them_whatever_else_they_received(
    other: Entitlement,
) -> None:
    told = refused(decided([right(), other], [claimed()], **UNCONFIRMED))
    assert (told.reason, told.entitlement) == (Reason.CLOCK_UNTRUSTED, other)
    assert told.earlier == claimed(), "so that a slip still owed is found"
    assert refused(decided([right(), other], [claimed()])).reason is Reason.ALREADY_CLAIMED
    assert refused(decided([right(), LATE], [claimed()], **UNCONFIRMED)).reason is Reason.ALREADY_CLAIMED


def test_a_portion_given_by_a_clock_that_ran_ahead_holds_back_the_next_by_circumstance_only() -> None:
    ahead = portion(1, "4", -9)
    assert refused(decided([BY_FOUR], [ahead])).reason is Reason.CLOCK_UNTRUSTED
    told = Authority("rice", 1, NOW, Decimal(4), (1,), NOW + 9 * DAY)
    assert refused(decided([BY_FOUR], authorities=(told,))).reason is Reason.CLOCK_UNTRUSTED
    a_little = portion(1, "4", 0, claimed_at=NOW + timedelta(seconds=2))
    assert refused(decided([BY_FOUR], [a_little])).reason is Reason.NOT_YET_VALID


def test_a_record_from_a_future_that_cannot_be_counts_as_one_of_unknown_age() -> None:
    """A clock once years ahead must not switch the limit off for years."""
    waiting = OfflineUse(claims=1, oldest_at=NOW + 400 * DAY)
    held = refused(decided([right()], policy=limited(hours_max=24.0), offline=waiting))
    assert held.reason is Reason.OFFLINE_TOO_LONG
    just_set_right = replace(waiting, oldest_at=NOW + timedelta(minutes=5))
    assert isinstance(decided([right()], policy=limited(hours_max=24.0), offline=just_set_right), Granted)


def test_what_is_left_of_a_right_in_portions_is_not_lost_when_the_next_roster_names_no_portions() -> None:
    begun = portion(1, "4", 1, left=Decimal(6))
    (rest,) = grants(decided([right()], [begun]))
    assert (rest.amount, rest.portion, rest.left) == (6, 2, 0)
    done = [begun, portion(2, "6", 1)]
    assert refused(decided([right()], done)).reason is Reason.ALREADY_CLAIMED
