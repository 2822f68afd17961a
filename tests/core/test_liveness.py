"""The liveness challenge: who answers every cue in its window passes; a recording, a photograph or a guess does not."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.liveness import Challenge, Failure, Step, begin, look, wait
from edge_agent.core.model import Direction, Signal
from edge_agent.core.rules import PadRules

RULES = PadRules(turns=3)
FRAME_S = 1 / 15


def play(challenge: Challenge, gaze, start_s: float = 0.0, most_s: float = 30.0) -> Challenge:  # type: ignore[no-untyped-def]
    """Run a challenge against `gaze(signal, now_s) -> parallax`, frame by frame."""
    now_s = start_s
    while not challenge.over and now_s - start_s < most_s:
        now_s += FRAME_S
        challenge = wait(challenge, RULES, now_s)
        challenge = look(challenge, RULES, gaze(challenge.signal, now_s), now_s)
    return challenge


class Person:
    """Answers cues after a reaction time, by so much, turning back as late."""

    def __init__(
        self, reaction_s: float = 0.6, turn: float = 0.24, mirrored: bool = False, neutral: float = 0.0
    ) -> None:
        self.reaction_s, self.turn, self.neutral = reaction_s, -turn if mirrored else turn, neutral
        self.signal, self.since_s, self.parallax = Signal.LOOK_AHEAD, 0.0, 0.0

    def __call__(self, signal: Signal, now_s: float) -> float:
        if signal is not self.signal:
            self.signal, self.since_s = signal, now_s
        if now_s - self.since_s >= self.reaction_s:
            goal = {Signal.TURN_LEFT: self.turn, Signal.TURN_RIGHT: -self.turn}.get(signal, 0.0)
            self.parallax += max(-0.06, min(0.06, goal - self.parallax))
        return self.parallax + self.neutral


@given(entropy=st.binary(min_size=16, max_size=16), reaction_s=st.floats(0.2, 1.2), neutral=st.floats(-0.1, 0.1))
@settings(max_examples=60, deadline=None)
def test_a_living_person_who_follows_the_lights_passes(entropy: bytes, reaction_s: float, neutral: float) -> None:
    done = play(begin(RULES, neutral, 0.0, entropy), Person(reaction_s, neutral=neutral))
    assert done.step is Step.PASSED
    assert len(done.latencies_s) == 3
    assert all(RULES.answer_min_s <= latency_s <= RULES.answer_max_s for latency_s in done.latencies_s)


def test_a_photograph_gives_no_answer() -> None:
    for seed in range(20):
        wobble = play(begin(RULES, 0.0, 0.0, bytes([seed] * 16)), lambda _, now_s: 0.06 * math.sin(5 * now_s))
        assert wobble.failure is Failure.NO_ANSWER


def test_turning_the_wrong_way_fails() -> None:
    done = play(begin(RULES, 0.0, 0.0, b"x" * 16), Person(mirrored=True))
    assert done.failure is Failure.WRONG_WAY


def test_turning_before_being_asked_fails() -> None:
    challenge = begin(RULES, 0.0, 0.0, b"x" * 16)
    assert look(challenge, RULES, 0.2, 0.1).failure is Failure.UNASKED


def test_an_answer_faster_than_any_human_fails() -> None:
    challenge = wait(begin(RULES, 0.0, 0.0, b"x" * 16), RULES, 1.0)
    way = 0.25 if challenge.cues[0] is Direction.LEFT else -0.25
    assert challenge.step is Step.TURN
    assert look(challenge, RULES, way, 1.05).failure is Failure.TOO_EARLY
    assert look(challenge, RULES, way, 1.30).step is Step.RETURN


def test_a_frame_captured_before_the_cue_is_no_answer() -> None:
    challenge = wait(begin(RULES, 0.0, 0.0, b"x" * 16), RULES, 1.0)
    assert look(challenge, RULES, 0.25, 0.99) == challenge


def test_staying_turned_fails() -> None:
    challenge = wait(begin(RULES, 0.0, 0.0, b"x" * 16), RULES, 1.0)
    way = 0.25 if challenge.cues[0] is Direction.LEFT else -0.25
    turned = look(challenge, RULES, way, 1.5)
    assert wait(turned, RULES, 1.5 + RULES.centre_s + 0.1).failure is Failure.NO_RETURN


def test_a_passed_or_failed_challenge_stays_so() -> None:
    failed = look(begin(RULES, 0.0, 0.0, b"x" * 16), RULES, 0.2, 0.1)
    assert look(failed, RULES, -0.2, 5.0) == failed
    assert wait(failed, RULES, 50.0) == failed


def test_cues_and_pauses_are_drawn_evenly() -> None:
    orders: Counter[tuple[Direction, ...]] = Counter()
    pauses: list[float] = []
    for seed in range(4000):
        challenge = begin(RULES, 0.0, 0.0, seed.to_bytes(16, "big"))
        orders[challenge.cues] += 1
        pauses += challenge.pauses_s
    assert len(orders) == 8
    # 4,000 draws over 8 orders: each 500 with a standard deviation of 21; five of them is 1 in 200,000.
    assert all(abs(count - 500) < 105 for count in orders.values())
    assert min(pauses) >= RULES.gap_min_s
    assert max(pauses) <= RULES.gap_max_s
    assert sum(pauses) / len(pauses) == pytest.approx((RULES.gap_min_s + RULES.gap_max_s) / 2, abs=0.01)


def test_a_recording_that_turns_at_its_own_pace_rarely_passes() -> None:
    """A clip of one turn after another, begun at a random moment: three random cues must all fall right."""
    passed = 0
    for seed in range(400):

        def clip(_: Signal, now_s: float, seed: int = seed) -> float:
            return 0.24 * math.sin(2 * math.pi * (now_s + 0.37 * seed) / 3.0)

        passed += play(begin(RULES, 0.0, 0.0, seed.to_bytes(16, "big")), clip).step is Step.PASSED
    assert passed <= 4
