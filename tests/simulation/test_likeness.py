"""The made-up faces are as like and unlike each other as the embedder's were measured to be."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.core.matching import fuse
from edge_agent.core.model import Embedding
from edge_agent.settings import SHIPPED_MANIFEST, MatchingSettings
from edge_agent.simulation.likeness import CHANGED, SIBLING, TWIN, Face, FaceModel, Look
from edge_agent.simulation.site import face_model
from edge_agent.vision.manifest import load
from edge_agent.wiring import FUSED

PEOPLE = 1200
MANIFEST = load(SHIPPED_MANIFEST)
POINTS = next(one for one in MANIFEST.active_embedder.operating_points if one.fused == FUSED and one.mirrored)
MODEL: FaceModel = face_model(MANIFEST)


def probe(face: Face, rng: np.random.Generator) -> Embedding:
    look = Look(MODEL, face, rng)
    return fuse([look.frame() for _ in range(6)])


def threshold(fmr: float) -> float:
    return next(point.threshold for point in POINTS.impostor_curve if point.fmr == fmr)


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    """Row: whose template; column: whose probe."""
    rng = np.random.default_rng(1)
    faces = [MODEL.stranger(rng) for _ in range(PEOPLE)]
    templates = np.stack([MODEL.template(face, MODEL.photographs(rng)) for face in faces])
    return np.asarray(templates @ np.stack([probe(face, rng) for face in faces]).T)


@pytest.mark.parametrize("fmr", [0.1, 0.01, 0.001, 1e-4])
def test_strangers_match_as_often_as_measured(scores: np.ndarray, fmr: float) -> None:
    others = scores[~np.eye(PEOPLE, dtype=bool)]
    assert fmr / 2 < float((others >= threshold(fmr)).mean()) < fmr * 2


def test_people_are_like_themselves(scores: np.ndarray) -> None:
    own = np.diag(scores)
    assert float(np.percentile(own, 1)) > threshold(1e-4)
    assert float(np.median(own)) < 1 - 0.05 * (1 - threshold(0.1))


def test_twins_are_within_the_margin_siblings_are_not_and_a_changed_face_is_nobodys() -> None:
    rng = np.random.default_rng(2)
    margin = MatchingSettings().margin
    leads: dict[float, list[float]] = {TWIN: [], SIBLING: []}
    changed: list[float] = []
    for _ in range(100):
        face, photographs = MODEL.stranger(rng), MODEL.photographs(rng)
        own = MODEL.template(face, photographs)
        for likeness, found in leads.items():
            other = MODEL.template(MODEL.relative(face, likeness, rng), photographs)
            look = probe(face, rng)
            found.append(float(own @ look) - float(other @ look))
        changed.append(float(own @ probe(MODEL.relative(face, CHANGED, rng), rng)))
    assert float(np.percentile(leads[TWIN], 99)) < margin
    assert float(np.percentile(leads[SIBLING], 1)) > margin
    assert float(np.percentile(changed, 90)) < threshold(1e-4)


def test_embeddings_are_unit_vectors_of_the_embedders_length() -> None:
    rng = np.random.default_rng(3)
    one = probe(MODEL.stranger(rng), rng)
    assert one.shape == (128,)
    assert one.dtype == np.float32
    assert float(np.linalg.norm(one)) == pytest.approx(1.0, abs=1e-5)


def test_another_embedders_curve_gives_other_faces() -> None:
    narrow = FaceModel.of_curve([(0.02, 0.92), (0.01, 0.926), (0.001, 0.9412), (1e-4, 0.9514)])
    assert narrow.shared > 0.8 > MODEL.shared
    assert narrow.visit < MODEL.visit
