"""What the terminal tells a person without a screen: lights, and the sounds beside them.

Rules: main thread only. Lights are an essential part: their failure and recovery are posted once each. Sounds are an
addition: what fails there is told in the log alone.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part, Signal
from edge_agent.ports import LedError, LedPanel
from edge_agent.sounds import Sounds

_log = structlog.get_logger("signals")


class SignalDesk:
    """post: takes what becomes of the lights."""

    def __init__(self, leds: LedPanel, sounds: Sounds, post: Callable[[PartFailed | PartRecovered], None]) -> None:
        self._leds = leds
        self._sounds = sounds
        self._post = post
        self._failed = False

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin this signal (monotonic seconds); seen and heard from the next tick on."""
        self._leds.show(signal, now_s)
        self._sounds.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """Drive lights and sounds for this instant."""
        self._sounds.tick(now_s)
        try:
            self._leds.tick(now_s)
        except LedError as error:
            if not self._failed:
                self._failed = True
                self._post(PartFailed(Part.LEDS, str(error)))
        else:
            if self._failed:
                self._failed = False
                self._post(PartRecovered(Part.LEDS))

    def close(self) -> None:
        """Dark and silent; safe to call twice."""
        self._sounds.close()
        try:
            self._leds.close()
        except LedError as error:
            _log.error("leds_not_closed", problem=str(error))
