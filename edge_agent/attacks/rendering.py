"""Frames of a presentation: an instrument, or a living head, before a backdrop, as a cheap camera records it.

Rules: the same material, species, seed and frame rate give the same frames. A clip moves by itself (`Holder`); who
watches the lights instead gives the stances of a puppet's `Visitor` to `Stage.picture`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from edge_agent.attacks.instruments import BentPrint, CutOut, Partial
from edge_agent.attacks.material import Material
from edge_agent.attacks.species import Species
from edge_agent.attacks.tablet import OperatedTablet, Playing, Tablet
from edge_agent.devices.puppet.backdrop import backdrop
from edge_agent.devices.puppet.behaviour import NEAR_M, Stance
from edge_agent.devices.puppet.face import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, PuppetFace
from edge_agent.devices.puppet.motion import Blinks, LookingAbout, Pose, Sway
from edge_agent.devices.puppet.person import Person
from edge_agent.devices.puppet.placement import Placement
from edge_agent.devices.puppet.script import Backdrop
from edge_agent.devices.puppet.sensor import Sensor
from edge_agent.devices.puppet.subjects import Living, Photograph, Subject, TurningClip
from edge_agent.ports import Image

SIZE: Final = (640, 480)
_EYE_DISTANCE_RATIO: Final = 0.18
"""Eye distance over picture height at NEAR_M, as the puppet camera has it."""
_REACH_DEG: Final = 22.0
"""Furthest turn a clip's holder makes unasked."""


@dataclass(frozen=True)
class Footage:
    """How long a clip is and how it is made. fps: frames a second."""

    seconds: float = 8.0
    fps: float = 15.0
    seed: int = 1

    @property
    def count(self) -> int:
        """Frames in it."""
        return max(1, round(self.seconds * self.fps))


class Stage:
    """A place before the camera where one subject stands or is held."""

    def __init__(self, subject: Subject, seed: int, living: PuppetFace | None = None) -> None:
        """living: the face whose whole figure is drawn, so that the end of its portrait stays below the frame."""
        rng = np.random.default_rng((seed, 2))
        wall = backdrop(Backdrop.PLAIN, _NOBODY, *SIZE).astype(np.float32)
        self._backdrop = np.clip(wall * rng.uniform(0.75, 1.1, 3) * rng.uniform(0.8, 1.05), 0, 255).astype(np.uint8)
        self._sensor = Sensor(seed, *SIZE)
        self._subject = subject
        self._living = living

    def picture(self, stance: Stance, sequence: int, now_s: float) -> Image:
        """What the camera takes, RGB uint8 (480, 640, 3)."""
        scene = self._backdrop.copy()
        placement = self._placement(stance)
        self._subject.draw(scene, placement, stance, now_s)
        speed_px_s = stance.speed * placement.eye_distance_px
        return self._sensor.record(scene, sequence, now_s, distance_m=stance.distance_m, speed_px_s=speed_px_s)

    def _placement(self, stance: Stance) -> Placement:
        width, height = SIZE
        eye_distance_px = _EYE_DISTANCE_RATIO * height * NEAR_M / stance.distance_m
        eyes_y = 0.42 * height
        if self._living is not None:
            below = float(self._living.image.shape[0] - self._living.eyes[1]) / self._living.unit_px
            eyes_y = max(eyes_y, height - below * eye_distance_px)
        at = (width * (0.5 + 0.5 * stance.aside), eyes_y + 0.5 * height * stance.up)
        return Placement(at, eye_distance_px, stance.lean_deg, stance.distance_m)


