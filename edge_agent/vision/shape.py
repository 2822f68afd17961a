"""The shape of a face: its mesh without place, size and roll, as `core.model.Shape`. Owns that normalisation."""

from __future__ import annotations

import numpy as np

from edge_agent.core.model import Shape
from edge_agent.vision.parallax import LEFT_EYE_OUTER, MESH_POINTS, RIGHT_EYE_OUTER, Mesh


def shape_of(mesh_px: Mesh) -> Shape:
    """(468, 2) float32. mesh_px: (478, 2 or 3), pixels. All zeros for a mesh whose eye corners coincide."""
    points = mesh_px[:MESH_POINTS, :2].astype(np.float64)
    right, left = points[RIGHT_EYE_OUTER], points[LEFT_EYE_OUTER]
    x, y = (left - right).tolist()
    squared = x * x + y * y
    if squared == 0.0:
        return np.zeros((MESH_POINTS, 2), np.float32)
    # Onto the eye line and across it, over the eye distance: one rotation and scaling.
    return np.asarray((points - (right + left) / 2) @ np.array([[x, -y], [y, x]]) / squared, np.float32)
