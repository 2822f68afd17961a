"""Books by hand, in order and then each way out of order: every line of the balance can be red."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from edge_agent.core.model import Benefit, Entitlement, Outcome, Reason
from edge_agent.core.policy import Proxy
from edge_agent.simulation.booked import Event, LedgerCopy
from edge_agent.simulation.books import BookData, balance
from edge_agent.simulation.truth import Arrival, Handed, Truth

DAY = "2026-03-10"
ONCE = "every entitlement was given at most once, portion by portion"
OWNERS = "every claim is of the recipient's own right"
OUTCOMES = "every arrival has exactly one outcome, the one that was shown"
SLIPS = "every outcome but ABANDONED has a slip, or is known as unprinted"
HANDED = "what people hold is what the claims say, less voids"
NAMES = "nobody received anything in another's name"
TOTALS = "totals of the day's end equal the ledger"
DELIVERY = "nothing recorded is lost"
SECRECY = "nothing personal in any record"
CHAINS = "every terminal's chain verifies"


def right(subject: str, amount: int = 10) -> Entitlement:
    return Entitlement(
        entitlement_id=f"{subject}.beras",
        subject_id=subject,
        programme="Bantuan Pangan",
        cycle="2026-03",
        benefit=Benefit("goods", Decimal(amount), "kg", "beras"),
        valid_from=date(2026, 3, 1),
        valid_until=date(2026, 3, 31),
    )


def claim(subject: str, **changes: Any) -> dict[str, Any]:
    given = {
        "claim_id": f"claim of {subject}",
        "entitlement_id": f"{subject}.beras",
        "portion": 1,
        "amount": "10",
        "unit": "kg",
        "proxy": None,
    }
    return given | changes


def given(session: str, subject: str, claims: list[dict[str, Any]] | None = None, **changes: Any) -> dict[str, Any]:
    data = {
        "session": session,
        "case_number": f"case of {session}",
        "subject": subject,
        "outcome": "GIVEN",
        "reason": None,
        "day": DAY,
        "evidence": {"kind": "identification"},
        "claims": [claim(subject)] if claims is None else claims,
    }
    return {"type": "aid.claim.recorded.v1", "data": data | changes}


def ended(session: str, reason: Reason) -> dict[str, Any]:
    data = {"session": session, "case_number": f"case of {session}", "outcome": reason.outcome.value}
    return {"type": "aid.session.ended.v1", "data": {**data, "reason": reason.value, "day": DAY}}


def printed(session: str) -> dict[str, Any]:
    return {"type": "aid.slip.printed.v1", "time": f"{DAY}T03:00:00.000Z", "data": {"session": session}}


def voided(*claims: str) -> dict[str, Any]:
    return {"type": "aid.claim.voided.v1", "data": {"claims": list(claims), "day": DAY}}


def day_ended(place: int, **changes: Any) -> dict[str, Any]:
    totals = {
        "given": 1,
        "claims": 1,
        "referred": {"not_recognised": 1},
        "not_entitled": {},
        "abandoned": 0,
        "assisted": 0,
        "voided": 0,
        "reprinted": 0,
        "resolved": 0,
        "unprinted": 1,
        "value": {"kg": "10"},
    }
    head = {"sequence": place, "hash": "cd" * 32}
    data = {"day": DAY, "totals": totals | changes, "head": head}
    return {"type": "aid.day.ended.v1", "prevhash": "cd" * 32, "data": data}


def arrived(session: str, person: int, subject: str | None, reason: Reason | None = None, **changes: Any) -> Arrival:
    outcome = Outcome.GIVEN if reason is None else reason.outcome
    arrival = Arrival(person, subject, "t1", 0.0, 1.0, session, outcome=outcome, reason=reason, ended_s=20.0)
    return replace(arrival, **changes)


def books(**changes: Any) -> BookData:
    """Ana receives hers; somebody unknown is referred and the slip fails; the day is ended."""
    events = (given("s1", "ana"), printed("s1"), ended("s2", Reason.NOT_RECOGNISED), day_ended(3))
    ledger = LedgerCopy("t1", events, slips={"s1": "printed", "s2": "failed"})
    truth = Truth(
        arrivals=[arrived("s1", 1, "ana"), arrived("s2", 2, None, Reason.NOT_RECOGNISED)],
        handed=[Handed("claim of ana", "t1", 1, Decimal(10), "kg")],
        slips={("t1", "s1"): 1},
    )
    rights = {one.entitlement_id: one for one in (right("ana"), right("budi"))}
    return replace(BookData((ledger,), rights, (), truth, ("Siti Rahayu",)), **changes)


def with_events(*events: Event, slips: dict[str, str] | None = None) -> tuple[LedgerCopy, ...]:
    return (replace(books().ledgers[0], events=events, slips=slips or {"s1": "printed", "s2": "failed"}),)


def red(data: BookData) -> list[str]:
    """The claims of the lines that do not hold."""
    return [line.claim for line in balance(data).lines if not line.ok]


def test_books_in_order_balance() -> None:
    assert balance(books()).ok
    assert all(line.text.startswith("ok ") for line in balance(books()).lines)


def test_a_broken_chain_is_told_with_its_record() -> None:
    ledger = replace(books().ledgers[0], broken="record 2 its signature does not fit")
    [line] = [line for line in balance(books(ledgers=(ledger,))).lines if not line.ok]
    assert (line.claim, line.problems) == (CHAINS, ("t1: record 2 its signature does not fit",))
    assert line.text.startswith("NO ")


def test_the_same_portion_at_two_terminals() -> None:
    other = LedgerCopy("t2", (given("s3", "ana", [claim("ana", claim_id="another")]),), slips={"s3": "pending"})
    truth = books().truth
    truth.arrivals.append(arrived("s3", 1, "ana", terminal="t2"))
    assert red(books(ledgers=(*books().ledgers, other), truth=truth)) == [ONCE]


def test_two_portions_that_are_more_than_the_whole() -> None:
    second = LedgerCopy("t2", (given("s3", "ana", [claim("ana", claim_id="x", portion=2)]),), slips={"s3": "pending"})
    truth = books().truth
    truth.arrivals.append(arrived("s3", 1, "ana", terminal="t2"))
    assert red(books(ledgers=(*books().ledgers, second), truth=truth)) == [ONCE]
    larger = {**books().entitlements, "ana.beras": right("ana", 20)}
    assert not red(books(ledgers=(*books().ledgers, second), truth=truth, entitlements=larger))


def test_an_entitlement_that_no_roster_knows() -> None:
    assert red(books(entitlements={})) == [ONCE]


def test_a_voided_claim_may_be_given_again() -> None:
    again = given("s3", "ana", [claim("ana", claim_id="again")])
    events = (given("s1", "ana"), printed("s1"), ended("s2", Reason.NOT_RECOGNISED), voided("claim of ana"), again)
    truth = books().truth
    truth.arrivals.append(arrived("s3", 1, "ana"))
    truth.handed.append(Handed("claim of ana", "t1", 1, Decimal(10), "kg", back=True))
    slips = {"s1": "printed", "s2": "failed", "s3": "failed"}
    assert not red(books(ledgers=with_events(*events, slips=slips), truth=truth))
    truth.handed.pop()
    assert red(books(ledgers=with_events(*events, slips=slips), truth=truth)) == [HANDED]


def test_a_right_of_somebody_else() -> None:
    events = (given("s1", "ana", [claim("budi", claim_id="claim of ana")]), *books().ledgers[0].events[1:])
    assert red(books(ledgers=with_events(*events))) == [OWNERS]


def test_a_proxy_needs_to_be_one() -> None:
    fetched = claim("budi", claim_id="claim of ana", proxy="ana")
    data = books(ledgers=with_events(given("s1", "budi", [fetched]), *books().ledgers[0].events[1:]))
    assert red(data) == [OWNERS]
    assert not red(replace(data, proxies=(Proxy("budi.beras", "2026-03", "ana"),)))


@pytest.mark.parametrize("kept", [(0, 1, 3), (0, 1, 2, 2, 3)], ids=["none", "two"])
def test_an_arrival_without_exactly_one_outcome(kept: tuple[int, ...]) -> None:
    events = [books().ledgers[0].events[place] for place in kept]
    assert OUTCOMES in red(books(ledgers=with_events(*events)))


def test_a_power_cut_may_leave_no_outcome_but_never_two() -> None:
    truth = books().truth
    truth.arrivals.append(arrived("s3", 3, "budi", interrupted=True, outcome=None))
    assert not red(books(truth=truth))
    twice = [*books().ledgers[0].events, ended("s3", Reason.WALKED_AWAY), ended("s3", Reason.WALKED_AWAY)]
    assert red(books(truth=truth, ledgers=with_events(*twice))) == [OUTCOMES]


def test_an_outcome_that_was_not_the_one_shown() -> None:
    truth = books().truth
    truth.arrivals[1].reason = Reason.NOT_LIVE
    assert red(books(truth=truth)) == [OUTCOMES]


def test_a_session_that_nobody_was_at() -> None:
    truth = books().truth
    truth.arrivals.pop()
    assert red(books(truth=truth)) == [OUTCOMES]


def test_a_slip_believed_in_that_never_came_out() -> None:
    truth = books().truth
    truth.slips.clear()
    assert red(books(truth=truth)) == [SLIPS]


def test_an_outcome_of_whose_slip_nothing_is_known() -> None:
    assert red(books(ledgers=with_events(*books().ledgers[0].events, slips={"s1": "printed"}))) == [SLIPS]


def test_goods_that_nobody_handed_out_or_twice_or_without_a_record() -> None:
    truth = books().truth
    one = truth.handed[0]
    for handed in ([], [one, one], [one, replace(one, claim_id="unheard of")]):
        truth.handed = list(handed)
        assert red(books(truth=truth)) == [HANDED]


def test_a_claim_whose_slip_failed_is_owed_and_balances() -> None:
    truth = books().truth
    truth.handed.clear()
    truth.slips.clear()
    events = (given("s1", "ana"), ended("s2", Reason.NOT_RECOGNISED), day_ended(2, unprinted=2))
    data = books(truth=truth, ledgers=with_events(*events, slips={"s1": "failed", "s2": "failed"}))
    assert not red(data)
    assert "1 recorded and still owed" in next(line.found for line in balance(data).lines if line.claim == HANDED)


def test_a_face_taken_for_anothers_is_counted_and_a_card_is_an_imbalance() -> None:
    truth = books().truth
    truth.arrivals[0].subject_id = "budi"
    found = balance(books(truth=truth))
    assert found.ok
    assert len(found.false_matches) == 1
    no_face = (given("s1", "ana", evidence=None, assisted=True), *books().ledgers[0].events[1:3])
    assert red(books(truth=truth, ledgers=with_events(*no_face))) == [NAMES]


@pytest.mark.parametrize(
    "wrong",
    [{"given": 2}, {"value": {"kg": "20"}}, {"referred": {}}, {"unprinted": 0}, {"voided": 1}, {"resolved": 1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_totals_that_the_ledger_does_not_bear_out(wrong: dict[str, Any]) -> None:
    events = (*books().ledgers[0].events[:3], day_ended(3, **wrong))
    assert red(books(ledgers=with_events(*events))) == [TOTALS]


def test_a_days_end_that_names_another_head() -> None:
    assert red(books(ledgers=with_events(*books().ledgers[0].events[:3], day_ended(2)))) == [TOTALS]


def test_records_lost_changed_or_cut_off() -> None:
    bodies = (b"one", b"two")
    kept = replace(books().ledgers[0], bodies=bodies, waiting=frozenset({2}), delivered={1: b"one"})
    assert not red(books(ledgers=(kept,)))
    for wrong in (
        replace(kept, waiting=frozenset()),
        replace(kept, delivered={1: b"other"}),
        replace(kept, delivered={1: b"one", 3: b"three"}),
    ):
        assert red(books(ledgers=(wrong,))) == [DELIVERY]


def test_a_name_in_a_record() -> None:
    body = json.dumps({"who": "Siti Rahayu"}).encode()
    ledger = replace(books().ledgers[0], bodies=(body,), waiting=frozenset({1}))
    assert red(books(ledgers=(ledger,))) == [SECRECY]


def test_many_problems_are_counted_and_not_all_told() -> None:
    truth = books().truth
    truth.arrivals += [arrived(f"gone-{n}", n, None) for n in range(9)]
    [line] = [line for line in balance(books(truth=truth)).lines if not line.ok]
    assert line.text.endswith("; and 4 more")
