"""What the layers contract (.importlinter) can't say: the core is pure, and each hardware library has one file."""

from __future__ import annotations

import ast
import configparser
import importlib.metadata
import importlib.util
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "edge_agent"

HARDWARE = {
    "picamera2": ("picamera2", "libcamera"),
    "GPIO": ("RPi", "Jetson"),
    "serial": ("serial",),
    "escpos": ("escpos",),
    "paho": ("paho",),
    "mediapipe": ("mediapipe",),
    "LiteRT": ("ai_edge_litert", "tflite_runtime"),
}
"""Each library, or group that stands for one device, is imported in at most one file."""

NOT_INSTALLED_HERE = {
    "RPi": ["rpi-lgpio"],
    "Jetson": ["Jetson.GPIO"],
    "picamera2": ["picamera2"],
    "libcamera": ["picamera2"],
}
"""Import name -> distribution, for what only boards have."""

BROUGHT_BY = {
    "cv2": {"mediapipe"},
    "tflite_runtime": {"ai-edge-litert"},
    "pydantic_core": {"pydantic"},
}
"""Libraries that come with another one, or stand in for it."""

OPTIONAL = {"face_recognition", "faiss", "usearch"}
"""Used only where somebody has installed it: peers of `edge-agent bench`."""

PEERS = {PACKAGE / "bench" / "plain_loop.py", PACKAGE / "bench" / "bare_process.py"}
"""Use hardware libraries without the terminal's own code, because they are what that code is measured against."""

OTHER_END = {PACKAGE / "centre" / "broker.py"}
"""The centre's end of the broker link: another process, on another machine, and nothing of it but its contract here."""

NOT_ASKED_FOR = {*sys.stdlib_module_names, *OPTIONAL, "edge_agent"}

PURE = {
    "__future__",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "math",
    "operator",
    "re",
    "statistics",
    "string",
    "typing",
    "urllib.parse",
    "uuid",
    "numpy",
    "edge_agent",
}
"""What the core may import: nothing of these does I/O, waits, or asks for the time or for chance."""

IMPURE_CALLS = {"now", "utcnow", "today", "open", "print", "input", "uuid1", "uuid4"}
BANNED_NAMES = {"utils", "util", "helpers", "common", "manager", "base", "misc"}


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, at any depth in it; `importlib.import_module("x")` counts."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
        elif (
            isinstance(node, ast.Call)
            and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("import_module", "__import__")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            found.add(str(node.args[0].value))
    return found


def distributions_by_import() -> dict[str, list[str]]:
    """Import name -> distributions that have it, by their files (3.10's packages_distributions() knows only some)."""
    found: dict[str, list[str]] = defaultdict(list)
    for distribution in importlib.metadata.distributions():
        for top in {
            file.parts[0].removesuffix(".py") for file in distribution.files or [] if file.suffix in (".py", ".so")
        }:
            found[top].append(distribution.metadata["Name"])
    return dict(found)


def files(folder: Path = PACKAGE) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def users_of_hardware(folder: Path) -> dict[str, set[Path]]:
    users: dict[str, set[Path]] = defaultdict(set)
    for path in files(folder):
        tops = {name.split(".")[0] for name in imports_of(path)}
        for device, libraries in HARDWARE.items():
            if tops & set(libraries):
                users[device].add(path)
    return users


@pytest.mark.parametrize("device", HARDWARE)
def test_a_hardware_library_is_imported_in_one_file(device: str) -> None:
    users = users_of_hardware(PACKAGE)[device] - PEERS - OTHER_END
    assert len(users) <= 1, f"{device} is imported in {', '.join(str(path) for path in sorted(users))}"


def test_a_second_user_of_a_library_is_seen(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("def read():\n    from serial.tools import list_ports\n")
    (tmp_path / "two.py").write_text("import importlib\nserial = importlib.import_module('serial')\n")
    assert len(users_of_hardware(tmp_path)["serial"]) == 2


def test_every_library_imported_is_asked_for_in_setup_cfg() -> None:
    """A fresh installation must have what the code imports; one that only this machine has would go unseen."""
    config = configparser.ConfigParser()
    config.read(PACKAGE.parent / "setup.cfg")
    lines = config["options"]["install_requires"].split("\n") + config["options.extras_require"]["pi"].split("\n")
    for extra in ("jetson", "centre"):
        lines += config["options.extras_require"][extra].split("\n")
    asked = {re.split(r"[>=<;\[ ]", line)[0].lower().replace("_", "-") for line in lines if line}
    known = distributions_by_import() | NOT_INSTALLED_HERE
    for path in files():
        for name in sorted({one.split(".")[0] for one in imports_of(path)} - NOT_ASKED_FOR):
            from_ = {one.lower().replace("_", "-") for one in known.get(name, [name])} | BROUGHT_BY.get(name, set())
            assert from_ & asked, f"{path}: imports {name}; add its distribution to setup.cfg"


def test_the_core_imports_nothing_impure() -> None:
    for path in files(PACKAGE / "core"):
        impure = {name for name in imports_of(path) if not {name, name.split(".")[0]} & PURE}
        assert not impure, f"{path}: imports {impure}"
        other = {name for name in imports_of(path) if name.startswith("edge_agent") and "edge_agent.core" not in name}
        assert not other, f"{path}: imports {other}"


def test_the_core_asks_for_no_time_and_no_file() -> None:
    for path in files(PACKAGE / "core"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                assert name not in IMPURE_CALLS, f"{path}:{node.lineno}: calls {name}()"
            if (
                isinstance(node, ast.Attribute)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("np", "numpy")
            ):
                assert node.attr != "random", f"{path}:{node.lineno}: numpy.random"


def test_every_package_imports_without_hardware_at_hand() -> None:
    """Hardware libraries that are absent here (picamera2, RPi) don't stop any file from being found and compiled."""
    for path in files():
        compile(path.read_text("utf-8"), str(path), "exec")
        dotted = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        assert importlib.util.find_spec(dotted) is not None, dotted


def test_names_say_what_a_file_owns() -> None:
    bad = [path for path in PACKAGE.rglob("*") if path.stem in BANNED_NAMES]
    assert not bad


def test_files_stay_small_and_say_what_they_own() -> None:
    for path in files():
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= 400, f"{path}: over 400 lines; split it"
        if text.strip():
            assert ast.get_docstring(ast.parse(text)), f"{path}: has no docstring"
