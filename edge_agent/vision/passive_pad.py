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
from edge_agent.vision.parallax import Mesh
from edge_agent.vision.quality import MESH_POINTS


class PassivePadError(TerminalError):
    """The model file and its manifest entry contradict each other, or the network gave no usable score."""


class PassivePad:
    """One passive PAD network. Keeps its buffers, so it belongs to one thread."""

    def __init__(self, spec: PassivePadSpec, folder: Path, threads: int = 1) -> None:
        """Load `spec.file` from `folder`. Raises InterpreterError, NetworkInputError, PassivePadError."""
        self.spec = spec
        self._runner = load(folder / spec.file, threads)
        self._input = NetworkInput(spec, self._runner.inputs[0])
        self._output = _checked_output(spec, self._runner.outputs[0])

    def score(self, image_rgb: Image, mesh_px: Mesh) -> float:
        """0..1, 1 the surest bona fide. image_rgb: uint8 (h, w, 3); mesh_px: (478, 2+), pixels.

        Raises PassivePadError.
        """
        picture = crop(image_rgb, mesh_px, self.spec.crop_scale, self.spec.input.size_px)
        raw = self._runner.run(self._input.tensor(self._input.values(picture)))[0].reshape(-1).astype(np.float64)
        if self._output.scale > 0:
            raw = (raw - self._output.zero_point) * self._output.scale
        values = _probabilities(raw) if self.spec.output == "logits" else raw
        score = float(values[self.spec.bona_fide_class])
        if not np.isfinite(score):
            raise PassivePadError(
                f"model '{self.spec.name}' gave the score {score}; its normalisation in the manifest may be wrong, "
                "or the file is damaged: run `edge-agent models verify`"
            )
        return min(max(score, 0.0), 1.0)


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
    """Softmax; of a single output the logistic function."""
    if len(logits) == 1:
        return np.asarray(1.0 / (1.0 + np.exp(-logits)))
    grown = np.exp(logits - logits.max())
    return np.asarray(grown / grown.sum())


def _checked_output(spec: PassivePadSpec, output: TensorInfo) -> TensorInfo:
    length = int(np.prod(output.shape))
    if spec.bona_fide_class >= length:
        raise PassivePadError(
            f"model '{spec.name}': {spec.file} gives {length} values, the manifest says bona_fide_class: "
            f"{spec.bona_fide_class}; count from 0 and correct bona_fide_class or the file"
        )
    return output
