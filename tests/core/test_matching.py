"""Threshold, margin and fusion: a stranger is not recognised, relatives are never guessed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.matching import fuse, identify, verify
from edge_agent.core.model import Gallery, Reason
from edge_agent.core.rules import MatchRules
from tests.core.people import ANA, BUDI, FACES, GALLERY, STRANGER, TWIN

RULES = MatchRules(verification_threshold=0.5, identification_threshold=0.7, margin=0.1)


def test_an_enrolled_person_is_identified() -> None:
    match = identify(FACES[ANA], GALLERY, RULES)
    assert (match.subject_id, match.reason, match.score) == (ANA, None, pytest.approx(1.0))
    assert match.runner_up == pytest.approx(0.0)


def test_a_stranger_is_not_recognised() -> None:
    assert identify(FACES[STRANGER], GALLERY, RULES).reason is Reason.NOT_RECOGNISED
    assert verify(FACES[STRANGER], GALLERY, ANA, RULES).reason is Reason.NOT_RECOGNISED


def test_twins_are_never_guessed_but_a_token_settles_it() -> None:
    assert identify(FACES[TWIN], GALLERY, RULES).reason is Reason.AMBIGUOUS
    assert verify(FACES[TWIN], GALLERY, BUDI, RULES).subject_id == BUDI


def test_an_unknown_token_is_not_recognised() -> None:
    assert verify(FACES[ANA], GALLERY, "nobody", RULES).reason is Reason.NOT_RECOGNISED


def test_an_empty_gallery_recognises_nobody() -> None:
    empty = Gallery((), np.zeros((0, 8), np.float32))
    assert identify(FACES[ANA], empty, RULES).reason is Reason.NOT_RECOGNISED


def test_a_subjects_other_templates_are_no_runner_up() -> None:
    templates = np.stack([FACES[ANA], FACES[ANA], FACES[ANA], FACES[BUDI]])
    match = identify(FACES[ANA], Gallery((ANA, ANA, ANA, BUDI), templates), RULES)
    assert (match.subject_id, match.runner_up) == (ANA, pytest.approx(0.0))
    alone = identify(FACES[ANA], Gallery((ANA, ANA), templates[:2]), RULES)
    assert (alone.subject_id, alone.runner_up) == (ANA, None)


def test_fusion_is_a_unit_mean_and_opposites_match_nobody() -> None:
    fused = fuse([FACES[ANA], FACES[BUDI]])
    assert fused == pytest.approx(FACES[TWIN], abs=1e-6)
    assert fused.dtype == np.float32
    nothing = fuse([FACES[ANA], -FACES[ANA]])
    assert identify(nothing, GALLERY, RULES).reason is Reason.NOT_RECOGNISED


@given(seed=st.integers(0, 10_000), subjects=st.integers(1, 12), rows=st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_identification_agrees_with_a_plain_loop(seed: int, subjects: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    ids = tuple(f"s{i % subjects}" for i in range(subjects * rows))
    templates = rng.normal(size=(len(ids), 4)).astype(np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    probe = fuse([templates[0], rng.normal(size=4).astype(np.float32)])
    by_subject: dict[str, float] = {}
    for owner, template in zip(ids, templates, strict=True):
        by_subject[owner] = max(by_subject.get(owner, -2.0), float(template @ probe))
    ranked = sorted(by_subject.items(), key=lambda one: -one[1])
    match = identify(probe, Gallery(ids, templates), RULES)
    assert match.score == pytest.approx(ranked[0][1], abs=1e-6)
    assert match.runner_up == (pytest.approx(ranked[1][1], abs=1e-6) if len(ranked) > 1 else None)
    wins = ranked[0][1] >= 0.7 and (len(ranked) == 1 or ranked[0][1] - ranked[1][1] >= 0.1)
    assert (match.subject_id == ranked[0][0]) == wins


def test_a_score_that_is_not_a_number_recognises_nobody() -> None:
    broken = np.full(8, np.nan, np.float32)
    assert identify(broken, GALLERY, RULES).subject_id is None
    assert verify(broken, GALLERY, ANA, RULES).subject_id is None
    assert identify(FACES[ANA], Gallery((ANA,), broken[None]), RULES).subject_id is None
    half = Gallery((ANA, BUDI), np.stack([FACES[ANA], broken]))
    assert identify(FACES[ANA], half, RULES).subject_id is None
