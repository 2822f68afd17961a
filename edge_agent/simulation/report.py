"""What a day came to: a summary for people and one for machines.

Rules: counts, durations and opaque ids only. Exclusion is counted as for the public (docs/proof.md), but over all
terminals: of all visits that ended with a slip, those REFERRED that were made good neither by a claim nor by an officer
on the same day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from edge_agent.core.model import Outcome, Reason
from edge_agent.simulation.booked import LedgerCopy, counted_totals, events_of
from edge_agent.simulation.books import Balance, BookData
from edge_agent.simulation.day import Played
from edge_agent.simulation.site import DAY, TIMEZONE
from edge_agent.simulation.truth import Arrival
from edge_agent.store.record_totals import exclusion_of, gather
from edge_agent.store.record_types import CLAIM_RECORDED

IDENTIFICATION_FPIR, VERIFICATION_FMR = 0.01, 1e-4
"""Targets of `matching.identification_fpir` and `matching.verification_fmr`, which the day's terminals are set to."""
_COMPARED = frozenset({Reason.NOT_RECOGNISED, Reason.AMBIGUOUS, None})


def summary_of(played: Played, data: BookData, balance: Balance) -> dict[str, Any]:
    """Everything, as JSON values."""
    arrivals = data.truth.arrivals
    told = [arrival for arrival in arrivals if arrival.outcome is not None]
    walked_up = [arrival for arrival in told if not arrival.assisted]
    return {
        "plan": {
            "subjects": played.plan.subjects,
            "terminals": played.plan.terminals,
            "seed": played.plan.seed,
            "power_cuts_each": played.plan.power_cuts,
        },
        "hours": round(played.closed_s / 3600, 2),
        "people": len({arrival.person for arrival in arrivals}),
        "arrivals": len(arrivals),
        "cut_short": sum(arrival.interrupted for arrival in arrivals),
        "outcomes": _counted(arrival.outcome.value for arrival in told if arrival.outcome),
        "reasons": _counted(arrival.reason.value for arrival in told if arrival.reason),
        "assisted": sum(_helped(arrival) for arrival in told),
        "exceptions": sum(arrival.outcome is Outcome.REFERRED or _helped(arrival) for arrival in told),
        "service_s": _spread([_took_s(arrival) for arrival in walked_up]),
        "waiting_s": _spread([arrival.came_s - arrival.joined_s for arrival in walked_up]),
        "exclusion": _exclusion(data.ledgers),
        "officers_acts": _counted(
            receipt.act.value + (f": {receipt.problem.value}" if receipt.problem else "")
            for duty in played.duties
            for receipt in duty.acts
        ),
        "accidents": {
            "power_cuts": len(data.truth.cuts),
            "networks": len(data.truth.networks),
            "paper_rolls_changed": len(data.truth.rolls),
        },
        "centre": {
            "records": sum(len(ledger.delivered) for ledger in data.ledgers),
            "sent_again": played.broker.repeated,
            "questions": played.broker.asked,
        },
        "false_matches": _false_matches(played, balance),
        "terminals": {
            hall.terminal.id: _terminal(ledger) | {"longest_queue": max((n for _, n in hall.queued), default=0)}
            for hall, ledger in zip(played.halls, data.ledgers, strict=True)
        },
        "balance": [asdict(line) | {"ok": line.ok} for line in balance.lines],
        "ok": balance.ok,
    }


def summary_text(summary: dict[str, Any]) -> str:
    """As a person reads it."""
    return "\n".join(_lines(summary)) + "\n"


