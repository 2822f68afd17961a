"""One presentation before the real session, with made-up observations: who is accepted, rejected, or gets no answer."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from edge_agent.core.cues import CONCLUSIVE
from edge_agent.core.model import FaceObservation, QualityProblem, Signal
from edge_agent.core.rules import PadRules
from edge_agent.evaluation.pad_trial import Judged, Verdict, acquired, perform, replay
from tests.core.heads import cues

PAD = PadRules()
PROBE = np.eye(1, 128, dtype=np.float32)[0]
TURNS = {Signal.TURN_LEFT: 0.22, Signal.TURN_RIGHT: -0.22}


def seen(parallax: float, now_s: float = 0.0) -> FaceObservation:
    turned = abs(parallax) > 0.1
    problems = (QualityProblem.TURNED,) if turned else ()
    return FaceObservation(now_s, 1, problems, parallax, 80.0, 0.8, None if turned else PROBE, cues(parallax, now_s))


def recording(turns: list[float]) -> tuple[FaceObservation, ...]:
    """A head that sways, and every 1.3 s turns this way."""
    path = [step for turn in turns for step in (*(0.01 * (-1) ** index for index in range(9)), turn, turn, turn, turn)]
    return tuple(seen(parallax, index / 10) for index, parallax in enumerate(path))


def performed(watch: object, seed: int = 1) -> Judged:
    times_s = (index / 10 for index in count())
    return perform(watch, times_s, PAD, np.random.default_rng(seed))  # type: ignore[arg-type]


class Person:
    """Turns as asked, 0.5 s later. way: -1 for the wrong way, 0 for not at all."""

    def __init__(self, way: float = 1.0) -> None:
        self._way = way
        self._asked: list[tuple[float, float]] = []

    def __call__(self, signal: Signal | None, now_s: float) -> FaceObservation:
        self._asked.append((now_s, self._way * TURNS.get(signal, 0.0) if signal is not None else 0.0))
        return seen(next((turn for at_s, turn in reversed(self._asked) if at_s <= now_s - 0.5), 0.0), now_s)


@pytest.mark.parametrize("seed", range(5))
def test_who_follows_the_lights_is_accepted(seed: int) -> None:
    judged = performed(Person(), seed)
    assert judged.verdict is Verdict.ACCEPTED
    assert judged.reason is None
    assert judged.tries == 1


@pytest.mark.parametrize(("way", "reason"), [(-1.0, "not_live"), (0.0, "could_not_turn")])
def test_who_turns_the_wrong_way_or_not_at_all_is_rejected_after_all_tries(way: float, reason: str) -> None:
    judged = performed(Person(way))
    assert (judged.verdict, judged.reason, judged.tries) == (Verdict.REJECTED, reason, PAD.attempts)


def test_a_recording_that_never_turns_is_rejected() -> None:
    judged = replay((seen(0.0),) * 20, 10.0, PAD, np.random.default_rng(1))
    assert judged.verdict is Verdict.REJECTED


def test_where_no_face_is_seen_there_is_no_response() -> None:
    nobody = FaceObservation(0.0, None, (QualityProblem.NO_FACE,))
    judged = replay((nobody,) * 20, 10.0, PAD, np.random.default_rng(1))
    assert (judged.verdict, judged.reason) == (Verdict.NO_RESPONSE, "footage_ended")


def test_a_face_too_blurred_to_use_gets_no_response() -> None:
    blurred = FaceObservation(0.0, 1, (QualityProblem.BLURRED,), 0.0, 80.0)
    judged = replay((blurred,) * 20, 10.0, PAD, np.random.default_rng(1))
    assert (judged.verdict, judged.reason) == (Verdict.NO_RESPONSE, "no_usable_view")


def test_a_turning_recording_passes_about_as_often_as_its_order_is_guessed() -> None:
    """A head that turns one way each 1.2 s, straight between: the chance of the right order is what lets it pass."""
    way = np.random.default_rng(5).choice((-0.22, 0.22), 200)
    clip = recording([float(turn) for turn in way])
    results = [replay(clip, 10.0, PAD, np.random.default_rng(seed)).verdict for seed in range(200)]
    accepted = results.count(Verdict.ACCEPTED) / len(results)
    assert 0.0 < accepted < 1 - (1 - 2**-PAD.turns) ** PAD.attempts + 0.08


def test_the_same_chance_gives_the_same_verdict() -> None:
    clip = recording([0.2, -0.2, -0.2, 0.2])
    once, again = ([replay(clip, 10.0, PAD, np.random.default_rng(seed)) for seed in range(20)] for _ in range(2))
    assert once == again
    assert len({judged.seconds for judged in once}) > 3


def test_a_living_persons_recording_needs_a_usable_view_only() -> None:
    """Its own cues are judged, as far as nothing need be answered: a frozen frame is not a living person."""
    straight = tuple(seen(0.01 * (-1) ** index, index / 10) for index in range(60))
    assert acquired(straight, 10.0, np.random.default_rng(1)).verdict is Verdict.ACCEPTED
    away = tuple(seen(0.2, index / 10) for index in range(60))
    assert acquired(away, 10.0, np.random.default_rng(1)).verdict is Verdict.NO_RESPONSE
    frozen = acquired((straight[0],) * 60, 10.0, np.random.default_rng(1))
    assert (frozen.verdict, frozen.reason, dict(frozen.cues)["integrity"] < CONCLUSIVE) == (
        Verdict.REJECTED,
        "cues",
        True,
    )


def test_a_still_fed_in_behind_the_camera_is_told_by_its_pixels() -> None:
    judged = replay((seen(0.0, 1.0),) * 20, 10.0, PAD, np.random.default_rng(1))
    assert (judged.verdict, judged.reason) == (Verdict.REJECTED, "not_live")
    assert dict(judged.cues)["integrity"] < CONCLUSIVE
