"""Visitors: what they do on each signal, when, and when they don't. No picture is drawn here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.puppet.behaviour import ENDINGS, NEAR_M, Visitor
from edge_agent.devices.puppet.script import PuppetScript, Visit
from edge_agent.devices.puppet.visits import Visits

STEP_S = 1 / 15


class Played:
    """A visitor and the time; what the head did since the last signal."""

    def __init__(self, **visit: Any) -> None:
        self.now_s = 100.0
        self.visitor = Visitor(Visit.model_validate(visit), np.random.default_rng(3), self.now_s)
        self.under(None, 4.0)

    def under(self, signal: Signal | None, seconds: float) -> list[float]:
        """Yaw in degrees, frame by frame, while this signal is shown."""
        yaws = []
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self.visitor.watch(signal, self.now_s)
            yaws.append(self.visitor.stance(self.now_s).pose.yaw_deg)
        return yaws

    @property
    def distance_m(self) -> float:
        return self.visitor.stance(self.now_s).distance_m


def first_beyond(yaws: list[float], degrees: float) -> float:
    return STEP_S * next(index for index, yaw in enumerate(yaws) if abs(yaw) > degrees)


def test_a_visitor_walks_up_from_afar_and_from_the_side() -> None:
    visitor = Visitor(Visit(), np.random.default_rng(3), 0.0)
    first, last = visitor.stance(0.0), visitor.stance(4.0)
    assert first.distance_m > 3 * last.distance_m
    assert abs(first.aside) > 1.0
    assert last.distance_m == pytest.approx(NEAR_M)
    assert abs(last.aside) < 0.1


@pytest.mark.parametrize(("signal", "sign"), [(Signal.TURN_LEFT, 1), (Signal.TURN_RIGHT, -1)])
def test_a_cue_is_answered_the_right_way_after_a_human_time_and_held(signal: Signal, sign: int) -> None:
    played = Played()
    yaws = played.under(signal, 3.0)
    assert 0.35 <= first_beyond(yaws, 5.0) <= 1.4
    assert all(18.0 < sign * yaw < 28.0 for yaw in yaws[-20:])


@pytest.mark.parametrize("after", [Signal.LOOK_AHEAD, Signal.HOLD_STILL, Signal.WORKING])
def test_the_head_returns_when_the_cue_ends(after: Signal) -> None:
    played = Played()
    played.under(Signal.TURN_LEFT, 2.5)
    yaws = played.under(after, 2.5)
    assert yaws[2] > 15.0
    assert all(abs(yaw) < 4.0 for yaw in yaws[-10:])


def test_a_moment_in_which_the_lights_tell_nothing_changes_nothing() -> None:
    played = Played()
    played.under(Signal.TURN_LEFT, 2.5)
    assert all(yaw > 15.0 for yaw in played.under(None, 2.0))


def test_the_second_cue_in_the_same_direction_is_answered_again() -> None:
    played = Played()
    for _ in range(2):
        assert max(played.under(Signal.TURN_LEFT, 2.0)) > 18.0
        assert abs(played.under(Signal.LOOK_AHEAD, 2.0)[-1]) < 4.0


def test_late_is_too_late() -> None:
    yaws = Played(behaviour="late").under(Signal.TURN_LEFT, 6.0)
    assert first_beyond(yaws, 5.0) > 3.0


def test_wrong_is_the_other_way() -> None:
    assert min(Played(behaviour="wrong").under(Signal.TURN_LEFT, 2.5)) < -18.0


def test_one_who_ignores_the_lights_looks_straight() -> None:
    assert max(map(abs, Played(behaviour="ignores").under(Signal.TURN_LEFT, 5.0))) < 4.0


def test_one_who_looks_away_rarely_faces_the_camera() -> None:
    yaws = Played(behaviour="looks_away").under(Signal.LOOK_HERE, 20.0)
    assert np.mean([abs(yaw) > 15.0 for yaw in yaws]) > 0.6


def test_one_who_walks_off_leaves_at_the_first_cue() -> None:
    played = Played(behaviour="walks_off")
    played.under(Signal.HOLD_STILL, 3.0)
    assert not played.visitor.leaving
    played.under(Signal.TURN_RIGHT, 1.0)
    assert played.visitor.leaving
    played.under(Signal.TURN_RIGHT, 2.0)
    assert played.visitor.gone(played.now_s)


def test_a_visitor_comes_closer_and_steps_back_as_asked_and_again_while_asked() -> None:
    played = Played()
    played.under(Signal.COME_CLOSER, 1.6)
    once = played.distance_m
    assert once < 0.9 * NEAR_M
    played.under(Signal.COME_CLOSER, 2.5)
    assert played.distance_m < 0.9 * once
    played.under(Signal.STEP_BACK, 1.6)
    assert played.distance_m > once * 0.7


@pytest.mark.parametrize("ending", sorted(ENDINGS))
def test_after_an_outcome_a_visitor_stays_a_while_and_goes(ending: Signal) -> None:
    played = Played(stay_after_s=3.0)
    played.under(ending, 2.9)
    assert not played.visitor.leaving
    played.under(ending, 1.2)
    assert played.visitor.leaving
    # What comes on the lights meanwhile brings nobody back.
    played.under(Signal.TURN_LEFT, 2.0)
    assert played.visitor.gone(played.now_s)


def test_nobody_stays_longer_than_at_most() -> None:
    played = Played(at_most_s=6.0)
    played.under(Signal.HOLD_STILL, 2.5)
    assert played.visitor.leaving


def visits(*entries: dict[str, Any], **script: Any) -> Visits:
    return Visits(PuppetScript.model_validate({"visits": entries, **script}), 1, 0.0)


def run(played: Visits, signal: Signal | None, from_s: float, to_s: float) -> list[float]:
    """Instants at which somebody new came."""
    times = np.arange(from_s, to_s, 0.1).tolist()
    return [now_s for now_s in times if played.watch(signal, now_s)]


def test_a_visit_begins_at_ready_and_not_before_the_pause() -> None:
    played = visits({"pause_s": 5.0})
    assert run(played, Signal.STARTING, 0.0, 10.0) == []
    assert run(played, Signal.READY, 10.0, 12.0) == [10.0]
    early = visits({"pause_s": 5.0})
    assert run(early, Signal.READY, 0.0, 8.0) == [pytest.approx(5.0)]


def test_the_next_visitor_waits_for_the_last_to_be_gone() -> None:
    played = visits({"stay_after_s": 1.0}, {"pause_s": 3.0, "who": "second"})
    run(played, Signal.READY, 0.0, 5.0)
    run(played, Signal.GIVEN, 5.0, 10.0)
    assert played.visitor is None
    (came_s,) = run(played, Signal.READY, 10.0, 20.0)
    assert played.number == 1
    assert played.visit.who == "second"
    assert came_s < 14.0


def play_all(played: Visits, count: int) -> None:
    for number in range(count):
        run(played, Signal.READY, 40.0 * number, 40.0 * number + 10)
        assert played.visitor is not None
        run(played, Signal.GIVEN, 40.0 * number + 10, 40.0 * number + 40)


def test_after_the_last_visit_nobody_comes_the_footage_ends_or_it_begins_again() -> None:
    empty, ending, repeating = (visits({}, {}, then=then) for then in ("stay_empty", "end", "repeat"))
    play_all(empty, 2)
    assert run(empty, Signal.READY, 100.0, 130.0) == []
    assert not empty.over
    assert not ending.over
    play_all(ending, 2)
    assert ending.over
    play_all(repeating, 5)
    assert repeating.number == 4
    assert not repeating.over
