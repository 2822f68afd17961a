"""The puppet as a camera driver: a simulated person who watches the simulated LEDs.

Rules: a `ports.Camera` like any other; frames come at the rate set, by the clock given. The LEDs are read by their
history, because at a few frames a second a blink would be missed between two frames; their instants must come from the
same clock. A closed camera's day stands still: the visitor there goes on when it is opened again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from edge_agent.core.model import Signal
from edge_agent.devices import led_patterns
from edge_agent.devices.puppet.scenery import Scenery
from edge_agent.devices.puppet.script import PuppetScript
from edge_agent.devices.puppet.visits import Visits
from edge_agent.ports import CameraError, FootageEnded, Frame
from edge_agent.settings import CameraSettings

Lit = frozenset[str]
Recognise = Callable[[Sequence[tuple[float, Lit]], float], "Signal | None"]


class WatchedLeds(Protocol):
    """LEDs that can be watched; `led_simulated.SimulatedLeds` are."""

    def history(self) -> Sequence[tuple[float, Lit]]:
        """The last changes, oldest first: (seconds of the puppet's clock, LEDs on from then)."""


class PuppetCamera:
    """A `ports.Camera` for a scripted day in front of the terminal.

    seed: instead of the script's. clock: monotonic seconds; sleep: waits that long by the same clock.
    recognise: reads a signal from the history of LEDs.
    """

    def __init__(
        self,
        script: PuppetScript,
        leds: WatchedLeds,
        settings: CameraSettings,
        *,
        seed: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        recognise: Recognise = led_patterns.recognise,
    ) -> None:
        self.name = "puppet"
        self._script = script
        self._leds = leds
        self._settings = settings
        self._seed = script.seed if seed is None else seed
        self._clock, self._sleep, self._recognise = clock, sleep, recognise
        self._fps = settings.fps_awake
        self._scenery: Scenery | None = None
        self._visits: Visits | None = None
        self._open = False
        self._sequence = -1
        self._due_s = 0.0

    @property
    def visit(self) -> tuple[int, str] | None:
        """Number (from 0) and label of the visitor in view; None while nobody is. From any thread."""
        visits = self._visits
        if visits is None or visits.visitor is None:
            return None
        return visits.number, visits.visit.who

    def open(self) -> None:
        """Load the script's faces. Raises CameraError when one can't be used."""
        if self._scenery is None:
            size = (self._settings.width_px, self._settings.height_px)
            self._scenery = Scenery(self._script, self._seed, *size)
        if self._visits is None:
            self._visits = Visits(self._script, self._seed, self._clock())
        self._open = True
        self._due_s = self._clock()

    def set_fps(self, fps: float) -> None:
        """Frames per second from the next one on."""
        self._fps = fps

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame when it is due; None when that is after timeout_s. Raises CameraError, FootageEnded."""
        if not self._open or self._scenery is None or self._visits is None:
            raise CameraError("puppet camera: read before open; open it first")
        wait_s = self._due_s - self._clock()
        if wait_s > timeout_s:
            self._sleep(timeout_s)
            return None
        if wait_s > 0:
            self._sleep(wait_s)
        now_s = self._clock()
        self._due_s = max(self._due_s + 1 / self._fps, now_s)
        visits = self._visits
        if visits.watch(self._recognise(self._leds.history(), now_s), now_s):
            self._scenery.enter(visits.visit, visits.number, now_s)
        if visits.over:
            raise FootageEnded("puppet camera: the script's last visit is over; `then: repeat` plays it again")
        self._sequence += 1
        stance = visits.visitor.stance(now_s) if visits.visitor is not None else None
        image = self._scenery.record(stance, self._sequence, now_s)
        return Frame(image, now_s, self._sequence)

    def close(self) -> None:
        """Stop; safe to call twice."""
        self._open = False
