from __future__ import annotations

import random

import pytest

from edge_agent.uplink.backoff import Backoff


def test_the_ceiling_doubles_up_to_the_most() -> None:
    backoff = Backoff(1.0, 10.0, lambda: 1.0)
    assert [backoff.next_s() for _ in range(6)] == [2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


def test_every_wait_lies_between_the_bounds_and_even_the_first_is_spread() -> None:
    backoff = Backoff(1.0, 300.0, random.Random(3).random)
    firsts = []
    for _ in range(200):
        firsts.append(backoff.next_s())
        waits = [backoff.next_s() for _ in range(20)]
        assert all(1.0 <= wait <= 300.0 for wait in waits)
        assert max(waits) > 100.0
        backoff.reset()
    assert min(firsts) < 1.1
    assert max(firsts) > 1.9


def test_it_goes_on_for_years() -> None:
    backoff = Backoff(1.0, 300.0, lambda: 0.5)
    for _ in range(5000):
        backoff.next_s()
    assert backoff.next_s() == pytest.approx(150.5)


def test_bounds_the_wrong_way_round_wait_the_most() -> None:
    assert Backoff(60.0, 5.0, lambda: 0.9).next_s() == 5.0
