"""Owns the embedding network as TensorFlow operations, in float and with every activation's range pinned.

Input: 1 x 150 x 150 x 3, RGB, 0..255. dlib's own normalisation (minus 122.782, 117.001, 104.298, over 256) is folded
into the first convolution, which is exact because that convolution is unpadded; so the int8 model's input is the
pixel minus 128 and loses nothing. Output: 1 x 128, not normalised.

Architecture (dlib's ``anet_type``): 7x7/2 convolution, 3x3/2 maximum pool, residual blocks of two 3x3 convolutions.
A block that shrinks strides its first convolution by 2 and pools its shortcut 2x2/2; where the two branches differ in
size or channels, the smaller is filled with zeros at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from model_build.dlib_weights import Convolution, Floats, ResnetWeights

INPUT_SIZE_PX = 150
EMBEDDING_LENGTH = 128
DLIB_MEAN = (122.782, 117.001, 104.298)
DLIB_SCALE = 256.0
INPUT = "input"
POOLED = "pooled"
EMBEDDING = "embedding"

Tap = Callable[[str, Any], Any]
"""Called with an activation's name and tensor; what it returns takes the tensor's place."""


def fold_normalisation(weights: ResnetWeights) -> ResnetWeights:
    """The same network for raw pixels 0..255: mean and scale moved into the first convolution."""
    first, *rest = weights.convolutions
    kernel: Any = first.kernel.astype(np.float64) / DLIB_SCALE
    bias: Any = first.bias.astype(np.float64) - np.einsum("hwio,i->o", kernel, np.array(DLIB_MEAN))
    folded = Convolution(kernel.astype(np.float32), bias.astype(np.float32), first.stride, first.padding)
    return ResnetWeights([folded, *rest], weights.projection)


def forward(image: Any, weights: ResnetWeights, tap: Tap) -> Any:
    """Embeddings of ``image`` (n, 150, 150, 3), 0..255; ``tap`` sees every activation that has a range of its own."""
    first, *rest = weights.convolutions
    x = tap(INPUT, image)
    x = tap("stem", tf.nn.relu(_convolve(x, first)))
    x = tf.nn.max_pool2d(x, 3, 2, "VALID")
    for index in range(0, len(rest), 2):
        x = _block(x, rest[index], rest[index + 1], f"block{index // 2:02d}", tap)
    x = tap(POOLED, tf.reduce_mean(x, [1, 2]))
    return tap(EMBEDDING, tf.matmul(x, tf.constant(weights.projection)))


def float_function(weights: ResnetWeights) -> Any:
    """Concrete function of the float32 network."""
    return _concrete(weights, lambda _, tensor: tensor)


def pinned_function(weights: ResnetWeights, ranges: dict[str, tuple[float, float]]) -> Any:
    """Concrete function in which every activation is held to its range by a fake-quantisation node."""

    def pin(name: str, tensor: Any) -> Any:
        low, high = ranges[name]
        return tf.quantization.fake_quant_with_min_max_args(tensor, low, high, num_bits=8)

    return _concrete(weights, pin)


def _concrete(weights: ResnetWeights, tap: Tap) -> Any:
    shape = tf.TensorSpec([1, INPUT_SIZE_PX, INPUT_SIZE_PX, 3], tf.float32, name="image")
    return tf.function(lambda image: forward(image, weights, tap), input_signature=[shape]).get_concrete_function()


def _convolve(x: Any, convolution: Convolution) -> Any:
    padding = "SAME" if convolution.padding else "VALID"
    y = tf.nn.conv2d(x, tf.constant(convolution.kernel), convolution.stride, padding)
    return tf.nn.bias_add(y, tf.constant(convolution.bias))


def _block(x: Any, first: Convolution, second: Convolution, name: str, tap: Tap) -> Any:
    y = tap(f"{name}.first", tf.nn.relu(_convolve(x, first)))
    y = tap(f"{name}.second", _convolve(y, second))
    shortcut = tf.nn.avg_pool2d(x, 2, 2, "VALID") if first.stride > 1 else x
    size = [max(a, b) for a, b in zip(y.shape[1:], shortcut.shape[1:], strict=True)]
    return tap(f"{name}.sum", tf.nn.relu(_filled(y, size) + _filled(shortcut, size)))


def _filled(x: Any, size: list[int]) -> Any:
    missing = [target - present for present, target in zip(x.shape[1:], size, strict=True)]
    return tf.pad(x, [[0, 0], *([0, amount] for amount in missing)]) if any(missing) else x


def embed_float(weights: ResnetWeights, images: Floats, tap: Tap | None = None) -> Floats:
    """Embeddings (n, 128) of ``images`` (n, 150, 150, 3), eagerly, for calibration and comparison."""
    result: Floats = forward(tf.constant(images, tf.float32), weights, tap or (lambda _, tensor: tensor)).numpy()
    return result
