"""Progress says nothing of what is quick, and on a log no more than a line now and then."""

from __future__ import annotations

import io

import pytest

from edge_agent import progress
from edge_agent.progress import Progress


def test_progress_speaks_after_two_seconds_and_tells_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    out = io.StringIO()
    told = Progress("photographs", 1000, out)
    for count, at_s in ((10, 101.0), (25, 102.5), (30, 103.0), (1000, 104.0)):
        now[0] = at_s
        told.done(count)
    assert out.getvalue().splitlines() == [
        "photographs: 25 of 1,000, 98 s left",
        "photographs: 1,000 of 1,000, 0 s left",
    ]


def test_what_is_quick_says_nothing() -> None:
    out = io.StringIO()
    Progress("photographs", 1, out).done(1)
    assert out.getvalue() == ""
