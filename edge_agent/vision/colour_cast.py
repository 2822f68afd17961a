"""Colour cast: the whites of the eyes are bluer than what is neutral around, as a display's white in a warm room.

Rules: a pure function of one frame; no skin is measured. For the record only: it told rendered screens from living
people no better than chance, and daylight from a door on somebody before a lamp-lit wall looks the same, so it never
reaches a doubt (docs/pad-cues.md).
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image
from edge_agent.vision.parallax import LEFT_EYE_OUTER, MESH_POINTS, RIGHT_EYE_OUTER, Mesh

MOST: Final = 0.45
"""Highest score: below what counts as a doubt."""

_EYES = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7),
    (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249),
)
"""Outlines of the eyelids in the mesh."""
_WHITE_PERCENTILE = 60.0
_AROUND_STEP_PX = 6
_LUMA = (60.0, 250.0)
_NEUTRAL_RATIO = 1.35
"""Largest over smallest channel of what may be a neutral thing, seen under any indoor light."""
_FEWEST_EYE_PIXELS, _FEWEST_NEUTRAL = 8, 50
_BOUNDS = (0.25, 0.70)
"""ln(blue ÷ red) of the eyes' whites minus that of the surroundings, that scores 0 and MOST. White of 6500 K where the
camera is balanced for a lamp of 2700 K would be near 0.6 in gamma-coded values."""

Floats = npt.NDArray[np.float32]


def cast(image_rgb: Image, mesh_px: Mesh) -> float:
    """How much bluer the face is lit than the room, 0..`MOST`. image_rgb: uint8 (h, w, 3); mesh_px: (478, 2+)."""
    excess = cast_excess(image_rgb, mesh_px)
    return 0.0 if excess is None else float(np.interp(excess, _BOUNDS, (0.0, MOST)))


def cast_excess(image_rgb: Image, mesh_px: Mesh) -> float | None:
    """ln(blue ÷ red) of the whites of the eyes minus that of neutral things around; None where either is missing."""
    points = mesh_px[:MESH_POINTS, :2]
    whites = _whites(image_rgb, points)
    around = _around(image_rgb, points)
    if whites is None or around is None:
        return None
    return _blueness(whites) - _blueness(around)


def _whites(image: Image, points: Mesh) -> Floats | None:
    """Brighter part of what lies between the eyelids, (n, 3)."""
    corners = np.concatenate([points[list(eye)] for eye in _EYES])
    low = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    high = np.maximum(np.ceil(corners.max(axis=0)) + 1, 0).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    if part.size == 0:
        return None
    inside = np.zeros(part.shape[:2], np.uint8)
    for eye in _EYES:
        cv2.fillPoly(inside, [np.rint(points[list(eye)] - low).astype(np.int32)], (1,))
    pixels = part[inside > 0].astype(np.float32)
    if len(pixels) < _FEWEST_EYE_PIXELS:
        return None
    green = pixels[:, 1]
    bright = pixels[(green >= np.percentile(green, _WHITE_PERCENTILE)) & (pixels.max(axis=1) < _LUMA[1])]
    return bright if len(bright) >= _FEWEST_EYE_PIXELS else None


def _around(image: Image, points: Mesh) -> Floats | None:
    """Near-neutral pixels outside the head, (n, 3)."""
    step = _AROUND_STEP_PX
    eyes_px = float(np.hypot(*(points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER])))
    small = image[::step, ::step]
    outside = np.ones(small.shape[:2], bool)
    low = np.maximum((points.min(axis=0) - eyes_px / 2) / step, 0).astype(int)
    high = np.maximum((points.max(axis=0) + eyes_px / 2) / step, 0).astype(int)
    outside[low[1] : high[1], low[0] : high[0]] = False
    pixels = small[outside].astype(np.float32)
    red, green, blue = pixels.T
    most, least = np.maximum(np.maximum(red, green), blue), np.minimum(np.minimum(red, green), blue)
    neutral = pixels[(most > _LUMA[0]) & (most < _LUMA[1]) & (most < _NEUTRAL_RATIO * (least + 1))]
    return neutral if len(neutral) >= _FEWEST_NEUTRAL else None


def _blueness(pixels: Floats) -> float:
    return float(np.median(np.log((pixels[:, 2] + 2) / (pixels[:, 0] + 2))))