class Holder:
    """Somebody who holds an instrument and turns it, or their head, at random: the motion of a clip."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._turns = LookingAbout(rng, _REACH_DEG, 0.0)
        self._blinks = Blinks(rng, 0.0)
        self._aside, self._up, self._lean, self._near = (Sway(rng, size) for size in (0.04, 0.02, 2.0, 0.04))
        self._pitch = Sway(rng, 2.0)

    def stance(self, now_s: float) -> Stance:
        """At this time; times must not fall."""
        pose = Pose(self._turns.at(now_s), self._pitch.at(now_s), 0.0, self._blinks.at(now_s))
        distance_m = NEAR_M + self._near.at(now_s)
        return Stance(distance_m, self._aside.at(now_s), self._up.at(now_s), self._lean.at(now_s), pose, 0.2)


def instrument(species: Species, material: Material, seed: int) -> Stage:
    """The stage with this instrument on it. `still` has none: it is fed in behind the camera (see `frames`)."""
    rng = np.random.default_rng((seed, 1))
    if species is Species.PRINT:
        return Stage(Photograph(material.face, rng), seed)
    if species is Species.BENT_PRINT:
        return Stage(BentPrint(material.face, rng), seed)
    if species is Species.CUT_OUT:
        return Stage(CutOut(material, rng, 0.0), seed)
    if species is Species.PARTIAL:
        worn = Partial(material.face, rng, *SIZE)
        return Stage(worn, seed, living=worn.wearer)
    if species is Species.SCREEN_REPLAY:
        return Stage(Tablet(_playing(material, rng), rng, 0.0), seed)
    raise ValueError(f"{species.value} is fed in behind the camera; it isn't held before one")


def operated_screen(material: Material, seed: int) -> Stage:
    """The stage with a tablet whose operator watches the lights and has a clip ready for each side."""
    wall = backdrop(Backdrop.PLAIN, material.face, *SIZE)
    rng = np.random.default_rng((seed, 1))
    return Stage(OperatedTablet(Person(material.face, *SIZE), wall, rng, 0.0), seed)


def living(face: PuppetFace, seed: int) -> Stage:
    """The stage with the living person on it, moved as a puppet."""
    return Stage(Living(Person(face, *SIZE)), seed, living=face)


def frames(species: Species, material: Material, footage: Footage) -> Iterator[Image]:
    """The clip's frames, RGB uint8 (480, 640, 3)."""
    if species is Species.STILL:
        still = _fitted(material.face, np.random.default_rng((footage.seed, 4)))
        for _ in range(footage.count):
            yield still
        return
    stage = instrument(species, material, footage.seed)
    holder = Holder(np.random.default_rng((footage.seed, 3)))
    for sequence in range(footage.count):
        now_s = sequence / footage.fps
        yield stage.picture(holder.stance(now_s), sequence, now_s)


def _playing(material: Material, rng: np.random.Generator) -> Playing:
    """The video itself, from somewhere in it; of a portrait, a clip of its head turning and blinking."""
    if material.moves:
        begin_s = float(rng.uniform(0, len(material.frames) / material.fps))
        face = material.face
        eyes = (float(face.eyes[0]), float(face.eyes[1]))
        return Playing(lambda since_s: material.frames[material.index_at(begin_s + since_s)], eyes, face.unit_px)
    width, height = SIZE
    wall = backdrop(Backdrop.PLAIN, material.face, width, height)
    clip = TurningClip(Person(material.face, width, height), wall, rng)
    return Playing(clip, (width / 2, 0.42 * height), 0.2 * height)


def _fitted(face: PuppetFace, rng: np.random.Generator) -> Image:
    """The source's picture, moved and scaled so that the face lies as a person's would, edges repeated."""
    width, height = SIZE
    scale = _EYE_DISTANCE_RATIO * height * float(rng.uniform(0.9, 1.15)) / face.unit_px
    right, left = face.mesh[RIGHT_EYE_OUTER, :2], face.mesh[LEFT_EYE_OUTER, :2]
    middle = (right + left) / 2
    at = (width * float(rng.uniform(0.46, 0.54)), height * float(rng.uniform(0.4, 0.46)))
    matrix = np.array([[scale, 0, at[0] - scale * middle[0]], [0, scale, at[1] - scale * middle[1]]])
    return np.asarray(
        cv2.warpAffine(face.image, matrix, SIZE, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


_NOBODY = PuppetFace(np.zeros((1, 1, 3), np.uint8), np.zeros((468, 3)), np.zeros((3, 2), np.int32))
"""A plain wall needs no face."""
