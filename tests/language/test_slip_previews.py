"""The three kinds of slip on one screen, for each language and paper: snapshots to read with one's own eyes.

After a wanted change: EDGE_AGENT_WRITE_PREVIEWS=1 pytest tests/language, then read the difference before committing it.
"""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from edge_agent.core.model import Reason
from edge_agent.core.slip import Line, QrCode, Slip, Style, compose
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import CASH, TERMINAL, claim, entitlement, given, refused

PREVIEWS = Path(__file__).parent / "previews"
COLUMNS = {58: 32, 80: 48}
"""Characters a line of font A on 58 mm and 80 mm paper."""


def render(slip: Slip, columns: int) -> list[str]:
    rows: list[str] = []
    for part in slip.parts:
        if isinstance(part, QrCode):
            rows += [row.center(columns) for row in textwrap.wrap(f"[QR {part.text}]", columns)]
        elif part.style is Style.RULE:
            rows.append("-" * columns)
        else:
            rows += paragraph(part, columns)
    return [row.rstrip() for row in rows]


def paragraph(line: Line, columns: int) -> list[str]:
    mark = "*" if line.style is Style.STRONG else ""
    text = f"{mark}{line.text}{mark}" if line.text else ""
    gap = columns - len(text) - len(line.right)
    if line.right and gap >= 1:
        return [text + " " * gap + line.right]
    rows = textwrap.wrap(text, columns)
    if line.centred:
        rows = [row.center(columns) for row in rows]
    return rows + [row.rjust(columns) for row in textwrap.wrap(line.right, columns)]


def slips(language: str) -> list[Slip]:
    phrases = CataloguePhrases(language)
    receipts = (
        given(claim(), claim("K7Q4-0014", CASH, "PKH"), remaining=(CASH,)),
        refused(Reason.NOT_LIVE),
        refused(Reason.ALREADY_CLAIMED, claim("K7Q4-0007"), entitlement()),
    )
    return [compose(receipt, TERMINAL, phrases, copy=receipt.outcome.value == "GIVEN") for receipt in receipts]


@pytest.mark.parametrize("paper_mm", COLUMNS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_preview(language: str, paper_mm: int) -> None:
    columns = COLUMNS[paper_mm]
    sheets = [render(slip, columns) for slip in slips(language)]
    assert all(len(row) <= columns for sheet in sheets for row in sheet)
    height = max(len(sheet) for sheet in sheets)
    padded = [[row.ljust(columns) for row in sheet] + [" " * columns] * (height - len(sheet)) for sheet in sheets]
    screen = "".join("  |  ".join(rows).rstrip() + "\n" for rows in zip(*padded, strict=True))
    path = PREVIEWS / f"{language}-{paper_mm}mm.txt"
    if os.environ.get("EDGE_AGENT_WRITE_PREVIEWS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen, encoding="utf-8")
    assert screen == path.read_text(encoding="utf-8")
