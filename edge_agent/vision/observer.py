"""One frame in, one observation out: landmarks, track, quality and, from a good frame, the probe.

Rules: the image goes no further than this package; nothing is copied that needn't be. The main face is the largest. A
frame with any quality problem gives no probe, however recognisable it may be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import perf_counter
from typing import Protocol

from edge_agent.core.model import Embedding, FaceObservation, FrameCues, QualityProblem
from edge_agent.ports import Frame, Image
from edge_agent.settings import VisionSettings
from edge_agent.vision import quality
from edge_agent.vision.fingerprint import fingerprint
from edge_agent.vision.parallax import Mesh
from edge_agent.vision.screen_cues import screen_scores
from edge_agent.vision.shape import shape_of
from edge_agent.vision.timings import Stage, StageTimings
from edge_agent.vision.tracker import Tracker

COMPARABLE_PARALLAX = 0.30
"""A head turned up to here is still compared with its track, so that nobody else can do the turning. Same faces stayed
at a cosine of 0.70 or above on two clips, the other speaker at 0.05 or below; false non-matches rise beyond it."""

CLOSER_LOOK_EVERY_S = 0.4
"""Traces of a screen and the passive model are looked for in a usable frame this often; they cost 2 ms and more, and a
session of 6 s still has over five of them."""


class PassivePadModel(Protocol):
    """Tells a living face from a picture of one in a single frame; `passive_pad.PassivePad` is one."""

    def score(self, image_rgb: Image, mesh_px: Mesh) -> float:
        """Bona fide score, 0..1, of uint8 RGB (h, w, 3) with a face mesh (478, 2+) in its pixels."""


class FaceFinder(Protocol):
    """Finds face meshes; `landmarks.Landmarker` is one."""

    def detect(self, image_rgb: Image, timestamp_ms: int) -> Sequence[Mesh]:
        """Meshes (478, 2+) in pixels, the largest face first; timestamps (ms) must not fall."""

    def close(self) -> None:
        """Free native memory and threads."""


class FaceEmbedder(Protocol):
    """Cuts aligned chips and embeds them; `embedder.Embedder` is one."""

    def chip(self, image_rgb: Image, mesh_px: Mesh) -> Image:
        """The aligned face. Raises ValueError for a degenerate mesh."""

    def embed_chip(self, chip: Image) -> Embedding:
        """Embedding (d,) float32 of unit length."""


class Observer:
    """Turns the frames of one camera into observations. Belongs to one thread; raises whatever the models raise."""

    def __init__(
        self,
        landmarker: FaceFinder,
        embedder: FaceEmbedder,
        settings: VisionSettings,
        same_face_min: float | None = None,
        turned_face_min: float | None = None,
        *,
        passive: PassivePadModel | None = None,
    ) -> None:
        """same_face_min, turned_face_min: cosines for `Tracker`; None: tracks are not checked by likeness.

        passive: the passive PAD model, where the manifest has one.
        """
        self.timings = StageTimings()
        self._landmarker = landmarker
        self._embedder = embedder
        self._bounds = settings.quality
        self._tracker = Tracker(settings, same_face_min, turned_face_min)
        self._passive = passive
        self._closer_look_s = -math.inf
        self._last_ms = 0

    def observe(self, frame: Frame, embed: bool = True) -> FaceObservation:
        """Look at one frame. embed: False leaves probe and cues out, for a terminal that nobody stands at."""
        began = perf_counter()
        # A camera that was opened again may hand out a frame from just before: time must not fall for the landmarker.
        self._last_ms = max(self._last_ms, int(frame.captured_s * 1000.0))
        meshes = self._landmarker.detect(frame.image, self._last_ms)
        now = self.timings.add(Stage.LANDMARKS, began)
        if not meshes:
            self._tracker.update(None, frame.captured_s)
            self.timings.add(Stage.TOTAL, began)
            return FaceObservation(frame.captured_s, None, (QualityProblem.NO_FACE,))
        mesh = meshes[0]
        track_id = self._tracker.update(mesh, frame.captured_s)
        face = quality.measure(frame.image, mesh)
        second_ratio = quality.second_face_ratio(meshes)
        problems = quality.assess(face, second_ratio, self._bounds, self._tracker.usual_eye_open())
        if QualityProblem.TURNED not in problems:
            self._tracker.note_eye_open(face.eye_open)
        now = self.timings.add(Stage.QUALITY, now)
        cues: FrameCues | None = None
        if embed:
            cues = self._cues(frame, mesh, face.eye_open, frontal=not problems)
            now = self.timings.add(Stage.CUES, now)
        probe: Embedding | None = None
        turned_only = problems == (QualityProblem.TURNED,) and abs(face.parallax) <= COMPARABLE_PARALLAX
        if embed and (not problems or turned_only):
            chip = self._embedder.chip(frame.image, mesh)
            now = self.timings.add(Stage.CHIP, now)
            seen = self._embedder.embed_chip(chip)
            self.timings.add(Stage.EMBED, now)
            if turned_only:
                track_id = self._tracker.confirm_turned(seen)
            else:
                track_id, probe = self._tracker.confirm(seen), seen
        self.timings.add(Stage.TOTAL, began)
        return FaceObservation(
            captured_s=frame.captured_s,
            track_id=track_id,
            problems=problems,
            parallax=face.parallax,
            eye_distance_px=face.eye_distance_px,
            quality=quality.score(face, self._bounds),
            probe=probe,
            cues=cues,
        )

    def _cues(self, frame: Frame, mesh: Mesh, eye_open: float, frontal: bool) -> FrameCues:
        """What every frame gives, and now and then, of a usable one, what takes longer to look for."""
        shape, mark = shape_of(mesh), fingerprint(frame.image)
        if not frontal or frame.captured_s < self._closer_look_s:
            return FrameCues(shape, eye_open, mark)
        self._closer_look_s = frame.captured_s + CLOSER_LOOK_EVERY_S
        screen = screen_scores(frame.image, mesh)
        passive = self._passive.score(frame.image, mesh) if self._passive is not None else None
        return FrameCues(shape, eye_open, mark, screen.moire, screen.bezel, screen.cast, passive)

    def close(self) -> None:
        """Free the landmarker; safe to call twice."""
        self._landmarker.close()
