"""From an aligned face to an embedding, for whatever network the manifest describes.

Rules: alignment and output length come from the manifest, what the network is given from `network_input.py`; nothing
here knows a particular network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding
from edge_agent.ports import TerminalError
from edge_agent.vision.alignment import Image
from edge_agent.vision.interpreter import TensorInfo, load
from edge_agent.vision.manifest import EmbedderSpec
from edge_agent.vision.network_input import NetworkInput

Mesh = npt.NDArray[np.floating[Any]]


class EmbedderError(TerminalError):
    """The model file and its manifest entry contradict each other, or the network gave no usable embedding."""


class Embedder:
    """One embedding network. Keeps its buffers, so it belongs to one thread.

    mirrored_average: average the embeddings of the chip and of a mirror image: of the chip cut by `mirrored_alignment`
    where the manifest has one, else of the same (twice the time, fewer errors).
    """

    def __init__(self, spec: EmbedderSpec, folder: Path, mirrored_average: bool, threads: int = 1) -> None:
        """Load `spec.file` from `folder`. Raises InterpreterError, NetworkInputError, EmbedderError."""
        self.spec = spec
        self.mirrored_average = mirrored_average
        self._runner = load(folder / spec.file, threads)
        self._input = NetworkInput(spec, self._runner.inputs[0])
        self._output = _checked_output(spec, self._runner.outputs)
        self._looks = spec.looks if mirrored_average else spec.looks[:1]

    def chip(self, image_rgb: Image, mesh_px: Mesh) -> Image:
        """The aligned face, uint8 RGB (size, size, 3). image_rgb: uint8 (h, w, 3); mesh_px: (478, 2 or 3), pixels.

        Where the mirrored look is cut otherwise, (2 size, size, 3): below it that look's chip, not yet mirrored.

        Raises ValueError when the mesh is degenerate.
        """
        chips = [look.cut(image_rgb, mesh_px, self.spec.input.size_px) for look in self._looks]
        return chips[0] if len(chips) == 1 else np.concatenate(chips)

    def embed_chip(self, chip: Image) -> Embedding:
        """Embedding (d,) float32 of unit length. chip: as `chip` cuts it. Raises ValueError, EmbedderError."""
        size = self.spec.input.size_px
        expected = (size * len(self._looks), size, 3)
        if chip.shape != expected or chip.dtype != np.uint8:
            raise ValueError(f"chip is {chip.dtype} {chip.shape}, expected uint8 {expected}")
        values = self._input.values(chip)
        embedding = self._forward(values[:size])
        if self.mirrored_average:
            embedding = self._unit(embedding + self._forward(np.asarray(cv2.flip(values[-size:], 1))))
        return embedding

    def embed(self, image_rgb: Image, mesh_px: Mesh) -> Embedding:
        """Embedding (d,) float32 of unit length of the face with this mesh. Raises as `chip` and `embed_chip` do."""
        return self.embed_chip(self.chip(image_rgb, mesh_px))

    def _forward(self, values: npt.NDArray[Any]) -> Embedding:
        raw: Embedding = self._runner.run(self._input.tensor(values))[0].reshape(-1).astype(np.float32)
        if self._output.scale > 0:
            raw -= self._output.zero_point  # the scale cancels in the unit length
        return self._unit(raw)

    def _unit(self, vector: Embedding) -> Embedding:
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length < 1e-6:
            raise EmbedderError(
                f"model '{self.spec.name}' gave an embedding of length {length:g}; "
                "its normalisation in the manifest may be wrong, or the file is not a face embedder"
            )
        unit: Embedding = vector / np.float32(length)
        return unit


def _checked_output(spec: EmbedderSpec, outputs: tuple[TensorInfo, ...]) -> TensorInfo:
    length = int(np.prod(outputs[0].shape))
    if length != spec.output_length:
        raise EmbedderError(
            f"model '{spec.name}': {spec.file} gives {length} values, the manifest says output_length: "
            f"{spec.output_length}; correct output_length or the file"
        )
    return outputs[0]
