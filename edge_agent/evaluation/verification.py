"""1:1 over a list of pairs: accuracy in folds, true match rates at false match rates, and the product's own thresholds.

Rules: a pair of which a photograph wasn't acquired has the score -inf: it is a non-match at every threshold (ISO/IEC
19795-1, generalised rates). Each rate is also given over acquired pairs alone. A threshold is chosen on other pairs
than it is judged by. No rate is given that fewer than `FALSE_MATCHES_MIN` false matches support.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding
from edge_agent.evaluation.acquisition import Acquisition
from edge_agent.evaluation.pairs import PairList
from edge_agent.evaluation.rates import FALSE_MATCHES_MIN, Hits, best_threshold, rate
from edge_agent.vision.manifest import EmbedderSpec
from edge_agent.vision.operating_points import OperatingPointError

FMRS = ("1e-2", "1e-3", "1e-4", "1e-5", "1e-6")
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Verification:
    """scores: of the listed pairs, -inf where not acquired. impostor: falling scores that FMRs are taken from."""

    report: dict[str, Any]
    scores: Scores
    mated: Hits
    impostor: Scores


def verify(
    pairs: PairList, train: PairList | None, acquired: Acquisition, spec: EmbedderSpec, mirrored: bool
) -> Verification:
    """Compare every listed pair; thresholds from `train` where given, else from the other folds."""
    scores = scores_of(pairs, acquired.probes)
    train_scores = None if train is None else scores_of(train, acquired.probes)
    listed = {file: acquired.probes[file] for file in pairs.files if file in acquired.probes}
    impostor = impostors(pairs, scores, listed)
    failures = {file: why for file, why in acquired.failures.items() if file in set(pairs.files)}
    report = {
        "gate": acquired.gate,
        "bounds": acquired.bounds,
        "fta": Acquisition(acquired.gate, acquired.bounds, listed, failures).fta()
        | {"pairs": int((~np.isfinite(scores)).sum())},
        "accuracy": accuracy(pairs, scores, train, train_scores),
        "tmr": true_match_rates(pairs, scores, impostor),
        "at_targets": at_targets(pairs, scores, spec, mirrored),
    }
    return Verification(report, scores, pairs.mated, impostor)


def scores_of(pairs: PairList, probes: Mapping[Path, Embedding]) -> Scores:
    """Cosine of each pair, (n,) float64; -inf where a photograph gave no probe."""
    return np.array(
        [
            float(probes[pair.left] @ probes[pair.right]) if pair.left in probes and pair.right in probes else -np.inf
            for pair in pairs.pairs
        ],
        np.float64,
    )


def impostors(pairs: PairList, scores: Scores, probes: Mapping[Path, Embedding]) -> Scores:
    """Scores of different subjects, falling: of every two photographs where subjects are known, else listed pairs."""
    if pairs.subjects is None or not probes:
        return np.sort(scores[~pairs.mated & np.isfinite(scores)])[::-1]
    files = list(probes)
    rows = np.stack([probes[file] for file in files])
    labels = np.unique([pairs.subjects[file] for file in files], return_inverse=True)[1]
    parts = [(rows[i + 1 :] @ rows[i])[labels[i + 1 :] != labels[i]] for i in range(len(files) - 1)]
    return np.sort(np.concatenate(parts).astype(np.float64))[::-1] if parts else np.zeros(0)


def accuracy(
    pairs: PairList, scores: Scores, train: PairList | None = None, train_scores: Scores | None = None
) -> dict[str, Any]:
    """Share of pairs judged rightly: `mean` and `std` over folds, `n`, `count`, `ci95`; `acquired_only` beside it.

    std is that of LFW's rules: the standard deviation of the folds (n - 1 in the divisor); `standard_error` the mean's.
    """
    right = np.zeros(len(scores), np.bool_)
    thresholds = []
    for number in range(pairs.folds):
        inside = pairs.fold == number
        if train is None or train_scores is None:
            threshold = best_threshold(scores[~inside], pairs.mated[~inside])
        else:
            threshold = best_threshold(train_scores, train.mated)
        thresholds.append(round(threshold, 5))
        right[inside] = (scores[inside] >= threshold) == pairs.mated[inside]
    seen = np.isfinite(scores)
    owners = pairs.owners()
    return _over_folds(right, pairs.fold, owners) | {
        "folds": pairs.folds,
        "own_folds": pairs.own_folds,
        "threshold_from": "the other folds" if train is None else train.path.name,
        "thresholds": sorted(set(thresholds)),
        "false_matches": int((~right & ~pairs.mated).sum()),
        "false_non_matches": int((~right & pairs.mated).sum()),
        "acquired_only": _over_folds(right[seen], pairs.fold[seen], owners[seen]),
    }


def _over_folds(right: Hits, fold: npt.NDArray[np.int64], owners: npt.NDArray[np.int64]) -> dict[str, Any]:
    each = [float(right[fold == number].mean()) for number in np.unique(fold)]
    whole = rate(right, owners)
    std = float(np.std(each, ddof=1)) if len(each) > 1 else None
    return {
        "mean": round(float(np.mean(each)), 6) if each else None,
        "std": None if std is None else round(std, 6),
        "standard_error": None if std is None else round(std / len(each) ** 0.5, 6),
        "n": whole["n"],
        "count": whole["count"],
        "ci95": whole["ci95"],
    }


def true_match_rates(pairs: PairList, scores: Scores, impostor: Scores) -> dict[str, Any]:
    """By FMR: TMR of the listed mated pairs at the threshold that this share of `impostor` reaches."""
    mated, owners = pairs.mated, pairs.owners()
    found: dict[str, Any] = {}
    for name in FMRS:
        allowed = int(float(name) * len(impostor) + 1e-6)
        if allowed < FALSE_MATCHES_MIN:
            why = f"{len(impostor):,} impostor comparisons are too few: {FALSE_MATCHES_MIN} false matches are needed"
            found[name] = {"value": None, "n": int(mated.sum()), "ci95": None, "why": why}
            continue
        threshold = float(np.nextafter(impostor[allowed], np.inf))
        seen = mated & np.isfinite(scores)
        found[name] = rate(scores[mated] >= threshold, owners[mated]) | {
            "threshold": round(threshold, 5),
            "false_matches": int((impostor >= threshold).sum()),
            "n_impostor": len(impostor),
            "acquired_only": rate(scores[seen] >= threshold, owners[seen]),
        }
    return found


def at_targets(pairs: PairList, scores: Scores, spec: EmbedderSpec, mirrored: bool) -> dict[str, Any]:
    """By target FMR: what the manifest's threshold (single photographs, fused 1) really gives on the listed pairs."""
    mated, owners = pairs.mated, pairs.owners()
    found: dict[str, Any] = {}
    for name in FMRS:
        try:
            threshold = spec.threshold_for_fmr(float(name), fused=1, mirrored=mirrored)
        except OperatingPointError as error:
            found[name] = {"threshold": None, "why": str(error)}
            continue
        found[name] = {
            "threshold": round(threshold, 5),
            "fmr": rate(scores[~mated] >= threshold, owners[~mated]),
            "fnmr": rate(scores[mated] < threshold, owners[mated]),
        }
    return found
