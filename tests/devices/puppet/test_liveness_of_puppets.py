"""The terminal's own liveness challenge, played out on simulated LEDs before the puppet, judged by real vision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edge_agent.core import liveness
from edge_agent.core.liveness import Challenge, Step
from edge_agent.core.model import QualityProblem, Signal
from edge_agent.core.rules import PadRules
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.parallax import parallax
from tests.devices.puppet.theatre import LANDMARKER, Theatre

RULES = PadRules()


@pytest.fixture
def landmarker() -> Iterator[Landmarker]:
    with Landmarker(LANDMARKER, max_faces=1) as made:
        yield made


def challenged(landmarker: Landmarker, seed: int, **visit: Any) -> Challenge:
    """One try, as the session does it: neutral from the frames before, a signal with each step."""
    theatre = Theatre(visit, seed=seed)
    theatre.visitor_comes()
    theatre.show(Signal.LOOK_AHEAD)
    straight = []
    for frame in theatre.frames(1.0):
        straight += [parallax(mesh) for mesh in landmarker.detect(frame.image, int(frame.captured_s * 1000))]
    assert len(straight) > 10, "the face is not seen"
    challenge = liveness.begin(RULES, sorted(straight)[len(straight) // 2], theatre.clock(), bytes([seed]))
    for frame in theatre.frames(40.0):
        for mesh in landmarker.detect(frame.image, int(frame.captured_s * 1000)):
            challenge = liveness.look(challenge, RULES, parallax(mesh), frame.captured_s)
        challenge = liveness.wait(challenge, RULES, theatre.clock())
        theatre.show(challenge.signal)
        if challenge.over:
            return challenge
    raise AssertionError("no verdict")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_cooperative_person_passes(landmarker: Landmarker, seed: int) -> None:
    challenge = challenged(landmarker, seed)
    assert challenge.step is Step.PASSED, challenge.failure
    assert all(0.3 < latency_s < 2.0 for latency_s in challenge.latencies_s)


@pytest.mark.parametrize("visit", [{"behaviour": "late"}, {"behaviour": "wrong"}, {"behaviour": "ignores"}])
def test_one_who_does_not_answer_the_lights_fails(landmarker: Landmarker, visit: dict[str, Any]) -> None:
    assert challenged(landmarker, 1, **visit).step is Step.FAILED


@pytest.mark.parametrize("seed", [1, 2])
def test_a_photograph_fails_though_it_is_tilted_at_each_cue(landmarker: Landmarker, seed: int) -> None:
    assert challenged(landmarker, seed, attack="photo").failure is liveness.Failure.NO_ANSWER


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_replayed_clip_fails_though_its_head_turns(landmarker: Landmarker, seed: int) -> None:
    assert challenged(landmarker, seed, attack="replay").step is Step.FAILED


def test_a_replayed_clip_turns_its_head_both_ways_unasked(landmarker: Landmarker) -> None:
    theatre = Theatre({"attack": "replay"})
    theatre.visitor_comes()
    theatre.show(Signal.LOOK_AHEAD)
    seen = []
    for frame in theatre.frames(15.0):
        seen += [parallax(mesh) for mesh in landmarker.detect(frame.image, int(frame.captured_s * 1000))]
    assert max(seen) > RULES.turn_parallax
    assert min(seen) < -RULES.turn_parallax


def test_one_who_looks_away_gives_no_usable_view(landmarker: Landmarker) -> None:
    from edge_agent.settings import QualitySettings
    from edge_agent.vision.quality import assess, measure

    theatre = Theatre({"behaviour": "looks_away"})
    theatre.visitor_comes()
    theatre.show(Signal.LOOK_HERE)
    usable = 0
    frames = list(theatre.frames(6.0))
    for frame in frames:
        meshes = landmarker.detect(frame.image, int(frame.captured_s * 1000))
        face = measure(frame.image, meshes[0]) if meshes else None
        problems = assess(face, 0.0, QualitySettings())
        usable += QualityProblem.TURNED not in problems and QualityProblem.NO_FACE not in problems
    assert usable < 0.4 * len(frames)
