"""Scores -> error rates with their uncertainty (ISO/IEC 19795-1). A comparison matches when its score >= threshold.

Rules: every pair of different subjects is an impostor comparison, every pair of one subject's rows a mated one. No rate
is given that fewer than FALSE_MATCHES_MIN comparisons support.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from model_measure.photographs import Rows

FMRS = (1e-1, 5e-2, 2e-2, *(float(f"{step}e-{power}") for power in range(2, 8) for step in (1, 0.5, 0.2)))
VERIFICATION_FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
FALSE_MATCHES_MIN = 10
"""With ten the 95 % interval of a rate is about 0.5 to 1.8 times the rate; with fewer it says little."""
BOOTSTRAPS = 1000
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Scores:
    """impostor: all, falling; mated and mated_owner: the mated ones and whose they are."""

    impostor: Rows
    mated: Rows
    mated_owner: Labels


def compare_all(rows: Rows, labels: Labels) -> Scores:
    """Cosine of every pair of rows (unit length)."""
    impostor, mated, owners = [], [], []
    for index in range(len(rows) - 1):
        scores = rows[index + 1 :] @ rows[index]
        same = labels[index + 1 :] == labels[index]
        impostor.append(scores[~same])
        mated.append(scores[same])
        owners.append(np.full(int(same.sum()), labels[index]))
    falling = np.sort(np.concatenate(impostor))[::-1]
    return Scores(falling, np.concatenate(mated), np.concatenate(owners))


def impostor_curve(scores: Scores) -> list[dict[str, Any]]:
    """Threshold for each rate, rounded up to four digits, with how many comparisons falsely match at it."""
    total = len(scores.impostor)
    curve = []
    for fmr in FMRS:
        allowed = int(fmr * total + 1e-6)
        if allowed < FALSE_MATCHES_MIN:
            break
        threshold = float(np.floor(scores.impostor[allowed] * 10_000) + 1) / 10_000
        matches = int(np.searchsorted(-scores.impostor, -threshold, side="right"))
        curve.append({"fmr": fmr, "threshold": threshold, "false_matches": max(matches, 1)})
    return curve


def false_match_rate(rows: Rows, labels: Labels, others: Rows, other_labels: Labels, threshold: float) -> float:
    """Share of the comparisons of `rows` with `others` of different subjects that match."""
    different = labels[:, None] != other_labels[None]
    return float((rows @ others.T >= threshold)[different].mean())


def verification(scores: Scores, curve: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """True match rate at some of the curve's thresholds, with the wider of two 95 % intervals."""
    rng = np.random.default_rng(seed)
    points = []
    for point in curve:
        if point["fmr"] in VERIFICATION_FMRS:
            hits = scores.mated >= point["threshold"]
            tmr = float(hits.mean())
            wilson, bootstrap = wilson_interval(int(hits.sum()), len(hits)), _by_subject(hits, scores.mated_owner, rng)
            interval = [min(wilson[0], bootstrap[0]), max(wilson[1], bootstrap[1])]
            points.append(
                {
                    "fmr": point["fmr"],
                    "tmr": round(tmr, 4),
                    "fnmr": round(1 - tmr, 4),
                    "ci95": [round(limit, 4) for limit in interval],
                    "n_mated": len(hits),
                }
            )
    return points


def wilson_interval(hits: int, total: int) -> tuple[float, float]:
    """95 % score interval of a proportion."""
    z = 1.959964
    share, spread = hits / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))


def _by_subject(hits: npt.NDArray[np.bool_], owners: Labels, rng: np.random.Generator) -> tuple[float, float]:
    """95 % percentile interval of the share of hits when whole subjects are drawn again (their pairs hang together)."""
    _, owner = np.unique(owners, return_inverse=True)
    per_subject = np.bincount(owner, hits), np.bincount(owner)
    draws = rng.integers(0, len(per_subject[0]), (BOOTSTRAPS, len(per_subject[0])))
    rates = per_subject[0][draws].sum(axis=1) / per_subject[1][draws].sum(axis=1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)
