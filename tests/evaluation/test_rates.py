"""Statistics against values worked out by hand or taken from textbooks."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.core.proportion import wilson_interval
from edge_agent.evaluation import rates


@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3 (score interval)
        (15, 148, 0.0624, 0.1605),  # as above
        (0, 20, 0.0, 0.1611),  # as above
        (1, 29, 0.0061, 0.1718),  # as above
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson_interval_is_the_published_one(hits: int, total: int, low: float, high: float) -> None:
    found = wilson_interval(hits, total)
    assert found == pytest.approx((low, high), abs=6e-5)


def test_nothing_counted_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert rates.rate(np.zeros(0, np.bool_)) == {"value": None, "count": 0, "n": 0, "ci95": [0.0, 1.0]}


def test_interval_is_wider_where_subjects_hang_together() -> None:
    """Ten subjects, each right in all ten of their searches or in none, tell about ten people and not a hundred."""
    hits = np.repeat([True] * 8 + [False] * 2, 10)
    alone = rates.rate(hits)
    together = rates.rate(hits, np.repeat(np.arange(10), 10))
    assert alone["value"] == together["value"] == 0.8
    assert alone["ci95"] == [pytest.approx(0.7112, abs=1e-3), pytest.approx(0.8666, abs=1e-3)]
    assert together["ci95"][0] <= 0.6
    assert together["ci95"][1] >= 0.99


@pytest.mark.parametrize(
    ("scores", "mated", "threshold"),
    [
        ([0.1, 0.2, 0.8, 0.9], [False, False, True, True], 0.5),
        ([0.1, 0.6, 0.4, 0.9], [False, False, True, True], 0.75),  # 0.25 errs once too; the upper of two is taken
        ([0.3, 0.3], [True, False], 0.300001),  # equal scores can't be cut apart
        ([-np.inf, 0.2, 0.6], [True, False, True], 0.4),  # a failure to acquire moves nothing
    ],
)
def test_best_threshold_has_the_fewest_errors(scores: list[float], mated: list[bool], threshold: float) -> None:
    found = rates.best_threshold(np.array(scores), np.array(mated))
    assert found == pytest.approx(threshold)


def test_best_threshold_without_scores_is_refused() -> None:
    with pytest.raises(ValueError, match="no pair has a score"):
        rates.best_threshold(np.array([-np.inf]), np.array([True]))


def test_best_threshold_agrees_with_trying_everything() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        scores, mated = np.round(rng.normal(0, 1, 30), 1), rng.random(30) < 0.5
        found = rates.best_threshold(scores, mated)
        wrong = [int(((scores >= t) != mated).sum()) for t in np.arange(-5, 5, 0.05)]
        assert int(((scores >= found) != mated).sum()) == min(wrong)


def test_every_pair_is_compared_once() -> None:
    rows = np.eye(4, dtype=np.float32)[[0, 0, 1, 2]]
    scores = rates.compare_all(rows, np.array([7, 7, 8, 9]))
    assert scores.mated.tolist() == [1.0]
    assert scores.mated_owner.tolist() == [7]
    assert scores.impostor.tolist() == [0.0] * 5


def test_no_false_match_rate_without_ten_false_matches() -> None:
    impostor = np.linspace(0.9, 0.1, 1000, dtype=np.float32)
    curve = rates.impostor_curve(rates.Scores(impostor, np.zeros(0, np.float32), np.zeros(0, np.int64)))
    assert [point["fmr"] for point in curve] == [0.1, 0.05, 0.02, 0.01]
    for point in curve:
        assert (impostor >= point["threshold"]).mean() <= point["fmr"]
