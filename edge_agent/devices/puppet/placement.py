"""Where something stands in the picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Placement:
    """eyes_px: middle of the eyes when looking straight; eye_distance_px: the size; lean_deg: of the whole figure,
    clockwise; distance_m: to the camera, for the perspective."""

    eyes_px: tuple[float, float]
    eye_distance_px: float
    lean_deg: float = 0.0
    distance_m: float = 0.6
