"""``models/manifest.yaml``: everything the vision code knows of a model, read and checked here and nowhere else.

Rules: an unknown key, a wrong type or an impossible value is an error that names the file, the field, the value and the
remedy. A model file whose SHA-256 differs from its entry is refused. A new model is a new entry, never a code change.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_agent.ports import TerminalError
from edge_agent.vision.alignment import Look
from edge_agent.vision.operating_points import FailureToAcquire, OperatingPoints, fmr_for_fpir, interpolate_threshold

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
PerChannel = tuple[float, float, float]


class ManifestError(TerminalError):
    """The manifest can't be read or says something impossible."""


class ModelHashMismatchError(TerminalError):
    """A model file is missing or isn't the one the manifest names."""

    def __init__(self, name: str, path: Path, expected: str, found: str | None) -> None:
        self.name, self.path, self.expected, self.found = name, path, expected, found
        seen = "the file is missing" if found is None else f"found SHA-256 {found}"
        super().__init__(
            f"model '{name}' is refused: {path}: {seen}, expected {expected}; "
            "restore the file from the release (or `git checkout models`), or enter the new model in the manifest"
        )


class Closed(BaseModel):
    """A part of the manifest: unknown keys are refused, values can't be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputSpec(Closed):
    """What a network takes: a square image; per channel, in `colour_order`: (pixel 0..255 - mean) / std."""

    size_px: Annotated[int, Field(ge=16, le=1024)]
    colour_order: Literal["rgb", "bgr"]
    mean: PerChannel
    std: PerChannel

    @model_validator(mode="after")
    def _std_is_positive(self) -> InputSpec:
        if min(self.std) <= 0:
            raise ValueError(f"std {list(self.std)} must be above 0; [1, 1, 1] leaves pixels as they are")
        return self


class AlignmentPoint(Closed):
    """One point of the alignment template: the mean of some mesh points, and where it belongs on the chip in pixels."""

    name: Name
    mesh: Annotated[tuple[Annotated[int, Field(ge=0, le=477)], ...], Field(min_length=1)]
    chip_px: tuple[float, float]


class ModelSpec(Closed):
    """What every model has."""

    name: Name
    file: Annotated[str, Field(pattern=r"^[^/\\]+$", description="beside the manifest")]
    sha256: Sha256
    version: Text
    licence: Text
    source: Text
    input: InputSpec


class LandmarkerSpec(ModelSpec):
    """A face mesh. points: how many come out; real_points: how many of them mean something (the rest is padding)."""

    role: Literal["landmarker"]
    points: Literal[478]
    real_points: Annotated[int, Field(ge=468, le=478)]
    failure_to_acquire: FailureToAcquire | None = None


class EmbedderSpec(ModelSpec):
    """A face embedding network, its alignment and the errors measured with it.

    mirrored_alignment: of the mirrored look, which may well be cut otherwise: two looks that differ say more than one.
    None: the mirror image of the same chip.
    """

    role: Literal["embedder"]
    alignment: Annotated[tuple[AlignmentPoint, ...], Field(min_length=2)]
    mirrored_alignment: Annotated[tuple[AlignmentPoint, ...], Field(min_length=2)] | None = None
    output_length: Annotated[int, Field(ge=2, le=4096)]
    metric: Literal["cosine"]
    operating_points: tuple[OperatingPoints, ...] = ()

    @model_validator(mode="after")
    def _points_lie_on_the_chip(self) -> EmbedderSpec:
        for point in self.every_point:
            if not all(0 <= value <= self.input.size_px for value in point.chip_px):
                raise ValueError(
                    f"alignment point '{point.name}' at {list(point.chip_px)} lies off the {self.input.size_px} px "
                    "chip; give chip_px in pixels of this model's input"
                )
        return self

    @property
    def every_point(self) -> tuple[AlignmentPoint, ...]:
        """The points of both alignments."""
        return self.alignment + (self.mirrored_alignment or ())

    @property
    def template_px(self) -> npt.NDArray[np.float64]:
        """Where the points of `alignment` belong on the chip, (n, 2) float64, pixels."""
        return self.looks[0].template_px

    def source_px(self, mesh_px: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """The points of `alignment` in an image: mesh_px (478, 2 or more) in pixels -> (n, 2) float64."""
        return self.looks[0].source_px(mesh_px)

    @cached_property
    def looks(self) -> tuple[Look, ...]:
        """How the chip is cut, and if there is a `mirrored_alignment`, how the chip of the mirrored look is."""
        alignments = (self.alignment, self.mirrored_alignment) if self.mirrored_alignment else (self.alignment,)
        return tuple(Look.of([(point.mesh, point.chip_px) for point in points]) for points in alignments)

    def threshold_for_fmr(self, fmr: float, *, fused: int = 1, mirrored: bool = True) -> float:
        """Cosine at which one comparison falsely matches at rate `fmr`, between measured points linear in log10(fmr).

        fused: how many different photographs (or moments) are averaged on each side; the curve measured with the most
        photographs up to that number holds. Raises OperatingPointError outside the measured range.
        """
        return interpolate_threshold(self._curve(fused, mirrored), fmr, self.name)

    def threshold_for_fpir(self, fpir: float, gallery_size: int, *, fused: int = 1, mirrored: bool = True) -> float:
        """Cosine at which a search of `gallery_size` templates returns anybody wrongly at rate `fpir`.

        Takes the comparisons as independent: fmr = 1 - (1 - fpir)^(1/gallery_size). Raises OperatingPointError, naming
        the largest gallery the measurement supports, when that is too small an fmr.
        """
        points = self._curve(fused, mirrored)
        return interpolate_threshold(points, fmr_for_fpir(points, fpir, gallery_size, self.name), self.name)

    def strictest_threshold(self, *, fused: int = 1, mirrored: bool = True) -> float:
        """Cosine at the rarest false match rate that was measured."""
        return self._curve(fused, mirrored).impostor_curve[-1].threshold

    def _curve(self, fused: int, mirrored: bool) -> OperatingPoints:
        fitting = [p for p in self.operating_points if p.mirrored == mirrored and p.fused <= fused]
        if not fitting:
            raise ManifestError(
                f"model '{self.name}': no operating points for fused: {fused}, mirrored: {str(mirrored).lower()}; "
                "measure them (scripts/measure-operating-points) and enter them under operating_points"
            )
        return max(fitting, key=lambda points: points.fused)


class PassivePadSpec(ModelSpec):
    """A network that tells a living face from a picture of one, in one frontal frame.

    crop_scale: side of its square picture over the longer side of the face's box, both about the same middle.
    bona_fide_class: index of the output that means bona fide. output: `logits` go through a softmax (one alone through
    the logistic function). threshold: bona fide score under which the median of a session is conclusive; measured: how
    it was found, with APCER, BPCER and their counts.
    """

    role: Literal["passive_pad"]
    crop_scale: Annotated[float, Field(ge=0.5, le=5)]
    bona_fide_class: Annotated[int, Field(ge=0, le=99)]
    output: Literal["probabilities", "logits"]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    measured: Text


class Active(Closed):
    """Which models a terminal uses; no passive PAD model unless one is named."""

    embedder: Name
    landmarker: Name
    passive_pad: Name | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The models in use."""
        return tuple(name for name in (self.embedder, self.landmarker, self.passive_pad) if name is not None)


