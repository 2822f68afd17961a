"""From `VisionSettings` to ready observers and examiners: the manifest read, the files verified, the models loaded.

Rules: no model runs whose SHA-256 isn't the manifest's. Loading takes about a second and belongs in the thread that
will use what is loaded.
"""

from __future__ import annotations

from pathlib import Path

from edge_agent.ports import EmbedderId
from edge_agent.settings import VisionSettings
from edge_agent.vision import manifest
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.observer import Observer
from edge_agent.vision.passive_pad import PassivePad
from edge_agent.vision.photo import PhotoExaminer


def load_observer(settings: VisionSettings) -> Observer:
    """An observer for the frames of one camera. Raises TerminalError naming the model, the file and the remedy."""
    models, folder = _verified(settings)
    spec = models.active_embedder
    same, turned = (
        spec.threshold_for_fmr(fmr, fused=1, mirrored=settings.mirrored_average)
        for fmr in (settings.track_swap_fmr, settings.track_swap_turned_fmr)
    )
    embedder = Embedder(spec, folder, settings.mirrored_average, settings.threads)
    spec_pad = models.active_passive_pad
    passive = PassivePad(spec_pad, folder, settings.threads) if spec_pad is not None else None
    landmarker = Landmarker(folder / models.active_landmarker.file)
    return Observer(landmarker, embedder, settings, same, turned, passive=passive)


def load_examiner(settings: VisionSettings) -> PhotoExaminer:
    """An examiner of enrolment photographs. Raises as `load_observer` does."""
    models, folder = _verified(settings)
    spec = models.active_embedder
    embedder = Embedder(spec, folder, settings.mirrored_average, settings.threads)
    landmarker = Landmarker(folder / models.active_landmarker.file, mode="image")
    return PhotoExaminer(landmarker, embedder, EmbedderId(spec.name, spec.sha256), settings.quality)


def _verified(settings: VisionSettings) -> tuple[manifest.Manifest, Path]:
    models = manifest.load(settings.manifest)
    folder = settings.manifest.parent
    manifest.require_verified(models, folder)
    return models, folder
