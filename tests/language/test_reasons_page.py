"""The table of reasons says what the slips say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge_agent.core.model import Reason
from edge_agent.core.reason_codes import code_of
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import printable_reasons

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reasons.md"


def test_the_page_is_in_step_with_code_and_texts() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "make-reasons-page"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_every_reason_has_its_row_with_all_its_texts() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    for reason in Reason:
        (row,) = [line for line in lines if line.startswith(f"| {code_of(reason)} | `{reason.value}` ")]
        assert f"`{reason.outcome.value}`" in row
        if reason in printable_reasons():
            assert all(CataloguePhrases(language).text(f"next.{reason.value}") in row for language in LANGUAGES)
