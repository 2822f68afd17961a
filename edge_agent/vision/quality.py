"""Whether a frame suits matching, and if not, why, in terms a person can act on. Owns the measures and the verdict.

Rules: pure functions of pixels and mesh, in whole numbers up to the last division; bounds come from `QualitySettings`,
their measured sources are in `docs/vision.md`, 'Quality bounds'. Light and blur are measured on the face alone, brought
to one size, so that neither the background nor the distance counts, and by order statistics and ratios, so that skin
colour doesn't.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.core.model import QualityProblem
from edge_agent.ports import Image
from edge_agent.settings import QualitySettings
from edge_agent.vision.parallax import LEFT_EYE_OUTER, MESH_POINTS, NOSE_TIP, RIGHT_EYE_OUTER, Mesh, parallax

CROP_PX = 112
"""Longer side of the luma crop: about 60 px between the outer eye corners, as fine as the embedder's own chip."""

_CHIN = 152
_EYES = ((33, 133, 159, 145), (263, 362, 386, 374))  # outer, inner, upper, lower
_GLARE_LUMA = 250
_FEWEST_PIXELS = 64

_INSIDE = 255
_NEIGHBOURS = ((np.s_[1:, :], np.s_[:-1, :]), (np.s_[:, 1:], np.s_[:, :-1]))
_NOTHING = np.zeros(256, np.int64)

Crop = npt.NDArray[np.uint8]
Inside = npt.NDArray[np.uint8]
"""A mask of a crop's shape: _INSIDE where a pixel belongs to the face, else 0."""


@dataclass(frozen=True)
class FaceMeasures:
    """What was measured on one face.

    eye_distance_px: outer eye corner distance in the frame; eye_distance_ratio: over the frame's shorter side.
    parallax: see `parallax.py`. roll_deg: tilt of the eye line, clockwise positive, -180..180.
    pitch_ratio: nose tip's drop below the eye line over the chin's; grows as the head bows.
    outside_ratio: share of the mesh outside the frame. eye_open: eye height over width, mean of both.
    sharpness: 0..1, share of the face's gradients that a 5 px box blur takes away (after Crété-Roffet et al. 2007,
        "The blur effect"); a ratio, so contrast and skin colour cancel.
    bright_luma: 95th percentile of the face's luma, 0..255. glare_ratio: share of face pixels at or above 250.
    """

    eye_distance_px: float
    eye_distance_ratio: float
    parallax: float
    roll_deg: float
    pitch_ratio: float
    outside_ratio: float
    eye_open: float
    sharpness: float
    bright_luma: float
    glare_ratio: float


class _Box(NamedTuple):
    """Of a mesh, in pixels: (x, y) each."""

    lowest: npt.NDArray[np.floating[Any]]
    highest: npt.NDArray[np.floating[Any]]


def eye_distance_px(mesh_px: Mesh) -> float:
    """Distance of the outer eye corners, pixels."""
    return math.dist(mesh_px[LEFT_EYE_OUTER, :2].tolist(), mesh_px[RIGHT_EYE_OUTER, :2].tolist())


def second_face_ratio(meshes: Sequence[Mesh]) -> float:
    """Eye distance of the second largest face over the largest's; 0.0 with fewer than two."""
    sizes = sorted((eye_distance_px(mesh) for mesh in meshes), reverse=True)
    return sizes[1] / sizes[0] if len(sizes) > 1 and sizes[0] > 0 else 0.0


def measure(image: Image, mesh_px: Mesh) -> FaceMeasures:
    """Measure one face: image RGB (h, w, 3); mesh_px (478, 2+) in its pixels."""
    height, width = image.shape[:2]
    points = mesh_px[:MESH_POINTS, :2]
    distance = eye_distance_px(mesh_px)
    line_x, line_y = (mesh_px[LEFT_EYE_OUTER, :2] - mesh_px[RIGHT_EYE_OUTER, :2]).tolist()
    box = _Box(*(cv2.reduce(np.ascontiguousarray(points), 0, how)[0] for how in (cv2.REDUCE_MIN, cv2.REDUCE_MAX)))
    bright_luma, glare_ratio, sharpness = _light(image, points, box)
    return FaceMeasures(
        eye_distance_px=distance,
        eye_distance_ratio=distance / min(height, width),
        parallax=parallax(mesh_px),
        roll_deg=math.degrees(math.atan2(line_y, line_x)),
        pitch_ratio=_pitch_ratio(mesh_px),
        outside_ratio=_outside_ratio(points, box, width, height),
        eye_open=sum(_openness(mesh_px, *eye) for eye in _EYES) / len(_EYES),
        sharpness=sharpness,
        bright_luma=bright_luma,
        glare_ratio=glare_ratio,
    )


def assess(
    face: FaceMeasures | None,
    second_ratio: float,
    bounds: QualitySettings,
    usual_eye_open: float | None = None,
) -> tuple[QualityProblem, ...]:
    """Every reason against this frame, in the enum's order; empty when it may be used.

    second_ratio: see `second_face_ratio`. usual_eye_open: this person's own opening lately, where known: the mesh model
    draws closed lids of wide eyes (0.22) wider than open narrow ones (0.17), so closing shows best against oneself.
    """
    if face is None:
        return (QualityProblem.NO_FACE,)
    open_min = max(bounds.eye_open_min, bounds.eye_closing_ratio * (usual_eye_open or 0.0))
    turned = (
        abs(face.parallax) > bounds.parallax_max
        or abs(face.roll_deg) > bounds.roll_max_deg
        or not bounds.pitch_ratio_min <= face.pitch_ratio <= bounds.pitch_ratio_max
    )
    found = {
        QualityProblem.MANY_FACES: second_ratio >= bounds.second_face_ratio,
        QualityProblem.TOO_FAR: face.eye_distance_px < bounds.eye_distance_min_px,
        QualityProblem.TOO_NEAR: face.eye_distance_ratio > bounds.eye_distance_max_ratio,
        QualityProblem.CUT_OFF: face.outside_ratio > bounds.outside_max_ratio,
        QualityProblem.DARK: face.bright_luma < bounds.brightness_min,
        QualityProblem.GLARE: face.glare_ratio > bounds.glare_max_ratio,
        QualityProblem.TURNED: turned,
        QualityProblem.BLURRED: face.sharpness < bounds.sharpness_min,
        QualityProblem.EYES_CLOSED: face.eye_open < open_min,
    }
    return tuple(problem for problem in QualityProblem if found.get(problem, False))


