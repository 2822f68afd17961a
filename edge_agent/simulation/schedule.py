"""What is to happen when: the one clockwork of a day.

Rules: things due at the same instant happen in the order in which they were planned, so that a day can be repeated.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from edge_agent.simulation.clock import VirtualTime


@dataclass(order=True)
class _Due:
    at_s: float
    number: int
    do: Callable[[], None] = field(compare=False)


class Schedule:
    """Moves `time` and does what is due, until nothing is left."""

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self._heap: list[_Due] = []
        self._numbers = count()

    def at(self, at_s: float, do: Callable[[], None]) -> None:
        """Do this at second `at_s` of the day."""
        heapq.heappush(self._heap, _Due(at_s, next(self._numbers), do))

    def after(self, for_s: float, do: Callable[[], None]) -> None:
        """Do this in so many seconds."""
        self.at(self.time.s + for_s, do)

    def next(self) -> bool:
        """Do what is due next; False when nothing is left."""
        if not self._heap:
            return False
        due = heapq.heappop(self._heap)
        self.time.s = due.at_s
        due.do()
        return True
