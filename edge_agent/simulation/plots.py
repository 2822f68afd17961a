"""One picture of a day: who waited, how visits ended and how long it all took, hour by hour.

Rules: drawn with matplotlib's object interface, as the evaluation's pictures are; counts only.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge_agent.core.model import Outcome
from edge_agent.simulation.day import Played
from edge_agent.simulation.plan import Plan
from edge_agent.simulation.truth import Arrival, Truth

OPENS_H = 8.0
"""Local hour at which the day begins."""
_COLOURS = {
    Outcome.GIVEN: "tab:green",
    Outcome.REFERRED: "tab:orange",
    Outcome.NOT_ENTITLED: "tab:red",
    Outcome.ABANDONED: "tab:grey",
}


def draw_day(path: Path, played: Played) -> None:
    """Write the picture. Raises OSError."""
    figure = Figure(figsize=(9.0, 8.0), layout="constrained")
    queue, outcomes, durations = figure.subplots(3, 1, sharex=True)
    for axes, title in ((queue, "people in the queue"), (outcomes, "visits by outcome"), (durations, "minutes")):
        axes.set(ylabel=title)
        axes.grid(True, alpha=0.3)
        _mark(axes, played.plan, played.truth)
    for hall in played.halls:
        hours = [_hour(at_s) for at_s, _ in hall.queued]
        queue.step(hours, [people for _, people in hall.queued], where="post", label=hall.terminal.id)
    queue.legend(fontsize="small", loc="upper right")
    queue.set(title=f"A distribution day: {played.plan.subjects} subjects, seed {played.plan.seed}")
    told = [arrival for arrival in played.truth.arrivals if arrival.outcome is not None]
    _stack(outcomes, told, played.closed_s)
    waiting = [arrival for arrival in told if not arrival.assisted]
    durations.plot(
        [_hour(arrival.came_s) for arrival in waiting],
        [(arrival.came_s - arrival.joined_s) / 60 for arrival in waiting],
        ".",
        markersize=4,
        label="waited",
    )
    durations.legend(fontsize="small", loc="upper right")
    durations.set(xlabel="local hour; red lines: power cuts, blue: network, grey dashes: paper changed")
    figure.savefig(path, dpi=110)


def _stack(axes: Axes, told: list[Arrival], closed_s: float) -> None:
    """Bars of an hour, or of a quarter where the day is short."""
    wide_s = 3600.0 if closed_s > 4 * 3600 else 900.0
    slots = range(int(closed_s // wide_s) + 1)
    below = np.zeros(len(slots))
    for outcome, colour in _COLOURS.items():
        counts = Counter(int(arrival.came_s // wide_s) for arrival in told if arrival.outcome is outcome)
        heights = np.array([counts[slot] for slot in slots])
        left = [_hour(slot * wide_s) for slot in slots]
        axes.bar(left, heights, wide_s / 3600, bottom=below, align="edge", color=colour, label=outcome.value, alpha=0.8)
        below = below + heights
    axes.legend(fontsize="small", loc="upper right")


def _mark(axes: Axes, plan: Plan, truth: Truth) -> None:
    for at_s in truth.cuts:
        axes.axvline(_hour(at_s), color="tab:red", linewidth=1)
    for at_s in truth.rolls:
        axes.axvline(_hour(at_s), color="grey", linewidth=1, linestyle="--")
    for link in plan.networks:
        axes.axvspan(_hour(link.at_s), _hour(link.at_s + link.for_s), color="tab:blue", alpha=0.15)


def _hour(at_s: float) -> float:
    return OPENS_H + at_s / 3600
