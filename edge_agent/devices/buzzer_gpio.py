"""An active buzzer on one GPIO line (`gpio_lines.py`).

Rules: the line follows at each tick, from the main thread. Whatever the GPIO library raises is SoundError.
"""

from __future__ import annotations

from edge_agent.core.model import Signal
from edge_agent.devices.buzzes import BuzzPlayer
from edge_agent.devices.gpio_lines import GpioLines
from edge_agent.ports import SoundError
from edge_agent.settings import LedSettings, SoundSettings

_ON, _OFF = frozenset({"buzzer"}), frozenset[str]()


class GpioBuzzer:
    """A `ports.Buzzer` on a real line; claims it when constructed. Module and numbering are those of the LEDs.

    Raises SoundError when the library can't be loaded or the line can't be claimed.
    """

    def __init__(self, sound: SoundSettings, leds: LedSettings) -> None:
        self._player = BuzzPlayer()
        self._lines = GpioLines(
            "Buzzer",
            module=leds.module,
            numbering=leds.numbering,
            pins={"buzzer": sound.buzzer_pin},
            active_low=sound.buzzer_active_low,
            setting="sound.buzzer_pin",
            error=SoundError,
        )

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin what this signal sounds like; the line follows at the next tick."""
        self._player.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """Switch the line for this instant. Raises SoundError; the next tick then tries again."""
        self._lines.set(_ON if self._player.on(now_s) else _OFF)

    def close(self) -> None:
        """Silence, and give the line back; safe to call twice. Raises SoundError if the library could not."""
        self._lines.close()
