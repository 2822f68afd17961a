"""What the settings say of faces, for an office: from where two people are told as alike."""

from __future__ import annotations

import pytest

from edge_agent.office_faces import face_rules
from edge_agent.settings import SHIPPED_MANIFEST, MatchingSettings, QualitySettings, VisionSettings
from edge_agent.vision import manifest

VISION = VisionSettings(manifest=SHIPPED_MANIFEST)


def test_the_threshold_is_that_of_a_search_among_so_many() -> None:
    rules, spec = face_rules(VISION, MatchingSettings()), manifest.load(SHIPPED_MANIFEST).active_embedder
    assert rules.embedder.sha256 == spec.sha256
    found = rules.alike_min(300, 1)
    assert found.score == spec.threshold_for_fpir(0.01, 300, fused=1, mirrored=VISION.mirrored_average)
    assert found.fmr == pytest.approx(0.01 / 300, rel=0.01)
    assert rules.alike_min(3000, 1).score > found.score
    assert rules.alike_min(300, 2).score > found.score


def test_a_list_larger_than_the_measurement_has_the_strictest_score_measured() -> None:
    spec = manifest.load(SHIPPED_MANIFEST).active_embedder
    for photos in (1, 2, 7):
        found = face_rules(VISION, MatchingSettings()).alike_min(1_000_000, photos)
        fused = min(photos, 2)
        assert found.score == spec.strictest_threshold(fused=fused, mirrored=VISION.mirrored_average)
        assert found.fmr == min(
            point.fmr
            for curve in spec.operating_points
            if (curve.fused, curve.mirrored) == (fused, VISION.mirrored_average)
            for point in curve.impostor_curve
        )


def test_two_people_are_compared_too() -> None:
    assert 0 < face_rules(VISION, MatchingSettings()).alike_min(2, 1).score < 1


def test_the_fingerprint_changes_with_what_a_probe_depends_on() -> None:
    plain = face_rules(VISION, MatchingSettings()).fingerprint
    assert len(bytes.fromhex(plain)) == 32
    assert face_rules(VISION, MatchingSettings(identification_fpir=0.1)).fingerprint == plain
    for other in (
        VISION.model_copy(update={"mirrored_average": True}),
        VISION.model_copy(update={"quality": QualitySettings(parallax_max=0.11)}),
    ):
        assert face_rules(other, MatchingSettings()).fingerprint != plain
