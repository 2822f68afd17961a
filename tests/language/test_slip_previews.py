"""Slips of every kind on one screen, for each language and paper: snapshots to read with one's own eyes.

After a wanted change: EDGE_AGENT_WRITE_PREVIEWS=1 pytest tests/language, then read the difference before committing it.
"""

from __future__ import annotations

import os
import textwrap
from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.model import Reason
from edge_agent.core.slip import Line, QrCode, Slip, Style, compose
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import CASH, TERMINAL, claim, entitlement, given, refused

PREVIEWS = Path(__file__).parent / "previews"
COLUMNS = {58: 32, 80: 48}
"""Characters a line of font A on 58 mm and 80 mm paper."""


ISSUED_AT = datetime(2026, 11, 20, 2, 0, tzinfo=timezone.utc)
PORTION = replace(claim(), portion=1, left=Decimal(20), assisted_by="O-7", assist_reason="injury")
FETCHED = replace(claim("K7Q4-0014", CASH, "PKH"), proxy_id="S-000999")


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
        replace(given(PORTION, FETCHED), open_from=date(2026, 12, 8)),
        replace(refused(Reason.NOT_LIVE), tries=2),
        refused(Reason.ALREADY_CLAIMED, claim("K7Q4-0007"), entitlement()),
        replace(refused(Reason.NOT_YET_VALID, about=entitlement()), open_from=date(2026, 12, 1)),
    )
    dated = [replace(receipt, roster_issued_at=ISSUED_AT) for receipt in receipts]
    return [compose(receipt, TERMINAL, phrases, int(number == 0), "AS1:…") for number, receipt in enumerate(dated)]


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
