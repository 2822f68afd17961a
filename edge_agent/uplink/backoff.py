"""How long to wait before trying again: exponential with full jitter.

Owns nothing but a counter. Jitter matters more than the exponent: after a broker restart thousands of terminals come
back, and must not come back together ("Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

from __future__ import annotations

from collections.abc import Callable

_MAX_DOUBLINGS = 40


class Backoff:
    """Waits between min_s and max_s. `rng` gives floats in [0, 1)."""

    def __init__(self, min_s: float, max_s: float, rng: Callable[[], float]) -> None:
        self._min_s = min(min_s, max_s)
        self._max_s = max_s
        self._rng = rng
        self._tries = 0

    def next_s(self) -> float:
        """The next wait: uniform between min_s and a ceiling that doubles with every call, up to max_s."""
        self._tries = min(self._tries + 1, _MAX_DOUBLINGS)
        ceiling_s = min(self._max_s, self._min_s * 2.0**self._tries)
        return self._min_s + self._rng() * (ceiling_s - self._min_s)

    def reset(self) -> None:
        """It worked: the next wait is a short one again."""
        self._tries = 0
