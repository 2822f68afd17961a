"""How a cheap camera records a scene: out of focus far away, smeared by motion, under drifting light, with noise.

Rules: noise depends on the seed and the frame's number only, so that any frame can be made again.
"""

from __future__ import annotations

import cv2
import numpy as np

from edge_agent.devices.puppet.motion import Sway
from edge_agent.ports import Image

NOISE_LEVELS = 2.2
"""Standard deviation of a pixel's noise, grey levels: an indoor webcam at moderate gain."""

_EXPOSURE_S = 1 / 50
_SPREAD_PX = 64
_FOCUS_M = 0.9
_UNFOCUSED_PX_PER_M = 1.0


class Sensor:
    """Records pictures of one size (RGB uint8)."""

    def __init__(self, seed: int, width_px: int, height_px: int) -> None:
        rng = np.random.default_rng((seed, 7))
        self._seed = seed
        size = (height_px + _SPREAD_PX, width_px + _SPREAD_PX, 3)
        self._noise = np.clip(np.rint(rng.normal(128, NOISE_LEVELS, size)), 0, 255).astype(np.uint8)
        self._light = Sway(rng, 0.08, 0.02, 0.3)

    def record(
        self, scene: Image, sequence: int, now_s: float, distance_m: float = 0.6, speed_px_s: float = 0.0
    ) -> Image:
        """The picture of this scene. distance_m: of what matters in it; speed_px_s: how fast that moves sideways."""
        height, width = scene.shape[:2]
        sigma = _UNFOCUSED_PX_PER_M * (distance_m - _FOCUS_M) * height / 480
        if sigma > 0.3:
            scene = np.asarray(cv2.GaussianBlur(scene, (0, 0), sigma), np.uint8)
        smear = round(speed_px_s * _EXPOSURE_S)
        if smear > 1:
            scene = np.asarray(cv2.blur(scene, (min(smear, 31), 1)), np.uint8)
        left, top = np.random.default_rng((self._seed, 11, sequence)).integers(0, _SPREAD_PX, 2).tolist()
        noise = self._noise[top : top + height, left : left + width]
        gain = 1.0 + self._light.at(now_s)
        return np.asarray(cv2.addWeighted(scene, gain, noise, 1.0, -128.0), np.uint8)
