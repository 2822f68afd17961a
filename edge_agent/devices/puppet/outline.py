"""The outline of a person in a portrait, found from the face mesh: what moves when a puppet of it moves.

Rules: the same picture gives the same outline.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image

Polygon = npt.NDArray[np.int32]
"""Corners (n, 2), x and y, pixels."""

_MESH_POINTS: Final = 468
_OUTER_EYES, _CHIN = (33, 263), 152


def find_outline(
    bgr: Image, mesh: npt.NDArray[np.floating], keep: Sequence[Polygon] = (), drop: Sequence[Polygon] = ()
) -> Polygon:
    """Corners (n, 2) of the person's outline, by GrabCut from a rough figure around the mesh (468+, 2+).

    keep, drop: what is certainly the person, or certainly not.
    """
    mask = _rough_figure(bgr.shape[0], bgr.shape[1], mesh)
    for polygons, label in ((keep, cv2.GC_FGD), (drop, cv2.GC_BGD)):
        for polygon in polygons:
            cv2.fillPoly(mask, [polygon], (label,))
    cv2.setRNGSeed(1)
    cv2.grabCut(bgr, mask, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_MASK)
    person = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    person = np.asarray(cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)), np.uint8)
    person = np.asarray(cv2.morphologyEx(person, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), np.uint8)
    contours, _ = cv2.findContours(person, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(contours, key=cv2.contourArea)
    return np.asarray(cv2.approxPolyDP(largest, 0.7, True), np.int32).reshape(-1, 2)


def _rough_figure(height: int, width: int, mesh: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    """GrabCut labels: the face and the middle of the body are the person, beside the head is not, the rest is open."""
    eyes = mesh[list(_OUTER_EYES), :2]
    unit = float(np.linalg.norm(eyes[1] - eyes[0]))
    x, y = eyes.mean(axis=0).tolist()
    chin_y = float(mesh[_CHIN, 1])
    mask = np.full((height, width), cv2.GC_PR_BGD, np.uint8)
    axes = (round(1.35 * unit), round(1.75 * unit))
    cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, (cv2.GC_PR_FGD,), -1)
    body = ((0.6, 0.0), (3.0, 2.2), (3.0, 99.0))
    cv2.fillConvexPoly(mask, _symmetric(body, x, chin_y, unit, height), (cv2.GC_PR_FGD,))
    cv2.fillConvexPoly(mask, cv2.convexHull(mesh[:_MESH_POINTS, :2].astype(np.int32)), (cv2.GC_FGD,))
    cv2.fillConvexPoly(mask, _symmetric(((0.35, 0.0), (1.3, 99.0)), x, chin_y, unit, height), (cv2.GC_FGD,))
    mask[: max(0, round(y - 2.2 * unit))] = cv2.GC_BGD
    mask[: round(chin_y), : max(0, round(x - 1.8 * unit))] = cv2.GC_BGD
    mask[: round(chin_y), round(x + 1.8 * unit) :] = cv2.GC_BGD
    return mask


def _symmetric(half: tuple[tuple[float, float], ...], x: float, y: float, unit: float, height: int) -> Polygon:
    """A polygon symmetric about the vertical at x: corners of its right half, in `unit`s from (x, y)."""
    right = [(x + dx * unit, min(y + dy * unit, height)) for dx, dy in half]
    left = [(2 * x - px, py) for px, py in reversed(right)]
    return np.asarray(np.rint(np.array(right + left)), np.int32)
