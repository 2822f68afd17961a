"""Everybody is compared with everybody else, once, from the likeness that was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.core.model import Embedding
from edge_agent.enrolment.alike import BLOCK, AlikeMin, find_alike, read_known_alike
from edge_agent.ports import RosterError


def unit(row: np.ndarray) -> Embedding:
    return (row / np.linalg.norm(row)).astype(np.float32)


def near(row: Embedding, score: float, seed: int) -> Embedding:
    """A face at this cosine from another."""
    other = np.random.default_rng(seed).normal(size=row.shape)
    other -= (other @ row) * row
    return unit(score * row + np.sqrt(1 - score**2) * other / np.linalg.norm(other))


def people(count: int) -> dict[str, list[Embedding]]:
    faces = np.random.default_rng(3).normal(size=(count, 128))
    return {f"s{number:04}": [unit(row)] for number, row in enumerate(faces)}


@pytest.mark.parametrize("where", [(0, 1), (3, BLOCK - 1), (BLOCK - 1, BLOCK), (5, 2 * BLOCK + 7)])
def test_two_alike_are_found_wherever_they_stand(where: tuple[int, int]) -> None:
    templates = people(2 * BLOCK + 10)
    first, second = (f"s{number:04}" for number in where)
    templates[second] = [near(templates[first][0], 0.95, 1)]
    found = find_alike(templates, {}, lambda _people, _photos: AlikeMin(0.94, 1e-6))
    (pair,) = found.pairs
    assert {pair.first, pair.second} == {first, second}
    assert pair.score == pytest.approx(0.95, abs=1e-4)
    assert found.comparisons == len(templates) * (len(templates) - 1) // 2
    assert found.false_expected == pytest.approx(found.comparisons * 1e-6)
    assert not find_alike(templates, {}, lambda _people, _photos: AlikeMin(0.96, 1e-6)).pairs


def test_templates_of_one_person_are_not_compared() -> None:
    templates = people(3)
    templates["s0001"].append(templates["s0001"][0])
    assert not find_alike(templates, {}, lambda _people, _photos: AlikeMin(0.9, None)).pairs


def test_a_pair_is_told_once_with_its_best_score() -> None:
    templates = people(3)
    one = templates["s0000"][0]
    templates["s0002"] = [near(one, 0.92, 1), near(one, 0.97, 2)]
    (pair,) = find_alike(templates, {}, lambda _people, _photos: AlikeMin(0.9, None)).pairs
    assert pair.score == pytest.approx(0.97, abs=1e-4)


def test_the_better_template_of_a_pair_sets_the_threshold() -> None:
    templates = people(4)
    templates["s0001"] = [near(templates["s0000"][0], 0.95, 1)]
    asked: set[tuple[int, int]] = set()

    def alike_min(count: int, photos: int) -> AlikeMin:
        asked.add((count, photos))
        return AlikeMin(0.94 if photos == 1 else 0.96, None)

    assert len(find_alike(templates, {"s0000": 1}, alike_min).pairs) == 1
    assert not find_alike(templates, {"s0001": 2}, alike_min).pairs
    assert asked == {(4, 1), (4, 2)}


def test_nobody_and_one_person() -> None:
    for count in (0, 1):
        found = find_alike(people(count), {}, lambda _people, _photos: AlikeMin(0.9, 1e-6))
        assert (found.pairs, found.comparisons) == ((), 0)


def test_known_pairs_are_read_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_text("first;second;reason\nb;a;twins\nc;d;sisters, seen both\n;;\n")
    assert read_known_alike(path) == {frozenset("ab"): "twins", frozenset("cd"): "sisters, seen both"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("first,second,reason\na,b,\n", "known.csv:2: reason: is empty; say why"),
        ("first,second,reason\na,a,twins\n", "known.csv:2: first: needs two different ids"),
        ("first,second,reason\na,,twins\n", "known.csv:2: first: needs two different ids"),
        ("first,second\na,b\n", "known.csv:1: reason: column is missing"),
        ("first,second,reason,why\na,b,c,d\n", "known.csv:1: why: unknown column"),
        ("first,first,second,reason\na,b,c,d\n", "known.csv:1: first: column appears twice"),
        ("", "first: column is missing"),
    ],
)
def test_what_is_no_list_of_pairs(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "known.csv"
    path.write_text(text)
    with pytest.raises(RosterError) as caught:
        read_known_alike(path)
    assert what in str(caught.value)
