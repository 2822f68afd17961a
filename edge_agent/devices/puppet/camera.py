"""The puppet as a camera driver: a simulated person who watches the simulated LEDs.

Rules: a `ports.Camera` like any other; frames come at the rate set, by the clock given. The LEDs are read by their
history, because at a few frames a second a blink would be missed between two frames; their instants must come from the
same clock. A closed camera's day stands still: the visitor there goes on when it is opened again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from edge_agent.core.model import Signal
from edge_agent.devices import led_patterns
from edge_agent.devices.puppet.backdrop import backdrop
from edge_agent.devices.puppet.behaviour import NEAR_M, Stance
from edge_agent.devices.puppet.face import PuppetFace, load_face
from edge_agent.devices.puppet.person import Person, Placement
from edge_agent.devices.puppet.script import PuppetScript, Visit
from edge_agent.devices.puppet.sensor import Sensor
from edge_agent.devices.puppet.visits import Visits
from edge_agent.ports import CameraError, FootageEnded, Frame, Image
from edge_agent.settings import CameraSettings

Lit = frozenset[str]
Recognise = Callable[[Sequence[tuple[float, Lit]], float], "Signal | None"]

_EYE_DISTANCE_RATIO = 0.18
"""Eye distance over picture height at NEAR_M: a 45° lens half a step away."""


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
        self._scenery: _Scenery | None = None
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
            self._scenery = _Scenery(self._script, self._settings, self._seed)
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
        visits.watch(self._recognise(self._leds.history(), now_s), now_s)
        if visits.over:
            raise FootageEnded("puppet camera: the script's last visit is over; `then: repeat` plays it again")
        self._sequence += 1
        stance = visits.visitor.stance(now_s) if visits.visitor is not None else None
        image = self._scenery.record(visits.visit, stance, self._sequence, now_s)
        return Frame(image, now_s, self._sequence)

    def close(self) -> None:
        """Stop; safe to call twice."""
        self._open = False


class _Scenery:
    """Everything that can be seen in this script, at this size."""

    def __init__(self, script: PuppetScript, settings: CameraSettings, seed: int) -> None:
        self._width, self._height = settings.width_px, settings.height_px
        self._sensor = Sensor(seed, self._width, self._height)
        faces: dict[Path, PuppetFace] = {visit.face: load_face(visit.face) for visit in script.visits}
        self._people = {path: Person(face, self._width, self._height) for path, face in faces.items()}
        self._backdrop = backdrop(script.background, faces[script.visits[0].face], self._width, self._height)
        self._below_eyes = {path: _below_eyes(face) for path, face in faces.items()}

    def record(self, visit: Visit, stance: Stance | None, sequence: int, now_s: float) -> Image:
        """The picture the camera takes; stance None: of nobody."""
        scene = self._backdrop.copy()
        if stance is None:
            return self._sensor.record(scene, sequence, now_s)
        placement = self._placement(visit, stance)
        self._people[visit.face].draw(scene, placement, stance.pose)
        speed_px_s = stance.speed * placement.eye_distance_px
        return self._sensor.record(scene, sequence, now_s, stance.distance_m, speed_px_s)

    def _placement(self, visit: Visit, stance: Stance) -> Placement:
        """Of the figure: its eyes at two fifths of the height, lower where its portrait would end above the frame."""
        eye_distance_px = _EYE_DISTANCE_RATIO * self._height * NEAR_M / stance.distance_m
        eyes_y = max(0.4 * self._height, self._height - self._below_eyes[visit.face] * eye_distance_px)
        return Placement(
            eyes_px=(self._width * (0.5 + 0.5 * stance.aside), eyes_y + 0.5 * self._height * stance.up),
            eye_distance_px=eye_distance_px,
            lean_deg=stance.lean_deg,
            distance_m=stance.distance_m,
        )


def _below_eyes(face: PuppetFace) -> float:
    """How far the portrait goes on below the eyes, in eye distances."""
    return float(face.image.shape[0] - face.eyes[1]) / face.unit_px
