"""A tiny face-embedder stand-in written straight as a TFLite flatbuffer: 16x16 average pool, then one dense layer.

Every weight is seeded and known, so a test can compute in NumPy what the file must give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

POOL_PX = 16


@dataclass(frozen=True)
class Quantisation:
    scale: float
    zero_point: int


INPUT_INT8 = Quantisation(2.0 / 255.0, 0)
WEIGHT_INT8 = Quantisation(1.0 / 127.0, 0)
OUTPUT_INT8 = Quantisation(0.08, 5)


def weights(size_px: int, length: int) -> npt.NDArray[np.float32]:
    """(length, (size/16)^2 * 3), multiples of 1/127, so that int8 holds them exactly."""
    rng = np.random.default_rng(7)
    return (rng.integers(-127, 128, (length, (size_px // POOL_PX) ** 2 * 3)) / 127.0).astype(np.float32)


def expected(normalised: npt.NDArray[np.floating[Any]], length: int) -> npt.NDArray[np.float64]:
    """What the float network gives for a normalised (size, size, 3) input, before unit length."""
    size = normalised.shape[0]
    blocks = normalised.reshape(size // POOL_PX, POOL_PX, size // POOL_PX, POOL_PX, 3).mean(axis=(1, 3))
    return weights(size, length).astype(np.float64) @ blocks.reshape(-1)


def build(
    size_px: int,
    length: int,
    *,
    int8: bool = False,
    channels_first: bool = False,
    outputs: tuple[str, ...] = ("embedding",),
) -> bytes:
    """The .tflite file's bytes. int8: int8 input, weights and output; channels_first: input (1, 3, size, size).

    outputs: which tensors come out: `embedding` (1, length), `pooled` (1, size/16, size/16, 3).
    """
    return _Writer(int8).write(size_px, length, channels_first, outputs)


class _Writer:
    def __init__(self, int8: bool) -> None:
        self._int8 = int8
        self._model = schema.ModelT()
        self._graph = schema.SubGraphT()
        self._model.version = 3
        self._model.buffers = [schema.BufferT()]
        self._model.operatorCodes = []
        self._graph.tensors = []
        self._graph.operators = []
        self._model.subgraphs = [self._graph]

    def write(self, size_px: int, length: int, channels_first: bool, outputs: tuple[str, ...]) -> bytes:
        side = size_px // POOL_PX
        shape = [1, 3, size_px, size_px] if channels_first else [1, size_px, size_px, 3]
        image = source = self._tensor("image", shape, INPUT_INT8)
        if channels_first:
            order = self._constant("order", np.array([0, 2, 3, 1], np.int32))
            source = self._tensor("rows_first", [1, size_px, size_px, 3], INPUT_INT8)
            self._operator("TRANSPOSE", [image, order], source, schema.TransposeOptionsT())
        pooled = self._tensor("pooled", [1, side, side, 3], INPUT_INT8)
        pool = schema.Pool2DOptionsT()
        pool.padding = schema.Padding.VALID
        pool.strideW = pool.strideH = pool.filterWidth = pool.filterHeight = POOL_PX
        self._operator("AVERAGE_POOL_2D", [source], pooled, pool)
        flat = self._tensor("flat", [1, side * side * 3], INPUT_INT8)
        reshape = schema.ReshapeOptionsT()
        reshape.newShape = [1, side * side * 3]
        self._operator(
            "RESHAPE", [pooled, self._constant("shape", np.array([1, side * side * 3], np.int32))], flat, reshape
        )
        embedding = self._tensor("embedding", [1, length], OUTPUT_INT8)
        kernel = weights(size_px, length)
        if self._int8:
            kernel_index = self._constant("kernel", np.rint(kernel * 127).astype(np.int8), WEIGHT_INT8)
        else:
            kernel_index = self._constant("kernel", kernel)
        self._operator("FULLY_CONNECTED", [flat, kernel_index, -1], embedding, schema.FullyConnectedOptionsT())
        named = {"embedding": embedding, "pooled": pooled}
        self._graph.inputs, self._graph.outputs = [image], [named[name] for name in outputs]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(self._model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: list[int], quantisation: Quantisation | None) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name, shape
        tensor.type = schema.TensorType.INT8 if self._int8 else schema.TensorType.FLOAT32
        if self._int8 and quantisation is not None:
            tensor.quantization = _parameters(quantisation)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _constant(self, name: str, values: npt.NDArray[Any], quantisation: Quantisation | None = None) -> int:
        buffer = schema.BufferT()
        buffer.data = list(values.tobytes())
        self._model.buffers.append(buffer)
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name, list(values.shape), len(self._model.buffers) - 1
        kinds = {"int8": schema.TensorType.INT8, "int32": schema.TensorType.INT32, "float32": schema.TensorType.FLOAT32}
        tensor.type = kinds[values.dtype.name]
        if quantisation is not None:
            tensor.quantization = _parameters(quantisation)
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _operator(self, kind: str, inputs: list[int], output: int, options: Any) -> None:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, kind)
        code.version = 2 if self._int8 and kind in ("AVERAGE_POOL_2D", "TRANSPOSE") else 1
        if self._int8 and kind == "FULLY_CONNECTED":
            code.version = 4
        self._model.operatorCodes.append(code)
        operator = schema.OperatorT()
        operator.opcodeIndex = len(self._model.operatorCodes) - 1
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self._graph.operators.append(operator)


def _parameters(quantisation: Quantisation) -> Any:
    parameters = schema.QuantizationParametersT()
    parameters.scale, parameters.zeroPoint = [quantisation.scale], [quantisation.zero_point]
    return parameters
