"""Pair lists are read as written, and what is wrong in one is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.evaluation.pairs import PairsError, read_pairs
from tests.evaluation.lists import touch


def write(folder: Path, text: str, *photographs: str) -> Path:
    touch(folder / "images", *photographs)
    (folder / "pairs.txt").write_text(text)
    return folder / "pairs.txt"


def test_one_list_becomes_folds_of_both_kinds(tmp_path: Path) -> None:
    names = [f"S{number} {photo}" for number in range(12) for photo in (1, 2)]
    mated = "".join(f"S{number}\t1\t2\n" for number in range(12))
    others = "".join(f"S{number}\t1\tS{(number + 1) % 12}\t1\n" for number in range(12))
    found = read_pairs(write(tmp_path, f"12\n{mated}{others}", *names), tmp_path / "images")
    assert (len(found.pairs), found.folds, found.own_folds) == (24, 10, False)
    assert found.mated.sum() == 12
    assert {number: int((found.fold == number).sum()) for number in range(10)} == {
        number: 4 if number in (0, 5) else 2 for number in range(10)
    }
    for number in range(10):
        assert set(found.mated[found.fold == number].tolist()) == {True, False}
    assert found.pairs[0].left == tmp_path / "images" / "S0" / "S0_0001.jpg"


def test_a_list_with_folds_keeps_them(tmp_path: Path) -> None:
    text = "2\t1\nA\t1\t2\nA\t1\tB\t1\nB\t1\t2\nB\t2\tA\t2\n"
    found = read_pairs(write(tmp_path, text, "A 1", "A 2", "B 1", "B 2"), tmp_path / "images")
    assert (found.folds, found.own_folds) == (2, True)
    assert found.fold.tolist() == [0, 0, 1, 1]
    assert found.mated.tolist() == [True, False, True, False]
    assert found.owners().tolist() == [0, 0, 1, 1]


def test_csv_links_mated_photographs_to_one_subject(tmp_path: Path) -> None:
    touch(tmp_path, "A 1", "A 2", "A 3", "B 1")
    csv = tmp_path / "pairs.csv"
    lines = ["A/A_0001.jpg,A/A_0002.jpg,1", "A/A_0003.jpg,A/A_0002.jpg,yes", "B/B_0001.jpg,A/A_0001.jpg,0"]
    csv.write_text("\n".join(["path_a,path_b,mated", *lines]))
    found = read_pairs(csv, tmp_path)
    assert found.subjects is None
    assert found.mated.tolist() == [True, True, False]
    first, second, third = found.owners().tolist()
    assert first == second != third


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "pairs.txt:1: is neither"),
        ("A 1 2\n", "pairs.txt:1: is neither"),
        ("2\nA\t1\t2\nA\t1\tB\t1\n", "has 2 pairs, its first line says 4"),
        ("1\nA\t1\n A\t1\tB\t1\n", "pairs.txt:2: is 'A 1', expected NAME N N"),
        ("1\nA\t1\t2\nA\t1\tB\tx\n", "pairs.txt:3: is 'A 1 B x', expected NAME N NAME N"),
        ("1\nA\t1\t9\nA\t1\tB\t1\n", "pairs.txt:2: .*A_0009 is not there"),
        ("path_a,path_b,mated\nA/A_0001.jpg,B/B_0001.jpg,maybe\n", "pairs.txt:2: mated is 'maybe'; write 1 or 0"),
        ("path_a,path_b,mated\nA/A_0001.jpg,B/B_0001.jpg\n", "pairs.txt:2: has 2 fields"),
        ("path_a,path_b,mated\nA/A_0001.jpg,B/B_0001.jpg,0\n", "needs both mated and non-mated"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text, "A 1", "A 2", "B 1")
    with pytest.raises(PairsError, match=said):
        read_pairs(path, tmp_path / "images")


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="can't be read"):
        read_pairs(tmp_path / "none.txt", tmp_path)
