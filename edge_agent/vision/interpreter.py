"""The TFLite interpreter; the only file that imports one. LiteRT where it is installed, else the older tflite-runtime.

Both run the same files with the same interface; tflite-runtime (NumPy < 2, Python <= 3.11) computes int8 more slowly
and rounds some sums differently (models/README.md says by how much).
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.ports import TerminalError
from edge_agent.vision.mapped_file import release_pages
from edge_agent.vision.native_stderr import quiet_native_stderr

Array = npt.NDArray[Any]

_RUNTIMES = (("LiteRT", "ai_edge_litert", "ai-edge-litert"), ("tflite-runtime", "tflite_runtime", "tflite-runtime"))
"""Name, module and package, the preferred first."""


class InterpreterError(TerminalError):
    """No interpreter is installed, or a model file can't be loaded by it."""


@dataclass(frozen=True, eq=False)
class TensorInfo:
    """One input or output. scale 0: not quantised; else real = (stored - zero_point) * scale."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    scale: float
    zero_point: int
    index: int


class TensorRunner:
    """One loaded network. Not for use from two threads at once."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        self.inputs = tuple(_info(details) for details in interpreter.get_input_details())
        self.outputs = tuple(_info(details) for details in interpreter.get_output_details())

    def run(self, x: Array) -> list[Array]:
        """Outputs for one input; `x` has the first input's shape and dtype. Raises ValueError if it hasn't."""
        expected = self.inputs[0]
        if x.shape != expected.shape or x.dtype != expected.dtype:
            raise ValueError(f"input is {x.dtype} {x.shape}, '{expected.name}' takes {expected.dtype} {expected.shape}")
        self._interpreter.set_tensor(expected.index, x)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(output.index) for output in self.outputs]


def load(path: Path, threads: int = 1) -> TensorRunner:
    """Load a .tflite file. Raises InterpreterError naming the file."""
    make = interpreter_class()
    try:
        with quiet_native_stderr():
            interpreter = make(model_path=str(path), num_threads=threads)
            interpreter.allocate_tensors()
        release_pages(path)
    except (ValueError, RuntimeError, OSError) as error:
        raise InterpreterError(
            f"{path}: {runtime_name()} {runtime_version()} can't load it ({error}); "
            "run `edge-agent models verify` and restore the file"
        ) from error
    return TensorRunner(interpreter)


def interpreter_class() -> Any:
    """The library's own `Interpreter`. Raises InterpreterError if none is installed."""
    return _interpreter_module()[1].Interpreter


def runtime_name() -> str:
    """The interpreter in use: `LiteRT` or `tflite-runtime`. Raises InterpreterError if neither is installed."""
    return _interpreter_module()[0]


def runtime_version() -> str:
    """Version of the interpreter's package, `unknown` if it was not installed as one."""
    name = runtime_name()
    package = next(package for known, _, package in _RUNTIMES if known == name)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def _interpreter_module() -> tuple[str, Any]:
    for name, module, _ in _RUNTIMES:
        try:
            return name, import_module(f"{module}.interpreter")
        except ModuleNotFoundError as error:
            # Only "it isn't installed" leads to the next; a broken installation must be seen.
            if error.name not in (module, f"{module}.interpreter"):
                raise
    raise InterpreterError("no TFLite interpreter is installed; run `pip install ai-edge-litert`")


def _info(details: dict[str, Any]) -> TensorInfo:
    scale, zero_point = details["quantization"]
    shape = tuple(int(size) for size in details["shape"])
    return TensorInfo(
        details["name"], shape, np.dtype(details["dtype"]), float(scale), int(zero_point), details["index"]
    )
