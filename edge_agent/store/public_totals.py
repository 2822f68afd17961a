"""A day's totals as they are told: in full for the programme, and with small counts protected for the public.

Rules: neither holds anything of a person. What the public gets follows `core/disclosure.py`: small reasons are pooled,
so that the totals stay readable; of a rate whose count is not told, the most it can be; values are told only where
enough claims stand behind each of them (docs/proof.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge_agent.core.disclosure import LARGE_MIN, SMALL, WITHHELD, Sum, Told, pooled, protect
from edge_agent.core.officer_acts import DayTotals
from edge_agent.core.proportion import wilson_interval
from edge_agent.store.record_totals import Exclusion, Facts, day_totals, exclusion_of, given_by_unit
from edge_agent.store.records import amount_text

_REASONS = ("referred", "not_entitled")
_UNTOLD = ("without_help", "made_good", "with_slip")
_MISSED_LEAST = frozenset({"exceptions", "unprinted"})
OTHER = "other"
"""The reasons that too few people had, told together."""


def full_totals(facts: Facts, terminal_id: str, day: str) -> dict[str, Any]:
    """All counts of one day, as JSON values."""
    totals, exclusion = day_totals(facts, day), exclusion_of(facts, day)
    return {
        "terminal": terminal_id,
        "day": day,
        **_counts(totals, exclusion),
        "referred_by_reason": dict(totals.referred),
        "not_entitled_by_reason": dict(totals.not_entitled),
        "claims": totals.claims,
        "value": {unit: amount_text(amount) for unit, amount in totals.value},
        "exception_rate": _rate(totals.exceptions, totals.served),
        "exclusion_rate": _rate(exclusion.excluded, exclusion.served),
    }


def public_totals(facts: Facts, terminal_id: str, day: str) -> dict[str, Any]:
    """The same as the public may see it: a count is a number, "<5" or "withheld", and a rate may be None."""
    totals, exclusion = day_totals(facts, day), exclusion_of(facts, day)
    counts = _counts(totals, exclusion)
    follows = {
        "without_help": totals.given - totals.assisted,
        "made_good": counts["referred"] - exclusion.excluded,
        "with_slip": totals.served - totals.unprinted,
    }
    told = protect(counts | follows, _SUMS, frozenset(_UNTOLD), _MISSED_LEAST)
    reasons = dict(zip(_REASONS, (totals.referred, totals.not_entitled), strict=True))
    return {
        "terminal": terminal_id,
        "day": day,
        **{name: told[name] for name in counts},
        **{
            f"{name}_by_reason": pooled(dict(reasons[name]), OTHER) if isinstance(told[name], int) else {}
            for name in _REASONS
        },
        "value": _public_value(facts, day, told["given"]),
        "exception_rate": _told_rate(told["exceptions"], told["served"]),
        "exclusion_rate": _told_rate(told["excluded"], told["served"], told["referred"]),
    }


_SUMS: Sequence[Sum] = (
    ("served", ("given", "referred", "not_entitled")),
    ("given", ("assisted", "without_help")),
    ("referred", ("excluded", "made_good")),
    ("exceptions", ("assisted", "referred")),
    ("served", ("exceptions", "without_help", "not_entitled")),
    ("served", ("unprinted", "with_slip")),
)
"""How the counts hang together, also the sums that nobody prints but anybody can form."""


def _counts(totals: DayTotals, exclusion: Exclusion) -> dict[str, int]:
    return {
        "served": totals.served,
        "given": totals.given,
        "assisted": totals.assisted,
        "referred": sum(count for _, count in totals.referred),
        "not_entitled": sum(count for _, count in totals.not_entitled),
        "excluded": exclusion.excluded,
        "exceptions": totals.exceptions,
        "abandoned": totals.abandoned,
        "voided": totals.voided,
        "reprinted": totals.reprinted,
        "resolved": totals.resolved,
        "unprinted": totals.unprinted,
    }


def _public_value(facts: Facts, day: str, given: int | str) -> dict[str, str]:
    """By unit. A value divided by what one person gets is a count: few claims, or a withheld count, and it is not told.
    Where one is not told, the next smallest isn't either. Voided claims stay in it, or it would tell their number."""
    by_unit = given_by_unit(facts, day)
    if not isinstance(given, int):
        return dict.fromkeys(by_unit, WITHHELD)
    hidden = {unit for unit, (count, _) in by_unit.items() if count < LARGE_MIN}
    rest = sorted((count, unit) for unit, (count, _) in by_unit.items() if unit not in hidden)
    if hidden and rest:
        hidden.add(rest[0][1])
    return {unit: WITHHELD if unit in hidden else amount_text(amount) for unit, (_, amount) in by_unit.items()}


def _told_rate(part: Told, total: Told, whole: Told | None = None) -> dict[str, Any] | None:
    """Where the count isn't told, the most it can be by what is told anyway. whole: a count that it is a part of."""
    if not isinstance(total, int) or not total:
        return None
    if isinstance(part, int):
        return _rate(part, total)
    most = LARGE_MIN - 1 if part == SMALL else whole
    return {"at_most": round(most / total, 4), "count": part, "of": total} if isinstance(most, int) else None


def _rate(part: int, total: int) -> dict[str, Any] | None:
    """Share, its counts and its 95 % interval (Wilson); None: nobody was served."""
    if not total:
        return None
    low, high = wilson_interval(part, total)
    return {"rate": round(part / total, 4), "count": part, "of": total, "ci95": [round(low, 4), round(high, 4)]}
