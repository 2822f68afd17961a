"""Plays the pattern of the signal shown last: which LEDs are on at this instant. Shared by every LED driver.

Rules: no clock of its own; time never runs backwards within a pattern (an earlier instant counts as its start).
"""

from __future__ import annotations

from edge_agent.core.model import Signal
from edge_agent.devices.led_patterns import PATTERNS, Lit, lit_at


class PatternPlayer:
    """Holds the signal and when it began. Starts dark (STOPPED)."""

    def __init__(self) -> None:
        self._signal = Signal.STOPPED
        self._began_s = 0.0

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin this signal's pattern at now_s (monotonic seconds), unless it is the one playing."""
        if signal is not self._signal:
            self._signal = signal
            self._began_s = now_s

    def lit(self, now_s: float) -> Lit:
        """The LEDs that the pattern lights at now_s."""
        return lit_at(PATTERNS[self._signal], max(0.0, now_s - self._began_s))
