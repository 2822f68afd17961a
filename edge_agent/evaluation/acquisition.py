"""Photographs -> probes by the product's own path: detection, quality gate, alignment, embedding. Owns the two gates.

Rules: embeddings are kept in memory for one run and images not even so long; neither is written to disk. A photograph
that gives no probe is a failure to acquire and is counted by its reason, never dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any, Literal, get_args

import numpy as np

from edge_agent.core.model import Embedding, QualityProblem
from edge_agent.core.proportion import wilson_interval
from edge_agent.ports import EmbedderId, Image, PhotoExaminer
from edge_agent.progress import Progress
from edge_agent.settings import QualitySettings, VisionSettings
from edge_agent.vision import manifest as manifests
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.landmarks import Landmarker, Mesh
from edge_agent.vision.manifest import EmbedderSpec
from edge_agent.vision.observer import FaceEmbedder, FaceFinder
from edge_agent.vision.photo import PhotoError, load_photo
from edge_agent.vision.photo import PhotoExaminer as Examiner

Gate = Literal["open", "enrolment"]
GATES: tuple[Gate, ...] = get_args(Gate)
Subject = Literal["largest", "central"]
UNREADABLE = "unreadable"
FACES_MAX = 5

OPEN = {
    "eye_distance_min_px": 10.0,
    "eye_distance_max_ratio": 10.0,
    "outside_max_ratio": 1.0,
    "parallax_max": 10.0,
    "roll_max_deg": 180.0,
    "pitch_ratio_min": -10.0,
    "pitch_ratio_max": 10.0,
    "sharpness_min": 0.0,
    "brightness_min": 0.0,
    "glare_max_ratio": 1.0,
    "eye_open_min": 0.0,
    "second_face_ratio": 10.0,
}
"""Bounds of the gate `open`: every face found passes, so that only detection fails. For photographs that weren't
taken for a terminal, such as LFW's (no pose, size or sharpness asked for)."""


@dataclass(frozen=True)
class Acquisition:
    """What one gate let through. probes: by file; failures: the reason for each file without a probe."""

    gate: Gate
    bounds: dict[str, float]
    probes: Mapping[Path, Embedding]
    failures: Mapping[Path, str]

    def fta(self) -> dict[str, Any]:
        """Failure to acquire over photographs: `count`, `n`, `value`, `ci95` (Wilson) and `by_reason`."""
        count, total = len(self.failures), len(self.failures) + len(self.probes)
        return {
            "value": round(count / total, 6),
            "count": count,
            "n": total,
            "ci95": [round(limit, 5) for limit in wilson_interval(count, total)],
            "by_reason": dict(Counter(self.failures.values()).most_common()),
        }


@dataclass(frozen=True)
class Sight:
    """The product's examiners, one per gate, that share one look at each photograph; and what the model is."""

    examiners: Mapping[Gate, PhotoExaminer]
    bounds: Mapping[Gate, dict[str, float]]
    spec: EmbedderSpec
    embedder: EmbedderId
    subject: Subject


@dataclass(frozen=True)
class Acquired:
    """Every gate's acquisition of the same photographs. presentation_ms: median and p95, from pixels to probe."""

    by_gate: Mapping[Gate, Acquisition]
    presentation_ms: dict[str, float]


class LookedAt:
    """A face finder and embedder that remember the last photograph, so that a second gate costs almost nothing."""

    def __init__(self, finder: FaceFinder, embedder: FaceEmbedder, subject: Subject) -> None:
        self._finder, self._embedder, self._subject = finder, embedder, subject
        self._image: Image | None = None
        self._meshes: list[Mesh] = []
        self._chip: Image | None = None
        self._embedding: Embedding | None = None

    def detect(self, image_rgb: Image, timestamp_ms: int) -> Sequence[Mesh]:
        if image_rgb is not self._image:
            self._meshes = list(self._finder.detect(image_rgb, timestamp_ms))
            if self._subject == "central":
                height, width = image_rgb.shape[:2]
                self._meshes.sort(key=lambda mesh: _from_middle(mesh, width, height))
            self._image, self._chip, self._embedding = image_rgb, None, None
        return self._meshes

    def chip(self, image_rgb: Image, mesh_px: Mesh) -> Image:
        if self._chip is None:
            self._chip = self._embedder.chip(image_rgb, mesh_px)
        return self._chip

    def embed_chip(self, chip: Image) -> Embedding:
        if self._embedding is None:
            self._embedding = self._embedder.embed_chip(chip)
        return self._embedding

    def close(self) -> None:
        self._image, self._meshes, self._chip, self._embedding = None, [], None, None
        self._finder.close()


