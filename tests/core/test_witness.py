"""What frames show is measured right, on shapes whose depth and turn are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge_agent.core.model import FaceObservation, FrameCues, Shape
from edge_agent.core.witness import TILTED_SIN, Witness, begin_try, depths, misfits, plane_misfit, see, tilt_sine
from tests.core.heads import HEAD, SHEET, bent, parallax_of, seen

TURN = 0.13


def frame(shape: Shape, captured_s: float, fingerprint: int | None = None) -> FaceObservation:
    own = hash((captured_s, shape.tobytes())) if fingerprint is None else fingerprint
    cues = FrameCues(shape, 0.3, own)
    return FaceObservation(captured_s, 1, (), parallax_of(shape), 80.0, 0.8, None, cues)


def facing(points: np.ndarray) -> Witness:  # type: ignore[type-arg]
    straight = seen(points, 0)
    return begin_try(see(Witness(), frame(straight, 0.0), 0.0, TURN), parallax_of(straight))


def turned(points: np.ndarray, degrees: list[float], pitch_deg: float = 0.0) -> Witness:  # type: ignore[type-arg]
    witness = facing(points)
    for index, yaw in enumerate(degrees):
        witness = see(witness, frame(seen(points, yaw, pitch_deg), 1 + index / 5), 1 + index / 5, TURN)
    return witness


@pytest.mark.parametrize(("yaw", "pitch"), [(0, 0), (20, 0), (-33, 0), (0, 25), (25, -25), (-40, 30)])
def test_a_tilted_sheet_is_tilted_by_its_true_angle_about_whatever_axis(yaw: float, pitch: float) -> None:
    normal = np.cos(np.deg2rad(yaw)) * np.cos(np.deg2rad(pitch))
    sine = tilt_sine(seen(SHEET, 0), seen(SHEET, yaw, pitch))
    assert sine == pytest.approx(np.sqrt(1 - normal**2), abs=0.01)


def test_a_head_shows_depth_and_a_sheet_none() -> None:
    head = turned(HEAD, [15, 18, 20])
    assert len(head.turned) == 3
    assert min(depths(head, head.turned)) > 0.5
    assert min(misfits(head)) > 0.03
    sheet = turned(SHEET, [15, 25, 33], pitch_deg=20)
    assert sheet.turned == ()
    assert len(depths(sheet, sheet.tilted, TILTED_SIN)) == 3
    assert max(depths(sheet, sheet.tilted)) < 0.25


def test_a_sheet_tilted_across_shears_as_far_as_a_turn_and_is_told_by_its_depth_and_by_a_plane() -> None:
    sheet = turned(SHEET, [45], pitch_deg=35)
    assert len(sheet.turned) == 1
    assert depths(sheet, sheet.turned)[0] < 0.40
    assert misfits(sheet)[0] < 1e-6


def test_a_bent_print_shows_less_depth_for_its_turn_than_a_head() -> None:
    head, paper = turned(HEAD, [20, 25]), turned(bent(0.9), [50, 55])
    assert len(paper.turned) == 2
    assert max(depths(paper, paper.turned)) < 0.7 * min(depths(head, head.turned))


def test_paper_held_askew_from_the_start_is_measured_from_where_it_faced_the_camera() -> None:
    """From -20° to 45° it has turned by 65°, but is foreshortened by no more than from 0° to 45°."""
    askew = begin_try(see(Witness(), frame(seen(bent(0.9), -20), 0.0), 0.0, TURN), parallax_of(seen(bent(0.9), -20)))
    for index, yaw in enumerate((-10, 0, 20, 45)):
        askew = see(askew, frame(seen(bent(0.9), yaw), 1 + index / 5), 1 + index / 5, TURN)
    assert max(depths(askew, askew.turned)) < 0.40


def test_a_plane_explains_a_moved_plane_but_not_a_turned_head() -> None:
    assert plane_misfit(seen(SHEET, 0), seen(SHEET, 30, 20)) < 1e-6
    assert plane_misfit(seen(HEAD, 0), seen(HEAD, 20)) > 0.03


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_degenerate_shapes_are_no_evidence_and_no_error(value: float) -> None:
    broken = np.full((468, 2), value, np.float32)
    for before, after in ((broken, seen(HEAD, 0)), (seen(HEAD, 0), broken), (broken, broken)):
        assert tilt_sine(before, after) == 0.0
        assert plane_misfit(before, after) == pytest.approx(0.0, abs=2.0)


def test_straight_looks_are_kept_only_once_there_is_something_to_compare_with() -> None:
    early = see(Witness(), frame(seen(HEAD, 0), 1.0), 1.0, TURN)
    assert (early.looks, early.frames) == ((), 1)
    later = see(begin_try(early, 0.0), frame(seen(HEAD, 2), 2.0), 2.0, TURN)
    assert len(later.looks) == 1


def test_of_views_of_the_same_moment_the_first_counts() -> None:
    witness = facing(HEAD)
    for captured_s in (1.0, 1.05, 1.1, 1.16):
        witness = see(witness, frame(seen(HEAD, 20), captured_s), captured_s, TURN)
    assert [view.captured_s for view in witness.turned] == [1.0, 1.16]


def test_a_try_is_judged_by_its_own_turns() -> None:
    head = turned(HEAD, [20, 25])
    again = begin_try(head, 0.0)
    assert (again.turned, again.tilted) == ((), ())
    assert again.frames == head.frames


def test_a_stream_that_repeats_itself_goes_back_or_comes_from_the_future_is_faulty() -> None:
    shape = seen(HEAD, 0)
    witness = see(Witness(), frame(shape, 1.0, 11), 1.0, TURN)
    assert see(witness, frame(shape, 1.1, 12), 1.1, TURN).faulty == 0
    assert see(witness, frame(shape, 1.1, 11), 1.1, TURN).faulty == 1
    assert see(witness, frame(shape, 1.0, 12), 1.1, TURN).faulty == 1
    assert see(witness, frame(shape, 0.9, 12), 1.1, TURN).faulty == 1
    assert see(witness, frame(shape, 1.3, 12), 1.1, TURN).faulty == 1
    assert see(witness, frame(shape, float("nan"), 12), 1.1, TURN).faulty == 1


def test_a_frame_without_cues_is_no_evidence() -> None:
    witness = facing(HEAD)
    bare = replace(frame(seen(HEAD, 20), 1.0), cues=None)
    assert see(witness, bare, 1.0, TURN) is witness


def test_traces_are_kept_from_the_frames_in_which_they_were_looked_for() -> None:
    shape = seen(HEAD, 0)
    looked = replace(frame(shape, 1.0), cues=FrameCues(shape, 0.3, 1, moire=0.1, bezel=0.2, cast=0.3, passive=0.9))
    witness = see(see(Witness(), looked, 1.0, TURN), frame(shape, 1.1), 1.1, TURN)
    assert (witness.moire, witness.bezel, witness.cast, witness.passive) == ((0.1,), (0.2,), (0.3,), (0.9,))
