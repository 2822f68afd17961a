"""Imports put off until they are needed: by stand-ins that must never be met by anybody else."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from edge_agent.vision.deferred_imports import deferred_imports
from tests.vision.faces import REPOSITORY

HEAVY = "from pathlib import Path\nPath(__file__).with_name('loaded').touch()\n"


@pytest.fixture
def heavy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `heavy_parent.child` that leaves a file when it is really loaded, and one that imports it."""
    package = tmp_path / "heavy_parent"
    package.mkdir()
    (package / "__init__.py").write_text(HEAVY + "VALUE = 5\n")
    (package / "child.py").write_text("VALUE = 7\n")
    (tmp_path / "user_of_heavy.py").write_text(
        "import heavy_parent.child as child\ndef use():\n    return child.VALUE\n"
    )
    (tmp_path / "needs_at_once.py").write_text("from heavy_parent.child import VALUE\n")
    (tmp_path / "needs_child.py").write_text("from heavy_parent import child, VALUE\nBOTH = child.VALUE + VALUE\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in ("heavy_parent", "heavy_parent.child", "user_of_heavy", "needs_at_once", "needs_child"):
        sys.modules.pop(name, None)


def _import(name: str) -> Any:
    return importlib.import_module(name)


def test_what_is_only_imported_is_not_loaded(heavy: Path) -> None:
    with deferred_imports("heavy_parent", "heavy_parent.child"):
        _import("user_of_heavy")
    assert not (heavy / "loaded").exists()
    assert "heavy_parent" not in sys.modules
    assert "heavy_parent.child" not in sys.modules


def test_whoever_uses_it_later_gets_the_real_module(heavy: Path) -> None:
    with deferred_imports("heavy_parent", "heavy_parent.child"):
        user = _import("user_of_heavy")
    assert user.use() == 7
    assert (heavy / "loaded").exists()


def test_a_library_that_needs_it_at_once_gets_it_at_once(heavy: Path) -> None:
    with deferred_imports("heavy_parent", "heavy_parent.child"):
        assert _import("needs_at_once").VALUE == 7
    assert sys.modules["heavy_parent"].VALUE == 5


@pytest.mark.parametrize("deferred", [("heavy_parent",), ("heavy_parent", "heavy_parent.child")])
def test_a_child_is_found_through_its_parent(heavy: Path, deferred: tuple[str, ...]) -> None:
    with deferred_imports(*deferred):
        assert _import("needs_child").BOTH == 12


def test_others_import_the_real_module_afterwards(heavy: Path) -> None:
    with deferred_imports("heavy_parent", "heavy_parent.child"):
        _import("user_of_heavy")
    assert _import("heavy_parent").VALUE == 5


def test_a_loaded_module_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    known = ModuleType("heavy_parent")
    monkeypatch.setitem(sys.modules, "heavy_parent", known)
    with deferred_imports("heavy_parent"):
        assert sys.modules["heavy_parent"] is known
    assert sys.modules["heavy_parent"] is known


def test_a_missing_module_is_missed_when_it_is_used() -> None:
    with deferred_imports("no_such_module_at_all"):
        stand_in = _import("no_such_module_at_all")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_at_all"):
        _ = stand_in.anything


def test_the_landmarker_works_without_loading_matplotlib_and_mediapipe_can_still_plot() -> None:
    program = f"""
import sys
from pathlib import Path
from edge_agent.vision.landmarks import Landmarker
with Landmarker(Path({str(REPOSITORY / "models" / "face_landmarker.task")!r})):
    assert not {{"matplotlib", "sounddevice"}} & set(sys.modules), "loaded although nobody asked"
from mediapipe.tasks.python.vision import drawing_utils
assert callable(drawing_utils.plt.figure)
import matplotlib.pyplot
assert matplotlib.pyplot.figure is drawing_utils.plt.figure
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 0, done.stderr
