"""What a terminal's records come to, day by day: totals, and who left without what they were owed.

Rules: pure, from records alone, so that anybody who has them counts the same as the terminal. A session belongs to the
local day its record names (in older ones, that of its time), an act to the day it was done on. `docs/proof.md` defines
the rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.core.model import Outcome
from edge_agent.core.officer_acts import DayTotals
from edge_agent.store.record_files import Event, data_of, local_day
from edge_agent.store.record_types import CLAIM_VOIDED, OFFICER_ACTED, OUTCOMES, REFERRAL_RESOLVED, SLIP_PRINTED


@dataclass(frozen=True)
class GivenBenefit:
    """One claim of a session."""

    claim_id: str
    unit: str
    amount: Decimal


@dataclass(frozen=True)
class SessionFacts:
    """One session's outcome. reason: "" for GIVEN; subject: "" where nobody was recognised; place: in the chain."""

    session_id: str
    day: str
    place: int
    outcome: Outcome
    reason: str
    case_number: str
    subject: str
    assisted: bool
    claims: tuple[GivenBenefit, ...] = ()


@dataclass
class Facts:
    """What the records say, gathered once. printed: sessions whose slip came out; voided: claim id -> day of the void;
    reprints: days; resolved: case number -> day."""

    sessions: list[SessionFacts] = field(default_factory=list)
    printed: set[str] = field(default_factory=set)
    voided: dict[str, str] = field(default_factory=dict)
    reprints: list[str] = field(default_factory=list)
    resolved: dict[str, str] = field(default_factory=dict)

    def days(self) -> list[str]:
        """Every day on which somebody was served or an officer acted, in order."""
        acts = (*self.voided.values(), *self.reprints, *self.resolved.values())
        return sorted({*(one.day for one in self.sessions), *acts})


@dataclass(frozen=True)
class Exclusion:
    """Of one day. served: visits that ended with a slip; excluded: those REFERRED that were made good neither by a
    claim of the same person later that day nor by an officer who marked the referral resolved that day."""

    served: int
    excluded: int


def totals_of(records: Iterable[Event], day: date | str, timezone: str) -> DayTotals:
    """The totals of one local day. records: of one terminal, in order; timezone: its IANA name."""
    return day_totals(gather(records, timezone), str(day))


def gather(records: Iterable[Event], timezone: str) -> Facts:
    """Everything that totals are made of. A record that does not say what its type must is passed over."""
    zone, facts = ZoneInfo(timezone), Facts()
    for place, event in enumerate(records):
        kind, data = event.get("type"), data_of(event)
        try:
            day = local_day(event, zone)
            if kind in OUTCOMES:
                facts.sessions.append(_session(data, day, place))
            elif kind == SLIP_PRINTED:
                facts.printed.add(str(data["session"]))
            elif kind == CLAIM_VOIDED:
                facts.voided.update(dict.fromkeys((str(claim) for claim in data["claims"]), day))
            elif kind == REFERRAL_RESOLVED:
                facts.resolved.setdefault(str(data["case_number"]), day)
            elif kind == OFFICER_ACTED and data.get("act") == "reprint" and data.get("problem") is None:
                facts.reprints.append(day)
        except (KeyError, TypeError, ValueError, InvalidOperation):
            continue
    return facts


def day_totals(facts: Facts, day: str) -> DayTotals:
    """One day's totals. voided, reprinted, resolved: acts of this day, whenever the session was."""
    sessions = [one for one in facts.sessions if one.day == day]
    claims = [claim for one in sessions for claim in one.claims]
    value: dict[str, Decimal] = {}
    for claim in claims:
        if claim.claim_id not in facts.voided:
            value[claim.unit] = value.get(claim.unit, Decimal(0)) + claim.amount
    return DayTotals(
        day=day,
        given=_count(sessions, Outcome.GIVEN),
        claims=len(claims),
        referred=_by_reason(sessions, Outcome.REFERRED),
        not_entitled=_by_reason(sessions, Outcome.NOT_ENTITLED),
        abandoned=_count(sessions, Outcome.ABANDONED),
        assisted=sum(one.assisted and one.outcome is Outcome.GIVEN for one in sessions),
        voided=sum(voided == day for voided in facts.voided.values()),
        reprinted=facts.reprints.count(day),
        resolved=sum(resolved == day for resolved in facts.resolved.values()),
        unprinted=sum(one.outcome is not Outcome.ABANDONED and one.session_id not in facts.printed for one in sessions),
        value=tuple(sorted(value.items())),
    )


def given_by_unit(facts: Facts, day: str) -> dict[str, tuple[int, Decimal]]:
    """Claims and their amount by unit, voided ones included: what the public may see (docs/proof.md says why)."""
    found: dict[str, tuple[int, Decimal]] = {}
    for one in facts.sessions:
        for claim in one.claims if one.day == day else ():
            count, amount = found.get(claim.unit, (0, Decimal(0)))
            found[claim.unit] = (count + 1, amount + claim.amount)
    return dict(sorted(found.items()))


def exclusion_of(facts: Facts, day: str) -> Exclusion:
    """Who left without what they were owed, on this day."""
    sessions = [one for one in facts.sessions if one.day == day and one.outcome is not Outcome.ABANDONED]
    last_given = {one.subject: one.place for one in sessions if one.outcome is Outcome.GIVEN and one.subject}
    excluded = [
        one
        for one in sessions
        if one.outcome is Outcome.REFERRED
        and last_given.get(one.subject, -1) < one.place
        and facts.resolved.get(one.case_number) != day
    ]
    return Exclusion(len(sessions), len(excluded))


def _session(data: Mapping[str, Any], day: str, place: int) -> SessionFacts:
    """Raises KeyError, TypeError, ValueError, InvalidOperation."""
    return SessionFacts(
        session_id=str(data["session"]),
        day=day,
        place=place,
        outcome=Outcome(data["outcome"]),
        reason=str(data.get("reason") or ""),
        case_number=str(data["case_number"]),
        subject=str(data.get("subject") or ""),
        assisted=data.get("assisted") is True,
        claims=tuple(
            GivenBenefit(str(claim["claim_id"]), str(claim["unit"]), Decimal(str(claim["amount"])))
            for claim in data.get("claims", ())
        ),
    )


def _count(sessions: Iterable[SessionFacts], outcome: Outcome) -> int:
    return sum(one.outcome is outcome for one in sessions)


def _by_reason(sessions: Iterable[SessionFacts], outcome: Outcome) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for one in sessions:
        if one.outcome is outcome:
            counts[one.reason] = counts.get(one.reason, 0) + 1
    return tuple(sorted(counts.items()))
