"""Every signal has a pattern, patterns are safe, and each can be read back from the LEDs after any other."""

from __future__ import annotations

import itertools

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.led_patterns import LEDS, PATTERNS, TOLERANCE_S, Lit, lit_at, recognise
from edge_agent.devices.led_player import PatternPlayer

TICK_S = 0.1
CUES = (Signal.TURN_LEFT, Signal.TURN_RIGHT, Signal.LOOK_AHEAD)


def play(shown: list[tuple[float, Signal]], until_s: float, late_s: float = 0.0) -> list[tuple[float, Lit]]:
    """The history of a panel ticked every 0.1 s; every other tick comes late_s late."""
    player = PatternPlayer()
    pending = list(shown)
    history: list[tuple[float, Lit]] = []
    for tick in range(round(until_s / TICK_S) + 1):
        now_s = tick * TICK_S
        while pending and pending[0][0] <= now_s + 1e-9:
            player.show(pending.pop(0)[1], now_s)
        lit = player.lit(now_s + late_s * (tick % 2))
        if not history or history[-1][1] != lit:
            history.append((now_s + late_s * (tick % 2), lit))
    return history


def test_every_signal_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Signal)


@pytest.mark.parametrize("signal", Signal)
def test_a_pattern_is_well_formed(signal: Signal) -> None:
    pattern = PATTERNS[signal]
    for step in pattern.steps:
        assert step.lit <= set(LEDS)
        assert step.duration_s > 0
        assert step.duration_s / TICK_S == pytest.approx(round(step.duration_s / TICK_S))
    if not pattern.held:
        for step, following in itertools.pairwise([*pattern.steps, pattern.steps[0]]):
            assert step.lit != following.lit
    assert pattern.steps[0].lit or signal is Signal.STOPPED
    for told in (pattern.meaning, pattern.action):
        assert told.id.strip()
        assert told.en.strip()


@pytest.mark.parametrize("signal", Signal)
def test_no_pattern_flashes_in_the_range_that_can_start_a_seizure(signal: Signal) -> None:
    """Neither one LED nor the panel as a whole begins to light more than 2.5 times a second (limit: 3)."""
    steps = PATTERNS[signal].steps * 6
    now_s, rises_s = 0.0, []
    for before, after in itertools.pairwise(steps):
        now_s += before.duration_s
        if after.lit - before.lit:
            rises_s.append(now_s)
    assert all(later_s - earlier_s >= 0.4 - 1e-9 for earlier_s, later_s in itertools.pairwise(rises_s))


@pytest.mark.parametrize(("signal", "side"), [(Signal.TURN_LEFT, "left"), (Signal.TURN_RIGHT, "right")])
def test_a_turn_lights_only_its_side_and_nothing_else_lights_a_side_alone(signal: Signal, side: str) -> None:
    assert {step.lit for step in PATTERNS[signal].steps} == {frozenset({side}), frozenset()}
    for other, pattern in PATTERNS.items():
        if other is not signal:
            assert all(step.lit & {"left", "right"} != {side} for step in pattern.steps), other


@pytest.mark.parametrize("signal", [Signal.LOOK_AHEAD, Signal.LOOK_HERE, Signal.HOLD_STILL])
def test_looking_at_the_camera_lights_both_sides(signal: Signal) -> None:
    assert all(step.lit >= {"left", "right"} for step in PATTERNS[signal].steps if step.lit)


def test_red_alone_is_never_about_the_person() -> None:
    of_the_terminal = {Signal.STARTING, Signal.PAPER_OUT, Signal.OUT_OF_SERVICE, Signal.CLOSED_BY_OFFICER}
    about_people = set(Signal) - of_the_terminal
    assert all(step.lit != {"red"} for signal in about_people for step in PATTERNS[signal].steps)


def test_lit_at_walks_the_steps_and_starts_over() -> None:
    pattern = PATTERNS[Signal.PAPER_OUT]
    red, dark = frozenset({"red"}), frozenset()
    seen = [lit_at(pattern, tick * TICK_S) for tick in range(56)]
    assert seen == ([red] * 4 + [dark] * 4 + [red] * 4 + [dark] * 16) * 2


