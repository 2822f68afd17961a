"""Counts for the public: small ones are not told, and can't be computed from the others.

Rules: pure. A count of 1 to 4 is told as "<5"; further counts are withheld until none of the small ones follows from
the sums (complementary suppression). Whoever reads the table is assumed to know these rules. A breakdown is better
pooled than suppressed: its small counts become one, and the totals above it can be told.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

SMALL = "<5"
WITHHELD = "withheld"
LARGE_MIN = 5
"""From here on a count tells nobody apart; 1 to 4 could be a family."""

Sum = tuple[str, tuple[str, ...]]
"""(name of a total, names of its parts)."""
Told = int | str
"""A count as it is told: the number, SMALL or WITHHELD."""

_Bounds = dict[str, tuple[float, float]]


def pooled(counts: Mapping[str, int], rest: str) -> dict[str, int]:
    """A breakdown whose small counts are told as one, under this name; with the smallest large one where they are too
    few by themselves. Empty where all of it is small."""
    large = {name: count for name, count in counts.items() if count >= LARGE_MIN}
    pool = sum(counts.values()) - sum(large.values())
    if 0 < pool < LARGE_MIN and large:
        pool += large.pop(min(large, key=lambda name: (large[name], name)))
    if not pool:
        return large
    return {**large, rest: pool} if pool >= LARGE_MIN else {}


def protect(
    counts: Mapping[str, int],
    sums: Sequence[Sum],
    untold: frozenset[str] = frozenset(),
    first: frozenset[str] = frozenset(),
) -> dict[str, Told]:
    """What may be told of each count. sums: how they hang together; untold: counts that only follow from others; first:
    those that are missed least when something must be withheld."""
    told: dict[str, Told] = {
        name: SMALL if 0 < count < LARGE_MIN else count for name, count in counts.items() if name not in untold
    }
    while True:
        known = _what_follows(counts, told, sums)
        exposed = [name for name, count in counts.items() if 0 < count < LARGE_MIN and known[name][0] == known[name][1]]
        if not exposed:
            return told
        told[_next_to_withhold(exposed[0], counts, told, sums, first)] = WITHHELD


def _what_follows(counts: Mapping[str, int], told: Mapping[str, Told], sums: Sequence[Sum]) -> _Bounds:
    """The least and the most each count can be, for somebody who reads the table and knows the rules."""
    known: _Bounds = {}
    for name, count in counts.items():
        shown = told.get(name)
        if isinstance(shown, int):
            known[name] = (count, count)
        elif shown == SMALL:
            known[name] = (1, LARGE_MIN - 1)
        else:  # that a withheld count is a large one is taken as known, which is the worse case
            known[name] = (LARGE_MIN if shown == WITHHELD and count >= LARGE_MIN else 0, math.inf)
    narrowed = True
    while narrowed:
        narrowed = any([_narrow(known, total, parts) for total, parts in sums])
    return known


def _narrow(known: _Bounds, total: str, parts: Sequence[str]) -> bool:
    """Apply one sum to the bounds; whether anything became narrower."""
    before = {name: known[name] for name in (total, *parts)}
    _meet(known, total, sum(known[part][0] for part in parts), sum(known[part][1] for part in parts))
    for part in parts:
        others = [name for name in parts if name != part]
        least = known[total][0] - sum(known[name][1] for name in others)
        most = known[total][1] - sum(known[name][0] for name in others)
        _meet(known, part, least, most)
    return any(known[name] != bounds for name, bounds in before.items())


def _meet(known: _Bounds, name: str, least: float, most: float) -> None:
    low, high = known[name]
    known[name] = (max(low, least), min(high, most))


def _next_to_withhold(
    exposed: str, counts: Mapping[str, int], told: Mapping[str, Told], sums: Sequence[Sum], first: frozenset[str]
) -> str:
    """The smallest large count still told in a sum with this one, or as near to it as there is one; where all of them
    are withheld, a small one. With everything withheld but the zeros, nothing follows: there is always one more."""
    near, small = {exposed}, [name for name in (exposed,) if told.get(name) == SMALL]
    while True:
        wider = near | {name for total, parts in sums for name in (total, *parts) if near & {total, *parts}}
        large = [name for name in wider if counts[name] >= LARGE_MIN and isinstance(told.get(name), int)]
        if large:
            return min(large, key=lambda name: (name not in first, counts[name], name))
        small += sorted(name for name in wider - near if told.get(name) == SMALL)
        if wider == near:
            return small[0]
        near = wider
