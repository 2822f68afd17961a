"""How a head moves in front of the lamps, and the shape that a camera sees of it: a living head, or a flat print.

The figures of a pace are assumptions of the right order, not measurements of recipients (docs/liveness.md).

Rules: pure but for the generator it is given; angles are parallax as in `FaceObservation`, instants are monotonic
seconds of the terminal that looks.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Shape, Signal

_NOSE_TIP, _RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 1, 33, 263
_POINTS = 468
_FINENESS = 400
"""Parallax steps per unit at which shapes are kept."""
BLINK_S = 0.25
BLINK_EVERY_S = 4.0
EYES_OPEN, EYES_CLOSED = 0.30, 0.10


@dataclass(frozen=True)
class Pace:
    """A kind of person. Times are medians in seconds, drawn log-normally with `spread`; angles are parallax.

    reaction_s: from the light to the first movement; turn_s, back_s: for the whole way out (to `turn`) and back.
    sway: of a standing head; aside: how far from straight they stand (standard deviation). mistakes: share of turns
    begun the wrong way. blind_share: share of straight frames without a probe (blur, glare on glasses).
    """

    reaction_s: float = 0.6
    turn_s: float = 0.5
    back_s: float = 0.5
    spread: float = 0.2
    turn: float = 0.24
    sway: float = 0.015
    aside: float = 0.015
    mistakes: float = 0.0
    blind_share: float = 0.05


YOUNG = Pace()
OLD = Pace(reaction_s=0.9, turn_s=0.8, back_s=0.9, spread=0.25, sway=0.02, aside=0.02, mistakes=0.02)
SLOW = Pace(reaction_s=1.4, turn_s=1.1, back_s=1.3, spread=0.25, turn=0.22, sway=0.025, aside=0.02, blind_share=0.1)
STIFF = Pace(reaction_s=1.2, turn_s=1.0, back_s=1.0, turn=0.04, sway=0.01)
"""Can't turn the head: the slower, smaller turn of the second try is out of reach too."""


class Head:
    """Where one head is at each instant, given the signal it sees."""

    def __init__(self, pace: Pace, chance: random.Random) -> None:
        self._pace = pace
        self._chance = chance
        self._signal = Signal.READY
        self._acts_s = math.inf
        self._goal = 0.0
        self._turned = 0.0
        self._speed = 1.0
        self._seen_s: float | None = None
        self._neutral = max(-0.05, min(0.05, chance.gauss(0.0, pace.aside)))
        self._phase = chance.uniform(0, 2 * math.pi)
        self._blink_s: float | None = None

    def look(self, now_s: float, signal: Signal) -> tuple[float, float]:
        """(parallax, eye opening) at now_s, which never goes back."""
        pace = self._pace
        if signal is not self._signal:
            self._signal, self._acts_s = signal, now_s + self._drawn(pace.reaction_s)
        if now_s >= self._acts_s:
            self._acts_s = math.inf
            self._act()
        gap_s = 0.0 if self._seen_s is None else now_s - self._seen_s
        self._seen_s = now_s
        way = self._goal - self._turned
        self._turned += math.copysign(min(abs(way), self._speed * gap_s), way)
        sway = pace.sway * math.sin(2 * math.pi * 0.3 * now_s + self._phase)
        return self._neutral + self._turned + sway, self._opening(now_s)

    def _act(self) -> None:
        side = {Signal.TURN_LEFT: 1.0, Signal.TURN_RIGHT: -1.0}.get(self._signal, 0.0)
        if side and self._chance.random() < self._pace.mistakes:
            side = -side
        self._goal = side * self._pace.turn
        self._speed = self._pace.turn / self._drawn(self._pace.turn_s if side else self._pace.back_s)

    def _opening(self, now_s: float) -> float:
        if self._blink_s is None:
            self._blink_s = now_s + self._chance.expovariate(1 / BLINK_EVERY_S)
        if now_s >= self._blink_s + BLINK_S:
            self._blink_s = now_s + 0.5 + self._chance.expovariate(1 / BLINK_EVERY_S)
        closed = now_s >= self._blink_s
        return EYES_CLOSED if closed else EYES_OPEN + self._chance.gauss(0.0, 0.005)

    def _drawn(self, median_s: float) -> float:
        return median_s * math.exp(self._chance.gauss(0.0, self._pace.spread))


def head_shape(parallax: float) -> Shape:
    """The mesh of a living head turned so far, as its camera sees it; the same array for the same rounded parallax."""
    return _head_shape(round(parallax * _FINENESS))


@lru_cache(maxsize=1024)
def _head_shape(steps: int) -> Shape:
    return _seen(_HEAD, float(np.interp(steps / _FINENESS, _PARALLAXES, _YAWS)))


@lru_cache(maxsize=256)
def print_shape(yaw_deg: int) -> Shape:
    """The mesh found in a flat print that is held at this angle."""
    return _seen(_HEAD * (1.0, 1.0, 0.0), yaw_deg)


def _head() -> npt.NDArray[np.float64]:
    """Points of a head in eye distances: x to the recipient's left, y down, z towards the camera."""
    rng = np.random.default_rng(5)
    x, y = rng.uniform(-0.75, 0.75, _POINTS), rng.uniform(-0.5, 1.1, _POINTS)
    x[[_NOSE_TIP, _RIGHT_EYE_OUTER, _LEFT_EYE_OUTER]] = 0.0, -0.5, 0.5
    y[[_NOSE_TIP, _RIGHT_EYE_OUTER, _LEFT_EYE_OUTER]] = 0.5, 0.0, 0.0
    nose = 0.35 * np.exp(-((x / 0.15) ** 2) - ((y - 0.5) / 0.25) ** 2)
    return np.stack([x, y, 0.25 - 0.8 * x**2 + nose], axis=1)


def _seen(points: npt.NDArray[np.float64], yaw_deg: float) -> Shape:
    """From afar, after turning to the recipient's own left, in outer eye corner distances about their middle."""
    yaw = np.deg2rad(yaw_deg)
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    flat = (points @ turn.T)[:, :2]
    right, left = flat[_RIGHT_EYE_OUTER], flat[_LEFT_EYE_OUTER]
    x, y = left - right
    placed = (flat - (right + left) / 2) @ np.array([[x, -y], [y, x]]) / (x * x + y * y)
    return np.asarray(placed, np.float32)


_HEAD = _head()
_YAWS = np.arange(-60.0, 60.5, 0.5)
_PARALLAXES = [float(_seen(_HEAD, yaw)[_NOSE_TIP, 0]) for yaw in _YAWS]
