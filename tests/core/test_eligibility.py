"""Who receives what: a table of situations, and what may never be granted whatever the situation."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.decision import Granted, Refused
from edge_agent.core.eligibility import PRECEDENCE, decide
from edge_agent.core.model import Benefit, Claim, Entitlement, EntitlementState, Outcome, Reason
from edge_agent.core.policy import Circumstances

NOW = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)
TODAY = date(2026, 3, 10)
HERE = "kiosk-1"
DAY = timedelta(days=1)
RICE = Benefit("goods", Decimal("10"), "kg", "beras")


def right(name: str = "rice", **changes: Any) -> Entitlement:
    values: dict[str, Any] = {
        "entitlement_id": name,
        "subject_id": "s1",
        "programme": "BPNT",
        "cycle": "2026-03",
        "benefit": RICE,
        "valid_from": date(2026, 3, 1),
        "valid_until": date(2026, 3, 31),
    }
    return Entitlement(**{**values, **changes})


def claimed(name: str = "rice", at: datetime = NOW - DAY) -> Claim:
    return Claim(f"c-{name}", "K7Q4-0012", name, "s1", "BPNT", "2026-03", RICE, at, HERE, "Balai Desa")


def at_kiosk(entitlements: list[Entitlement], claims: list[Claim] | None = None, **when: Any) -> Granted | Refused:
    values: dict[str, Any] = {"terminal_id": HERE, "at_utc": NOW, "today": TODAY}
    return decide("s1", entitlements, claims or [], Circumstances(**{**values, **when}))


OPEN = right("open")
PAST = {"valid_from": date(2026, 2, 1), "valid_until": date(2026, 2, 28)}
FUTURE = {"valid_from": date(2026, 4, 1), "valid_until": date(2026, 4, 30)}
ELSEWHERE = right("elsewhere", home="kiosk-2")
LEASE_OVER = right("lease", home=HERE, lease_until=NOW - timedelta(seconds=1))
SUSPENDED = right("suspended", state=EntitlementState.SUSPENDED)
EARLY, LATE = right("early", **FUTURE), right("late", **PAST)


@pytest.mark.parametrize(
    ("entitlements", "claims", "reason"),
    [
        ([], [], Reason.NO_ENTITLEMENT),
        ([right()], [claimed()], Reason.ALREADY_CLAIMED),
        ([SUSPENDED], [], Reason.SUSPENDED),
        ([EARLY], [], Reason.NOT_YET_VALID),
        ([LATE], [], Reason.NO_LONGER_VALID),
        ([ELSEWHERE], [], Reason.NOT_HOME),
        ([LEASE_OVER], [], Reason.LEASE_EXPIRED),
        # circumstance before data
        ([right(), ELSEWHERE], [claimed()], Reason.NOT_HOME),
        ([SUSPENDED, LEASE_OVER], [], Reason.LEASE_EXPIRED),
        ([LEASE_OVER, ELSEWHERE], [], Reason.NOT_HOME),
        # but for one entitlement, data before circumstance
        ([right("x", home="kiosk-2")], [claimed("x")], Reason.ALREADY_CLAIMED),
        ([right("x", home="kiosk-2", state=EntitlementState.SUSPENDED)], [], Reason.SUSPENDED),
        ([right("x", home="kiosk-2", **PAST)], [], Reason.NO_LONGER_VALID),
        # among data
        ([SUSPENDED, EARLY, right()], [claimed()], Reason.ALREADY_CLAIMED),
        ([SUSPENDED, EARLY], [], Reason.NOT_YET_VALID),
        # the past is silent while something has not ended
        ([right("old", **PAST), SUSPENDED], [claimed("old")], Reason.SUSPENDED),
        ([LATE, SUSPENDED], [], Reason.SUSPENDED),
        ([right("old", **PAST), LATE], [claimed("old")], Reason.ALREADY_CLAIMED),
    ],
)
def test_one_reason_is_told(entitlements: list[Entitlement], claims: list[Claim], reason: Reason) -> None:
    decision = at_kiosk(entitlements, claims)
    assert isinstance(decision, Refused)
    assert decision.reason is reason
    assert (decision.earlier is not None) == (reason is Reason.ALREADY_CLAIMED)
    assert (decision.entitlement is None) == (reason is Reason.NO_ENTITLEMENT)


def test_everything_open_is_granted_together_and_the_rest_named() -> None:
    second = right("second", home=HERE, lease_until=NOW, valid_until=date(2026, 3, 20))
    decision = at_kiosk([OPEN, second, ELSEWHERE, LEASE_OVER, EARLY, LATE, SUSPENDED, right()], [claimed()])
    assert isinstance(decision, Granted)
    assert [grant.entitlement for grant in decision.grants] == [second, OPEN], "the one that ends first comes first"
    assert all((grant.amount, grant.portion, grant.left) == (Decimal(10), 1, Decimal(0)) for grant in decision.grants)
    assert decision.remaining == (ELSEWHERE.benefit, EARLY.benefit, LEASE_OVER.benefit)
    assert decision.ask == ("elsewhere", "lease")


@pytest.mark.parametrize(("day", "granted"), [(9, False), (10, True), (12, True), (13, False)])
def test_both_days_of_validity_are_inclusive(day: int, granted: bool) -> None:
    entitlement = right(valid_from=date(2026, 3, 10), valid_until=date(2026, 3, 12))
    assert isinstance(at_kiosk([entitlement], today=date(2026, 3, day)), Granted) is granted


def test_the_latest_earlier_claim_is_named() -> None:
    older, newer = claimed("a", NOW - 5 * DAY), claimed("b", NOW - DAY)
    decision = at_kiosk([right("a"), right("b")], [newer, older])
    assert isinstance(decision, Refused)
    assert decision.earlier == newer


def test_somebody_elses_entitlement_is_not_given() -> None:
    decision = at_kiosk([right(subject_id="s2")])
    assert isinstance(decision, Refused)
    assert decision.reason is Reason.NO_ENTITLEMENT


def test_precedence_puts_circumstance_first_and_misses_no_reason_of_this_module() -> None:
    outcomes = [reason.outcome for reason in PRECEDENCE]
    assert outcomes == sorted(outcomes, key=lambda outcome: outcome is Outcome.NOT_ENTITLED)
    data = {reason for reason in Reason if reason.outcome is Outcome.NOT_ENTITLED}
    circumstances = {Reason.OFFLINE_TOO_LONG, Reason.OFFLINE_LIMIT, Reason.PROXY_ON_DUTY}
    assert set(PRECEDENCE) == data | circumstances | {Reason.NOT_HOME, Reason.LEASE_EXPIRED}


days = st.dates(date(2026, 2, 20), date(2026, 4, 10))
rights = st.builds(
    right,
    st.sampled_from(["a", "b", "c", "d", "e"]),
    subject_id=st.sampled_from(["s1", "s1", "s2"]),
    valid_from=days,
    valid_until=days,
    state=st.sampled_from(EntitlementState),
    home=st.sampled_from([None, HERE, "kiosk-2"]),
    lease_until=st.none()
    | st.datetimes(NOW.replace(tzinfo=None) - DAY, NOW.replace(tzinfo=None) + DAY).map(
        lambda instant: instant.replace(tzinfo=timezone.utc)
    ),
)


@given(st.lists(rights, max_size=5, unique_by=lambda e: e.entitlement_id), st.sets(st.sampled_from("abcde")), days)
def test_nothing_is_granted_that_may_not_be(entitlements: list[Entitlement], taken: set[str], today: date) -> None:
    decision = at_kiosk(entitlements, [claimed(name) for name in sorted(taken)], today=today)
    allowed = {
        e.entitlement_id
        for e in entitlements
        if e.subject_id == "s1"
        and e.entitlement_id not in taken
        and e.state is EntitlementState.ACTIVE
        and e.valid_from <= today <= e.valid_until
        and e.home in (None, HERE)
        and (e.lease_until is None or e.lease_until >= NOW)
    }
    granted = {g.entitlement.entitlement_id for g in decision.grants} if isinstance(decision, Granted) else set()
    assert granted == allowed
    if isinstance(decision, Refused):
        assert decision.reason in PRECEDENCE


@pytest.mark.parametrize("entitlements", [[EARLY], [LATE]])
def test_a_clock_that_nobody_confirmed_refuses_nobody(entitlements: list[Entitlement]) -> None:
    refused = at_kiosk(entitlements, clock_trusted=False)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.CLOCK_UNTRUSTED
    assert refused.reason.outcome is Outcome.REFERRED
    told = at_kiosk([right()], [claimed()], clock_trusted=False)
    assert isinstance(told, Refused)
    assert told.reason is Reason.ALREADY_CLAIMED  # an earlier claim needs no clock