def _lines(summary: dict[str, Any]) -> Iterator[str]:
    plan, exclusion, accidents = summary["plan"], summary["exclusion"], summary["accidents"]
    yield f"{plan['subjects']} subjects, {plan['terminals']} terminal(s), seed {plan['seed']}"
    yield (
        f"{summary['people']} people came {summary['arrivals']} times in {summary['hours']} h; "
        f"{accidents['power_cuts']} power cuts, {accidents['networks']} network(s), "
        f"{accidents['paper_rolls_changed']} paper rolls changed"
    )
    yield ""
    for outcome, count in summary["outcomes"].items():
        yield f"  {outcome:<28}{count:>6}"
    for reason, count in summary["reasons"].items():
        yield f"    {reason:<26}{count:>6}"
    yield f"  {'cut short by a power cut':<28}{summary['cut_short']:>6}"
    yield f"  {'given with an officer':<28}{summary['assisted']:>6}"
    yield ""
    rate = "-" if exclusion["rate"] is None else f"{exclusion['rate']:.1%}"
    yield f"  exclusion rate              {rate:>6}  ({exclusion['excluded']} of {exclusion['served']} visits)"
    exceptions = summary["exceptions"]
    yield f"  exceptions                  {exceptions:>6}  (referred, or given with an officer)"
    for name, key in (("service", "service_s"), ("waiting", "waiting_s")):
        spread = summary[key]
        yield f"  {name + ', median / 95 %':<26}{spread['median']:>8.0f} s /{spread['p95']:>6.0f} s"
    faces = summary["false_matches"]
    yield f"  faces taken for another's   {faces['found']:>6}  (expected at most {faces['expected']:.2f})"
    yield f"  officers: {', '.join(f'{count} {act}' for act, count in summary['officers_acts'].items())}"
    centre = summary["centre"]
    yield f"  centre: {centre['records']} records, {centre['sent_again']} twice, asked {centre['questions']} times"
    yield ""
    yield f"  {'terminal':<16}{'given':>7}{'referred':>10}{'not ent.':>10}{'aband.':>8}{'unpr.':>7}{'queue':>7}  value"
    for name, totals in summary["terminals"].items():
        value = ", ".join(f"{amount} {unit}" for unit, amount in totals["value"].items())
        yield (
            f"  {name:<16}{totals['given']:>7}{sum(totals['referred'].values()):>10}"
            f"{sum(totals['not_entitled'].values()):>10}{totals['abandoned']:>8}{totals['unprinted']:>7}"
            f"{totals['longest_queue']:>7}  {value}"
        )


def _helped(arrival: Arrival) -> bool:
    return arrival.assisted and arrival.outcome is Outcome.GIVEN


def _took_s(arrival: Arrival) -> float:
    return (arrival.ended_s or arrival.came_s) - arrival.came_s


def _spread(values: list[float]) -> dict[str, float]:
    if not values:
        return {"median": 0.0, "p95": 0.0}
    median, p95 = np.percentile(values, (50, 95))
    return {"median": round(float(median), 1), "p95": round(float(p95), 1)}


def _counted(words: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items(), key=lambda one: (-one[1], one[0])))


def _exclusion(ledgers: tuple[LedgerCopy, ...]) -> dict[str, Any]:
    """Over all terminals: whoever was referred at one and given at another has been served."""
    served = excluded = 0
    for ledger in ledgers:
        elsewhere = [event for other in ledgers if other is not ledger for event in events_of(other, CLAIM_RECORDED)]
        here = exclusion_of(gather(ledger.events, TIMEZONE), DAY.isoformat())
        found = exclusion_of(gather((*ledger.events, *elsewhere), TIMEZONE), DAY.isoformat())
        served, excluded = served + here.served, excluded + found.excluded
    return {"served": served, "excluded": excluded, "rate": excluded / served if served else None}


def _false_matches(played: Played, balance: Balance) -> dict[str, Any]:
    """expected: of faces that belong to nobody the terminal compared them with, at the error rates aimed at."""
    cards = {person.number: bool(person.card_of) for person in played.site.village.people}
    strangers = [
        arrival
        for arrival in played.truth.arrivals
        if arrival.subject_id is None and arrival.reason in _COMPARED and not arrival.interrupted
    ]
    rates = [VERIFICATION_FMR if cards[arrival.person] else IDENTIFICATION_FPIR for arrival in strangers]
    return {"found": len(balance.false_matches), "expected": round(sum(rates), 4), "which": list(balance.false_matches)}


def _terminal(ledger: LedgerCopy) -> dict[str, Any]:
    return counted_totals(ledger, DAY.isoformat()) | {"records": len(ledger.events)}
