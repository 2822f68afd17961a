"""What people mean to do: when they come and with what, and what they do after the terminal has told them something.

People know what their slip says: to come again, to bring their card, to see an officer, or to go home. Officers see the
same slip and know the people by sight, which is what their help is for.

Rules: pure but for the generator it is given.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge_agent.core.model import Outcome, Reason
from edge_agent.core.officer_acts import Act, AssistReason
from edge_agent.simulation.truth import Arrival
from edge_agent.simulation.village import Kind, Person, Village
from edge_agent.simulation.visitor import Errand

ASTRAY = 0.12
"""Share of people who go to the nearest terminal instead of their own, where there are several."""
HERE, ELSEWHERE = -1, -2
"""In place of a terminal's number: the same one again, and another one where there is one."""
TRIES_MAX = 5
"""After so many visits people give up for the day."""

_AT_HOME = frozenset({Kind.FETCHED_FOR, Kind.BEDRIDDEN})
_SHOWS_CARD = frozenset({Kind.CARD, Kind.REVOKED_CARD, Kind.ANOTHERS_CARD})
_COMES_TWICE = frozenset({Kind.TWICE, Kind.PORTIONS, Kind.OFFICER})
_HELPED = {
    Reason.NOT_RECOGNISED: AssistReason.FACE_FAILED,
    Reason.AMBIGUOUS: AssistReason.FACE_FAILED,
    Reason.COULD_NOT_TURN: AssistReason.CANNOT_TURN,
    Reason.NO_USABLE_VIEW: AssistReason.VEIL,
    Reason.NOT_LIVE: AssistReason.FACE_FAILED,
    Reason.TOOK_TOO_LONG: AssistReason.CANNOT_TURN,
}
_OF_THE_TERMINAL = frozenset({Reason.PRINTER_UNAVAILABLE, Reason.TERMINAL_FAULT})


@dataclass(frozen=True)
class Coming:
    """Somebody joins the queue of terminal number `terminal` at second `at_s` of the day; or `HERE`, or `ELSEWHERE`."""

    at_s: float
    terminal: int
    errand: Errand


@dataclass(frozen=True)
class SeeOfficer:
    """Somebody goes to the officer with the slip of `session_id`, who is to do these acts.

    help_with: what the officer vouches for, with ASSIST.
    """

    errand: Errand
    session_id: str
    acts: tuple[Act, ...]
    help_with: AssistReason | None = None


Next = Coming | SeeOfficer


@dataclass(frozen=True)
class Visit:
    """One visit that is over. arrival: None when the terminal never began with them. number: counts from 1.

    given: how many of their visits so far ended GIVEN. slip: whether they have one in their hand.
    """

    errand: Errand
    arrival: Arrival | None
    number: int
    given: int
    slip: bool


def comings(
    village: Village, cards: Mapping[str, str], terminals: int, window_s: float, chance: random.Random
) -> list[Coming]:
    """Who comes when. cards: subject -> text. Most come early; some go to a terminal that isn't theirs."""
    found = []
    for person in village.people:
        if person.kind in _AT_HOME:
            continue
        at_s = 30.0 + window_s * chance.betavariate(1.2, 1.8)
        astray = terminals > 1 and chance.random() < ASTRAY
        terminal = chance.randrange(terminals) if astray else person.home
        found.append(Coming(at_s, terminal, _first_errand(person, cards, chance)))
    return sorted(found, key=lambda coming: coming.at_s)


def _first_errand(person: Person, cards: Mapping[str, str], chance: random.Random) -> Errand:
    """Of two twins the one with the higher number has their card with them."""
    card = (cards[person.card_of],) if person.card_of else ()
    prepared = person.kind is Kind.TWIN and str(person.subject_id) > str(person.other)
    return Errand(
        person,
        shows=card if person.kind in _SHOWS_CARD else (),
        carries=card if prepared else (),
        leaves_after_s=chance.uniform(2.0, 7.0) if person.kind is Kind.LEAVES else None,
        held_print=person.kind is Kind.PRINT,
        covered=person.kind is Kind.VEILED,
    )


def afterwards(visit: Visit, now_s: float, home: bool, cards: Mapping[str, str], chance: random.Random) -> Next | None:
    """What somebody does after a visit. home: whether it was their own terminal; cards: subject -> text."""
    errand, arrival, visits = visit.errand, visit.arrival, visit.number
    person = errand.person
    again = Coming(now_s + 2.0, HERE, errand)
    if visits >= TRIES_MAX:
        return None
    if arrival is not None and arrival.interrupted and chance.random() < 0.5:
        return replace(again, terminal=ELSEWHERE)  # where there is light
    if arrival is None or arrival.interrupted or arrival.outcome is None or arrival.reason in _OF_THE_TERMINAL:
        return again
    if arrival.outcome is Outcome.ABANDONED:
        patient = replace(errand, leaves_after_s=None)
        return replace(again, at_s=now_s + 900, errand=patient) if chance.random() < 0.6 else None
    if arrival.outcome is Outcome.GIVEN and not visit.slip:
        return again
    if arrival.outcome is Outcome.GIVEN:
        return _after_given(visit, arrival.session_id, now_s, chance)
    if arrival.outcome is Outcome.NOT_ENTITLED:
        return None
    if arrival.reason is Reason.CLOCK_UNTRUSTED:
        return replace(again, at_s=now_s + chance.uniform(900, 1800))
    if arrival.reason in (Reason.NOT_HOME, Reason.LEASE_EXPIRED) and not home:
        return replace(again, terminal=person.home)
    if arrival.reason is Reason.AMBIGUOUS and not errand.shows and person.card_of and chance.random() < 0.5:
        return replace(again, at_s=now_s + 600, errand=replace(errand, shows=(cards[person.card_of],)))
    honest = person.subject_id is not None and person.kind not in (Kind.PRINT, Kind.ANOTHERS_CARD)
    reason = arrival.reason
    help_with = _HELPED.get(reason) if honest and reason is not None else None
    if help_with is not None and visits == 1 and person.kind is Kind.ORDINARY:
        return replace(again, at_s=now_s + 60)
    acts = (Act.REFERRAL_RESOLVED,) if help_with is None else (Act.ASSIST, Act.REFERRAL_RESOLVED)
    return SeeOfficer(errand, arrival.session_id, acts, help_with)


def _after_given(visit: Visit, session_id: str, now_s: float, chance: random.Random) -> Next | None:
    errand, kind = visit.errand, visit.errand.person.kind
    if visit.given > 1:
        return None
    if kind is Kind.MISTAKEN:
        return SeeOfficer(errand, session_id, (Act.VOID,))
    if kind is Kind.LOST_SLIP:
        return SeeOfficer(errand, session_id, (Act.REPRINT,))
    where = ELSEWHERE if kind is Kind.TWICE else HERE
    return Coming(now_s + chance.uniform(600, 2400), where, errand) if kind in _COMES_TWICE else None
