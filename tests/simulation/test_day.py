"""A whole day: everybody comes, everything that can happen does, and the books balance."""

from __future__ import annotations

from pathlib import Path

from edge_agent.core.model import Outcome, Reason
from edge_agent.core.officer_acts import Act
from edge_agent.core.session import Phase
from edge_agent.simulation.booked import events_of
from edge_agent.simulation.plan import Plan
from edge_agent.simulation.report import summary_of
from edge_agent.simulation.village import Kind
from edge_agent.store.record_types import OUTCOMES
from tests.simulation.conftest import Closed, play

REACHED = frozenset(
    {
        Reason.NOT_RECOGNISED,
        Reason.AMBIGUOUS,
        Reason.NOT_LIVE,
        Reason.COULD_NOT_TURN,
        Reason.NO_USABLE_VIEW,
        Reason.LEASE_EXPIRED,
        Reason.PROXY_ON_DUTY,
        Reason.NO_ENTITLEMENT,
        Reason.ALREADY_CLAIMED,
        Reason.NOT_YET_VALID,
        Reason.NO_LONGER_VALID,
        Reason.SUSPENDED,
        Reason.WALKED_AWAY,
    }
)
"""Reasons that come up on any day with one terminal."""

AT_HOME = {Kind.FETCHED_FOR}


def test_the_books_balance(full_day: Closed) -> None:
    assert [line.text for line in full_day.balance.lines if not line.ok] == []
    assert full_day.balance.false_matches == ()


def test_every_kind_of_person_has_been_there(full_day: Closed) -> None:
    kinds = {person.number: person.kind for person in full_day.played.site.village.people}
    assert set(kinds.values()) == set(Kind)
    assert {kinds[arrival.person] for arrival in full_day.data.truth.arrivals} == set(Kind) - AT_HOME


def test_every_outcome_and_the_reasons_of_a_day_come_up(full_day: Closed) -> None:
    outcomes = {arrival.outcome for arrival in full_day.data.truth.arrivals} - {None}
    assert outcomes == set(Outcome)
    recorded = {event["data"]["reason"] for ledger in full_day.data.ledgers for event in events_of(ledger, *OUTCOMES)}
    assert {reason.value for reason in REACHED} <= recorded


def test_every_phase_is_reached_but_the_centres(full_day: Closed) -> None:
    assert full_day.played.site.terminals[0].phases == set(Phase) - {Phase.AUTHORISING}


def test_officers_did_everything_that_cards_ask_for(full_day: Closed) -> None:
    done = {receipt.act for duty in full_day.played.duties for receipt in duty.acts if receipt.problem is None}
    assert done == set(Act) - {Act.ASSIST, Act.CANCEL}
    assert any(arrival.assisted and arrival.outcome is Outcome.GIVEN for arrival in full_day.data.truth.arrivals)
    assert any(one.back for one in full_day.data.truth.handed)


def test_proxies_fetched_and_portions_are_left(full_day: Closed) -> None:
    claims = [
        claim
        for event in full_day.data.ledgers[0].events
        if event["type"] == "aid.claim.recorded.v1"
        for claim in event["data"]["claims"]
    ]
    assert any(claim["proxy"] for claim in claims)
    assert any(claim["left"] != "0" for claim in claims)


def test_a_twin_who_has_the_card_along_is_asked_for_it_and_served(full_day: Closed) -> None:
    twins = {person.subject_id for person in full_day.played.site.village.people if person.kind is Kind.TWIN}
    evidence = [
        event["data"]["evidence"]["kind"]
        for event in full_day.data.ledgers[0].events
        if event["type"] == "aid.claim.recorded.v1"
        and event["data"]["subject"] in twins
        and not event["data"]["assisted"]
    ]
    assert evidence
    assert set(evidence) == {"verification"}


def test_accidents_happened(full_day: Closed) -> None:
    truth = full_day.data.truth
    assert len(truth.cuts) == 2
    assert len(truth.networks) == 1
    assert truth.rolls
    boots = {event["bootid"] for event in full_day.data.ledgers[0].events}
    assert len(boots) == 3
    assert any(event["clocktrusted"] is False for event in full_day.data.ledgers[0].events)
    assert full_day.data.ledgers[0].delivered
    assert full_day.data.ledgers[0].waiting


def test_a_refused_card_is_noted_and_its_bearer_served_by_face(full_day: Closed) -> None:
    refused = [e for e in full_day.data.ledgers[0].events if e["type"] == "aid.terminal.token.refused.v1"]
    assert "revoked" in {event["data"]["problem"] for event in refused}


def test_the_same_seed_gives_the_same_day_and_another_another(full_day: Closed, tmp_path: Path) -> None:
    first = summary_of(full_day.played, full_day.data, full_day.balance)
    (tmp_path / "again").mkdir()
    again = play(tmp_path / "again", full_day.played.plan)
    assert summary_of(again.played, again.data, again.balance) == first
    (tmp_path / "other").mkdir()
    other = play(tmp_path / "other", Plan(subjects=40, seed=6))
    assert other.balance.ok
    assert summary_of(other.played, other.data, other.balance) != first
