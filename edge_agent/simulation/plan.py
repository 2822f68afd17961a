"""What a day is to be like: how many people and terminals, which accidents, and when there is a network."""

from __future__ import annotations

from dataclasses import dataclass

SECONDS_A_PERSON = 34.0
"""Arrivals come a little slower than one terminal serves."""
NETWORK_S = 600.0
NETWORK_AT = 0.62
"""Share of the time of arrivals after which the network comes, unless the plan says otherwise."""
ROLL_AT = 0.55
"""Share of a day's slips that a roll lasts for, unless the plan says otherwise."""
SLIP_MM = 260.0


@dataclass(frozen=True)
class LinkTime:
    """There is a network from `at_s` on for `for_s`. terminal: number of the only one that has it; None: all."""

    at_s: float
    for_s: float = NETWORK_S
    terminal: int | None = None


@dataclass(frozen=True)
class Plan:
    """power_cuts: for each terminal; every second one leaves the clock a year ahead, the others far behind.

    links: when there is a network; empty: once, for ten minutes, everywhere. roll_mm: of each roll of paper; None: so
    much that it ends once or twice.
    """

    subjects: int
    terminals: int = 1
    seed: int = 1
    power_cuts: int = 2
    links: tuple[LinkTime, ...] = ()
    roll_mm: float | None = None

    @property
    def window_s(self) -> float:
        """Seconds over which people come."""
        return self.subjects * SECONDS_A_PERSON / self.terminals

    @property
    def networks(self) -> tuple[LinkTime, ...]:
        """When there is a network."""
        return self.links or (LinkTime(self.window_s * NETWORK_AT),)

    @property
    def paper_mm(self) -> float:
        """Length of each roll."""
        return ROLL_AT * self.subjects / self.terminals * SLIP_MM if self.roll_mm is None else self.roll_mm
