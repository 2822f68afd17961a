"""Everybody in a list compared with everybody else, before somebody is enrolled twice under two ids.

Rules: likeness alone proves nothing. Two people who look alike enough to be one stop the build until an office has
looked at both and either takes one out or lists the pair as known (`--known-alike`: twins, relatives).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding
from edge_agent.enrolment.faults import Fault, file_fault
from edge_agent.enrolment.office_table import read_table
from edge_agent.ports import EmbedderId, RosterError

BLOCK = 1024
"""Rows compared at once: 4 MB of scores."""

Pair = frozenset[str]


@dataclass(frozen=True)
class AlikeMin:
    """score: cosine from which two templates may be one person. fmr: how often strangers reach it; None: unknown."""

    score: float
    fmr: float | None


@dataclass(frozen=True)
class FaceRules:
    """What the office's machine knows of faces without loading a model.

    fingerprint: 64 hex digits that change with anything a probe depends on. alike_min: (people compared, photographs
    in the better template of a pair) -> from where two are told; raises TerminalError without a measurement.
    """

    embedder: EmbedderId
    fingerprint: str
    alike_min: Callable[[int, int], AlikeMin]


@dataclass(frozen=True)
class Alike:
    """Two subjects whose templates are alike, and how much."""

    first: str
    second: str
    score: float


@dataclass(frozen=True)
class Comparison:
    """pairs: most alike first. comparisons: of different subjects. false_expected: pairs of strangers among them, if
    the office's people are as different as those of the measurement."""

    pairs: tuple[Alike, ...]
    comparisons: int
    false_expected: float | None
    score_min: float


def find_alike(
    templates: Mapping[str, Sequence[Embedding]],
    photos: Mapping[str, int],
    alike_min: Callable[[int, int], AlikeMin],
) -> Comparison:
    """Compare all templates of different subjects. photos: how many went into a subject's template (1 if unknown).

    A pair counts from the threshold of the better of its two templates, since averages of strangers are more alike.
    """
    owners = [subject for subject, rows in templates.items() for _ in rows]
    if len(templates) < 2:
        return Comparison((), 0, 0.0, 1.0)
    gallery = np.stack([row for rows in templates.values() for row in rows]).astype(np.float32)
    counts = [max(1, photos.get(subject, 1)) for subject in owners]
    minima = {count: alike_min(len(templates), count) for count in sorted(set(counts))}
    bounds = np.array([minima[count].score for count in counts], np.float32)
    number_of = {subject: number for number, subject in enumerate(templates)}
    numbers = np.array([number_of[subject] for subject in owners])
    best: dict[Pair, Alike] = {}
    for start in range(0, len(owners), BLOCK):
        for i, j, score in _block(gallery, bounds, numbers, start):
            pair = frozenset((owners[i], owners[j]))
            if pair not in best or best[pair].score < score:
                best[pair] = Alike(owners[i], owners[j], score)
    comparisons = len(templates) * (len(templates) - 1) // 2
    pairs = tuple(sorted(best.values(), key=lambda one: (-one.score, one.first, one.second)))
    rates = [one.fmr for one in minima.values()]
    expected = max(rate * comparisons for rate in rates if rate is not None) if None not in rates else None
    return Comparison(pairs, comparisons, expected, min(one.score for one in minima.values()))


def _block(
    gallery: npt.NDArray[np.float32], bounds: npt.NDArray[np.float32], numbers: npt.NDArray[np.int_], start: int
) -> list[tuple[int, int, float]]:
    """Pairs (i, j, score) with i in this block and j after i, of different subjects, at or above both their bounds."""
    end = min(start + BLOCK, len(gallery))
    scores = gallery[start:end] @ gallery[start:].T
    needed = np.maximum(bounds[start:end, None], bounds[None, start:])
    hits = np.argwhere((scores >= needed) & (numbers[start:end, None] != numbers[None, start:]))
    return [(start + int(i), start + int(j), float(scores[i, j])) for i, j in hits if j > i]


def read_known_alike(path: Path) -> dict[Pair, str]:
    """Pairs an office has looked at -> the reason. Columns first, second, reason. Raises RosterError, every fault."""
    problems: list[Fault] = []
    known: dict[Pair, str] = {}
    for row in read_table(path, ("first", "second", "reason"), (), problems):
        first, second, reason = (row.cells[name] for name in ("first", "second", "reason"))
        if not first or not second or first == second:
            what = "needs two different ids"
            problems.append(file_fault(path, what, "copy both ids from the report", row.line, "first"))
        elif not reason:
            remedy = "say why they are two people: twins, sisters, seen both on 3 March"
            problems.append(file_fault(path, "is empty", remedy, row.line, "reason"))
        else:
            known[frozenset((first, second))] = reason
    if problems:
        raise RosterError("\n".join(str(problem) for problem in problems))
    return known
