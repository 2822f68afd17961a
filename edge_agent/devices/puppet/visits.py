"""Who stands in front of the camera now: goes through the script's visits, each begun by READY on the LEDs.

Rules: one visitor at a time; each has a generator of its own, from seed and number, so that a change to one visit of a
script leaves the others as they were.
"""

from __future__ import annotations

import numpy as np

from edge_agent.core.model import Signal
from edge_agent.devices.puppet.behaviour import Visitor
from edge_agent.devices.puppet.script import PuppetScript, Then, Visit


class Visits:
    """The script being played. Instants are monotonic seconds and must not fall."""

    def __init__(self, script: PuppetScript, seed: int, begun_s: float) -> None:
        self._script = script
        self._seed = seed
        self._number = -1
        self._empty_since_s = begun_s
        self._visitor: Visitor | None = None

    @property
    def number(self) -> int:
        """Visits begun before the present or last one; -1 before the first."""
        return self._number

    @property
    def visitor(self) -> Visitor | None:
        """Who is there; None while nobody is."""
        return self._visitor

    @property
    def visit(self) -> Visit:
        """The script's entry of the present or last visitor, the first one before that."""
        return self._script.visits[max(self._number, 0) % len(self._script.visits)]

    @property
    def over(self) -> bool:
        """Whether the script said to end, and everybody has gone."""
        return self._script.then is Then.END and self._visitor is None and not self._another()

    def watch(self, signal: Signal | None, now_s: float) -> bool:
        """Let time pass under this signal. True when somebody new has come into view."""
        if self._visitor is not None:
            self._visitor.watch(signal, now_s)
            if self._visitor.gone(now_s):
                self._visitor = None
                self._empty_since_s = now_s
            return False
        if signal is not Signal.READY or not self._another():
            return False
        following = self._script.visits[(self._number + 1) % len(self._script.visits)]
        if now_s - self._empty_since_s < following.pause_s:
            return False
        self._number += 1
        self._visitor = Visitor(following, np.random.default_rng((self._seed, self._number)), now_s)
        return True

    def _another(self) -> bool:
        return self._script.then is Then.REPEAT or self._number + 1 < len(self._script.visits)
