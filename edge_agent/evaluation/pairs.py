"""Lists of pairs to verify: LFW's pair files (one list, or folds), or a CSV of `path_a,path_b,mated`.

Rules: every file named must exist, else nothing is measured: a missing file is a broken data set and no failure to
acquire. An error names the list, the line, the value and the remedy.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_agent.ports import TerminalError

FOLDS = 10
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_YES, _NO = ("1", "true", "yes"), ("0", "false", "no")


class PairsError(TerminalError):
    """A list of pairs, or a folder of photographs, can't be used; the text says where and what to do."""


@dataclass(frozen=True)
class Pair:
    """Two photographs. mated: of one subject. fold: from 0."""

    left: Path
    right: Path
    mated: bool
    fold: int


@dataclass(frozen=True)
class PairList:
    """pairs: in the file's order. folds: how many. own_folds: the file had them. subjects: by file, None in a CSV."""

    path: Path
    pairs: tuple[Pair, ...]
    folds: int
    own_folds: bool
    subjects: dict[Path, str] | None

    @property
    def files(self) -> tuple[Path, ...]:
        """Every photograph once, sorted."""
        return tuple(sorted({file for pair in self.pairs for file in (pair.left, pair.right)}))

    @property
    def mated(self) -> npt.NDArray[np.bool_]:
        """Which pairs are mated, (n,)."""
        return np.array([pair.mated for pair in self.pairs], np.bool_)

    @property
    def fold(self) -> npt.NDArray[np.int64]:
        """The fold of each pair, (n,)."""
        return np.array([pair.fold for pair in self.pairs], np.int64)

    def owners(self) -> npt.NDArray[np.int64]:
        """For each pair a number that pairs of the same (first) subject share, (n,).

        In a CSV photographs that mated pairs link are taken for one subject.
        """
        subjects = self.subjects or _linked(self.pairs)
        names = [subjects[pair.left] for pair in self.pairs]
        return np.unique(names, return_inverse=True)[1].astype(np.int64)


def read_pairs(path: Path, images: Path) -> PairList:
    """Read a pair list whose photographs lie under `images`. Raises PairsError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PairsError(
            f"{path}: can't be read ({error}); give an LFW pair file or a CSV path_a,path_b,mated"
        ) from None
    lines = text.splitlines()
    if lines and lines[0].replace(" ", "").lower() == "path_a,path_b,mated":
        return _from_csv(path, lines, images)
    return _from_lfw(path, lines, images)


def _from_csv(path: Path, lines: Sequence[str], images: Path) -> PairList:
    pairs = []
    for number, row in enumerate(csv.reader(lines), start=1):
        if number == 1 or not row:
            continue
        if len(row) != 3:
            raise PairsError(f"{path}:{number}: has {len(row)} fields, expected path_a,path_b,mated")
        said = row[2].strip().lower()
        if said not in _YES + _NO:
            raise PairsError(f"{path}:{number}: mated is '{row[2]}'; write 1 or 0")
        left, right = (_existing(images / name.strip(), path, number) for name in row[:2])
        pairs.append(Pair(left, right, said in _YES, 0))
    return _in_blocks(PairList(path, tuple(pairs), 1, False, None))


def _from_lfw(path: Path, lines: Sequence[str], images: Path) -> PairList:
    head = lines[0].split() if lines else []
    if len(head) not in (1, 2) or not all(word.isdecimal() and int(word) > 0 for word in head):
        raise PairsError(
            f"{path}:1: is neither 'N', 'FOLDS N' (LFW: pairs of each kind in each fold) nor 'path_a,path_b,mated'"
        )
    folds, each = (1, int(head[0])) if len(head) == 1 else (int(head[0]), int(head[1]))
    filled = [(number, line.split()) for number, line in enumerate(lines[1:], start=2) if line.strip()]
    if len(filled) != 2 * each * folds:
        raise PairsError(f"{path}: has {len(filled)} pairs, its first line says {2 * each * folds}; fetch it again")
    subjects: dict[Path, str] = {}
    pairs = []
    for index, (number, words) in enumerate(filled):
        mated = index % (2 * each) < each
        if len(words) != (3 if mated else 4) or not (words[1].isdecimal() and words[-1].isdecimal()):
            wanted = "NAME N N (mated)" if mated else "NAME N NAME N (non-mated)"
            raise PairsError(f"{path}:{number}: is '{' '.join(words)}', expected {wanted}")
        names = (words[0], words[0] if mated else words[2])
        left, right = (
            _existing(images / name / f"{name}_{int(count):04d}", path, number)
            for name, count in zip(names, (words[1], words[-1]), strict=True)
        )
        subjects[left], subjects[right] = names
        pairs.append(Pair(left, right, mated, index // (2 * each)))
    found = PairList(path, tuple(pairs), folds, folds > 1, subjects)
    return found if found.own_folds else _in_blocks(found)


def _existing(path: Path, listed_in: Path, line: int) -> Path:
    """The photograph itself, or with the first suffix that exists."""
    for candidate in (path, *(path.with_name(path.name + suffix) for suffix in SUFFIXES)):
        if candidate.is_file():
            return candidate
    raise PairsError(f"{listed_in}:{line}: {path} is not there; check --images, or fetch the data set again")


def _in_blocks(found: PairList) -> PairList:
    """A list without folds cut into FOLDS runs of each kind: sorted lists so keep one subject's pairs together."""
    mated = found.mated
    if not len(mated) or mated.all() or not mated.any():
        raise PairsError(f"{found.path}: needs both mated and non-mated pairs; add the missing kind")
    folds = min(FOLDS, int(mated.sum()), int((~mated).sum()))
    fold = np.zeros(len(mated), np.int64)
    for kind in (mated, ~mated):
        fold[kind] = np.arange(kind.sum()) * folds // kind.sum()
    numbered = (replace(pair, fold=int(number)) for pair, number in zip(found.pairs, fold, strict=True))
    return replace(found, pairs=tuple(numbered), folds=folds)


def _linked(pairs: Sequence[Pair]) -> dict[Path, str]:
    """A name for each photograph, the same for all that mated pairs join."""
    parent: dict[Path, Path] = {}

    def root(file: Path) -> Path:
        while parent.setdefault(file, file) != file:
            parent[file] = parent[parent[file]]
            file = parent[file]
        return file

    for pair in pairs:
        left, right = root(pair.left), root(pair.right)
        if pair.mated:
            parent[left] = right
    return {file: str(root(file)) for file in list(parent)}
