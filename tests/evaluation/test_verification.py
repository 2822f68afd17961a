"""Accuracy, true match rates and failures to acquire, on lists whose results are counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.evaluation.pairs import Pair, PairList, read_pairs
from edge_agent.evaluation.verification import accuracy, impostors, scores_of, true_match_rates, verify
from tests.evaluation.lists import acquisition, at, shipped_embedder, touch


def csv_list(folder: Path, mated: int, others: int) -> PairList:
    """Pairs of their own photographs each: m0a-m0b … mated, n0a-n0b … not."""
    names = [f"m{i}" for i in range(mated)] + [f"n{i}" for i in range(others)]
    rows = []
    for name in names:
        for side in "ab":
            (folder / f"{name}{side}.jpg").touch()
        rows.append(f"{name}a.jpg,{name}b.jpg,{int(name[0] == 'm')}")
    (folder / "list.csv").write_text("\n".join(["path_a,path_b,mated", *rows]))
    return read_pairs(folder / "list.csv", folder)


def probes_for(pairs: PairList, scores: list[float]) -> dict[Path, np.ndarray]:
    probes = {}
    for pair, score in zip(pairs.pairs, scores, strict=True):
        probes[pair.left], probes[pair.right] = at(1.0), at(score)
    return probes


def test_a_pair_with_a_failure_to_acquire_is_a_non_match_and_counted(tmp_path: Path) -> None:
    pairs = csv_list(tmp_path, 4, 4)
    probes = probes_for(pairs, [0.3, 0.3, 0.3, 0.3, 0.1, 0.1, 0.1, 0.1])
    for lost in (pairs.pairs[0].right, pairs.pairs[4].left):
        del probes[lost]
    failures = {pairs.pairs[0].right: "no_face", pairs.pairs[4].left: "blurred"}
    report = verify(pairs, None, acquisition(probes, failures), shipped_embedder(), True).report
    assert report["fta"] | {"ci95": None} == {
        "value": 0.125,
        "count": 2,
        "n": 16,
        "ci95": None,
        "by_reason": {"no_face": 1, "blurred": 1},
        "pairs": 2,
    }
    right = report["accuracy"]
    # The mated pair is wrong, the non-mated one right; over acquired pairs alone nothing is wrong.
    assert (right["count"], right["n"], right["false_non_matches"], right["false_matches"]) == (7, 8, 1, 0)
    assert right["mean"] == pytest.approx(7 / 8)
    assert (right["acquired_only"]["count"], right["acquired_only"]["n"]) == (6, 6)
    fnmr = report["at_targets"]["1e-3"]["fnmr"]
    assert (fnmr["count"], fnmr["n"]) == (4, 4), "0.3 is below the shipped model's threshold, a failure anyway"


def test_accuracy_of_folds_is_judged_by_thresholds_of_the_other_folds(tmp_path: Path) -> None:
    """Fold 0 lies 0.4 lower than the others: at the others' threshold 0.5 its mated pairs fail."""
    pairs = csv_list(tmp_path, 10, 10)
    low = [0.3] + [0.7] * 9 + [0.1] + [0.3] * 9
    found = accuracy(pairs, scores_of(pairs, probes_for(pairs, low)))
    assert found["folds"] == 10
    assert found["count"] == 19
    assert found["mean"] == pytest.approx(0.95)
    # Folds: one at 0.5, nine at 1.0.
    assert found["std"] == pytest.approx(np.std([0.5] + [1.0] * 9, ddof=1), abs=1e-6)
    assert found["standard_error"] == pytest.approx(0.05, abs=1e-6)


def test_a_fold_has_no_say_in_its_own_threshold(tmp_path: Path) -> None:
    """Fold 0 alone asks for 0.2 and fold 1 for 0.6; all pairs together would ask for 0.2 and err once."""
    kinds_and_scores = [(0, True, 0.3)] * 3 + [(0, False, 0.1), (1, True, 0.7), (1, False, 0.5)]
    pairs = PairList(
        tmp_path / "list",
        tuple(Pair(Path(f"{i}a"), Path(f"{i}b"), mated, fold) for i, (fold, mated, _) in enumerate(kinds_and_scores)),
        2,
        True,
        None,
    )
    found = accuracy(pairs, np.array([score for _, _, score in kinds_and_scores]))
    assert (found["false_non_matches"], found["false_matches"]) == (3, 1)
    assert found["thresholds"] == [pytest.approx(0.2), pytest.approx(0.6)]


def test_threshold_comes_from_the_training_list_where_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    train, pairs = csv_list(tmp_path / "train", 2, 2), csv_list(tmp_path, 2, 2)
    train_scores = scores_of(train, probes_for(train, [0.9, 0.9, 0.7, 0.7]))
    found = accuracy(pairs, scores_of(pairs, probes_for(pairs, [0.9, 0.75, 0.3, 0.4])), train, train_scores)
    assert found["thresholds"] == [pytest.approx(0.8)]
    assert (found["count"], found["threshold_from"]) == (3, "list.csv")


def test_true_match_rate_at_a_false_match_rate_that_was_measured(tmp_path: Path) -> None:
    pairs = csv_list(tmp_path, 4, 4)
    scores = np.array([0.9, 0.8, 0.55, -np.inf, 0.1, 0.1, 0.1, 0.1])
    impostor = np.concatenate((np.linspace(0.6, 0.5, 11), np.full(1089, 0.2)))  # 11 of 1,100 from 0.5 up
    found = true_match_rates(pairs, scores, impostor)
    one = found["1e-2"]
    assert one["false_matches"] == 11
    assert (one["value"], one["count"], one["n"]) == (0.75, 3, 4)
    assert (one["acquired_only"]["count"], one["acquired_only"]["n"]) == (3, 3)
    assert found["1e-3"]["value"] is None
    assert "too few" in found["1e-3"]["why"]


def test_impostors_are_all_photographs_of_different_subjects_where_subjects_are_known(tmp_path: Path) -> None:
    touch(tmp_path, "A 1", "A 2", "B 1", "C 1")
    (tmp_path / "pairs.txt").write_text("1\nA\t1\t2\nB\t1\tC\t1\n")
    pairs = read_pairs(tmp_path / "pairs.txt", tmp_path)
    probes = dict(zip(pairs.files, (at(1.0), at(1.0), at(0.5), at(0.0)), strict=True))
    scores = scores_of(pairs, probes)
    assert impostors(pairs, scores, probes) == pytest.approx([3**0.5 / 2, 0.5, 0.5, 0.0, 0.0], abs=1e-6)
    listed_only = PairList(pairs.path, pairs.pairs, pairs.folds, False, None)
    assert impostors(listed_only, scores, probes) == pytest.approx([3**0.5 / 2], abs=1e-6)
