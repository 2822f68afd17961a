"""What a network is given for a square picture: colour order, normalisation, quantisation and layout.

Rules: colour order and normalisation come from the manifest, quantisation and layout from the model file. Because a
pixel has only 256 values, normalising and quantising are one table per channel, made once.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image, TerminalError
from edge_agent.vision.interpreter import TensorInfo
from edge_agent.vision.manifest import ModelSpec

Values = npt.NDArray[Any]


class NetworkInputError(TerminalError):
    """The model file and its manifest entry contradict each other."""


class NetworkInput:
    """Turns pictures into one input tensor. Keeps its buffer, so it belongs to one thread."""

    def __init__(self, spec: ModelSpec, tensor: TensorInfo) -> None:
        """tensor: the network's input. Raises NetworkInputError when it isn't what the manifest says."""
        self._bgr = spec.input.colour_order == "bgr"
        self._channels_first = _channels_first(spec, tensor)
        self._table = _input_table(spec, tensor)
        self._buffer: Values = np.zeros(tensor.shape, tensor.dtype)

    def values(self, pixels_rgb: Image) -> Values:
        """Normalised (and quantised) pixels, same shape: uint8 RGB (h, w, 3), of any size."""
        pixels = cv2.cvtColor(pixels_rgb, cv2.COLOR_RGB2BGR) if self._bgr else pixels_rgb
        return np.asarray(cv2.LUT(pixels, self._table))

    def tensor(self, values: Values) -> Values:
        """The input tensor for values (size, size, 3); overwritten by the next call."""
        self._buffer[0] = values.transpose(2, 0, 1) if self._channels_first else values
        return self._buffer


def _channels_first(spec: ModelSpec, tensor: TensorInfo) -> bool:
    """Whether the input is (1, 3, h, w) rather than (1, h, w, 3)."""
    size = spec.input.size_px
    if tensor.shape == (1, size, size, 3):
        return False
    if tensor.shape == (1, 3, size, size):
        return True
    raise NetworkInputError(
        f"model '{spec.name}': {spec.file} takes {tensor.shape}, the manifest says input.size_px: {size} "
        f"(1, {size}, {size}, 3); correct input.size_px or the file"
    )


def _input_table(spec: ModelSpec, tensor: TensorInfo) -> Values:
    """For each pixel value and channel what the network is given, (1, 256, 3) in the input's dtype."""
    pixel = np.arange(256, dtype=np.float64)[:, None]
    real = (pixel - np.array(spec.input.mean)) / np.array(spec.input.std)
    if np.issubdtype(tensor.dtype, np.integer):
        if tensor.scale <= 0:
            raise NetworkInputError(
                f"model '{spec.name}': {spec.file} takes {tensor.dtype} without quantisation; convert it again"
            )
        limits = np.iinfo(tensor.dtype)
        real = np.clip(np.rint(real / tensor.scale + tensor.zero_point), limits.min, limits.max)
    return np.ascontiguousarray(real.astype(tensor.dtype)[None])
