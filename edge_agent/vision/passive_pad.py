"""A passive PAD network: one frontal picture in, a bona fide score out, for whatever network the manifest describes.

Rules: nothing here knows a particular network; crop, class and threshold come from the manifest. Its median over a
session is one cue among others (docs/pad-cues.md); no such network ships until its licence and error rates are known.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image, TerminalError
from edge_agent.vision.interpreter import TensorInfo, load
from edge_agent.vision.manifest import PassivePadSpec
from edge_agent.vision.network_input import NetworkInput
from edge_agent.vision.parallax import MESH_POINTS, Mesh

ROUNDING = 0.01
"""How far a probability may lie outside 0..1; beyond it the network doesn't give probabilities. An int8 softmax or
logistic output has steps of 1/256 (TFLite's quantisation specification)."""


class PassivePadError(TerminalError):
    """The model file and its manifest entry contradict each other, or the network gave no usable score."""


class PassivePad:
    """One passive PAD network. Keeps its buffers, so it belongs to one thread."""

    def __init__(self, spec: PassivePadSpec, folder: Path, threads: int = 1) -> None:
        """Load `spec.file` from `folder`. Raises InterpreterError, NetworkInputError, PassivePadError."""
        self.spec = spec
        self._runner = load(folder / spec.file, threads)
        self._input = NetworkInput(spec, self._runner.inputs[0])
        self._output = _checked_output(spec, self._runner.outputs)

    def score(self, image_rgb: Image, mesh_px: Mesh) -> float:
        """0..1, 1 the surest bona fide. image_rgb: uint8 (h, w, 3); mesh_px: (478, 2+), pixels.

        Raises PassivePadError.
        """
        picture = crop(image_rgb, mesh_px, self.spec.crop_scale, self.spec.input.size_px)
        raw = self._runner.run(self._input.tensor(self._input.values(picture)))[0].reshape(-1).astype(np.float64)
        if self._output.scale > 0:
            raw = (raw - self._output.zero_point) * self._output.scale
        self._require_meaningful(raw)
        values = _probabilities(raw) if self.spec.output == "logits" else raw
        return min(max(float(values[self.spec.bona_fide_class]), 0.0), 1.0)

    def _require_meaningful(self, raw: npt.NDArray[np.float64]) -> None:
        given = ", ".join(f"{value:.3g}" for value in raw[:5])
        if not np.isfinite(raw).all():
            raise PassivePadError(
                f"model '{self.spec.name}' gave {given}; its normalisation in the manifest may be wrong, "
                "or the file is damaged: run `edge-agent models verify`"
            )
        if self.spec.output == "probabilities" and (raw.min() < -ROUNDING or raw.max() > 1.0 + ROUNDING):
            raise PassivePadError(
                f"model '{self.spec.name}' gave {given}, the manifest says output: probabilities, which lie in "
                "0..1; set output: logits, or correct input.mean and input.std"
            )


def crop(image_rgb: Image, mesh_px: Mesh, scale: float, size_px: int) -> Image:
    """A square about the middle of the face's box, its side `scale` times the box's longer side, (size, size, 3).

    What lies outside the picture repeats its edge.
    """
    points = mesh_px[:MESH_POINTS, :2].astype(np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    side = max(scale * float((high - low).max()), 1.0)
    left, top = ((low + high) / 2 - side / 2).tolist()
    zoom = size_px / side
    # From pixel centres to pixel centres, so that halving a picture is exactly the mean of its pixels.
    offset = 0.5 * zoom - 0.5
    matrix = np.array([[zoom, 0.0, offset - left * zoom], [0.0, zoom, offset - top * zoom]])
    if zoom < 0.5:  # warping alone would skip pixels
        shrunk = cv2.resize(image_rgb, None, fx=2 * zoom, fy=2 * zoom, interpolation=cv2.INTER_AREA)
        ratio = np.array([image_rgb.shape[1] / shrunk.shape[1], image_rgb.shape[0] / shrunk.shape[0]])
        matrix = matrix @ np.array(
            [[ratio[0], 0.0, (ratio[0] - 1) / 2], [0.0, ratio[1], (ratio[1] - 1) / 2], [0.0, 0.0, 1.0]]
        )
        image_rgb = np.asarray(shrunk, np.uint8)
    return np.asarray(cv2.warpAffine(image_rgb, matrix, (size_px, size_px), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _probabilities(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Softmax; of a single output the logistic function, which is the softmax beside a 0."""
    if len(logits) == 1:
        return _probabilities(np.append(logits, 0.0))[:1]
    grown = np.exp(logits - logits.max())
    return np.asarray(grown / grown.sum())


def _checked_output(spec: PassivePadSpec, outputs: tuple[TensorInfo, ...]) -> TensorInfo:
    output = outputs[0]
    length = int(np.prod(output.shape))
    if len(outputs) > 1 or length != max(output.shape, default=1):
        shapes = ", ".join(str(one.shape) for one in outputs)
        raise PassivePadError(
            f"model '{spec.name}': {spec.file} gives {shapes}, expected one list of classes such as (1, 3) or (1, 1); "
            "convert it again with its classes as the only output (of a map of scores, its mean)"
        )
    if spec.bona_fide_class >= length:
        raise PassivePadError(
            f"model '{spec.name}': {spec.file} gives {length} values, the manifest says bona_fide_class: "
            f"{spec.bona_fide_class}; count from 0 and correct bona_fide_class or the file"
        )
    return output
