"""A day's totals as lines to read, full or public."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_WORDS = {
    "served": "served",
    "given": "  given",
    "assisted": "    of these with an officer's help",
    "referred": "  referred to an officer",
    "not_entitled": "  not entitled",
    "excluded": "left without what they were owed (exclusion)",
    "exceptions": "not by the terminal alone (exceptions)",
    "abandoned": "walked away",
    "claims": "claims",
    "voided": "claims voided",
    "reprinted": "slips reprinted",
    "resolved": "referrals resolved",
    "unprinted": "slips not known to have come out",
}
_WIDTH = 48


def totals_lines(table: Mapping[str, Any]) -> Iterator[str]:
    """table: as `public_totals` makes it, either kind."""
    yield f"{table['day']}  {table['terminal']}"
    for name, words in _WORDS.items():
        if name in table:
            yield f"  {words:<{_WIDTH}}{table[name]}"
        for reason, count in table.get(f"{name}_by_reason", {}).items():
            yield f"      {reason:<{_WIDTH - 4}}{count}"
    for unit, amount in table["value"].items():
        yield f"  {f'value in {unit}':<{_WIDTH}}{amount}"
    for name in ("exception_rate", "exclusion_rate"):
        yield f"  {name.replace('_', ' '):<{_WIDTH}}{_rate(table[name])}"


def _rate(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return "not told"
    if "at_most" in rate:
        return f"at most {rate['at_most']:.1%} ({rate['count']} of {rate['of']})"
    low, high = rate["ci95"]
    return f"{rate['rate']:.1%} ({rate['count']} of {rate['of']}; 95 %: {low:.1%} to {high:.1%})"
