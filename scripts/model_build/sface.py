"""Owns ``face_embedder_sface.tflite``: SFace with int8 weights (one scale a channel), input and output in float.

The interpreter quantises what goes into an int8 layer by its own range as it runs, so there is nothing to calibrate.
Depthwise weights (one in a hundred) stay float: with them in int8 the interpreter's fast path (XNNPACK) breaks off at
every one of them, and a face takes twice as long. Input: 1 x 112 x 112 x 3, RGB, 0..255. Output: 1 x 128, not
normalised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from model_build.sface_weights import PIXEL_MEAN, Layer, SfaceWeights

INPUT_SIZE_PX = 112


def build_int8_weights(weights: SfaceWeights) -> bytes:
    """The shipped model's bytes."""
    converter = _converter(weights)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return _with_float_depthwise(bytes(converter.convert()), build_float(weights))


def build_float(weights: SfaceWeights) -> bytes:
    """The float32 model's bytes, for comparison; it is not shipped."""
    return bytes(_converter(weights).convert())


def forward(image: Any, weights: SfaceWeights) -> Any:
    """Embeddings (n, 128) of `image` (n, 112, 112, 3), 0..255."""
    x = image
    for number, layer in enumerate(weights.layers):
        x = _prelu(_convolve(x, layer, border=PIXEL_MEAN if number == 0 else 0.0), layer.slopes)
    x = tf.reshape(x, [x.shape[0], -1])
    return tf.matmul(x, _constant(weights.projection)) + _constant(weights.projection_bias)


def _convolve(x: Any, layer: Layer, border: float) -> Any:
    """`border`: the value of a padded pixel."""
    same = layer.padding == (1, 1) and layer.stride == 1 and border == 0.0
    if max(layer.padding) and not same:
        x = tf.pad(x, [[0, 0], layer.padding, layer.padding, [0, 0]], constant_values=border)
    padding = "SAME" if same else "VALID"
    kernel = _constant(layer.kernel)
    if layer.depthwise:
        y = tf.nn.depthwise_conv2d(x, kernel, [1, layer.stride, layer.stride, 1], padding)
    else:
        y = tf.nn.conv2d(x, kernel, layer.stride, padding)
    return tf.nn.bias_add(y, _constant(layer.bias))


def _prelu(x: Any, slopes: Any) -> Any:
    """In this form, slopes (1, 1, channels) included, the converter makes it one PRELU with float slopes."""
    return tf.nn.relu(x) + _constant(-slopes.reshape(1, 1, -1)) * tf.nn.relu(-x)


def _with_float_depthwise(quantised: bytes, reference: bytes) -> bytes:
    """The model `quantised` with the depthwise weights of `reference`, the same network in float."""
    model, source = (flatbuffer_utils.convert_bytearray_to_object(bytearray(data)) for data in (quantised, reference))
    pairs = list(zip(_depthwise_weights(model), _depthwise_weights(source), strict=True))
    for target, origin in pairs:
        if list(target.shape) != list(origin.shape):
            raise ValueError(f"depthwise weights {target.shape} and {origin.shape} aren't those of the same layer")
        target.type, target.quantization = origin.type, origin.quantization
        model.buffers[target.buffer].data = source.buffers[origin.buffer].data
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _depthwise_weights(model: Any) -> Iterator[Any]:
    (graph,) = model.subgraphs
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.DEPTHWISE_CONV_2D:
            yield graph.tensors[operator.inputs[1]]


def _converter(weights: SfaceWeights) -> Any:
    signature = [tf.TensorSpec([1, INPUT_SIZE_PX, INPUT_SIZE_PX, 3], tf.float32, name="image")]
    function = tf.function(lambda image: forward(image, weights), input_signature=signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()])


def _constant(values: Any) -> Any:
    return tf.constant(values, tf.float32)
