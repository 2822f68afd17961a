"""1:N in an open set: half the subjects may be enrolled, the others are impostors; several gallery sizes and seeds.

Rules: the decision is the product's own (`core.matching.identify`: threshold and margin), the threshold comes from the
target FPIR and the actual gallery size as in `wiring.match_rules`. One template per subject, fused from photographs
that no probe uses. A probe without any acquired photograph returns nobody: a miss for a mated search, a correct
rejection for a non-mated one; rates over acquired probes alone are given beside. A subject whose template can't be
made is a failure to enrol, is counted, and its searches miss.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.core.matching import fuse, identify
from edge_agent.core.model import Embedding, Gallery
from edge_agent.core.proportion import wilson_interval
from edge_agent.core.rules import MatchRules
from edge_agent.evaluation.acquisition import Acquisition
from edge_agent.evaluation.pairs import SUFFIXES, PairsError
from edge_agent.evaluation.rates import rate
from edge_agent.progress import Progress
from edge_agent.vision.manifest import EmbedderSpec
from edge_agent.vision.operating_points import OperatingPointError
from edge_agent.wiring import FUSED

FPIRS = ("0.1", "0.01", "0.001")
ANYBODY = -2.0
"""A threshold below every cosine: the decision then depends on the margin alone, and the score tells the rest."""


@dataclass(frozen=True)
class Protocol:
    """galleries: sizes, None: everybody of the enrolled half. Photographs per template (at most) and per probe."""

    galleries: tuple[int, ...] | None = None
    template_photographs: int = 2
    probe_photographs: int = 1
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)


@dataclass
class Searches:
    """What every search of one gallery size came to, over all seeds. A score is -inf where nobody could be returned.

    mated_score: of the right subject, leading by the margin. non_mated_score: of whoever leads by the margin.
    *_seen: the probe was acquired. *_owner: number of the subject who was searched for.
    """

    sizes: list[int] = field(default_factory=list)
    mated_score: list[float] = field(default_factory=list)
    mated_seen: list[bool] = field(default_factory=list)
    mated_owner: list[int] = field(default_factory=list)
    non_mated_score: list[float] = field(default_factory=list)
    non_mated_seen: list[bool] = field(default_factory=list)
    non_mated_owner: list[int] = field(default_factory=list)
    templates_of: Counter[int] = field(default_factory=Counter)
    not_enrolled: int = 0
    asked: int = 0


@dataclass(frozen=True)
class Identification:
    """The report and, by gallery size, the searches behind it."""

    report: dict[str, Any]
    searches: dict[int, Searches]


def subjects_in(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Photographs by subject: each folder in `folder` is one. Raises PairsError when there are fewer than four."""
    found = {}
    for subject in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        files = tuple(sorted(file for file in subject.iterdir() if file.suffix.lower() in SUFFIXES))
        if files:
            found[subject.name] = files
    if len(found) < 4:
        raise PairsError(
            f"{folder}: has {len(found)} folders with photographs ({', '.join(SUFFIXES)}), at least 4 are needed; "
            "give the folder that holds one folder per subject"
        )
    return found


def identification(
    subjects: Mapping[str, Sequence[Path]],
    acquired: Acquisition,
    protocol: Protocol,
    spec: EmbedderSpec,
    *,
    mirrored: bool,
    margin: float,
    quiet: bool = False,
) -> Identification:
    """Search galleries of every size with every seed. Raises PairsError for a gallery larger than half the subjects."""
    half = len(subjects) // 2
    sizes = protocol.galleries or (half,)
    if max(sizes) > half:
        raise PairsError(
            f"--gallery {max(sizes)}: only half of the {len(subjects)} subjects are enrolled; ask for {half} or fewer"
        )
    searches = {size: Searches() for size in sizes}
    progress = None if quiet else Progress(f"searches, gate {acquired.gate}", len(protocol.seeds) * len(sizes))
    for turn, seed in enumerate(protocol.seeds):
        plan = _Plan(subjects, acquired.probes, protocol, seed)
        for place, size in enumerate(sizes):
            plan.search(size, margin, searches[size])
            if progress is not None:
                progress.done(turn * len(sizes) + place + 1)
    galleries = {str(size): _report(found, spec, mirrored) for size, found in searches.items()}
    report = {
        "gate": acquired.gate,
        "bounds": acquired.bounds,
        "fta": acquired.fta(),
        "gallery": max(sizes),
        "tpir": galleries[str(max(sizes))]["tpir"],
        "fpir": galleries[str(max(sizes))]["fpir"],
        "galleries": galleries,
    }
    return Identification(report, searches)


