"""The sounds beside the lights: a buzzer and a voice, each or neither.

Rules: main thread only. Sound is an addition: what fails is told in the log once, tried again, and keeps nobody from
being served; it is no part whose failure closes the terminal.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from edge_agent.core.model import Signal
from edge_agent.ports import Buzzer, SoundError, Voice

_log = structlog.get_logger("sounds")


class Sounds:
    """None: there is none."""

    def __init__(self, buzzer: Buzzer | None = None, voice: Voice | None = None) -> None:
        self._devices: dict[str, Buzzer | Voice] = {}
        if buzzer is not None:
            self._devices["buzzer"] = buzzer
        if voice is not None:
            self._devices["voice"] = voice
        self._failed: set[str] = set()

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin what goes with this signal (monotonic seconds)."""
        for device in self._devices.values():
            device.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """Go on with it."""
        for name, device in self._devices.items():
            self._attempt(name, lambda device=device: device.tick(now_s))  # type: ignore[misc]

    def close(self) -> None:
        """Silence; safe to call twice."""
        for name, device in self._devices.items():
            self._attempt(name, device.close)

    def _attempt(self, name: str, act: Callable[[], None]) -> None:
        try:
            act()
        except SoundError as error:
            if name not in self._failed:
                self._failed.add(name)
                _log.warning("sound_failed", device=name, problem=str(error))
