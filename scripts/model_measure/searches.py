"""Open-set searches (1:N): do thresholds computed from 1:1 comparisons hold, and what does a margin change?

Rules: each round draws a gallery of subjects, one template each; everybody else's templates are non-mated searches, the
gallery subjects' other templates are mated ones. A search is wrong when anybody is returned for a non-mated probe
(FPIR); it is right when the mated subject leads, reaches the threshold and leads the runner-up by the margin (TPIR).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_agent.evaluation.rates import FALSE_MATCHES_MIN, Labels, Rows

ROUNDS = 20


def search(
    rows: Rows, labels: Labels, gallery_size: int, threshold: float, margins: tuple[float, ...]
) -> dict[str, Any]:
    """Rates over ROUNDS seeded galleries, per margin. Raises ValueError if there are too few subjects."""
    subjects = np.unique(labels)
    if gallery_size >= len(subjects):
        raise ValueError(f"a gallery of {gallery_size} needs more than the {len(subjects)} subjects there are")
    rng = np.random.default_rng(gallery_size)
    counts = {margin: np.zeros(4, np.int64) for margin in margins}
    for _ in range(ROUNDS):
        shuffled = rng.permutation(len(rows))
        first = shuffled[np.unique(labels[shuffled], return_index=True)[1]]
        enrolled = rng.choice(first, gallery_size, replace=False)
        mated = np.isin(labels, labels[enrolled])
        mated[enrolled] = False
        non_mated = ~np.isin(labels, labels[enrolled])
        for margin, count in counts.items():
            right, _ = _searched(rows, labels, enrolled, np.flatnonzero(mated), (threshold, margin))
            _, returned = _searched(rows, labels, enrolled, np.flatnonzero(non_mated), (threshold, margin))
            count += [right, int(mated.sum()), returned, int(non_mated.sum())]
    return {
        "gallery_size": gallery_size,
        "threshold": round(threshold, 4),
        "by_margin": [
            {
                "margin": margin,
                "tpir": round(float(count[0] / count[1]), 4),
                "n_mated": int(count[1]),
                "fpir": round(float(count[2] / count[3]), 5),
                "n_non_mated": int(count[3]),
            }
            for margin, count in counts.items()
        ],
    }


def supported(curve: list[dict[str, Any]], rows: Rows, labels: Labels) -> list[dict[str, Any]]:
    """The points whose false matches are of FALSE_MATCHES_MIN different pairs of people at least.

    One pair of lookalikes with many averages each would otherwise count many times.
    """
    kept = []
    for point in curve:
        pairs: set[frozenset[int]] = set()
        for index in range(len(rows) - 1):
            alike = index + 1 + np.flatnonzero(rows[index + 1 :] @ rows[index] >= point["threshold"])
            pairs.update(frozenset((labels[index], other)) for other in labels[alike] if other != labels[index])
            if len(pairs) >= FALSE_MATCHES_MIN:
                kept.append(point)
                break
    return kept


def _searched(
    rows: Rows, labels: Labels, enrolled: Labels, probes: Labels, rule: tuple[float, float]
) -> tuple[int, int]:
    """How many of `probes` return the right subject, and how many return anybody, under (threshold, margin)."""
    scores = rows[probes] @ rows[enrolled].T
    best = scores.argmax(axis=1)
    top = np.partition(scores, -2, axis=1)[:, -2:]
    accepted = (top[:, 1] >= rule[0]) & (top[:, 1] - top[:, 0] >= rule[1])
    return int((accepted & (labels[enrolled][best] == labels[probes])).sum()), int(accepted.sum())
