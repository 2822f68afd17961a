"""Shapes of turned faces for tests: 468 points on a head, on a flat sheet, or on a bent one, seen from afar."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import FrameCues, Shape

NOSE_TIP, RIGHT_EYE_OUTER, LEFT_EYE_OUTER = 1, 33, 263


def _face() -> npt.NDArray[np.float64]:
    """Points of a head in eye distances: x to the recipient's left, y down, z towards the camera."""
    rng = np.random.default_rng(5)
    x, y = rng.uniform(-0.75, 0.75, 468), rng.uniform(-0.5, 1.1, 468)
    x[[NOSE_TIP, RIGHT_EYE_OUTER, LEFT_EYE_OUTER]] = 0.0, -0.5, 0.5
    y[[NOSE_TIP, RIGHT_EYE_OUTER, LEFT_EYE_OUTER]] = 0.5, 0.0, 0.0
    nose = 0.35 * np.exp(-((x / 0.15) ** 2) - ((y - 0.5) / 0.25) ** 2)
    return np.stack([x, y, 0.25 - 0.8 * x**2 + nose], axis=1)


HEAD = _face()
SHEET = HEAD * (1.0, 1.0, 0.0)


def bent(radius: float) -> npt.NDArray[np.float64]:
    """A print round an upright cylinder; radius in eye distances."""
    around = SHEET[:, 0] / radius
    return np.stack([radius * np.sin(around), SHEET[:, 1], radius * np.cos(around)], axis=1)


def seen(points: npt.NDArray[np.float64], yaw_deg: float, pitch_deg: float = 0.0) -> Shape:
    """The shape after turning to the recipient's own left (yaw) and bowing (pitch)."""
    yaw, pitch = np.deg2rad(yaw_deg), np.deg2rad(pitch_deg)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    bow = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    flat = (points @ (bow @ turn).T)[:, :2]
    right, left = flat[RIGHT_EYE_OUTER], flat[LEFT_EYE_OUTER]
    x, y = left - right
    rotated = (flat - (right + left) / 2) @ np.array([[x, -y], [y, x]]) / (x * x + y * y)
    return np.asarray(rotated, np.float32)


def parallax_of(shape: Shape) -> float:
    """The parallax this shape shows."""
    return float(shape[NOSE_TIP, 0])


_YAWS = np.arange(-60.0, 60.5, 0.5)
_PARALLAXES = [parallax_of(seen(HEAD, yaw)) for yaw in _YAWS]


@lru_cache(maxsize=4096)
def turned_to(parallax: float) -> Shape:
    """The head's shape at this parallax."""
    return seen(HEAD, float(np.interp(parallax, _PARALLAXES, _YAWS)))


def cues(parallax: float, now_s: float) -> FrameCues:
    """What a living head turned this far shows at this time: a blink every 3 s, and never the same pixels twice."""
    return FrameCues(turned_to(parallax), 0.1 if now_s % 3.0 < 0.25 else 0.3, hash(now_s))
