"""What an office's machine knows of faces, from a terminal's settings: which embedder, and who looks too much alike.

Rules: no model is loaded here; the manifest says all of it.
"""

from __future__ import annotations

import hashlib
import math

from edge_agent.enrolment.alike import AlikeMin, FaceRules
from edge_agent.ports import EmbedderId
from edge_agent.settings import MatchingSettings, VisionSettings
from edge_agent.vision import manifest as manifests
from edge_agent.vision.manifest import Manifest
from edge_agent.vision.operating_points import OperatingPointError

FUSED_MAX = 2
"""Photographs averaged in the curve that templates of more are held against: beyond two too few were measured."""


def face_rules(vision: VisionSettings, matching: MatchingSettings) -> FaceRules:
    """Likeness is told as a search of the roster would find it: at `matching.identification_fpir` for each person,
    or at the strictest score that was measured. Raises ManifestError."""
    manifest = manifests.load(vision.manifest)
    spec, mirrored, fpir = manifest.active_embedder, vision.mirrored_average, matching.identification_fpir

    def alike_min(people: int, photos: int) -> AlikeMin:
        fused = min(photos, FUSED_MAX)
        try:
            score = spec.threshold_for_fpir(fpir, people, fused=fused, mirrored=mirrored)
            return AlikeMin(score, -math.expm1(math.log1p(-fpir) / people))
        except OperatingPointError:
            curves = [curve for curve in spec.operating_points if curve.mirrored == mirrored and curve.fused <= fused]
            rarest = max(curves, key=lambda curve: curve.fused).impostor_curve[-1].fmr
            return AlikeMin(spec.strictest_threshold(fused=fused, mirrored=mirrored), rarest)

    return FaceRules(EmbedderId(spec.name, spec.sha256), _fingerprint(vision, manifest), alike_min)


def _fingerprint(vision: VisionSettings, manifest: Manifest) -> str:
    """Changes with the models, how they are used, and what a photograph must be like."""
    what = (
        manifest.active_embedder.model_dump_json(exclude={"operating_points"}),
        manifest.active_landmarker.sha256,
        str(vision.mirrored_average),
        vision.quality.model_dump_json(),
    )
    return hashlib.sha256("\n".join(what).encode()).hexdigest()
