"""Wall time is trusted only when the kernel says so, and every record can be told from one of another boot."""

from __future__ import annotations

import pytest

from edge_agent import clock as clocks
from edge_agent.clock import SystemClock, kernel_clock_synchronised


def test_now_carries_utc_trust_monotonic_time_and_boot() -> None:
    first, second = SystemClock(lambda: True).now(), SystemClock(lambda: False).now()
    assert first.utc.utcoffset().total_seconds() == 0  # type: ignore[union-attr]
    assert (first.clock_trusted, second.clock_trusted) == (True, False)
    assert second.monotonic_ms >= first.monotonic_ms
    assert first.boot_id == second.boot_id


def test_trust_is_asked_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [False, True]
    clock = SystemClock(lambda: answers.pop(0))
    assert not clock.trusted
    assert not clock.trusted  # not asked again yet
    later_s = clocks.time.monotonic() + 11.0
    monkeypatch.setattr(clocks.time, "monotonic", lambda: later_s)
    assert clock.trusted


def test_the_kernel_answers() -> None:
    assert kernel_clock_synchronised() in (True, False)
