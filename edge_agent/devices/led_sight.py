"""How the signals look to somebody who does not see all of them: no colour, or not even which lamp.

Rules: pure, and used only to judge the patterns, by their page and their tests. Nobody is asked to tell durations
apart that differ by less than a half: untrained people notice a difference in rhythm from about a quarter on, and a
terminal is looked at by old people in a noisy hall.
"""

from __future__ import annotations

from itertools import combinations

from edge_agent.core.model import Signal
from edge_agent.devices.led_patterns import LEDS, PATTERNS, LedPattern

CLEARLY = 1.5
"""One duration over another from which on a rhythm counts as another one."""

Shown = tuple[tuple[tuple[int, ...], float], ...]
"""One round: where something is on (places 0 to 4, as `LEDS` are wired), and for how many seconds."""


def without_colour(pattern: LedPattern) -> Shown:
    """What is left of a pattern without colour: which places are on, and how long."""
    return tuple((tuple(LEDS.index(led) for led in LEDS if led in step.lit), step.duration_s) for step in pattern.steps)


def as_one_lamp(pattern: LedPattern) -> Shown:
    """What is left without colour and place, as in the dark or with poor eyes: something is on, or nothing is."""
    seen: list[tuple[tuple[int, ...], float]] = []
    for step in pattern.steps:
        where = (0,) if step.lit else ()
        if seen and seen[-1][0] == where:
            seen[-1] = (where, seen[-1][1] + step.duration_s)
        else:
            seen.append((where, step.duration_s))
    return tuple(seen)


def clearly_differ(one: Shown, other: Shown) -> bool:
    """Whether two rounds, seen again and again from anywhere in them, can't be taken for each other."""
    if len(one) != len(other):
        return True
    if len(one) == 1:
        return one[0][0] != other[0][0]
    turns = (other[begin:] + other[:begin] for begin in range(len(other)))
    return not any(_alike(one, turned) for turned in turns)


def _alike(one: Shown, other: Shown) -> bool:
    pairs = list(zip(one, other, strict=True))
    same_places = all(first[0] == second[0] for first, second in pairs)
    return same_places and all(max(a, b) / min(a, b) < CLEARLY - 1e-9 for (_, a), (_, b) in pairs)


def alike_as_one_lamp() -> tuple[tuple[Signal, ...], ...]:
    """Signals that somebody who sees neither colour nor place may take for each other: groups, in the page's order."""
    group = {signal: {signal} for signal in PATTERNS}
    for one, other in combinations(PATTERNS, 2):
        if not clearly_differ(as_one_lamp(PATTERNS[one]), as_one_lamp(PATTERNS[other])):
            joined = group[one] | group[other]
            for signal in joined:
                group[signal] = joined
    groups: list[tuple[Signal, ...]] = []
    for members in group.values():
        ordered = tuple(signal for signal in PATTERNS if signal in members)
        if len(ordered) > 1 and ordered not in groups:
            groups.append(ordered)
    return tuple(groups)
