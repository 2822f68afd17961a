"""Scores -> error rates with their uncertainty (ISO/IEC 19795-1). A comparison matches when its score >= threshold.

Rules: in `compare_all` every pair of different subjects is an impostor comparison, every pair of one subject's rows a
mated one. No false match rate is given that fewer than FALSE_MATCHES_MIN comparisons support.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.core.proportion import wilson_interval

FMRS = (1e-1, 5e-2, 2e-2, *(float(f"{step}e-{power}") for power in range(2, 8) for step in (1, 0.5, 0.2)))
VERIFICATION_FMRS = (1e-2, 1e-3, 1e-4, 1e-5)
FALSE_MATCHES_MIN = 10
"""With ten the 95 % interval of a rate is about 0.5 to 1.8 times the rate; with fewer it says little."""
BOOTSTRAPS = 1000
SEED = 20260101
Rows = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Hits = npt.NDArray[np.bool_]


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
            interval = interval_of(hits, scores.mated_owner, rng)
            points.append(
                {
                    "fmr": point["fmr"],
                    "tmr": round(tmr, 4),
                    "fnmr": round(1 - tmr, 4),
                    "ci95": interval,
                    "n_mated": len(hits),
                }
            )
    return points


def interval_of(hits: Hits, owners: Labels | None, rng: np.random.Generator) -> list[float]:
    """95 % interval of the share of `hits`, four digits: the wider of Wilson's and a bootstrap over subjects.

    owners[i] is the subject hit i belongs to, whose hits hang together; None: every hit is on its own (Wilson alone).
    """
    low, high = wilson_interval(int(hits.sum()), len(hits))
    if owners is not None and len(hits):
        drawn_low, drawn_high = _by_subject(hits, owners, rng)
        low, high = min(low, drawn_low), max(high, drawn_high)
    return [round(low, 5), round(high, 5)]


def rate(hits: Hits, owners: Labels | None = None) -> dict[str, Any]:
    """`value` (None when n is 0), `count`, `n` and `ci95` of a share, as every report gives them."""
    rng = np.random.default_rng(SEED)
    value = round(float(hits.mean()), 6) if len(hits) else None
    return {"value": value, "count": int(hits.sum()), "n": len(hits), "ci95": interval_of(hits, owners, rng)}


def best_threshold(scores: npt.NDArray[np.floating[Any]], mated: Hits) -> float:
    """The threshold with the fewest errors, midway between two neighbouring scores; among equals the middle one.

    A failure to acquire is a score of -inf and below every threshold. Raises ValueError without a finite score.
    """
    finite = np.isfinite(scores)
    if not finite.any():
        raise ValueError("no pair has a score; no threshold follows from it")
    order = np.argsort(scores[finite], kind="stable")
    ordered, truth = scores[finite][order].astype(np.float64), mated[finite][order]
    # Cut k accepts ordered[k:]; a cut between equal scores doesn't exist.
    wrong = np.concatenate(([0], np.cumsum(truth))) + np.concatenate((np.cumsum(~truth[::-1])[::-1], [0]))
    edges = np.concatenate(([ordered[0] - 1e-6], (ordered[1:] + ordered[:-1]) / 2, [ordered[-1] + 1e-6]))
    possible = np.concatenate(([True], ordered[1:] > ordered[:-1], [True]))
    best = np.flatnonzero(possible & (wrong == wrong[possible].min()))
    return float(edges[best[len(best) // 2]])


def _by_subject(hits: npt.NDArray[np.bool_], owners: Labels, rng: np.random.Generator) -> tuple[float, float]:
    """95 % percentile interval of the share of hits when whole subjects are drawn again (their pairs hang together)."""
    _, owner = np.unique(owners, return_inverse=True)
    per_subject = np.bincount(owner, hits), np.bincount(owner)
    draws = rng.integers(0, len(per_subject[0]), (BOOTSTRAPS, len(per_subject[0])))
    rates = per_subject[0][draws].sum(axis=1) / per_subject[1][draws].sum(axis=1)
    low, high = np.percentile(rates, [2.5, 97.5])
    return float(low), float(high)