@contextmanager
def open_sight(vision: VisionSettings, subject: Subject) -> Iterator[Sight]:
    """The models of `vision`, verified and loaded, behind both gates. Raises TerminalError.

    subject: which face of several is meant: the largest, as at a terminal, or the one nearest the middle, as LFW says.
    """
    models, folder = manifests.load(vision.manifest), vision.manifest.parent
    manifests.require_verified(models, folder)
    spec = models.active_embedder
    embedder = Embedder(spec, folder, vision.mirrored_average, vision.threads)
    landmarker = Landmarker(folder / models.active_landmarker.file, max_faces=FACES_MAX, mode="image")
    shared = LookedAt(landmarker, embedder, subject)
    identity = EmbedderId(spec.name, spec.sha256)
    qualities = {"open": vision.quality.model_copy(update=OPEN), "enrolment": vision.quality}
    examiners: dict[Gate, PhotoExaminer] = {gate: Examiner(shared, shared, identity, qualities[gate]) for gate in GATES}
    try:
        yield Sight(examiners, {gate: _numbers(qualities[gate]) for gate in GATES}, spec, identity, subject)
    finally:
        shared.close()


def acquire(
    files: Sequence[Path], sight: Sight, load: Callable[[Path], Image] = load_photo, quiet: bool = False
) -> Acquired:
    """Examine every photograph once, for all gates; progress goes to standard error unless `quiet`."""
    probes: dict[Gate, dict[Path, Embedding]] = {gate: {} for gate in sight.examiners}
    failures: dict[Gate, dict[Path, str]] = {gate: {} for gate in sight.examiners}
    progress = None if quiet else Progress("photographs", len(files))
    took_ms: list[float] = []
    for count, file in enumerate(files, start=1):
        for gate, (probe, reason) in _examined(file, sight, load, took_ms).items():
            if probe is None:
                failures[gate][file] = reason
            else:
                probes[gate][file] = probe
        if progress is not None:
            progress.done(count, f"{len(failures['open']):,} not acquired")
    by_gate = {gate: Acquisition(gate, dict(sight.bounds[gate]), probes[gate], failures[gate]) for gate in probes}
    return Acquired(by_gate, _spread(took_ms))


def _examined(
    file: Path, sight: Sight, load: Callable[[Path], Image], took_ms: list[float]
) -> dict[Gate, tuple[Embedding | None, str]]:
    """(probe, "") or (None, reason) by gate. The first gate's time, the only whole one, is added to `took_ms`."""
    try:
        image = load(file)
    except PhotoError:
        return {gate: (None, UNREADABLE) for gate in sight.examiners}
    found: dict[Gate, tuple[Embedding | None, str]] = {}
    for gate, examiner in sight.examiners.items():
        began = perf_counter()
        seen = examiner.examine(image)
        if not found:
            took_ms.append((perf_counter() - began) * 1000)
        reason = seen.problems[0] if seen.problems else QualityProblem.NO_FACE
        found[gate] = (seen.probe, "" if seen.probe is not None else reason.value)
    return found


def _from_middle(mesh: Mesh, width_px: int, height_px: int) -> float:
    return float(np.linalg.norm(mesh[:468, :2].mean(axis=0) - (width_px / 2, height_px / 2)))


def _numbers(bounds: QualitySettings) -> dict[str, float]:
    return {name: float(value) for name, value in bounds.model_dump().items()}


def _spread(took_ms: list[float]) -> dict[str, float]:
    if len(took_ms) < 2:
        return {"n": len(took_ms)}
    cuts = quantiles(took_ms, n=20)
    return {"n": len(took_ms), "median": round(cuts[9], 2), "p95": round(cuts[18], 2)}
