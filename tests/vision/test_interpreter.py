"""The interpreter: LiteRT first, tflite-runtime where only that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_agent.vision import interpreter
from tests.vision.tiny_network import build

ROOT = Path(__file__).resolve().parents[2]

STAND_IN = """
import numpy as np

class Interpreter:
    def __init__(self, model_path, num_threads):
        self.threads = num_threads

    def allocate_tensors(self):
        pass

    def get_input_details(self):
        return [dict(name="in", shape=np.array([1, 2]), dtype=np.float32, quantization=(0.0, 0), index=0)]

    def get_output_details(self):
        return [dict(name="out", shape=np.array([1, 2]), dtype=np.float32, quantization=(0.0, 0), index=1)]

    def set_tensor(self, index, value):
        self.value = value

    def invoke(self):
        self.result = self.value * 2

    def get_tensor(self, index):
        return self.result
"""

WITHOUT_LITERT = """
import sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ai_edge_litert":
            raise ModuleNotFoundError(f"No module named {name!r}", name="ai_edge_litert")

sys.meta_path.insert(0, Hidden())
"""


def run_python(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *path)))}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.tflite"
    path.write_bytes(build(32, 8))
    return path


def test_litert_is_preferred_and_named() -> None:
    assert interpreter.runtime_name() == "LiteRT"
    assert interpreter.runtime_version()[0].isdigit()


def test_runs_a_network_and_describes_its_tensors(tiny: Path) -> None:
    runner = interpreter.load(tiny)
    assert runner.inputs[0].shape == (1, 32, 32, 3)
    assert runner.inputs[0].dtype == np.float32
    assert runner.inputs[0].scale == 0.0
    first = runner.run(np.ones((1, 32, 32, 3), np.float32))[0]
    second = runner.run(np.zeros((1, 32, 32, 3), np.float32))[0]
    assert first.shape == (1, 8)
    assert np.abs(first).max() > 0  # a result must stay what it was after the next run
    assert not second.any()


def test_reads_quantisation_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "tiny_int8.tflite"
    path.write_bytes(build(32, 8, int8=True))
    runner = interpreter.load(path)
    assert runner.inputs[0].dtype == np.int8
    assert runner.inputs[0].scale == pytest.approx(2 / 255)
    assert (runner.outputs[0].scale, runner.outputs[0].zero_point) == (pytest.approx(0.08), 5)


@pytest.mark.parametrize("wrong", [np.zeros((1, 16, 16, 3), np.float32), np.zeros((1, 32, 32, 3), np.float64)])
def test_a_wrong_input_is_refused_with_both_shapes(tiny: Path, wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"float32 \(1, 32, 32, 3\)"):
        interpreter.load(tiny).run(wrong)


def test_a_broken_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "broken.tflite"
    path.write_bytes(b"not a model")
    with pytest.raises(interpreter.InterpreterError, match=r"broken\.tflite.*models verify"):
        interpreter.load(path)
    with pytest.raises(interpreter.InterpreterError, match=r"absent\.tflite"):
        interpreter.load(tmp_path / "absent.tflite")


def test_falls_back_to_tflite_runtime_where_litert_is_absent(tmp_path: Path) -> None:
    package = tmp_path / "tflite_runtime"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text(STAND_IN)
    code = WITHOUT_LITERT + (
        "import numpy as np\nfrom pathlib import Path\nfrom edge_agent.vision import interpreter as i\n"
        "print(i.runtime_name(), i.load(Path('x'), 3).run(np.ones((1, 2), np.float32))[0].tolist())"
    )
    done = run_python(code, tmp_path)
    assert done.stdout.strip() == "tflite-runtime [[2.0, 2.0]]", done.stderr


def test_neither_installed_says_what_to_install() -> None:
    code = WITHOUT_LITERT.replace('== "ai_edge_litert"', 'in ("ai_edge_litert", "tflite_runtime")').replace(
        'name="ai_edge_litert"', 'name=name.split(".")[0]'
    )
    done = run_python(code + "from edge_agent.vision import interpreter as i\ni.runtime_name()")
    assert done.returncode != 0
    assert "pip install ai-edge-litert" in done.stderr


def test_a_broken_litert_is_seen_and_not_replaced(tmp_path: Path) -> None:
    package = tmp_path / "ai_edge_litert"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "interpreter.py").write_text("import a_library_that_is_missing")
    done = run_python("from edge_agent.vision import interpreter as i\ni.runtime_name()", tmp_path)
    assert "a_library_that_is_missing" in done.stderr


@pytest.mark.skipif(
    os.environ.get("EDGE_AGENT_TEST_TFLITE_RUNTIME") != "1",
    reason="set EDGE_AGENT_TEST_TFLITE_RUNTIME=1 to run the real tflite-runtime (pip installs it into .venv-tflite)",
)
def test_the_real_tflite_runtime_agrees_with_litert(tmp_path: Path) -> None:
    python = ROOT / ".venv-tflite" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(ROOT / ".venv-tflite")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", "tflite-runtime==2.14.0", "numpy<2"], check=True)
    model = ROOT / "models" / "face_embedder_int8.tflite"
    noise = np.random.default_rng(1).integers(-128, 128, (1, 150, 150, 3)).astype(np.int8)
    np.save(tmp_path / "in.npy", noise)
    # The terminal's own module, under a stand-in package root so that nothing but NumPy is needed beside the runtime.
    code = (
        "import sys, types, numpy as np\nfrom pathlib import Path\n"
        "ports = types.ModuleType('edge_agent.ports'); ports.TerminalError = Exception\n"
        "sys.modules['edge_agent.ports'] = ports\n"
        "from edge_agent.vision import interpreter as i\n"
        f"run = i.load(Path({str(model)!r})).run(np.load({str(tmp_path / 'in.npy')!r}))[0]\n"
        f"np.save({str(tmp_path / 'out.npy')!r}, run); print(i.runtime_name(), i.runtime_version())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([str(python), "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "tflite-runtime 2.14.0", done.stderr
    runner = interpreter.load(model)
    ours = runner.run(noise)[0].astype(np.float64) - runner.outputs[0].zero_point
    theirs = np.load(tmp_path / "out.npy").astype(np.float64) - runner.outputs[0].zero_point
    cosine = float((ours * theirs).sum() / np.linalg.norm(ours) / np.linalg.norm(theirs))
    assert cosine > 0.999
