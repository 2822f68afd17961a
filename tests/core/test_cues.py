"""Each cue's score, and how they are fused: every combination of what a cue can be."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from edge_agent.core import cues
from edge_agent.core.cues import ALWAYS, CONCLUSIVE, DOUBT, SCALES, Cue, Finding, judge
from edge_agent.core.model import Shape
from edge_agent.core.witness import StraightLook, View, Witness
from tests.core.heads import HEAD, SHEET, bent, parallax_of, seen

HEADED, PAPERED = (seen(HEAD, 0), seen(HEAD, 20)), (seen(bent(1.2), 0), seen(bent(1.2), 50))
FINE, DOUBTED, DECIDED, MISSING = 0.8, 0.4, 0.1, None


def turned(shapes: tuple[Shape, Shape], **rest: Any) -> Witness:
    """Seen from the front, and turned."""
    frontal, side = (View(1.0, parallax_of(shape), shape) for shape in shapes)
    return Witness(straight=0.0, frontal=frontal, turned=(side,), **rest)


def looks(openings: list[float], step_s: float = 0.1, shifts: list[float] | None = None) -> tuple[StraightLook, ...]:
    shifts = shifts or [0.0] * len(openings)
    pairs = zip(openings, shifts, strict=True)
    return tuple(StraightLook(index * step_s, opening, shift) for index, (opening, shift) in enumerate(pairs))


@pytest.mark.parametrize(("first", "second", "third"), list(product((FINE, DOUBTED, DECIDED), repeat=3)))
def test_one_conclusive_cue_or_two_doubts_are_not_live(first: float, second: float, third: float) -> None:
    values = (first, second, third)
    finding = Finding(((Cue.DEPTH, first), (Cue.INTEGRITY, second), (Cue.MOIRE, third)))
    expected = DECIDED not in values and sum(value < DOUBT for value in values) < 2
    assert finding.live is expected


def test_depth_and_plane_look_at_the_same_turn_and_are_one_doubt() -> None:
    both = ((Cue.DEPTH, DOUBTED), (Cue.PLANE, DOUBTED))
    assert Finding(both).doubts == (Cue.DEPTH,)
    assert Finding(both).live
    assert not Finding((*both, (Cue.BLINK, DOUBTED))).live
    assert not Finding(((Cue.PLANE, DECIDED),)).live


@pytest.mark.parametrize("missing", [(), (Cue.DEPTH,), ALWAYS])
def test_what_every_honest_camera_gives_is_a_doubt_when_it_is_missing(missing: tuple[Cue, ...]) -> None:
    finding = Finding(((Cue.BLINK, FINE),), missing)
    assert finding.doubts == missing
    assert finding.live is (len(missing) < 2)
    assert Finding(((Cue.BLINK, DOUBTED),), missing).live is (len(missing) < 1)


@pytest.mark.parametrize(
    ("depth", "blink", "expected"),
    [(DOUBTED, 0.6, True), (DOUBTED, 1.0, False), (DOUBTED, 0.4, False), (FINE, 0.6, False), (DECIDED, 0.6, False)],
)
def test_a_doubt_is_worth_waiting_for_a_blink_as_long_as_none_was_due(
    depth: float, blink: float, expected: bool
) -> None:
    assert Finding(((Cue.DEPTH, depth), (Cue.BLINK, blink))).blink_would_tell is expected


def test_a_score_that_is_no_number_decides() -> None:
    assert not Finding(((Cue.MOIRE, float("nan")),)).live


def test_nothing_witnessed_is_not_live() -> None:
    finding = judge(Witness(), ())
    assert finding.scores == ()
    assert finding.missing == ALWAYS
    assert not finding.live


@pytest.mark.parametrize("cue", list(SCALES))
def test_every_scale_meets_its_bounds_and_grows(cue: Cue) -> None:
    scale = SCALES[cue]
    assert scale.score(scale.sure) == 1.0
    assert scale.score(scale.doubt) == DOUBT
    least = scale.score(0.0)
    assert least == (CONCLUSIVE if scale.conclusive is None else 0.0)
    if scale.conclusive is not None:
        assert scale.score(scale.conclusive) == CONCLUSIVE
    steps = [scale.score(value) for value in np.linspace(0, 2 * scale.sure, 50)]
    assert steps == sorted(steps)


def test_a_head_is_live_and_a_bent_print_that_never_blinks_is_not() -> None:
    blinking = looks([0.3] * 20 + [0.1, 0.1] + [0.3] * 80, shifts=list(np.linspace(-0.02, 0.02, 102)))
    staring = looks([0.3] * 102, shifts=list(np.linspace(-0.02, 0.02, 102)))
    head = turned(HEADED, looks=blinking, frames=100)
    assert judge(head, (0.8, 1.1, 0.9)).live
    paper = turned(PAPERED, looks=staring, frames=100)
    finding = judge(paper, (0.8, 1.1, 0.9))
    assert finding.doubts == (Cue.DEPTH, Cue.BLINK)
    assert not finding.live


def test_a_person_who_never_blinks_is_doubted_only() -> None:
    head = turned(HEADED, looks=looks([0.3] * 200, shifts=[0.01, -0.01] * 100), frames=200)
    assert judge(head, (0.9,)).doubts == (Cue.BLINK,)
    assert judge(head, (0.9,)).live


@pytest.mark.parametrize(
    ("openings", "expected"),
    [
        ([0.3] * 4, None),
        ([0.3] * 10 + [0.1] * 3 + [0.3] * 10, 1.0),
        ([0.1] * 3 + [0.3] * 10 + [0.1] * 2 + [0.3] * 5, 1.0),
        ([0.1] * 3 + [0.3] * 58, np.exp(-1)),
        ([0.3] * 58 + [0.1] * 3, np.exp(-1)),
    ],
)
def test_a_blink_is_eyes_that_were_open_closed_and_open_again(openings: list[float], expected: float | None) -> None:
    found = cues.blink(looks(openings))
    assert found == expected if expected is None else found == pytest.approx(expected)


def test_what_was_not_watched_says_nothing_about_blinking() -> None:
    """At two frames a second every blink falls between the frames."""
    assert cues.blink(looks([0.3] * 60, step_s=0.5)) == 1.0


def test_a_still_thing_does_not_move() -> None:
    assert cues.motion(looks([0.3] * 10)) == 0.0
    assert cues.motion(looks([0.3] * 10, shifts=[0.02, -0.02] * 5)) == pytest.approx(0.02)
    assert cues.motion(looks([0.3] * 3)) is None


def test_a_loop_of_frames_is_conclusive_and_a_single_hiccup_is_not() -> None:
    scale = SCALES[Cue.INTEGRITY]

    def score(frames: int, faulty: int) -> float:
        value = cues.integrity(Witness(frames=frames, faulty=faulty))
        assert value is not None
        return scale.score(value)

    assert score(100, 50) < CONCLUSIVE
    assert score(100, 2) > DOUBT
    assert cues.integrity(Witness(frames=4, faulty=4)) is None


def test_the_screen_cues_take_the_median_and_enough_looks() -> None:
    assert cues.screen((0.9, 0.9)) is None
    assert cues.screen((0.0, 0.1, 0.9)) == pytest.approx(0.9)


def test_the_passive_models_own_threshold_decides() -> None:
    alive = turned(HEADED, frames=50, passive=(0.69, 0.71, 0.75))
    assert Cue.PASSIVE not in dict(judge(alive, (0.9,)).scores)
    assert judge(alive, (0.9,), passive_threshold=0.7).conclusive == ()
    assert judge(alive, (0.9,), passive_threshold=0.72).conclusive == (Cue.PASSIVE,)


def test_no_living_head_turns_the_moment_the_light_comes_on() -> None:
    head = turned(HEADED, frames=50)
    assert judge(head, (0.2, 0.9)).doubts == (Cue.LATENCY,)
    assert judge(head, (0.5, 0.9)).doubts == ()


def test_a_flat_thing_that_was_tilted_is_told_from_a_head_that_cannot_turn() -> None:
    front, sheet, head = seen(SHEET, 0), seen(SHEET, 30), seen(HEAD, 8)
    facing = View(0.0, 0.0, front)
    assert cues.flat(Witness(frontal=facing, tilted=(View(1.0, parallax_of(sheet), sheet),) * 3))
    upright = View(0.0, 0.0, seen(HEAD, 0))
    assert not cues.flat(Witness(frontal=upright, tilted=(View(1.0, parallax_of(head), head),) * 3))
    assert not cues.flat(Witness())
