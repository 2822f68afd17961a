"""What the challenge is worth and whom it costs what: the numbers of docs/liveness.md, computed from the defaults."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from edge_agent.core.liveness import Challenge, Step, begin, look, wait
from edge_agent.core.model import Direction
from edge_agent.core.rules import Limits, PadRules
from tests.core import slow_people
from tests.core.slow_people import Pace, visit

RULES = PadRules()
PAGE = (Path(__file__).parents[2] / "docs/liveness.md").read_text(encoding="utf-8")
FRAME_S = 1 / 15
BEAT_S = 2.0
"""A clip that turns this often after the first cue is in time for every pause that can be drawn."""


def clip(order: tuple[Direction, ...], elapsed_s: float) -> float:
    """Parallax of a clip of a real head, `elapsed_s` after the first cue: a turn 0.3 s into each beat, for 0.6 s."""
    place, within_s = divmod(elapsed_s, BEAT_S)
    if elapsed_s < 0 or place >= len(order) or not 0.3 <= within_s <= 0.9:
        return 0.0
    return 0.24 if order[int(place)] is Direction.LEFT else -0.24


def passes(challenge: Challenge, order: tuple[Direction, ...]) -> bool:
    """Whether a clip started by hand at the first cue passes."""
    now_s, started_s = 0.0, None
    while not challenge.over:
        now_s += FRAME_S
        challenge = wait(challenge, RULES, now_s)
        started_s = now_s if started_s is None and challenge.step is Step.TURN else started_s
        challenge = look(challenge, RULES, 0.0 if started_s is None else clip(order, now_s - started_s), now_s)
    return challenge.step is Step.PASSED


def test_a_blind_pass_is_one_order_in_eight_and_timing_adds_nothing() -> None:
    draws = [begin(RULES, 0.0, 0.0, seed.to_bytes(16, "big")) for seed in range(400)]
    orders = list(product(Direction, repeat=RULES.turns))
    assert len(orders) == 8
    for order in orders:
        wins = [passes(challenge, order) for challenge in draws]
        assert wins == [challenge.cues == order for challenge in draws], order


def test_the_page_states_the_chances_of_the_defaults() -> None:
    per_try = 0.5**RULES.turns
    per_session = 1 - (1 - per_try) ** RULES.attempts
    per_ten = 1 - (1 - per_session) ** 10
    for number in (per_try, per_session, per_ten):
        assert f"{100 * number:.1f} %" in PAGE


@pytest.mark.parametrize(
    ("kind", "least"), [("YOUNG", 0.98), ("OLD", 0.93), ("SLOW", 0.88), ("SLOW_GLASSES", 0.80), ("STIFF", 0.75)]
)
def test_slow_people_pass(kind: str, least: float) -> None:
    pace: Pace = getattr(slow_people, kind)
    visits = [visit(pace, seed, RULES, Limits()) for seed in range(60)]
    assert sum(one.reason is None for one in visits) >= least * len(visits)
    assert max(one.decided_s for one in visits) <= Limits().decide_s + 0.2
