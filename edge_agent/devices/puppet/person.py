"""Draws a person into a picture: the portrait's figure, its head turned, its eyelids, as large as it is near.

Rules: fast enough for a slow core: coordinates are worked out on a grid of every fourth pixel, everything else is
prepared when a face is loaded. Belongs to one thread (the eyelids are drawn into the textures).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from edge_agent.devices.puppet.eyelids import STEPS, EyeBand, eye_band
from edge_agent.devices.puppet.face import PuppetFace
from edge_agent.devices.puppet.head_shape import Field, HeadShape
from edge_agent.devices.puppet.layers import Layer, lay_over, layer
from edge_agent.devices.puppet.motion import Pose
from edge_agent.devices.puppet.placement import Placement
from edge_agent.ports import Image

_GRID_PX = 4
_FINEST = 2.0
_NO_MAP: Any = None
"""OpenCV's second map, which its type stubs don't let one leave out."""


@dataclass
class _Texture:
    """The figure at one resolution."""

    scale: float
    pixels: Layer
    eyes: EyeBand
    eyelids: int = 0

    def set_eyelids(self, step: int) -> None:
        if step != self.eyelids:
            band = self.eyes.steps[step]
            height, width = band.shape[:2]
            top, left = self.eyes.top, self.eyes.left
            self.pixels[top : top + height, left : left + width] = band
            self.eyelids = step


class Person:
    """One face in pictures of one size."""

    def __init__(self, face: PuppetFace, width_px: int, height_px: int) -> None:
        self._face = face
        self._size = (width_px, height_px)
        self._shape = HeadShape(face)
        columns = -(-width_px // _GRID_PX)
        rows = -(-height_px // _GRID_PX)
        # Where cv2.resize will take these grid points to be.
        xs, ys = np.meshgrid((np.arange(columns) + 0.5) * _GRID_PX - 0.5, (np.arange(rows) + 0.5) * _GRID_PX - 0.5)
        self._grid = np.stack([xs, ys], axis=2).astype(np.float32)
        self._textures = [_texture(face, scale) for scale in (_FINEST, 1.0, 0.5)]

    def draw(self, picture: Image, placement: Placement, pose: Pose) -> None:
        """Draw into the picture (RGB uint8, of the size given at the start), over what is there."""
        zoom = placement.eye_distance_px / self._face.unit_px
        texture = next((one for one in self._textures[::-1] if one.scale >= zoom), self._textures[0])
        texture.set_eyelids(round(min(max(pose.eyelids, 0.0), 1.0) * (STEPS - 1)))
        places = self._straight(placement, zoom)
        seen = self._shape.seen_at(places, self._shape.displacement(pose, placement.distance_m))
        # Pixel centres: a texture of another scale begins half a pixel of its own before the portrait's first centre.
        lookup = (seen + np.float32(0.5)) * np.float32(texture.scale) - np.float32(0.5)
        width, height = self._size
        full = (lookup.shape[1] * _GRID_PX, lookup.shape[0] * _GRID_PX)
        lookup = np.asarray(cv2.resize(lookup, full, interpolation=cv2.INTER_LINEAR), np.float32)[:height, :width]
        figure = cv2.remap(texture.pixels, lookup, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        lay_over(picture, np.asarray(figure, np.uint8))

    def _straight(self, placement: Placement, zoom: float) -> Field:
        """Place of the portrait under each grid point, were the head straight."""
        turn = np.deg2rad(-placement.lean_deg)
        cos, sin = float(np.cos(turn)) / zoom, float(np.sin(turn)) / zoom
        matrix = np.array([[cos, -sin], [sin, cos]])
        offset = self._face.eyes - matrix @ np.array(placement.eyes_px)
        return np.asarray(cv2.transform(self._grid, np.hstack([matrix, offset[:, None]])), np.float32)


def _texture(face: PuppetFace, scale: float) -> _Texture:
    height, width = face.image.shape[:2]
    size = (round(width * scale), round(height * scale))
    how = cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA
    colour = np.asarray(cv2.resize(face.image, size, interpolation=how), np.uint8)
    alpha = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(alpha, [np.rint(face.outline * scale).astype(np.int32)], (255,), cv2.LINE_AA)
    # One pixel in from the outline, so that no seam of the old background shows; then soft.
    alpha = np.asarray(cv2.erode(alpha, np.ones((3, 3), np.uint8)), np.uint8)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), max(0.6, 0.8 * scale)), np.uint8)
    pixels = layer(colour, alpha)
    return _Texture(scale, pixels, eye_band(pixels, face.mesh * scale))
