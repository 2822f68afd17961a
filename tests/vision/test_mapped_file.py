"""A loaded model's file holds no memory, and the network computes the same without it."""

from __future__ import annotations

import mmap
from pathlib import Path

import numpy as np
import pytest

from edge_agent.vision.interpreter import interpreter_class, load
from edge_agent.vision.manifest import load as load_manifest
from edge_agent.vision.mapped_file import release_pages
from tests.vision.faces import REPOSITORY

SMAPS = Path("/proc/self/smaps")
MODELS = REPOSITORY / "models"

pytestmark = pytest.mark.skipif(not SMAPS.exists(), reason="no /proc/self/smaps here")


def resident_kb(path: Path) -> int:
    """Resident kB of every mapping of the file."""
    found, mine = 0, False
    for line in SMAPS.read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            mine = line.endswith(f" {path.resolve()}")
        elif mine and words[0] == "Rss:":
            found += int(words[1])
    return found


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the shipped embedder that no other test has loaded."""
    shipped = MODELS / load_manifest(MODELS / "manifest.yaml").active_embedder.file
    copy = tmp_path / "model.tflite"
    copy.write_bytes(shipped.read_bytes())
    return copy


def test_a_loaded_model_s_file_is_let_go_of_and_stays_so(model: Path) -> None:
    runner = load(model)
    assert resident_kb(model) < 1000
    given = np.random.default_rng(1).uniform(0, 255, runner.inputs[0].shape).astype(np.float32)
    found = runner.run(given)[0].copy()
    assert resident_kb(model) < 1000
    plain = interpreter_class()(model_path=str(model), num_threads=1)
    plain.allocate_tensors()
    assert resident_kb(model) > 5000, "nothing to mend here any more: see whether letting go is still needed"
    plain.set_tensor(runner.inputs[0].index, given)
    plain.invoke()
    np.testing.assert_array_equal(found, plain.get_tensor(runner.outputs[0].index))


def test_what_is_let_go_of_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "a file with spaces in its name"
    file.write_bytes(bytes(range(256)) * 4096)
    with file.open("rb") as handle, mmap.mmap(handle.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert sum(mapped[:: mmap.PAGESIZE]) >= 0
        assert resident_kb(file) > 900
        assert release_pages(file) == 1 << 20
        assert resident_kb(file) < 100
        assert mapped[:] == bytes(range(256)) * 4096


def test_a_mapping_that_may_be_written_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "private"
    file.write_bytes(b"a" * 8192)
    with file.open("rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_COPY) as mapped:
        mapped[:] = b"b" * 8192
        assert release_pages(file) == 0
        assert mapped[:] == b"b" * 8192


def test_a_file_that_is_not_mapped_is_nothing_to_do(tmp_path: Path) -> None:
    assert release_pages(tmp_path / "absent") == 0
