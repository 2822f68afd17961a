"""Five LEDs on GPIO lines (`gpio_lines.py`).

Rules: the lines follow the pattern at each tick, from the main thread. Whatever the GPIO library raises is LedError.
"""

from __future__ import annotations

from edge_agent.core.model import Signal
from edge_agent.devices.gpio_lines import GpioLines
from edge_agent.devices.led_patterns import Lit
from edge_agent.devices.led_player import PatternPlayer
from edge_agent.ports import LedError
from edge_agent.settings import LedSettings


class GpioLeds:
    """A `ports.LedPanel` on real lines; claims them when constructed.

    Raises LedError when the library can't be loaded or a line can't be claimed; then none is held.
    """

    def __init__(self, settings: LedSettings) -> None:
        self._player = PatternPlayer()
        self._lines = GpioLines(
            "LEDs",
            module=settings.module,
            numbering=settings.numbering,
            pins={name: channel for name, channel in settings.pins.items()},
            active_low=settings.active_low,
            setting="leds.pins",
            error=LedError,
        )

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin this signal's pattern; the lines follow at the next tick."""
        self._player.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """Drive the lines for this instant. Raises LedError; the next tick then tries again."""
        self._lines.set(self._player.lit(now_s))

    def lit(self) -> Lit:
        """The LEDs that are on, as last written."""
        return self._lines.on()

    def close(self) -> None:
        """Turn everything off and give the lines back; safe to call twice. Raises LedError if the library could not."""
        self._lines.close()
