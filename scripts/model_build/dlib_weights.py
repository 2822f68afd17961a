"""Owns reading dlib's face recognition network (``dlib_face_recognition_resnet_model_v1.dat``) without dlib.

The format is dlib's own serialisation, written from the input layer to the output. Each layer starts with its tag.
An integer is one byte whose low four bits are a length and whose top bit is the sign, then that many little-endian
bytes. A tensor is its version, four dimensions (integers) and raw little-endian float32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

CONVOLUTION_TAG = b"\x05con_4"
AFFINE_TAG = b"\x07affine_"
FULLY_CONNECTED_TAG = b"\x04fc_2"
TENSOR_VERSION = 2
CONVOLUTIONS = 29
CHANNELS_IN = 3


@dataclass(frozen=True)
class Convolution:
    """One convolution with the affine layer behind it folded in; kernel is height x width x in x out (Keras)."""

    kernel: Floats
    bias: Floats
    stride: int
    padding: int


@dataclass(frozen=True)
class ResnetWeights:
    """All weights of the network, input first; ``projection`` is 256 x 128, without bias."""

    convolutions: list[Convolution]
    projection: Floats


class _Reader:
    def __init__(self, data: bytes, offset: int) -> None:
        self._data = data
        self.offset = offset

    def integer(self) -> int:
        head = self._data[self.offset]
        length = head & 0x0F
        value = int.from_bytes(self._data[self.offset + 1 : self.offset + 1 + length], "little")
        self.offset += 1 + length
        return -value if head & 0x80 else value

    def tensor(self) -> Floats:
        version = self.integer()
        if version != TENSOR_VERSION:
            raise ValueError(f"tensor version {version} at byte {self.offset}, expected {TENSOR_VERSION}")
        count = int(np.prod([self.integer() for _ in range(4)]))
        values = np.frombuffer(self._data, "<f4", count, self.offset)
        self.offset += 4 * count
        return values


def read(data: bytes) -> ResnetWeights:
    """Weights in ``data``; raises ValueError if the layers aren't those of this network."""
    convolution_starts = _find_all(data, CONVOLUTION_TAG)
    affine_starts = _find_all(data, AFFINE_TAG)
    if not len(convolution_starts) == len(affine_starts) == CONVOLUTIONS:
        raise ValueError(
            f"{len(convolution_starts)} convolutions and {len(affine_starts)} affine layers, "
            f"expected {CONVOLUTIONS} of each"
        )
    convolutions = []
    channels = CHANNELS_IN
    for convolution_start, affine_start in zip(convolution_starts, affine_starts, strict=True):
        convolution = _convolution(data, convolution_start, affine_start, channels)
        channels = convolution.bias.size
        convolutions.append(convolution)
    (projection_start,) = _find_all(data, FULLY_CONNECTED_TAG)
    reader = _Reader(data, projection_start)
    outputs, inputs = reader.integer(), reader.integer()
    return ResnetWeights(convolutions, reader.tensor().reshape(inputs, outputs))


def _find_all(data: bytes, tag: bytes) -> list[int]:
    """Offsets just behind every occurrence of ``tag``."""
    ends: list[int] = []
    at = data.find(tag)
    while at >= 0:
        ends.append(at + len(tag))
        at = data.find(tag, ends[-1])
    return ends


def _convolution(data: bytes, start: int, affine_start: int, channels: int) -> Convolution:
    reader = _Reader(data, start)
    parameters = reader.tensor()
    filters, height, width, stride, _, padding, _ = (reader.integer() for _ in range(7))
    weights, bias = np.split(parameters, [filters * channels * height * width])
    if bias.size != filters:
        raise ValueError(f"{parameters.size} values for {filters} filters of {channels}x{height}x{width}")
    gamma, beta = np.split(_Reader(data, affine_start).tensor().astype(np.float64), 2)
    kernel: Any = weights.reshape(filters, channels, height, width).astype(np.float64) * gamma[:, None, None, None]
    return Convolution(
        kernel=np.ascontiguousarray(kernel.transpose(2, 3, 1, 0), np.float32),
        bias=(bias.astype(np.float64) * gamma + beta).astype(np.float32),
        stride=stride,
        padding=padding,
    )
