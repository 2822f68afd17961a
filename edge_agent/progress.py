"""How far long work has come, on standard error: one changing line on a screen, else a line now and then."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TextIO

SCREEN_EVERY_S = 0.2
LOG_EVERY_S = 10.0


class Progress:
    """Tells `done` of `total`; says nothing of what takes less than two seconds."""

    def __init__(self, what: str, total: int, out: TextIO | None = None) -> None:
        self._what, self._total = what, total
        self._out = sys.stderr if out is None else out
        self._screen = self._out.isatty()
        self._began = monotonic()
        self._said = self._began + 2.0 - (SCREEN_EVERY_S if self._screen else LOG_EVERY_S)
        self._spoke = False

    def done(self, count: int, note: str = "") -> None:
        """`count` are finished; note: what else to say."""
        now = monotonic()
        last = count >= self._total
        if now - self._said < (SCREEN_EVERY_S if self._screen else LOG_EVERY_S) and not (last and self._spoke):
            return
        self._said, self._spoke = now, True
        left_s = (now - self._began) / max(count, 1) * (self._total - count)
        line = f"{self._what}: {count:,} of {self._total:,}, {left_s:.0f} s left{', ' + note if note else ''}"
        self._out.write(f"\r{line:<78}{chr(10) if last else ''}" if self._screen else f"{line}\n")
        self._out.flush()
