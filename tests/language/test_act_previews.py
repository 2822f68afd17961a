"""The slips of officers' acts on one screen, for each language: snapshots to read with one's own eyes.

After a wanted change: EDGE_AGENT_WRITE_PREVIEWS=1 pytest tests/language, then read the difference before committing it.
"""

from __future__ import annotations

import os

import pytest

from edge_agent.core.act_slip import compose_act
from edge_agent.core.officer_acts import Act, ActProblem
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import TERMINAL
from tests.core.test_act_slip import DAY_END, VOIDED, receipt
from tests.language.test_slip_previews import COLUMNS, PREVIEWS, render

ACTS = (
    DAY_END,
    receipt(Act.VOID, copy=VOIDED, second_officer_id="o2"),
    receipt(Act.VOID, problem=ActProblem.SAME_OFFICER, second_officer_id="o1"),
    receipt(Act.REFERRAL_RESOLVED),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_preview(language: str) -> None:
    columns = COLUMNS[58]
    sheets = [render(compose_act(act, TERMINAL, CataloguePhrases(language), "AS1:…"), columns) for act in ACTS]
    assert all(len(row) <= columns for sheet in sheets for row in sheet)
    screen = "".join("\n".join(sheet) + "\n\n" for sheet in sheets)
    path = PREVIEWS / f"{language}-acts-58mm.txt"
    if os.environ.get("EDGE_AGENT_WRITE_PREVIEWS"):
        path.write_text(screen, encoding="utf-8")
    assert screen == path.read_text(encoding="utf-8")