class _Plan:
    """One seed's division: who may be enrolled, from which photographs, and what is searched for."""

    def __init__(
        self, subjects: Mapping[str, Sequence[Path]], probes: Mapping[Path, Embedding], protocol: Protocol, seed: int
    ) -> None:
        rng = np.random.default_rng(seed)
        self._probes = probes
        self._number = {name: number for number, name in enumerate(sorted(subjects))}
        names = [str(name) for name in rng.permutation(sorted(subjects))]
        self._photographs = {name: _shuffled(subjects[name], rng) for name in names}
        self._k, self._each = protocol.template_photographs, protocol.probe_photographs
        half = len(names) // 2
        # Those with photographs left for a search come first, so that small galleries are searched for too.
        self._enrollable = sorted(names[:half], key=lambda name: -min(len(self._photographs[name]), self._k + 1))
        self._impostors = names[half:]

    def search(self, size: int, margin: float, found: Searches) -> None:
        templates: dict[str, Embedding] = {}
        chosen = self._enrollable[:size]
        for name in chosen:
            rows = [self._probes[file] for file in self._photographs[name][: self._k] if file in self._probes]
            found.templates_of[len(rows)] += 1
            if rows:
                templates[name] = fuse(rows)
        found.asked += len(chosen)
        found.not_enrolled += len(chosen) - len(templates)
        found.sizes.append(len(templates))
        if not templates:
            return
        gallery = Gallery(tuple(templates), np.stack(list(templates.values())))
        rules = MatchRules(ANYBODY, ANYBODY, margin)
        for name in chosen:
            for probe in self._searched_with(name, self._k):
                match = None if probe is None else identify(probe, gallery, rules)
                right = match is not None and match.subject_id == name
                found.mated_score.append(match.score if match is not None and right else -np.inf)
                found.mated_seen.append(probe is not None)
                found.mated_owner.append(self._number[name])
        for name in self._impostors:
            for probe in self._searched_with(name, 0):
                match = None if probe is None else identify(probe, gallery, rules)
                returned = match is not None and match.subject_id is not None
                found.non_mated_score.append(match.score if match is not None and returned else -np.inf)
                found.non_mated_seen.append(probe is not None)
                found.non_mated_owner.append(self._number[name])

    def _searched_with(self, name: str, skip: int) -> list[Embedding | None]:
        """The subject's probes from the photographs after `skip`; None for one of which nothing was acquired."""
        files = self._photographs[name][skip:]
        groups = [files[at : at + self._each] for at in range(0, len(files) - self._each + 1, self._each)]
        rows = [[self._probes[file] for file in group if file in self._probes] for group in groups]
        return [fuse(group) if group else None for group in rows]


def _report(found: Searches, spec: EmbedderSpec, mirrored: bool) -> dict[str, Any]:
    """One gallery size: FPIR and TPIR at each target, failures to enrol, and what templates were made of."""
    size = max(1, *found.sizes)
    scores, others = np.array(found.mated_score), np.array(found.non_mated_score)
    seen, others_seen = np.array(found.mated_seen, np.bool_), np.array(found.non_mated_seen, np.bool_)
    owners, other_owners = np.array(found.mated_owner, np.int64), np.array(found.non_mated_owner, np.int64)
    tpir: dict[str, Any] = {}
    fpir: dict[str, Any] = {}
    for name in FPIRS:
        threshold, supported = threshold_for(spec, float(name), size, mirrored)
        about = {"threshold": round(threshold, 5), "target_supported": supported}
        hits, false = scores >= threshold, others >= threshold
        tpir[name] = rate(hits, owners) | about | {"acquired_only": rate(hits[seen], owners[seen])}
        fpir[name] = rate(false, other_owners) | {"acquired_only": rate(false[others_seen], other_owners[others_seen])}
    low, high = wilson_interval(found.not_enrolled, found.asked)
    return {
        "fte": {"count": found.not_enrolled, "n": found.asked, "ci95": [round(low, 5), round(high, 5)]},
        "fta_searches": {
            "mated": {"count": int((~seen).sum()), "n": len(seen)},
            "non_mated": {"count": int((~others_seen).sum()), "n": len(others_seen)},
        },
        "templates_by_photographs": {str(count): number for count, number in sorted(found.templates_of.items())},
        "tpir": tpir,
        "fpir": fpir,
    }


def threshold_for(spec: EmbedderSpec, fpir: float, size: int, mirrored: bool) -> tuple[float, bool]:
    """The score a terminal would choose (`wiring.match_rules`), and whether the measured curve supports the target."""
    try:
        return spec.threshold_for_fpir(fpir, size, fused=FUSED, mirrored=mirrored), True
    except OperatingPointError:
        return spec.strictest_threshold(fused=FUSED, mirrored=mirrored), False


def det(found: Searches) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """FPIR and FNIR over all thresholds, the margin in force; both (n,), thresholds rising."""
    others, mated = np.sort(np.array(found.non_mated_score)), np.sort(np.array(found.mated_score))
    thresholds = np.unique(others[np.isfinite(others)])
    fpir = 1 - np.searchsorted(others, thresholds, side="left") / max(len(others), 1)
    fnir = np.searchsorted(mated, thresholds, side="left") / max(len(mated), 1)
    return fpir.astype(np.float64), fnir.astype(np.float64)


def _shuffled(files: Sequence[Path], rng: np.random.Generator) -> list[Path]:
    return [files[int(index)] for index in rng.permutation(len(files))]
