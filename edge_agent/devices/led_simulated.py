"""LEDs that exist only as a history, and as one line on a terminal when wanted.

Rules: `show`, `tick` and `close` come from the main thread; `lit` and `history` may be called from any thread (the
puppet camera watches the LEDs). Names and symbols tell what is on; colour only adds to them.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TextIO

from edge_agent.core.model import Signal
from edge_agent.devices.led_patterns import LEDS, Lit
from edge_agent.devices.led_player import PatternPlayer

_HISTORY_LIMIT = 4096
"""Changes kept: over a quarter of an hour of the fastest pattern (five changes a second)."""

_SGR = {"left": "97", "right": "97", "green": "92", "yellow": "93", "red": "91"}
"""ANSI colour of each LED (ECMA-48 SGR, bright)."""


class SimulatedLeds:
    """A `ports.LedPanel` without hardware.

    stream: draw the LEDs there, in place, at each change; nothing is drawn when it is None or no terminal.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._player = PatternPlayer()
        self._lock = threading.Lock()
        self._lit: Lit = frozenset()
        self._history: deque[tuple[float, Lit]] = deque(maxlen=_HISTORY_LIMIT)
        self._stream = stream if stream is not None and stream.isatty() else None
        self._drawn = False
        self._last_s = 0.0

    def show(self, signal: Signal, now_s: float) -> None:
        """Begin this signal's pattern; it is seen from the next tick on."""
        self._player.show(signal, now_s)

    def tick(self, now_s: float) -> None:
        """Take over what is lit now. Never raises LedError."""
        self._light(self._player.lit(now_s), now_s)

    def lit(self) -> Lit:
        """The LEDs that are on since the last tick."""
        with self._lock:
            return self._lit

    def history(self) -> tuple[tuple[float, Lit], ...]:
        """The last changes, oldest first: (monotonic seconds, LEDs on from then). Fit for `led_patterns.recognise`."""
        with self._lock:
            return tuple(self._history)

    def close(self) -> None:
        """All off; the drawn line is left as it is and ended."""
        self._player.show(Signal.STOPPED, self._last_s)
        self._light(frozenset(), self._last_s)
        if self._stream is not None and self._drawn:
            self._stream.write("\n")
            self._stream.flush()
            self._drawn = False

    def _light(self, lit: Lit, now_s: float) -> None:
        with self._lock:
            self._last_s = now_s
            if lit == self._lit and self._history:
                return
            self._lit = lit
            self._history.append((now_s, lit))
        if self._stream is not None:
            self._stream.write("\r\x1b[K" + draw(lit, unicode="utf" in (self._stream.encoding or "").lower()))
            self._stream.flush()
            self._drawn = True


def draw(lit: Lit, *, unicode: bool = True) -> str:
    """One line with every LED: a filled symbol and its name in its colour when on, hollow and dim when off."""
    on, off = ("●", "○") if unicode else ("*", ".")
    shown = []
    for name in LEDS:
        style, symbol, label = (_SGR[name], on, name.upper()) if name in lit else ("2", off, name)
        shown.append(f"\x1b[{style}m{symbol} {label}\x1b[0m")
    return "  ".join(shown)
