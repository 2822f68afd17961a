"""Bezel: a dark frame with four straight sides and something brighter outside it, that encloses the whole face.

Rules: a pure function of one frame. A side counts only where its outer edge is seen inside the picture. What stands
behind a person (door, picture, blackboard) doesn't enclose them, because the body that reaches the picture's lower edge
interrupts its outline; a black scarf or hair encloses the face, but has no four straight sides.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image
from edge_agent.vision.parallax import MESH_POINTS, Mesh

WIDTH_PX: Final = 160
"""Longer side of the picture looked at: a bezel of a centimetre at arm's length is then 2 to 3 px wide."""

_DARK_SHARES = (0.2, 0.35)
"""Of the picture's 95th percentile of luma; black plastic, with and without light falling on it."""
_CLOSING_PX = 7
"""Gaps as wide as a finger that holds the screen are closed."""
_CORNER_SLACKS = (0.02, 0.03, 0.04, 0.06, 0.08)
"""Of the outline's length: how far it may lie off the quadrilateral that is fitted to it, the tightest first."""
_EDGE_PX = 3
_NEAR_PX, _STRAIGHT_PX = 2.0, 1.0
_FEWEST_POINTS = 8
_FOUR_SIDES = (0.35, 0.75)
_THREE_SIDES = (0.45, 0.90)
_THREE_SIDES_MOST = 0.6
"""The lower side and two others: a doorway behind a dark table, all but closed, must not decide alone."""

Mask = npt.NDArray[np.uint8]
Points = npt.NDArray[np.float64]


def bezel(image_rgb: Image, mesh_px: Mesh) -> float:
    """How surely a dark frame encloses the face, 0..1. image_rgb: uint8 (h, w, 3); mesh_px: (478, 2+)."""
    top, left, right, bottom = bezel_sides(image_rgb, mesh_px)
    four = float(np.interp(min(top, left, right, bottom), _FOUR_SIDES, (0.0, 1.0)))
    second = sorted((top, left, right))[1]
    three = float(np.interp(min(bottom, second), _THREE_SIDES, (0.0, _THREE_SIDES_MOST)))
    return max(four, three)


def bezel_sides(image_rgb: Image, mesh_px: Mesh) -> tuple[float, float, float, float]:
    """Shares of the top, left, right and bottom side of what encloses the face that are straight, dark and free."""
    height, width = image_rgb.shape[:2]
    scale = WIDTH_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    luma = cv2.cvtColor(cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    # One free pixel around the picture (see _enclosed).
    points = np.rint(mesh_px[:MESH_POINTS, :2] * scale).astype(np.int32) + 1
    face = cv2.convexHull(np.clip(points, 0, (size[0] + 1, size[1] + 1)))[:, 0]
    white = float(np.percentile(luma, 95))
    best = (0.0, 0.0, 0.0, 0.0)
    for share in _DARK_SHARES:
        outline = _enclosed(np.asarray(luma < share * white, np.uint8), face)
        if outline is not None:
            best = max(best, _sides(outline, size), key=sorted)
    return best


def _enclosed(dark: Mask, face: npt.NDArray[Any]) -> Points | None:
    """Outline (n, 2) of the dark thing that has the whole face inside it; None where there is none.

    Inside is whatever can't be reached from the picture's edge without crossing something dark.
    """
    pad = _CLOSING_PX + 1
    padded = cv2.copyMakeBorder(dark, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(0,))
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((_CLOSING_PX, _CLOSING_PX), np.uint8))
    things = np.ascontiguousarray(closed[pad - 1 : 1 - pad, pad - 1 : 1 - pad])
    things[[0, -1]] = 0
    things[:, [0, -1]] = 0
    cv2.floodFill(things, None, (0, 0), (2,))
    labels = cv2.connectedComponents(np.asarray(things != 2, np.uint8), connectivity=4)[1]
    under = labels[face[:, 1], face[:, 0]]
    if under[0] == 0 or (under != under[0]).any():
        return None
    thing = np.asarray(labels == under[0], np.uint8)
    contours, _ = cv2.findContours(thing, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.asarray(max(contours, key=len)[:, 0], np.float64)


def _sides(outline: Points, size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Shares covered of the top, left, right and bottom side of the quadrilateral round the outline."""
    corners = _corners(outline)
    if corners is None:
        return 0.0, 0.0, 0.0, 0.0
    limits = np.array(size) + 1 - _EDGE_PX
    inner = outline[((outline >= _EDGE_PX) & (outline <= limits)).all(axis=1)]
    middle = corners.mean(axis=0)
    covered = {"top": 0.0, "left": 0.0, "right": 0.0, "bottom": 0.0}
    for begin, end in pairwise([*corners, corners[0]]):
        x, y = ((begin + end) / 2 - middle).tolist()
        upright = abs(x) > abs(y)
        side = ("right" if x > 0 else "left") if upright else ("bottom" if y > 0 else "top")
        covered[side] = max(covered[side], _covered(inner, begin, end))
    return covered["top"], covered["left"], covered["right"], covered["bottom"]


def _corners(outline: Points) -> Points | None:
    """Four corners (4, 2) of the outline's hull, if four describe it."""
    hull = cv2.convexHull(outline.astype(np.int32))
    length = cv2.arcLength(hull, closed=True)
    for slack in _CORNER_SLACKS:
        corners = cv2.approxPolyDP(hull, slack * length, closed=True)
        if len(corners) <= 4:
            return np.asarray(corners[:, 0], np.float64) if len(corners) == 4 else None
    return None


def _covered(points: Points, begin: Points, end: Points) -> float:
    """Share of the side from begin to end, in whole pixels, along which points lie on one straight line."""
    length = float(np.hypot(*(end - begin)))
    if length < 1.0:
        return 0.0
    x, y = ((end - begin) / length).tolist()
    along, off = (points - begin) @ np.array([x, y]), (points - begin) @ np.array([-y, x])
    within = (along >= 0) & (along <= length)
    near = within & (np.abs(off) < _NEAR_PX)
    if np.count_nonzero(near) < _FEWEST_POINTS:
        return 0.0
    slope, offset = np.polyfit(along[near], off[near], 1)
    straight = within & (np.abs(off - slope * along - offset) < _STRAIGHT_PX)
    return min(1.0, len(np.unique(along[straight].astype(int))) / length)
