"""What a buzzer does for each signal, as data, and who plays it. Shared by every buzzer driver.

Rules: a sound is made once, when its signal begins, and never repeated: a terminal that goes on beeping is switched off
by its neighbours. Nothing is longer than a second. REFERRED and NOT_ENTITLED sound the same, and neither sounds like an
alarm: a queue listens. One short beep is left (or: read), two are right, three are "not taken"; one long beep is done;
long and short is "ask the officer"; two long ones are a terminal that needs its officer. Guidance by quality is silent:
it changes too often. Durations are multiples of 0.1 s, the agent's tick.
"""

from __future__ import annotations

from edge_agent.core.model import Signal

Beeps = tuple[float, ...]
"""Seconds on, off, on, …; begins and ends with on. Empty: silence."""

_READ: Beeps = (0.1,)
_REFUSED: Beeps = (0.1, 0.1, 0.1, 0.1, 0.1)
_DONE: Beeps = (0.5,)
_SEE_OFFICER: Beeps = (0.4, 0.2, 0.1)
_NEEDS_OFFICER: Beeps = (0.4, 0.2, 0.4)

BUZZES: dict[Signal, Beeps] = {
    **dict.fromkeys(Signal, ()),
    Signal.TURN_LEFT: (0.1,),
    Signal.TURN_RIGHT: (0.1, 0.2, 0.1),
    Signal.SHOW_CARD: (0.1, 0.1, 0.3),
    Signal.CARD_READ: _READ,
    Signal.CARD_REFUSED: _REFUSED,
    Signal.BADGE_READ: _READ,
    Signal.NEXT_CARD: _READ,
    Signal.ACT_DONE: _DONE,
    Signal.ACT_REFUSED: _REFUSED,
    Signal.GIVEN: _DONE,
    Signal.REFERRED: _SEE_OFFICER,
    Signal.NOT_ENTITLED: _SEE_OFFICER,
    Signal.TAKE_SLIP_FAILED: _NEEDS_OFFICER,
    Signal.PAPER_OUT: _NEEDS_OFFICER,
    Signal.OUT_OF_SERVICE: _NEEDS_OFFICER,
}
"""What each signal sounds like; most are silent."""


def on_at(beeps: Beeps, elapsed_s: float) -> bool:
    """Whether the buzzer is on `elapsed_s` seconds after the sound began."""
    # A nanosecond forgives the float sum of ticks that should land exactly on an edge.
    left_s = elapsed_s + 1e-9
    for index, duration_s in enumerate(beeps):
        if left_s < duration_s:
            return index % 2 == 0
        left_s -= duration_s
    return False


class BuzzPlayer:
    """Holds the signal and when it began. Starts silent."""

    def __init__(self) -> None:
        self._signal = Signal.STOPPED
        self._began_s = 0.0

    def show(self, signal: Signal, now_s: float) -> bool:
        """Begin at now_s (monotonic seconds), unless this signal is the one already shown; whether it makes a sound."""
        if signal is self._signal:
            return False
        self._signal, self._began_s = signal, now_s
        return bool(BUZZES[signal])

    def on(self, now_s: float) -> bool:
        """Whether the buzzer is to be on at now_s."""
        return on_at(BUZZES[self._signal], max(0.0, now_s - self._began_s))
