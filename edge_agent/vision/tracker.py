"""Which frames show the same face: a number that changes whenever that can't be vouched for. Owns the track.

Rules: no I/O, no clock; time comes with the frames. Continuity is judged by place, size and time, and, where there is a
probe, by likeness: someone could step in exactly where another stood, and pass on that person's liveness.
When in doubt it is a new track: that costs an honest person a second, and a swap everything (design.md, *One frame*).
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding
from edge_agent.settings import VisionSettings
from edge_agent.vision.parallax import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, Mesh
from edge_agent.vision.quality import eye_distance_px

REFERENCE_STEP_S = 1 / 15
"""The step `track_max_jump_ratio` is meant for: a frame at 15 fps. Longer ones allow `_MOST_STEPS` times as much."""
_MOST_STEPS = 2.0
_SIZE_RATIO_MAX = 1.25
"""Largest plausible change of eye distance in a reference step; in speaker_a/b it stays under 1.07 in 80 ms."""
_EYE_OPENINGS = 30
_EYE_OPENINGS_FEWEST = 8
_PROBES_REMEMBERED = 30.0


@dataclass
class _Track:
    track_id: int
    seen_s: float
    eyes_px: npt.NDArray[np.float64]
    size_px: float
    likeness: npt.NDArray[np.float64] | None = None
    probes: float = 0.0
    eye_openings: deque[float] = field(default_factory=lambda: deque(maxlen=_EYE_OPENINGS))


class Tracker:
    """Follows the main face. `update` with every frame, then `confirm` with its probe, if it gave one."""

    def __init__(
        self, settings: VisionSettings, same_face_min: float | None = None, turned_face_min: float | None = None
    ) -> None:
        """same_face_min: cosine to the track's mean below which a probe is somebody else's, -1..1; None: don't compare.
        turned_face_min: the same for a turned face, which is less like its own straight look.

        They depend on the embedder; take `EmbedderSpec.threshold_for_fmr` of `settings.track_swap_fmr` and
        `settings.track_swap_turned_fmr`.
        """
        self._settings = settings
        self._same_face_min = same_face_min
        self._turned_face_min = turned_face_min
        self._track: _Track | None = None
        self._last_id = 0

    def update(self, mesh_px: Mesh | None, captured_s: float) -> int | None:
        """The main face of a frame, or None when it shows none -> its track. captured_s: monotonic seconds."""
        if mesh_px is None:
            return None
        eyes_px = (mesh_px[LEFT_EYE_OUTER, :2].astype(np.float64) + mesh_px[RIGHT_EYE_OUTER, :2]) / 2
        size_px = eye_distance_px(mesh_px)
        track = self._track
        if track is None or not self._continues(track, eyes_px, size_px, captured_s):
            return self._begin(eyes_px, size_px, captured_s).track_id
        track.seen_s, track.eyes_px, track.size_px = captured_s, eyes_px, size_px
        return track.track_id

    def confirm(self, probe: Embedding) -> int:
        """Compare the probe of the frame just updated with its track -> the track; a new one if it is somebody else.

        Raises ValueError when no face was updated before.
        """
        track = self._track
        if track is None:
            raise ValueError("confirm() before update(): there is no track to compare the probe with")
        if _unlike(track, probe, self._same_face_min):
            track = self._begin(track.eyes_px, track.size_px, track.seen_s)
        # A mean over about the last two seconds' probes: a slow morph then still meets the track's own past.
        track.probes = min(track.probes + 1.0, _PROBES_REMEMBERED)
        before = np.zeros(len(probe)) if track.likeness is None else track.likeness
        track.likeness = before + (probe - before) / track.probes
        return track.track_id

    def confirm_turned(self, probe: Embedding) -> int:
        """As `confirm` for a turned face: compared with the track's straight looks, and not remembered with them.

        Raises ValueError when no face was updated before.
        """
        track = self._track
        if track is None:
            raise ValueError("confirm_turned() before update(): there is no track to compare the probe with")
        if _unlike(track, probe, self._turned_face_min):
            track = self._begin(track.eyes_px, track.size_px, track.seen_s)
        return track.track_id

    def usual_eye_open(self) -> float | None:
        """How open this face's eyes usually are: upper quartile of the last two seconds; None until it is known."""
        if self._track is None or len(self._track.eye_openings) < _EYE_OPENINGS_FEWEST:
            return None
        return sorted(self._track.eye_openings)[3 * len(self._track.eye_openings) // 4]

    def note_eye_open(self, eye_open: float) -> None:
        """Remember an opening of the present face, for `usual_eye_open`; only from frames that look straight."""
        if self._track is not None:
            self._track.eye_openings.append(eye_open)

    def _continues(self, track: _Track, eyes_px: npt.NDArray[np.float64], size_px: float, captured_s: float) -> bool:
        gap_s = captured_s - track.seen_s
        if not 0 <= gap_s <= self._settings.track_max_gap_s or size_px <= 0 or track.size_px <= 0:
            return False
        steps = min(max(gap_s / REFERENCE_STEP_S, 1.0), _MOST_STEPS)
        jump = math.dist(eyes_px.tolist(), track.eyes_px.tolist()) / track.size_px
        growth = abs(math.log(size_px / track.size_px))
        return jump <= self._settings.track_max_jump_ratio * steps and growth <= math.log(_SIZE_RATIO_MAX) * steps

    def _begin(self, eyes_px: npt.NDArray[np.float64], size_px: float, captured_s: float) -> _Track:
        self._last_id += 1
        self._track = _Track(self._last_id, captured_s, eyes_px, size_px)
        return self._track


def _unlike(track: _Track, probe: Embedding, cosine_min: float | None) -> bool:
    """Whether the probe is somebody else's than the track's, as far as the track has a likeness."""
    if track.likeness is None or cosine_min is None:
        return False
    length = float(np.linalg.norm(track.likeness))
    cosine = float(probe @ track.likeness) / length if length > 0 else 1.0
    return not cosine >= cosine_min  # so that NaN is somebody else
