"""A clock that only moves when somebody sleeps."""

from __future__ import annotations

from collections.abc import Callable


class SteppedClock:
    """Call it for the time in seconds. every: called with the time after each step of at most step_s."""

    def __init__(self, now_s: float, step_s: float = 0.05, every: Callable[[float], None] | None = None) -> None:
        self._now_s = now_s
        self._step_s = step_s
        self._every = every

    def __call__(self) -> float:
        return self._now_s

    def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        until_s = self._now_s + seconds
        while self._now_s < until_s:
            self._now_s = min(self._now_s + self._step_s, until_s)
            if self._every is not None:
                self._every(self._now_s)