def score(face: FaceMeasures, bounds: QualitySettings) -> float:
    """0..1, to order frames for fusion: mean of size, pose, sharpness, light and eyes, 1 well inside the bounds."""
    pitch_middle = (bounds.pitch_ratio_min + bounds.pitch_ratio_max) / 2
    pitch_reach = max((bounds.pitch_ratio_max - bounds.pitch_ratio_min) / 2, 1e-6)
    turn = math.hypot(face.parallax / max(bounds.parallax_max, 1e-6), (face.pitch_ratio - pitch_middle) / pitch_reach)
    terms = (
        face.eye_distance_px / (2 * bounds.eye_distance_min_px),
        1 - turn / 2,
        face.sharpness / max(2 * bounds.sharpness_min, 1e-6),
        face.bright_luma / max(2 * bounds.brightness_min, 1e-6) - face.glare_ratio / max(bounds.glare_max_ratio, 1e-6),
        face.eye_open / max(2 * bounds.eye_open_min, 1e-6),
    )
    return sum(min(max(term, 0.0), 1.0) for term in terms) / len(terms)


def _openness(mesh_px: Mesh, outer: int, inner: int, upper: int, lower: int) -> float:
    width = math.dist(mesh_px[outer, :2].tolist(), mesh_px[inner, :2].tolist())
    return math.dist(mesh_px[upper, :2].tolist(), mesh_px[lower, :2].tolist()) / width if width > 0 else 0.0


def _pitch_ratio(mesh_px: Mesh) -> float:
    """Drops are taken at right angles to the eye line, so that roll doesn't count. 0.0 for a degenerate mesh."""
    right, left = mesh_px[RIGHT_EYE_OUTER, :2], mesh_px[LEFT_EYE_OUTER, :2]
    across = left - right
    down = np.array((-across[1], across[0]))
    nose, chin = (float((mesh_px[point, :2] - (right + left) / 2) @ down) for point in (NOSE_TIP, _CHIN))
    return nose / chin if chin > 0 else 0.0


def _outside_ratio(points: Mesh, box: _Box, width: int, height: int) -> float:
    if (box.lowest >= 0).all() and (box.highest < (width, height)).all():
        return 0.0
    return float(((points < 0).any(axis=1) | (points >= (width, height)).any(axis=1)).mean())


def _light(image: Image, points: Mesh, box: _Box) -> tuple[float, float, float]:
    """bright_luma, glare_ratio, sharpness of the face; zeros when too little of it lies in the frame to tell."""
    crop, inside = _face_crop(image, points, box)
    counts = np.cumsum(cv2.calcHist([crop], [0], inside, [256], [0, 256]), dtype=np.int64) if crop.size else _NOTHING
    pixels = int(counts[-1])
    if pixels < _FEWEST_PIXELS:
        return 0.0, 0.0, 0.0
    # The value with `rank` values below it: the first that more than `rank` values reach.
    rank = int(0.95 * (pixels - 1))
    bright = float(np.searchsorted(counts, rank, side="right"))
    return bright, (pixels - int(counts[_GLARE_LUMA - 1])) / pixels, _sharpness(crop, inside)


def _face_crop(image: Image, points: Mesh, box: _Box) -> tuple[Crop, Inside]:
    """Luma of the face's box, longer side CROP_PX, and which of its pixels lie inside the mesh's outline."""
    height, width = image.shape[:2]
    low = np.maximum(np.floor(box.lowest), 0).astype(int)
    high = np.minimum(np.ceil(box.highest) + 1, (width, height)).astype(int)
    if (high - low < 2).any():
        return np.zeros((0, 0), np.uint8), np.zeros((0, 0), np.uint8)
    scale = CROP_PX / max(high - low)
    size = tuple(max(2, round(float(side) * scale)) for side in high - low)
    part = image[low[1] : high[1], low[0] : high[0]]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    crop: Crop = np.asarray(cv2.resize(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY), size, interpolation=how), np.uint8)
    inside = np.zeros(crop.shape, np.uint8)
    cv2.fillConvexPoly(inside, cv2.convexHull(np.rint((points - low) * scale).astype(np.int32)), _INSIDE)
    return crop, inside


def _sharpness(crop: Crop, inside: Inside) -> float:
    soft = cv2.blur(crop, (5, 5))
    lost = total = 0
    for ahead, behind in _NEIGHBOURS:
        both = cv2.bitwise_and(inside[ahead], inside[behind])
        steps = cv2.bitwise_and(cv2.absdiff(crop[ahead], crop[behind]), both)
        left = cv2.absdiff(soft[ahead], soft[behind])
        total += int(cv2.sumElems(steps)[0])
        lost += int(cv2.sumElems(cv2.subtract(steps, left))[0])  # uint8 stops at 0: nothing is lost where blur adds
    return lost / total if total else 0.0
