"""Every signal can be told without colour; and what is left for who sees only that something is on."""

from __future__ import annotations

from itertools import combinations

import pytest

from edge_agent.core.model import QualityProblem, Signal
from edge_agent.core.serving import _GUIDANCE as GUIDANCE
from edge_agent.devices.led_patterns import PATTERNS, LedPattern, Step, Told
from edge_agent.devices.led_sight import alike_as_one_lamp, as_one_lamp, clearly_differ, without_colour

TEXT = Told("teks", "text")


def pattern(*steps: tuple[float, str]) -> LedPattern:
    return LedPattern(tuple(Step(duration_s, frozenset(lit.split())) for duration_s, lit in steps), TEXT, TEXT)


@pytest.mark.parametrize(("one", "other"), list(combinations(Signal, 2)))
def test_any_two_signals_differ_by_place_and_rhythm_alone(one: Signal, other: Signal) -> None:
    assert clearly_differ(without_colour(PATTERNS[one]), without_colour(PATTERNS[other]))


def test_without_colour_only_places_and_seconds_are_left() -> None:
    assert without_colour(pattern((0.4, "yellow red"), (0.2, ""))) == (((3, 4), 0.4), ((), 0.2))


def test_who_sees_no_place_either_sees_one_lamp() -> None:
    assert as_one_lamp(pattern((0.4, "yellow"), (0.4, "left right yellow"), (0.4, ""))) == (((0,), 0.8), ((), 0.4))


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        (pattern((0.4, "red"), (0.4, "")), pattern((0.5, "red"), (0.5, "")), False),
        (pattern((0.4, "red"), (0.4, "")), pattern((0.6, "red"), (0.6, "")), True),
        (pattern((0.4, "red"), (0.4, "")), pattern((0.4, "green"), (0.4, "")), True),
        (pattern((0.4, "red"), (0.8, "")), pattern((0.8, ""), (0.4, "red")), False),
        (pattern((1.0, "red")), pattern((2.0, "red")), False),
        (pattern((1.0, "red")), pattern((1.0, "red"), (0.1, "")), True),
    ],
)
def test_what_counts_as_another_rhythm(one: LedPattern, other: LedPattern, differ: bool) -> None:
    assert clearly_differ(without_colour(one), without_colour(other)) == differ


WITHOUT_PLACE = (
    Signal.GIVEN,
    Signal.REFERRED,
    Signal.NOT_ENTITLED,
    Signal.LOOK_HERE,
    Signal.TURN_LEFT,
    Signal.COME_CLOSER,
    Signal.READY,
    Signal.FACE_THE_CAMERA,
    Signal.PAPER_OUT,
    Signal.ASKING_CENTRE,
    Signal.STOPPED,
)
"""What a person most needs to tell apart, for who sees only that something is on."""


@pytest.mark.parametrize(("one", "other"), list(combinations(WITHOUT_PLACE, 2)))
def test_what_matters_most_differs_even_without_place(one: Signal, other: Signal) -> None:
    assert clearly_differ(as_one_lamp(PATTERNS[one]), as_one_lamp(PATTERNS[other]))


def test_what_cannot_be_told_without_place_is_known() -> None:
    """Written on the page for technicians; a voice or an officer has to help here."""
    assert {frozenset(group) for group in alike_as_one_lamp()} == {
        frozenset({Signal.TURN_LEFT, Signal.TURN_RIGHT, Signal.CARD_READ, Signal.BADGE_READ}),
        frozenset({Signal.COME_CLOSER, Signal.STEP_BACK}),
        frozenset({Signal.OPEN_YOUR_EYES, Signal.REFERRED}),
        frozenset({Signal.LESS_LIGHT, Signal.NEXT_CARD}),
        frozenset(
            {
                Signal.LOOK_HERE,
                Signal.MORE_LIGHT,
                Signal.WORKING,
                Signal.TAKE_SLIP_FAILED,
                Signal.CLOSED_BY_OFFICER,
            }
        ),
        frozenset(
            {
                Signal.STARTING,
                Signal.STAND_IN_THE_MIDDLE,
                Signal.ONE_AT_A_TIME,
                Signal.HOLD_STILL,
                Signal.CARD_REFUSED,
                Signal.ACT_DONE,
                Signal.ACT_REFUSED,
                Signal.LOOK_AHEAD,
                Signal.GIVEN,
                Signal.OUT_OF_SERVICE,
            }
        ),
    }


def test_every_quality_reason_has_a_signal_of_its_own_unless_the_same_is_to_be_done() -> None:
    told: dict[Signal, list[QualityProblem]] = {}
    for problem in QualityProblem:
        told.setdefault(GUIDANCE[problem], []).append(problem)
    assert [problems for problems in told.values() if len(problems) > 1] == []
