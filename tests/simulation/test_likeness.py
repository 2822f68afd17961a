"""The made-up faces are as like and unlike each other as the embedder's were measured to be."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.core.matching import fuse
from edge_agent.core.model import Embedding
from edge_agent.settings import SHIPPED_MANIFEST, MatchingSettings
from edge_agent.simulation.likeness import SIBLING, TWIN, Face, Look, enrolled, relative, stranger
from edge_agent.vision.manifest import load

PEOPLE = 1200
MARGIN = MatchingSettings().margin


def probe(face: Face, rng: np.random.Generator) -> Embedding:
    look = Look(face, rng)
    return fuse([look.frame() for _ in range(6)])


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    """Row: whose template; column: whose probe."""
    rng = np.random.default_rng(1)
    faces = [stranger(rng) for _ in range(PEOPLE)]
    templates = np.stack([enrolled(face, rng) for face in faces])
    return np.asarray(templates @ np.stack([probe(face, rng) for face in faces]).T)


@pytest.mark.parametrize("fmr", [0.1, 0.01, 0.001, 1e-4])
def test_strangers_match_as_often_as_measured(scores: np.ndarray, fmr: float) -> None:
    points = next(
        one
        for one in load(SHIPPED_MANIFEST).active_embedder.operating_points
        if (one.fused, one.mirrored) == (2, False)
    )
    threshold = next(point.threshold for point in points.impostor_curve if point.fmr == fmr)
    others = scores[~np.eye(PEOPLE, dtype=bool)]
    assert fmr / 2 < float((others >= threshold).mean()) < fmr * 2


def test_people_are_like_themselves(scores: np.ndarray) -> None:
    own = np.diag(scores)
    assert 0.82 < float(np.median(own)) < 0.88
    assert float(np.percentile(own, 1)) > 0.65


def test_twins_are_within_the_margin_and_siblings_are_not() -> None:
    rng = np.random.default_rng(2)
    leads: dict[float, list[float]] = {TWIN: [], SIBLING: []}
    for _ in range(100):
        face = stranger(rng)
        for likeness, found in leads.items():
            other = relative(face, likeness, rng)
            look = probe(face, rng)
            found.append(float(enrolled(face, rng) @ look) - float(enrolled(other, rng) @ look))
    assert float(np.percentile(leads[TWIN], 90)) < MARGIN
    assert float(np.percentile(leads[SIBLING], 1)) > 2 * MARGIN


def test_embeddings_are_unit_vectors_of_the_embedders_length() -> None:
    rng = np.random.default_rng(3)
    one = probe(stranger(rng), rng)
    assert one.shape == (128,)
    assert one.dtype == np.float32
    assert float(np.linalg.norm(one)) == pytest.approx(1.0, abs=1e-5)
