"""What goes wrong on a day: the mains, the clock after them, the paper, and a network that is mostly not there.

Rules: everything follows from the plan and its seed. A power cut mostly falls between two steps of a transaction, where
it can do the most harm.
"""

from __future__ import annotations

import random
from datetime import datetime, timezone

from edge_agent.core.model import Signal
from edge_agent.simulation.hall import Hall
from edge_agent.simulation.plan import LinkTime, Plan
from edge_agent.simulation.schedule import Schedule
from edge_agent.simulation.truth import Truth

ROLL_CHANGE_S = (45.0, 120.0)
SEEN_AFTER_S = 20.0
"""By then the terminal has seen the new roll; whoever looks at its light sooner would change it again."""
OUTAGE_S = (60.0, 240.0)
BETWEEN_CUTS_S = 120.0
BEFORE_NETWORK_S = 400.0
"""So long before the network comes the clock is set a year ahead; till then nobody can be given anything."""
AT_A_CHECKPOINT = 0.75
"""Share of power cuts that wait for a step of a transaction, and the most steps they wait."""
STEPS_MAX = 14
IMAGE_DATE = datetime(2025, 5, 6, tzinfo=timezone.utc)
"""What a board without a clock battery believes after a power cut: the date of its system image."""
YEAR_S = 365 * 86_400.0


class Accidents:
    """Plans them all for these halls."""

    def __init__(self, plan: Plan, halls: list[Hall], schedule: Schedule, truth: Truth, chance: random.Random) -> None:
        self._halls = halls
        self._schedule = schedule
        self._truth = truth
        self._chance = chance
        self._changing: set[Hall] = set()
        for link in plan.networks:
            self._plan_link(link)
        for hall in halls:
            for number in range(plan.power_cuts):
                ahead = number % 2 == 1
                at_s = plan.window_s * chance.uniform(0.15, 0.45)
                if ahead:
                    at_s = max(plan.networks[0].at_s - BEFORE_NETWORK_S, 60.0)
                schedule.at(at_s, lambda hall=hall, ahead=ahead: self._cut(hall, ahead))  # type: ignore[misc]

    def watch_paper(self, hall: Hall) -> None:
        """Somebody sees the light and fetches a new roll."""
        if hall.terminal.signal is Signal.PAPER_OUT and hall not in self._changing:
            self._changing.add(hall)
            self._schedule.after(self._chance.uniform(*ROLL_CHANGE_S), lambda: self._change_roll(hall))

    def _change_roll(self, hall: Hall) -> None:
        self._schedule.after(SEEN_AFTER_S, lambda: self._changing.discard(hall))
        self._truth.rolls.append(self._schedule.time.s)
        hall.terminal.printer.change_roll()

    def _cut(self, hall: Hall, ahead: bool) -> None:
        """ahead: the clock comes back a year ahead, instead of as old as the system image."""
        if not hall.open:
            return
        if not hall.terminal.powered or hall.terminal.checkpoints_left is not None:
            self._schedule.after(BETWEEN_CUTS_S, lambda: self._cut(hall, ahead))
        elif self._chance.random() < AT_A_CHECKPOINT:
            hall.terminal.checkpoints_left = self._chance.randint(1, STEPS_MAX)
            self._await_cut(hall, ahead)
        else:
            hall.cut_power()
            self._await_cut(hall, ahead)

    def _await_cut(self, hall: Hall, ahead: bool) -> None:
        """Once the power has failed, it comes back after a while."""
        if not hall.open:
            return
        if hall.terminal.powered:
            self._schedule.after(1.0, lambda: self._await_cut(hall, ahead))
            return
        off_s = YEAR_S if ahead else (IMAGE_DATE - self._schedule.time.utc).total_seconds()
        self._schedule.after(self._chance.uniform(*OUTAGE_S), lambda: _power_back(hall, off_s))

    def _plan_link(self, link: LinkTime) -> None:
        halls = self._halls if link.terminal is None else [self._halls[link.terminal]]

        def come() -> None:
            self._truth.networks.append(link.at_s)
            for hall in halls:
                if hall.open and not hall.link.up:
                    hall.link.open()

        def go() -> None:
            for hall in halls:
                if hall.open and hall.link.up:
                    hall.link.lose()

        self._schedule.at(link.at_s, come)
        self._schedule.at(link.at_s + link.for_s, go)


def _power_back(hall: Hall, off_s: float) -> None:
    hall.terminal.clock.boot(off_s, trusted=False)
    hall.terminal.boot()
    hall.link.boot()
