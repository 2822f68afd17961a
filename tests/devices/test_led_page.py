"""The technicians' page says what the terminal plays."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge_agent.core.model import Signal
from edge_agent.devices.led_patterns import PATTERNS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "leds.md"


def test_the_page_is_in_step_with_the_patterns() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make-led-page"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_every_signal_is_explained_in_both_languages() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for signal in Signal:
        rows = [line for line in lines if line.startswith(f"| `{signal.value}` ")]
        assert len(rows) == 2, "once in each language"
        assert PATTERNS[signal].meaning.id in rows[0]
        assert PATTERNS[signal].action.en in rows[1]
