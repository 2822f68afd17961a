"""The live timeline: phase, LEDs and seconds, and what reached the broker, as lines for people.

On a terminal the last line runs along, LEDs blinking as they do on the panel; elsewhere only changes are printed.
"""

from __future__ import annotations

import time
from typing import Any, TextIO

from edge_agent.core.model import Signal
from edge_agent.demo.broker import Received
from edge_agent.devices.led_patterns import PATTERNS, lit_at
from edge_agent.devices.led_simulated import draw

_OUTCOME_STYLE = {"GIVEN": "1;92", "REFERRED": "1;93", "NOT_ENTITLED": "1;91", "ABANDONED": "1;90"}


class Timeline:
    """Writes to one stream. Nothing here decides anything."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tty = stream.isatty()
        self._begun_s = time.monotonic()
        self._phase, self._phase_s = "STARTING", self._begun_s
        self._signal, self._signal_s = Signal.STARTING, self._begun_s

    def say(self, text: str) -> None:
        """A line of its own."""
        self._line(f"{self._clock()}  {text}")

    def log(self, record: dict[str, Any]) -> None:
        """A line of the daemon's log."""
        event = record.get("event")
        if event == "phase":
            took_s = time.monotonic() - self._phase_s
            self._phase, self._phase_s = str(record["phase"]), time.monotonic()
            self._line(f"{self._clock()}  {record['after']:<14} {took_s:5.1f} s   → {self._phase}")
        elif event == "signal":
            self._signal, self._signal_s = Signal(record["signal"]), time.monotonic()
            if not self._tty:
                self._line(f"{self._clock()}  {self._leds()}  {PATTERNS[self._signal].action.en}")
        elif event == "session_ended":
            self._outcome(record)
        elif event == "not_json" or record.get("level") in ("error", "critical"):
            self._line(f"{self._clock()}  {self._styled('91', str(record.get('text') or record))}")

    def received(self, message: Received) -> None:
        """What the subscriber saw at the broker."""
        leaf = message.topic.rsplit("/", 1)[-1]
        payload = message.payload
        if leaf == "events":
            outcome = payload["data"].get("reason") or payload["data"].get("case_number") or ""
            self._line(f"{self._clock()}  broker ← #{payload['sequence']} {payload['type']} {outcome}".rstrip())
        elif leaf == "status":
            self._line(f"{self._clock()}  broker ← status: {payload['state']}")

    def run_along(self) -> None:
        """Draw the running line again (terminals only)."""
        if self._tty:
            seconds = time.monotonic() - self._phase_s
            action = PATTERNS[self._signal].action.en
            self._stream.write(f"\r\x1b[K{self._clock()}  {self._leds()}  {self._phase} {seconds:4.1f} s  {action}")
            self._stream.flush()

    def _outcome(self, record: dict[str, Any]) -> None:
        outcome, reason = str(record["outcome"]), record.get("reason")
        told = outcome if reason is None else f"{outcome} ({reason})"
        styled = self._styled(_OUTCOME_STYLE[outcome], told)
        self._line(f"{self._clock()}  {styled} after {record['duration_s']:.1f} s, case {record.get('case') or '—'}")

    def _leds(self) -> str:
        lit = lit_at(PATTERNS[self._signal], time.monotonic() - self._signal_s)
        if self._tty:
            return draw(lit)
        return (
            "[" + " ".join(name if name in lit else "·" for name in ("left", "right", "green", "yellow", "red")) + "]"
        )

    def _clock(self) -> str:
        return f"{time.monotonic() - self._begun_s:6.1f} s"

    def _styled(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self._tty else text

    def _line(self, text: str) -> None:
        self._stream.write(("\r\x1b[K" if self._tty else "") + text + "\n")
        self._stream.flush()
