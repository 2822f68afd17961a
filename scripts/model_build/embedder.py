"""Owns ``face_embedder_int8.tflite``: the network as a full int8 TFLite file (per-channel weights)."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from model_build.calibration import Ranges
from model_build.dlib_weights import ResnetWeights
from model_build.resnet import float_function, pinned_function


def build_int8(weights: ResnetWeights, ranges: Ranges) -> bytes:
    """The int8 model's bytes."""
    converter: Any = tf.lite.TFLiteConverter.from_concrete_functions([pinned_function(weights, ranges)])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def build_float(weights: ResnetWeights) -> bytes:
    """The float32 model's bytes, for comparison; it is not shipped."""
    return bytes(tf.lite.TFLiteConverter.from_concrete_functions([float_function(weights)]).convert())