def test_lit_at_refuses_a_time_before_the_start() -> None:
    with pytest.raises(ValueError, match="before the pattern began"):
        lit_at(PATTERNS[Signal.READY], -0.1)


def test_showing_the_same_signal_again_does_not_restart_it() -> None:
    player = PatternPlayer()
    player.show(Signal.READY, 10.0)
    player.show(Signal.READY, 10.2)
    assert player.lit(10.2) == {"green"}
    assert player.lit(10.4) == frozenset()


def deadline_s(signal: Signal) -> float:
    """When a signal must have been read at the latest, whatever was shown before it."""
    if signal in CUES:
        return 0.2
    if signal is Signal.STOPPED:
        return 3.0
    longest_rival_s = 0.6
    return max(2 * PATTERNS[signal].cycle_s, longest_rival_s) + TOLERANCE_S + TICK_S


@pytest.mark.parametrize("late_s", [0.0, 0.08], ids=["on time", "late ticks"])
@pytest.mark.parametrize("signal", Signal)
def test_a_signal_is_read_back_after_any_other_at_any_moment(signal: Signal, late_s: float) -> None:
    for before in set(Signal) - {signal}:
        before_s = PATTERNS[before].cycle_s + 3.0
        for phase in range(0, round(PATTERNS[before].cycle_s / TICK_S), 1 if late_s == 0.0 else 3):
            began_s = round(before_s + phase * TICK_S, 1)
            history = play([(0.0, before), (began_s, signal)], began_s + deadline_s(signal) + 1.0, late_s)
            first_s = began_s + deadline_s(signal)
            for later in range(8):
                now_s = first_s + later * TICK_S
                assert recognise(history, now_s) is signal, f"after {before} at {began_s:g} s, read at +{now_s:g} s"


@pytest.mark.parametrize("signal", [Signal.TURN_LEFT, Signal.TURN_RIGHT, Signal.LOOK_AHEAD])
def test_a_cue_is_read_by_its_first_instant(signal: Signal) -> None:
    assert recognise(play([(0.0, Signal.HOLD_STILL), (2.0, signal)], 2.0), 2.0) is signal


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_goes_on_being_read_for_minutes(signal: Signal) -> None:
    history = play([(0.0, signal)], 120.0)
    assert all(recognise(history, 20.0 + tick * 0.7) is signal for tick in range(140))


def test_a_signal_never_reads_as_a_turn_that_was_not_shown() -> None:
    """A wrong cue would make the watcher turn: for everything shown, at every instant, no turn is read."""
    for first, second in itertools.permutations(set(Signal) - {Signal.TURN_LEFT, Signal.TURN_RIGHT}, 2):
        history = play([(0.0, first), (1.3, second)], 4.0)
        read = {recognise(history, tick * TICK_S) for tick in range(41)}
        assert not read & {Signal.TURN_LEFT, Signal.TURN_RIGHT}, (first, second)


def test_nothing_is_read_from_nothing() -> None:
    assert recognise([], 1.0) is None
    assert recognise([(2.0, frozenset({"left"}))], 1.0) is None
    assert recognise([(0.0, frozenset({"left", "red"}))], 1.0) is None


def test_what_the_leds_do_not_tell_yet_is_not_guessed() -> None:
    history = play([(0.0, Signal.LOOK_AHEAD), (2.0, Signal.REFERRED)], 4.0)
    assert recognise(history, 2.1) is None, "yellow may still become WORKING or STEP_BACK"
    assert recognise(history, 2.6) is Signal.REFERRED


def test_a_signal_that_begins_with_the_leds_already_on_is_read_in_its_first_cycle() -> None:
    history = play([(0.0, Signal.GIVEN), (2.0, Signal.READY)], 4.0)
    assert recognise(history, 2.4) is Signal.READY
