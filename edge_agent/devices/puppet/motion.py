"""How a body moves: reaching for a pose, swaying while standing still, blinking, looking about.

Rules: everything is a function of time (monotonic seconds) and of the generator given, never of the frame rate. Angles
are degrees; yaw is positive towards the person's own left, pitch when the head bows, roll clockwise in the picture.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pose:
    """Where a head points, degrees. eyelids: 0 open … 1 closed."""

    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    eyelids: float = 0.0


class Reach:
    """A value that moves to its target as a limb does: by the smoothest path (minimum jerk, Flash & Hogan 1985)."""

    def __init__(self, value: float) -> None:
        self._began_s = 0.0
        self._duration_s = 1.0
        self._path = np.polynomial.Polynomial([value])
        self._target = value

    @property
    def target(self) -> float:
        """Where it goes or rests."""
        return self._target

    def to(self, target: float, now_s: float, duration_s: float) -> None:
        """Start towards the target, from wherever it is and however fast it moves now."""
        at, speed = self.at(now_s), self.speed(now_s) * duration_s
        rest = target - at
        self._began_s, self._duration_s, self._target = now_s, duration_s, target
        self._path = np.polynomial.Polynomial(
            [at, speed, 0.0, 10 * rest - 6 * speed, -15 * rest + 8 * speed, 6 * rest - 3 * speed]
        )

    def at(self, now_s: float) -> float:
        """The value at now_s."""
        return float(self._path(self._share(now_s)))

    def speed(self, now_s: float) -> float:
        """Change per second at now_s."""
        share = self._share(now_s)
        return 0.0 if share in (0.0, 1.0) else float(self._path.deriv()(share)) / self._duration_s

    def arrived(self, now_s: float) -> bool:
        """Whether the target is reached."""
        return now_s >= self._began_s + self._duration_s

    def _share(self, now_s: float) -> float:
        return min(max((now_s - self._began_s) / self._duration_s, 0.0), 1.0)


class Sway:
    """A standing body is never still: a sum of four slow sines within ±amplitude, different for every generator."""

    def __init__(self, rng: np.random.Generator, amplitude: float, slowest_hz: float = 0.15, fastest_hz: float = 1.1):
        self._rates = 2 * math.pi * np.geomspace(slowest_hz, fastest_hz, 4) * rng.uniform(0.8, 1.2, 4)
        self._phases = rng.uniform(0, 2 * math.pi, 4)
        weights = 1 / np.sqrt(self._rates)
        self._weights = amplitude * weights / weights.sum()

    def at(self, now_s: float) -> float:
        """The offset at now_s."""
        return float(self._weights @ np.sin(self._rates * now_s + self._phases))


class Blinks:
    """Blinks every 2 to 6 s, 0.3 s each (people at rest: 15 to 20 a minute, 0.1 to 0.4 s; Bentivoglio et al. 1997)."""

    CLOSING_S, CLOSED_S, OPENING_S = 0.09, 0.05, 0.16

    def __init__(self, rng: np.random.Generator, begun_s: float) -> None:
        # Twenty minutes of blinks, the same ones again after that.
        self._starts: list[float] = np.cumsum(rng.uniform(2.0, 6.0, 300)).tolist()
        self._begun_s = begun_s

    def at(self, now_s: float) -> float:
        """How far the eyelids are closed, 0 … 1."""
        since_s = (now_s - self._begun_s) % float(self._starts[-1])
        index = bisect_right(self._starts, since_s) - 1
        if index < 0:
            return 0.0
        into_s = since_s - self._starts[index]
        if into_s < self.CLOSING_S:
            return into_s / self.CLOSING_S
        open_again = (into_s - self.CLOSING_S - self.CLOSED_S) / self.OPENING_S
        return min(max(1.0 - open_again, 0.0), 1.0)


class LookingAbout:
    """Turns of the head that nobody asked for: a new direction every 0.8 to 2.2 s, straight ahead every other time."""

    def __init__(
        self, rng: np.random.Generator, reach_deg: float, begun_s: float, least_deg: float | None = None
    ) -> None:
        self._rng = rng
        self._reach_deg = reach_deg
        self._least_deg = 0.6 * reach_deg if least_deg is None else least_deg
        self._yaw = Reach(0.0)
        self._next_s = begun_s

    def at(self, now_s: float) -> float:
        """Yaw in degrees. Times must not fall."""
        while now_s >= self._next_s:
            aside = self._least_deg >= self._reach_deg or self._yaw.target == 0.0
            side = self._rng.choice((-1.0, 1.0)) * self._rng.uniform(self._least_deg, self._reach_deg)
            self._yaw.to(float(side) if aside else 0.0, self._next_s, 0.6)
            self._next_s += float(self._rng.uniform(0.8, 2.2))
        return self._yaw.at(now_s)
