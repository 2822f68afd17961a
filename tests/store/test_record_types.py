"""Types of records: each is on its page, and the page names no other."""

from __future__ import annotations

import re
from pathlib import Path

from edge_agent.store import record_types

PAGE = Path(__file__).parents[2] / "docs" / "records.md"


def test_the_page_has_every_type_and_no_other() -> None:
    types = {value for value in vars(record_types).values() if isinstance(value, str) and value.startswith("aid.")}
    table = PAGE.read_text(encoding="utf-8").partition("## Types")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(aid\.[a-z.]+\.v\d+)` \|", table, re.MULTILINE))
    assert listed == types