AnyModel = EmbedderSpec | LandmarkerSpec | PassivePadSpec


class Manifest(Closed):
    """All models this release carries, and which are in use."""

    active: Active
    models: Annotated[tuple[Annotated[AnyModel, Field(discriminator="role")], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        names = [model.name for model in self.models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"models: '{twice[0]}' is there twice; give each entry its own name")
        for role in ("embedder", "landmarker", "passive_pad"):
            chosen = getattr(self.active, role)
            if chosen is None:
                continue
            fitting = [model.name for model in self.models if model.role == role]
            if chosen not in fitting:
                raise ValueError(
                    f"active.{role}: '{chosen}' is none of the {role}s here: {', '.join(fitting) or 'none'}"
                )
        for point in self.active_embedder.every_point:
            padding = [index for index in point.mesh if index >= self.active_landmarker.real_points]
            if padding:
                raise ValueError(
                    f"models: '{self.active.embedder}': alignment point '{point.name}' uses mesh point {padding[0]}, "
                    f"but '{self.active.landmarker}' has only {self.active_landmarker.real_points}; choose others"
                )
        return self

    @property
    def active_embedder(self) -> EmbedderSpec:
        """The embedder in use."""
        return next(m for m in self.models if isinstance(m, EmbedderSpec) and m.name == self.active.embedder)

    @property
    def active_landmarker(self) -> LandmarkerSpec:
        """The landmarker in use."""
        return next(m for m in self.models if isinstance(m, LandmarkerSpec) and m.name == self.active.landmarker)

    @property
    def active_passive_pad(self) -> PassivePadSpec | None:
        """The passive PAD model in use, if any."""
        named = (m for m in self.models if isinstance(m, PassivePadSpec) and m.name == self.active.passive_pad)
        return next(named, None)

    def model_hashes(self) -> dict[str, str]:
        """Name -> SHA-256 of the models in use, for telemetry."""
        return {model.name: model.sha256 for model in self.models if model.name in self.active.names}


@dataclass(frozen=True)
class ModelCheck:
    """What verifying one model found. error: None when the file is the one the manifest names."""

    name: str
    role: str
    path: Path
    sha256: str
    active: bool
    error: ModelHashMismatchError | None


def load(path: Path) -> Manifest:
    """Read and check the manifest at `path`. Raises ManifestError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError(
            f"{path}: can't be read ({error.strerror}); set vision.manifest to models/manifest.yaml"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: is not YAML: {error}; restore it from the release") from error
    if not isinstance(content, Mapping):
        raise ManifestError(f"{path}: holds {type(content).__name__}, expected `active:` and `models:`")
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        raise ManifestError("\n".join(_explained(path, content, problem) for problem in error.errors())) from error


def verify(manifest: Manifest, folder: Path, *, active_only: bool = False) -> list[ModelCheck]:
    """Compare each model file in `folder` with its SHA-256; never raises, each result carries its error."""
    used = manifest.active.names
    return [_verified(m, folder, m.name in used) for m in manifest.models if m.name in used or not active_only]


def require_verified(manifest: Manifest, folder: Path) -> None:
    """Raise ModelHashMismatchError for the first model in use that is missing or differs."""
    for check in verify(manifest, folder, active_only=True):
        if check.error is not None:
            raise check.error


def _verified(model: AnyModel, folder: Path, active: bool) -> ModelCheck:
    path = folder / model.file
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        found = None
    error = None if found == model.sha256 else ModelHashMismatchError(model.name, path, model.sha256, found)
    return ModelCheck(model.name, model.role, path, model.sha256, active, error)


def _explained(path: Path, content: Any, problem: Any) -> str:
    """One line for one validation problem: file, field with the model's name, value, remedy."""
    steps = list(problem["loc"])
    if steps[:1] == ["models"]:
        del steps[2:3]  # pydantic's own step: which kind of model it took the entry for
    where = ".".join(str(step) for step in steps) or "manifest"
    if len(steps) > 1 and steps[0] == "models":
        entries = content.get("models")
        entry = entries[steps[1]] if isinstance(entries, list) else None
        if isinstance(entry, Mapping) and "name" in entry:
            where += f" (model '{entry['name']}')"
    if problem["type"] == "extra_forbidden":
        return f"{path}: {where}: unknown key; remove it or correct its spelling"
    if problem["type"] == "missing":
        return f"{path}: {where}: is missing; add it (models/README.md lists every field)"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{path}: {where}: {message}"
    return f"{path}: {where}: {message}, got {problem['input']!r}; correct it"
