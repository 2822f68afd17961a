"""A sheet bent round an upright cylinder, its middle towards the camera, turned and seen in perspective.

Rules: as `devices/puppet/flat.py`, whose sheet this bends; drawn by casting a ray through each pixel.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_agent.devices.puppet.flat import Sheet
from edge_agent.devices.puppet.head_shape import EYE_DISTANCE_M, rotation
from edge_agent.devices.puppet.layers import lay_over
from edge_agent.devices.puppet.motion import Pose
from edge_agent.devices.puppet.placement import Placement
from edge_agent.ports import Image


def draw_curved(picture: Image, sheet: Sheet, placement: Placement, tilt: Pose, radius: float) -> None:
    """Draw into the picture (RGB uint8), over what is there. radius: of the cylinder, in eye distances.

    The axis stands upright in the sheet, behind the anchor.
    """
    height, width = picture.shape[:2]
    left, top, right, bottom = _box(sheet, placement, width, height)
    if right <= left or bottom <= top:
        return
    camera = placement.distance_m / EYE_DISTANCE_M
    unit = placement.eye_distance_px
    xs, ys = np.meshgrid(
        (np.arange(left, right) - placement.eyes_px[0]) / (unit * camera),
        (np.arange(top, bottom) - placement.eyes_px[1]) / (unit * camera),
    )
    turn = rotation(tilt)
    ox, oy, oz = (turn.T @ np.array([0.0, 0.0, -camera])).tolist()
    dx = turn[0, 0] * xs + turn[1, 0] * ys + turn[2, 0]
    dy = turn[0, 1] * xs + turn[1, 1] * ys + turn[2, 1]
    dz = turn[0, 2] * xs + turn[1, 2] * ys + turn[2, 2]
    # Where the ray first meets x² + (z - radius)² = radius².
    a, b, c = dx**2 + dz**2, ox * dx + (oz - radius) * dz, ox**2 + (oz - radius) ** 2 - radius**2
    root = b**2 - a * c
    hit = root > 0
    along = (-b - np.sqrt(np.maximum(root, 0))) / a
    around = np.arctan2(ox + along * dx, radius - (oz + along * dz))
    seen_x = np.where(hit, around * radius * sheet.unit_px + sheet.anchor_px[0], -1e4).astype(np.float32)
    seen_y = np.where(hit, (oy + along * dy) * sheet.unit_px + sheet.anchor_px[1], -1e4).astype(np.float32)
    drawn = cv2.remap(sheet.texture, seen_x, seen_y, cv2.INTER_LINEAR)
    box = np.ascontiguousarray(picture[top:bottom, left:right])
    lay_over(box, np.asarray(drawn, np.uint8))
    picture[top:bottom, left:right] = box


def _box(sheet: Sheet, placement: Placement, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of all the sheet may cover, within the picture: its longest reach, however turned."""
    rows, columns = sheet.texture.shape[:2]
    reach = max(
        float(np.hypot(x - sheet.anchor_px[0], y - sheet.anchor_px[1])) for x in (0, columns) for y in (0, rows)
    )
    reach_px = 1.25 * reach / sheet.unit_px * placement.eye_distance_px
    x, y = placement.eyes_px
    return (
        max(0, int(x - reach_px)),
        max(0, int(y - reach_px)),
        min(width, int(x + reach_px)),
        min(height, int(y + reach_px)),
    )
