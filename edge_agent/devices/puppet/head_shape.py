"""The head in the portrait as a solid: depth for every part of it, and where each part goes when the head turns.

The face's depth is that of its mesh; hair and ears lie where the silhouette of a head lies, about above the ears; the
neck follows the head less and less downwards, the body not at all. A turned view is drawn by asking of every place in
the view which place of the portrait is seen there (the inverse of the displacement, by fixed-point iteration).

Rules: units are portrait pixels; x right, y down, z away from the camera, 0 at the outer eye corners.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.devices.puppet.face import CHIN, LEFT_EYE_OUTER, RIGHT_EYE_OUTER, PuppetFace
from edge_agent.devices.puppet.motion import Pose

Field = npt.NDArray[np.float32]
"""Vectors or places on a grid, (h, w, 2) float32: x, y."""

DEPTH_GAIN = 1.38
"""Mesh depth -> depth that turns as real heads do: parallax ±0.24 at ±20° (design.md, *Liveness*), as the landmarker
sees it. MediaPipe's mesh is flatter than a head, and the grid smooths the nose."""

EYE_DISTANCE_M = 0.09
"""Outer eye corner distance of an adult, metres (biocular breadth, 9 cm: NASA-STD-3000, anthropometry)."""

_CELLS_PER_UNIT = 20
_NO_MAP: Any = None
"""OpenCV's second map, which its type stubs don't let one leave out."""
_SILHOUETTE_DEPTH = 0.6
"""Of hair and ears behind the eye corners, in eye distances. Deeper is truer, but folds the picture at the cheeks."""
_PIVOT_DEPTH = 0.85
"""Of the neck's axis behind the eye corners, in eye distances: the atlas joint lies about above the back of the jaw."""
_ITERATIONS = 9
_DAMPING = 0.65
"""Share of each correction taken: stays stable where the picture is stretched up to threefold, beside the nose."""


class HeadShape:
    """Displacements of one face."""

    def __init__(self, face: PuppetFace) -> None:
        unit = face.unit_px
        eyes = face.eyes
        chin_y = float(face.mesh[CHIN, 1])
        self._unit = unit
        self._cell = unit / _CELLS_PER_UNIT
        self._left, self._top = float(eyes[0]) - 2.2 * unit, float(eyes[1]) - 2.4 * unit
        columns = math.ceil(4.4 * unit / self._cell)
        rows = math.ceil((chin_y + 1.2 * unit - self._top) / self._cell)
        xs = self._left + self._cell * np.arange(columns)
        ys = self._top + self._cell * np.arange(rows)
        grid_x, grid_y = np.meshgrid(xs, ys)
        self._at = np.stack([grid_x, grid_y], axis=2).astype(np.float32)
        self._z = self._depth(face, rows, columns)
        self._follows = _follows((grid_x - eyes[0]) / unit, (grid_y - chin_y) / unit).astype(np.float32)
        self._pivot = np.array([eyes[0], chin_y, _PIVOT_DEPTH * unit])
        self._middle = (float(eyes[0]), float(eyes[1]))

    def displacement(self, pose: Pose, distance_m: float) -> Field:
        """How far each grid place of the portrait moves in the picture, portrait pixels, seen from distance_m."""
        camera = distance_m / EYE_DISTANCE_M * self._unit
        px, py, pz = self._pivot.tolist()
        mx, my = self._middle
        # Undo the perspective of the straight view, turn about the neck, look again.
        spread = (camera + self._z) / camera
        x = (self._at[:, :, 0] - mx) * spread + (mx - px)
        y = (self._at[:, :, 1] - my) * spread + (my - py)
        z = self._z - pz
        turn = rotation(pose)
        moved_z = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z + pz
        shrink = camera / (camera + moved_z)
        moved_x = (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z + (px - mx)) * shrink + mx
        moved_y = (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z + (py - my)) * shrink + my
        moved = np.stack([moved_x, moved_y], axis=2)
        return ((moved - self._at) * self._follows[:, :, None]).astype(np.float32)

    def seen_at(self, places: Field, displacement: Field) -> Field:
        """For each place of the turned view (portrait pixels) the place of the portrait that is seen there."""
        origin = np.array([self._left, self._top], np.float32)
        scale = np.float32(1 / self._cell)
        seen = places
        for _ in range(_ITERATIONS):
            lookup = (seen - origin) * scale
            moved = cv2.remap(displacement, lookup, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            seen = seen + np.float32(_DAMPING) * (places - moved - seen)
        return seen

    def _depth(self, face: PuppetFace, rows: int, columns: int) -> Field:
        """Depth on the grid: the mesh's where there is mesh, the silhouette's far out, harmonic between."""
        straight = face.mesh[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], 2].mean()
        mesh_z = (face.mesh[:, 2] - straight) * DEPTH_GAIN
        furthest = _SILHOUETTE_DEPTH * self._unit
        mesh_z = np.where(mesh_z > 0, furthest * np.tanh(mesh_z / furthest), mesh_z)
        cells = np.rint((face.mesh[:, :2] - (self._left, self._top)) / self._cell).astype(int)
        total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
        inside = (cells >= 0).all(axis=1) & (cells < (columns, rows)).all(axis=1)
        np.add.at(total, (cells[inside, 1], cells[inside, 0]), mesh_z[inside])
        np.add.at(count, (cells[inside, 1], cells[inside, 0]), 1)
        depth = np.full((rows, columns), furthest)
        known = count > 0
        depth[known] = total[known] / count[known]
        hull = np.zeros((rows, columns), np.uint8)
        cv2.fillConvexPoly(hull, cv2.convexHull(cells.astype(np.int32)), 1)
        # Half an eye distance around the face is left to be filled, too: ears and hair slope back, they don't jump.
        reach = 2 * (_CELLS_PER_UNIT // 2) + 1
        free = (cv2.dilate(hull, np.ones((reach, reach), np.uint8)) > 0) & ~known
        filled = depth.astype(np.float32)
        for _ in range(400):
            filled = np.where(free, cv2.blur(filled, (3, 3)), filled)
        return np.asarray(cv2.GaussianBlur(filled, (0, 0), 1.5), np.float32)


def rotation(pose: Pose) -> npt.NDArray[np.float64]:
    """Roll after pitch after yaw. A turn to the person's own left takes the nose (z < 0) to the right (x > 0)."""
    yaw, pitch, roll = (math.radians(angle) for angle in (pose.yaw_deg, pose.pitch_deg, pose.roll_deg))
    turn = np.array([[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]])
    nod = np.array([[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]])
    tilt = np.array([[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]])
    turned: npt.NDArray[np.float64] = tilt @ nod @ turn
    return turned


def _follows(beside: npt.NDArray[np.float64], below: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Share of the head's movement that each place joins in, 0..1: head wholly, neck less and less, shoulders not.

    beside: of the middle of the face, below: of the chin, in eye distances.
    """
    shoulder = _smooth_step(below / 0.3 + 1.0) * _smooth_step((np.abs(beside) - 0.8) / 0.6)
    return _smooth_step(1.0 - below) * (1.0 - shoulder)


def _smooth_step(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    clipped = np.clip(share, 0.0, 1.0)
    return clipped * clipped * (3 - 2 * clipped)
