"""Owns reading SFace (OpenCV's `face_recognition_sface_2021dec`, MobileNet-v1) from its ONNX file with int8 weights.

OpenCV stores each weight as int8 with a scale and a zero point for every block of a few; they are taken back to float
as the file's own DequantizeLinear nodes would. Batch normalisations and the file's `(pixel - 127.5) / 128` are folded
into the weights behind or before them, so that the network takes raw pixels. The arithmetic is float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

Doubles = npt.NDArray[np.float64]

PIXEL_MEAN, PIXEL_SCALE = 127.5, 128.0
LAST_MAP = (1024, 7, 7)
"""Channels, rows and columns of the feature map that the embedding is projected from."""


@dataclass(frozen=True)
class Layer:
    """A convolution and the PReLU behind it; kernel (rows, columns, in, out), depthwise (rows, columns, channels, 1).

    slopes: the PReLU's, one a channel. padding: zeros before the first and behind the last row (and column).
    """

    kernel: Doubles
    bias: Doubles
    slopes: Doubles
    depthwise: bool
    stride: int
    padding: tuple[int, int]


@dataclass(frozen=True)
class SfaceWeights:
    """All weights, input first; projection (rows * columns * channels, 128) with its bias."""

    layers: list[Layer]
    projection: Doubles
    projection_bias: Doubles


def read(data: bytes) -> SfaceWeights:
    """Weights in the ONNX file `data`; raises ValueError if its nodes aren't those of this network."""
    graph = onnx.load_from_string(data).graph
    values = _values(graph)
    nodes = [node for node in graph.node if node.op_type in ("Conv", "BatchNormalization", "PRelu", "Gemm")]
    layers: list[Layer] = []
    while nodes and nodes[0].op_type == "Conv":
        convolution, normalisation, prelu, *nodes = nodes
        layers.append(_layer(convolution, normalisation, prelu, values))
    if [node.op_type for node in nodes] != ["BatchNormalization", "Gemm", "BatchNormalization"]:
        raise ValueError(
            f"behind {len(layers)} convolutions come {[n.op_type for n in nodes]}, not SFace's last layers"
        )
    layers[0] = _for_raw_pixels(layers[0])
    return SfaceWeights(layers, *_projection(nodes, values))


def _values(graph: Any) -> dict[str, Doubles]:
    """Every constant of the graph by name, those kept as int8 blocks as the numbers they stand for."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    values = {name: array.astype(np.float64) for name, array in stored.items()}
    for node in graph.node:
        if node.op_type == "DequantizeLinear":
            whole, scale, zero = (stored[name].astype(np.float32) for name in node.input)
            attributes = _attributes(node)
            axis, block = attributes["axis"], attributes["block_size"]
            places = np.arange(whole.shape[axis]) // block
            values[node.output[0]] = ((whole - zero.take(places, axis)) * scale.take(places, axis)).astype(np.float64)
        elif node.op_type == "Reshape" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]].reshape(stored[node.input[1]])
    return values


def _layer(convolution: Any, normalisation: Any, prelu: Any, values: dict[str, Doubles]) -> Layer:
    if (normalisation.op_type, prelu.op_type) != ("BatchNormalization", "PRelu") or len(convolution.input) != 2:
        raise ValueError(f"{convolution.name}: not a convolution without bias, a normalisation and a PReLU")
    attributes = _attributes(convolution)
    factor, offset = _affine(normalisation, values)
    kernel = values[convolution.input[1]] * factor[:, None, None, None]
    depthwise = attributes["group"] != 1
    top, left, bottom, right = attributes["pads"]
    if (top, bottom) != (left, right):
        raise ValueError(f"{convolution.name}: pads {attributes['pads']} differ between rows and columns")
    return Layer(
        kernel=kernel.transpose(2, 3, 0, 1) if depthwise else kernel.transpose(2, 3, 1, 0),
        bias=offset,
        slopes=values[prelu.input[1]].reshape(-1),
        depthwise=depthwise,
        stride=attributes["strides"][0],
        padding=(top, bottom),
    )


def _for_raw_pixels(first: Layer) -> Layer:
    """The first layer for pixels 0..255; exact where its border is padded with PIXEL_MEAN."""
    kernel = first.kernel / PIXEL_SCALE
    bias = first.bias - PIXEL_MEAN * kernel.sum(axis=(0, 1, 2))
    return Layer(kernel, bias, first.slopes, first.depthwise, first.stride, first.padding)


def _projection(nodes: list[Any], values: dict[str, Doubles]) -> tuple[Doubles, Doubles]:
    """Last normalisation, projection and its normalisation as one matrix for a (rows, columns, channels) map."""
    before, gemm, behind = nodes
    factor, offset = _affine(before, values)
    matrix = values[gemm.input[1]].reshape(-1, *LAST_MAP)
    bias = values[gemm.input[2]] + matrix.sum(axis=(2, 3)) @ offset
    scale, shift = _affine(behind, values)
    matrix = matrix * factor[None, :, None, None] * scale[:, None, None, None]
    return matrix.transpose(2, 3, 1, 0).reshape(-1, len(scale)), bias * scale + shift


def _affine(normalisation: Any, values: dict[str, Doubles]) -> tuple[Doubles, Doubles]:
    """A batch normalisation as factor and offset of each channel."""
    gamma, beta, mean, variance = (values[name] for name in normalisation.input[1:])
    factor = gamma / np.sqrt(variance + _attributes(normalisation)["epsilon"])
    return factor, beta - mean * factor


def _attributes(node: Any) -> dict[str, Any]:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
