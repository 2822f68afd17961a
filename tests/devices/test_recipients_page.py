"""The recipients' page shows what lights, sounds and slips are today."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from edge_agent.core.model import Signal

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "recipients.md"


def test_page_and_pictures_are_in_step() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make-recipients-page"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_is_shown_in_both_languages(signal: Signal) -> None:
    indonesian, english = PAGE.read_text(encoding="utf-8").split("## For recipients")
    for half in (indonesian, english):
        assert f"recipients/{signal.value}.svg" in half


def test_every_picture_on_the_page_is_there_and_small() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in set(re.findall(r"recipients/[\w-]+\.(?:svg|png)", text)):
        path = ROOT / "docs" / name
        assert 500 < path.stat().st_size < 60_000
        if path.suffix == ".png":
            with Image.open(path) as picture:
                assert picture.width >= 300
