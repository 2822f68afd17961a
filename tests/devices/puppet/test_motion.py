"""Bodies: reaching without jerks, swaying within bounds, blinking like people."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.devices.puppet.motion import Blinks, LookingAbout, Reach, Sway


def test_a_reach_starts_and_ends_at_rest_and_arrives() -> None:
    reach = Reach(2.0)
    reach.to(10.0, now_s=5.0, duration_s=0.5)
    assert reach.at(5.0) == pytest.approx(2.0)
    assert not reach.arrived(5.4)
    assert reach.arrived(5.5)
    assert reach.at(7.0) == pytest.approx(10.0)
    assert reach.speed(7.0) == 0.0
    halfway = reach.at(5.25)
    assert halfway == pytest.approx(6.0)


def test_a_reach_changed_on_the_way_neither_jumps_nor_kinks() -> None:
    reach = Reach(0.0)
    reach.to(20.0, 0.0, 0.6)
    at, speed = reach.at(0.3), reach.speed(0.3)
    reach.to(0.0, 0.3, 0.6)
    assert reach.at(0.3) == pytest.approx(at)
    assert reach.at(0.301) == pytest.approx(at + 0.001 * speed, abs=0.01)
    assert reach.at(0.9) == pytest.approx(0.0, abs=1e-9)


def test_sway_moves_and_stays_within_its_amplitude() -> None:
    sway = Sway(np.random.default_rng(1), 3.0)
    seen = np.array([sway.at(t) for t in np.arange(0, 120, 0.05)])
    assert np.abs(seen).max() <= 3.0
    assert seen.std() > 0.5
    assert np.abs(np.diff(seen)).max() < 1.0


def test_people_blink_ten_to_thirty_times_a_minute_and_their_eyes_are_open_mostly() -> None:
    blinks = Blinks(np.random.default_rng(1), 0.0)
    closed = np.array([blinks.at(t) for t in np.arange(0, 60, 0.01)])
    begun = np.count_nonzero((closed[1:] >= 0.5) & (closed[:-1] < 0.5))
    assert 10 <= begun <= 30
    assert closed.max() == 1.0
    assert (closed == 0.0).mean() > 0.85


def test_looking_about_turns_both_ways_and_comes_back() -> None:
    about = LookingAbout(np.random.default_rng(1), 24.0, 0.0)
    seen = np.array([about.at(t) for t in np.arange(0, 60, 0.05)])
    assert seen.max() > 14.0
    assert seen.min() < -14.0
    assert (np.abs(seen) < 1.0).mean() > 0.2
