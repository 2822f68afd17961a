"""Open-set searches on made-up subjects: what is counted, what misses, and that probes never share a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.core.model import Embedding
from edge_agent.evaluation.identification import Protocol, Searches, det, identification, subjects_in, threshold_for
from edge_agent.evaluation.pairs import PairsError
from tests.evaluation.lists import acquisition, shipped_embedder

SPEC = shipped_embedder()


def crowd(people: int, photographs: int) -> tuple[dict[str, tuple[Path, ...]], dict[Path, Embedding]]:
    """Subjects at right angles to each other, every photograph alike: nobody can be mistaken or missed."""
    subjects = {
        f"s{number:02d}": tuple(Path(f"s{number:02d}/{photo}.jpg") for photo in range(photographs))
        for number in range(people)
    }
    rows = np.eye(people, dtype=np.float32)
    return subjects, {file: rows[number] for number, files in enumerate(subjects.values()) for file in files}


def run(subjects: dict[str, tuple[Path, ...]], probes: dict[Path, Embedding], protocol: Protocol) -> dict:
    failures = {file: "no_face" for files in subjects.values() for file in files if file not in probes}
    found = identification(
        subjects, acquisition(probes, failures), protocol, SPEC, mirrored=True, margin=0.01, quiet=True
    )
    return found.report


def test_everybody_enrolled_is_found_and_no_impostor() -> None:
    subjects, probes = crowd(8, 4)
    report = run(subjects, probes, Protocol((2, 4), template_photographs=2, seeds=(1, 2, 3)))
    four = report["galleries"]["4"]
    # 4 enrolled with 2 photographs left each, 4 impostors with 4 each, in 3 rounds.
    assert (four["tpir"]["0.01"]["count"], four["tpir"]["0.01"]["n"]) == (24, 24)
    assert (four["fpir"]["0.01"]["count"], four["fpir"]["0.01"]["n"]) == (0, 48)
    assert four["templates_by_photographs"] == {"2": 12}
    assert report["galleries"]["2"]["tpir"]["0.01"]["n"] == 12
    assert report["gallery"] == 4
    assert report["tpir"] == four["tpir"], "the headline is the largest gallery's"


def test_a_look_alike_impostor_is_a_false_positive() -> None:
    subjects, probes = crowd(4, 3)
    twins = {file: probes[subjects["s00"][0]] for files in subjects.values() for file in files}
    report = run(subjects, twins, Protocol((1,), seeds=(1,)))
    assert (report["fpir"]["0.01"]["value"], report["fpir"]["0.01"]["n"]) == (1.0, 6)


def test_two_enrolled_look_alikes_are_never_guessed() -> None:
    subjects, probes = crowd(4, 3)
    twins = {file: probes[subjects["s00"][0]] for files in subjects.values() for file in files}
    report = run(subjects, twins, Protocol((2,), seeds=(1,)))
    assert (report["tpir"]["0.01"]["count"], report["fpir"]["0.01"]["count"]) == (0, 0)


def test_failures_to_acquire_and_to_enrol_are_counted() -> None:
    subjects, probes = crowd(8, 4)
    blind = subjects["s00"] + subjects["s01"] + subjects["s02"] + subjects["s03"] + subjects["s04"]
    report = run(subjects, {f: p for f, p in probes.items() if f not in blind}, Protocol((4,), seeds=(1, 2)))
    four = report["galleries"]["4"]
    mated_lost, others_lost = four["fta_searches"]["mated"]["count"], four["fta_searches"]["non_mated"]["count"]
    assert report["fta"]["count"] == 20
    assert four["fte"]["count"] * 2 == mated_lost > 0, "two searches for each subject who has no template"
    assert mated_lost * 2 + others_lost == 40, "each blind subject twice: 2 searches enrolled, 4 as an impostor"
    tpir = four["tpir"]["0.01"]
    assert (tpir["n"], tpir["count"]) == (16, 16 - mated_lost)
    assert tpir["acquired_only"]["value"] == 1.0
    assert four["fpir"]["0.01"]["n"] == 32


def test_subjects_with_few_photographs_fill_the_gallery_and_are_not_searched_for() -> None:
    subjects, probes = crowd(8, 1)
    report = run(subjects, probes, Protocol((4,), seeds=(1,)))
    assert report["galleries"]["4"]["templates_by_photographs"] == {"1": 4}
    assert (report["tpir"]["0.01"]["value"], report["tpir"]["0.01"]["n"]) == (None, 0)
    assert report["fpir"]["0.01"]["n"] == 4


def test_a_gallery_beyond_half_the_subjects_is_refused() -> None:
    subjects, probes = crowd(8, 2)
    with pytest.raises(PairsError, match="only half of the 8 subjects"):
        run(subjects, probes, Protocol((5,)))


def test_threshold_is_the_terminals_and_says_when_the_target_is_not_supported() -> None:
    assert threshold_for(SPEC, 0.01, 100, True) == (SPEC.threshold_for_fpir(0.01, 100, fused=2), True)
    assert threshold_for(SPEC, 0.001, 100_000, True) == (SPEC.strictest_threshold(fused=2), False)


def test_det_counts_both_errors_at_each_threshold() -> None:
    searches = Searches(mated_score=[0.9, 0.6, -np.inf, 0.8], non_mated_score=[0.7, 0.5, -np.inf, -np.inf])
    fpir, fnir = det(searches)
    assert fpir.tolist() == [0.5, 0.25]  # at 0.5 and at 0.7
    assert fnir.tolist() == [0.25, 0.5]


def test_folders_are_subjects(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "b/1.PNG", "c/1.jpg", "c/notes.txt", "d/1.webp", "empty/notes.txt", "loose.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert {name: len(files) for name, files in subjects_in(tmp_path).items()} == {"a": 1, "b": 1, "c": 1, "d": 1}
    with pytest.raises(PairsError, match="has 0 folders"):
        subjects_in(tmp_path / "a")
