"""A buzzer that exists only as a record of what it would have sounded."""

from __future__ import annotations

from edge_agent.core.model import Signal
from edge_agent.devices.buzzes import BuzzPlayer
from edge_agent.devices.sound_log import SoundLog


class SimulatedBuzzer:
    """A `ports.Buzzer` without hardware. changes: (monotonic s, on), as a line would have been switched."""

    def __init__(self, log: SoundLog) -> None:
        self._player = BuzzPlayer()
        self._log = log
        self._starts: list[tuple[str, float]] = []
        self._on = False
        self.changes: list[tuple[float, bool]] = []

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin what this signal sounds like."""
        if self._player.show(signal, now_s):
            self._starts.append((signal.value, now_s))

    def tick(self, now_s: float) -> None:
        """Write down what began and switch. Raises SoundError when the log can't be written."""
        starts, self._starts = self._starts, []
        self._switch(self._player.on(now_s), now_s)
        for sound, began_s in starts:
            self._log.add("buzzer", sound, began_s)

    def close(self) -> None:
        """Silence."""
        if self._on:
            self._switch(False, self.changes[-1][0])

    def _switch(self, on: bool, now_s: float) -> None:
        if on is not self._on:
            self._on = on
            self.changes = [*self.changes[-999:], (now_s, on)]
