"""Probe against gallery: fusion, then a threshold, and for 1:N a margin over the runner-up.

Relatives live in the same village and look alike, so the best subject must also lead the second-best *subject*.

Rules: pure; scores are cosine similarities of unit vectors, -1..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_agent.core.model import Embedding, Gallery, MatchKind, Reason
from edge_agent.core.rules import MatchRules


@dataclass(frozen=True)
class Match:
    """The verdict: a subject, or the reason there is none. `runner_up` is the best other subject's score (1:N)."""

    kind: MatchKind
    subject_id: str | None
    reason: Reason | None
    score: float
    runner_up: float | None
    threshold: float
    margin: float | None


def fuse(probes: Sequence[Embedding]) -> Embedding:
    """Mean of unit vectors (at least one), scaled back to unit length; shape (d,), float32.

    Vectors that cancel out are not of one face; their mean stays near zero and matches nobody.
    """
    mean = np.stack(probes).mean(axis=0)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-6), dtype=np.float32)


def identify(probe: Embedding, gallery: Gallery, rules: MatchRules) -> Match:
    """1:N. Below the threshold: NOT_RECOGNISED; too close to another subject: AMBIGUOUS (never guessed)."""

    def verdict(subject_id: str | None, reason: Reason | None, score: float, runner_up: float | None) -> Match:
        threshold = rules.identification_threshold
        return Match(MatchKind.IDENTIFICATION, subject_id, reason, score, runner_up, threshold, rules.margin)

    if len(gallery) == 0:
        return verdict(None, Reason.NOT_RECOGNISED, -1.0, None)
    scores = gallery.templates @ probe
    best = int(np.argmax(scores))
    subject_id, score = gallery.subject_ids[best], float(scores[best])
    runner_up = _best_of_another(scores, best, gallery.subject_ids)
    if not score >= rules.identification_threshold:  # so that NaN is nobody
        return verdict(None, Reason.NOT_RECOGNISED, score, runner_up)
    if runner_up is not None and not score - runner_up >= rules.margin:
        return verdict(None, Reason.AMBIGUOUS, score, runner_up)
    return verdict(subject_id, None, score, runner_up)


def _best_of_another(scores: Embedding, best: int, subject_ids: tuple[str, ...]) -> float | None:
    """Highest score of a subject other than row `best`'s, or None. One pass per template of the best subject."""
    left = scores.copy()
    row = best
    for _ in range(len(left)):
        left[row] = -np.inf
        row = int(np.argmax(left))
        if subject_ids[row] != subject_ids[best]:
            return float(left[row])
    return None


def verify(probe: Embedding, gallery: Gallery, subject_id: str, rules: MatchRules) -> Match:
    """1:1 against every template of the subject a token named. Unknown or unlike: NOT_RECOGNISED."""
    rows = [row for row, owner in enumerate(gallery.subject_ids) if owner == subject_id]
    score = float((gallery.templates[rows] @ probe).max()) if rows else -1.0
    known = score >= rules.verification_threshold
    return Match(
        MatchKind.VERIFICATION,
        subject_id if known else None,
        None if known else Reason.NOT_RECOGNISED,
        score,
        None,
        rules.verification_threshold,
        None,
    )
