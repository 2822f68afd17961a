"""Head turn as parallax: how far the nose tip has moved against the eyes. Owns that one measure and its sign.

Rule: only points of the picture plane are used, never the mesh's own depth, because a mesh is given depth even on a
flat photograph while its nose and eyes stay put (design.md, *Liveness*).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mesh = npt.NDArray[np.float32]
"""Face mesh in pixels of the frame, shape (478, 2 or 3): x right, y down; the third column is not used here."""

MESH_POINTS = 468
"""Points the mesh model really gives; the ten iris points after them may be padding (models/README.md)."""

NOSE_TIP = 1
RIGHT_EYE_OUTER = 33
"""Outer corner of the person's own right eye: left in an unmirrored picture."""
LEFT_EYE_OUTER = 263


def parallax(mesh_px: Mesh) -> float:
    """Nose tip minus the middle of the outer eye corners, along the eye line, over the eye distance.

    Positive when the head turns to the person's own left, which is to the right in an unmirrored picture (seen in
    `speaker_a.mp4`: -0.24 … +0.23 at about ±20°). 0.0 for a degenerate mesh whose eye corners coincide.
    """
    right = mesh_px[RIGHT_EYE_OUTER, :2].astype(np.float64)
    left = mesh_px[LEFT_EYE_OUTER, :2].astype(np.float64)
    line = left - right
    squared = float(line @ line)
    if squared == 0.0:
        return 0.0
    return float((mesh_px[NOSE_TIP, :2] - (right + left) / 2) @ line) / squared
