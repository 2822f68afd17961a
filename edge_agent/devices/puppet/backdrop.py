"""What stands behind the person: it stays where it is when they move.

Rules: made once for each size; callers get a copy to draw on.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_agent.devices.puppet.face import PuppetFace
from edge_agent.devices.puppet.script import Backdrop
from edge_agent.ports import Image

_WALL = (178, 176, 168)


def backdrop(kind: Backdrop, face: PuppetFace, width_px: int, height_px: int) -> Image:
    """RGB uint8 (height_px, width_px, 3)."""
    if kind is Backdrop.BLURRED:
        return _blurred(face, width_px, height_px)
    rows = np.linspace(0, 1, height_px)[:, None]
    columns = np.linspace(-1, 1, width_px)[None, :]
    light = 1.05 - 0.12 * rows - 0.10 * columns**2
    return np.asarray(np.clip(light[:, :, None] * np.array(_WALL), 0, 255), np.uint8)


def _blurred(face: PuppetFace, width_px: int, height_px: int) -> Image:
    """The portrait's background without the person, far out of focus: an average of background pixels only."""
    around = np.full(face.image.shape[:2], 255, np.uint8)
    cv2.fillPoly(around, [face.outline], (0,))
    weight = cv2.erode(around, np.ones((9, 9), np.uint8)).astype(np.float32) / 255
    sigma = face.unit_px * 0.5
    colours = cv2.GaussianBlur(face.image.astype(np.float32) * weight[:, :, None], (0, 0), sigma)
    shares = cv2.GaussianBlur(weight, (0, 0), sigma)
    total = np.maximum(shares, 1e-4)[:, :, None]
    mean = colours.sum(axis=(0, 1)) / max(float(shares.sum()), 1e-4)
    known = np.minimum(shares / 0.1, 1.0)[:, :, None]
    filled = cv2.GaussianBlur(known * colours / total + (1 - known) * mean, (0, 0), sigma)
    return np.asarray(np.clip(cv2.resize(filled, (width_px, height_px)), 0, 255), np.uint8)
