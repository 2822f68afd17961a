"""Everything that can be seen in one script, at one picture size: faces, background, and who stands where.

Rules: faces are loaded once and checked whole before the first frame; drawing one frame reads no file but a clip's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_agent.devices.camera_file import VideoFootage
from edge_agent.devices.puppet.backdrop import backdrop
from edge_agent.devices.puppet.behaviour import NEAR_M, Stance
from edge_agent.devices.puppet.face import PuppetFace, load_face
from edge_agent.devices.puppet.person import Person
from edge_agent.devices.puppet.placement import Placement
from edge_agent.devices.puppet.script import Attack, PuppetScript, Visit
from edge_agent.devices.puppet.sensor import Sensor
from edge_agent.devices.puppet.subjects import Living, Photograph, Screen, Subject, TurningClip
from edge_agent.ports import CameraError, Image

_EYE_DISTANCE_RATIO = 0.18
"""Eye distance over picture height at NEAR_M: a 45° lens half a step away."""


class Scenery:
    """The scene before the camera, and the camera's picture of it."""

    def __init__(self, script: PuppetScript, seed: int, width_px: int, height_px: int) -> None:
        """Raises CameraError when a face or clip can't be used."""
        self._width, self._height, self._seed = width_px, height_px, seed
        self._sensor = Sensor(seed, width_px, height_px)
        self._faces: dict[Path, PuppetFace] = {visit.face: load_face(visit.face) for visit in script.visits}
        self._people = {path: Person(face, width_px, height_px) for path, face in self._faces.items()}
        self._backdrop = backdrop(script.background, self._faces[script.visits[0].face], width_px, height_px)
        self._subject: Subject | None = None
        self._visit = script.visits[0]
        for visit in script.visits:
            if visit.clip is not None:
                _Replayed(visit.clip).close()

    def enter(self, visit: Visit, number: int, now_s: float) -> None:
        """Somebody new comes: visit number `number`."""
        rng = np.random.default_rng((self._seed, 3, number))
        person = self._people[visit.face]
        self._visit = visit
        if visit.attack is Attack.PHOTO:
            self._subject = Photograph(self._faces[visit.face], rng)
        elif visit.attack is Attack.REPLAY and visit.clip is not None:
            self._subject = Screen(_Replayed(visit.clip), rng, now_s)
        elif visit.attack is Attack.REPLAY:
            self._subject = Screen(TurningClip(person, self._backdrop, rng), rng, now_s)
        else:
            self._subject = Living(person)

    def record(self, stance: Stance | None, sequence: int, now_s: float) -> Image:
        """The picture the camera takes; stance None: of nobody. Raises CameraError when a clip fails."""
        scene = self._backdrop.copy()
        if stance is None or self._subject is None:
            return self._sensor.record(scene, sequence, now_s)
        placement = self._placement(stance)
        self._subject.draw(scene, placement, stance, now_s)
        speed_px_s = stance.speed * placement.eye_distance_px
        return self._sensor.record(scene, sequence, now_s, distance_m=stance.distance_m, speed_px_s=speed_px_s)

    def _placement(self, stance: Stance) -> Placement:
        """Of the eyes: at two fifths of the height; lower where a person's portrait would end above the frame."""
        eye_distance_px = _EYE_DISTANCE_RATIO * self._height * NEAR_M / stance.distance_m
        eyes_y = 0.4 * self._height
        if self._visit.attack is Attack.NONE:
            face = self._faces[self._visit.face]
            below_eyes = float(face.image.shape[0] - face.eyes[1]) / face.unit_px
            eyes_y = max(eyes_y, self._height - below_eyes * eye_distance_px)
        return Placement(
            eyes_px=(self._width * (0.5 + 0.5 * stance.aside), eyes_y + 0.5 * self._height * stance.up),
            eye_distance_px=eye_distance_px,
            lean_deg=stance.lean_deg,
            distance_m=stance.distance_m,
        )


class _Replayed:
    """A video file as a clip that begins again at its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._footage = VideoFootage(path)
        self._from_s = 0.0
        self._shown = self._footage.next_frame()
        self._count = 1
        if self._shown is None:
            raise CameraError(f"clip {path}: no frame can be decoded; give another `clip:` in the puppet script")

    def __call__(self, since_s: float) -> Image:
        """The picture at this time of the clip."""
        due = int((since_s - self._from_s) * self._footage.fps)
        while self._count <= due:
            following = self._footage.next_frame()
            if following is None:
                self._footage.rewind()
                self._from_s, due, self._count = since_s, 0, 0
                following = self._footage.next_frame()
            if following is not None:
                self._shown = following
            self._count += 1
        assert self._shown is not None
        return self._shown

    def close(self) -> None:
        """Give the file back."""
        self._footage.close()
