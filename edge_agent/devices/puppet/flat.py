"""A flat thing in space: a sheet of paper or a screen, turned and seen in perspective. It has no depth of its own.

Rules: the sheet turns about its anchor, a place of its texture that is put where it is told to be; angles as in
`motion`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.devices.puppet.head_shape import EYE_DISTANCE_M, rotation
from edge_agent.devices.puppet.layers import Layer, lay_over
from edge_agent.devices.puppet.motion import Pose
from edge_agent.devices.puppet.placement import Placement
from edge_agent.ports import Image


@dataclass(frozen=True, eq=False)
class Sheet:
    """texture: what is printed or shown. anchor_px: (x, y) of the texture that is put at the placement's eyes.
    unit_px: texture pixels that are to look as long as the placement's eye distance, where the sheet is not tilted."""

    texture: Layer
    anchor_px: tuple[float, float]
    unit_px: float


def draw_sheet(picture: Image, sheet: Sheet, placement: Placement, tilt: Pose) -> None:
    """Draw into the picture (RGB uint8), over what is there."""
    size = (picture.shape[1], picture.shape[0])
    matrix = sheet_to_picture(sheet, placement, tilt)
    lay_over(picture, np.asarray(cv2.warpPerspective(sheet.texture, matrix, size), np.uint8))


def sheet_to_picture(sheet: Sheet, placement: Placement, tilt: Pose) -> npt.NDArray[np.float64]:
    """The homography (3, 3) from texture pixels to the picture's."""
    height, width = sheet.texture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    flat = (corners - np.array(sheet.anchor_px)) / sheet.unit_px
    turned = np.column_stack([flat, np.zeros(4)]) @ rotation(tilt).T
    camera = placement.distance_m / EYE_DISTANCE_M
    shrink = camera / np.maximum(camera + turned[:, 2], 0.1 * camera)
    seen = turned[:, :2] * shrink[:, None] * placement.eye_distance_px + np.array(placement.eyes_px)
    return np.asarray(cv2.getPerspectiveTransform(corners, seen.astype(np.float32)), np.float64)
