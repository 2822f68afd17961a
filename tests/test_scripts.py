"""The scripts do what their help says: run on a copy of the checkout whose tools are stand-ins that note every call."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHELL_SCRIPTS = ("setup", "check", "test", "demo", "install-service")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = {key: value for key, value in os.environ.items() if key != "PYTHON"} | environment
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, env=variables, timeout=120
    )


class Checkout:
    """A copy of the scripts with stand-in programs. Every call of a stand-in is a line of `calls`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.programs = root / "programs"
        self.log = root / "calls.log"
        shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("model*", "__pycache__"))
        shutil.copytree(ROOT / ".ci", root / ".ci")
        for name in ("setup.cfg", "setup.py"):
            shutil.copy(ROOT / name, root / name)
        self.programs.mkdir()
        (root / ".venv" / "bin").mkdir(parents=True)
        # The environment's Python: the real one, but pip only notes what it was asked.
        self.stand_in(
            root / ".venv" / "bin" / "python",
            f'if [[ "$1 $2" == "-m pip" ]]; then exit "${{PIP_STATUS:-0}}"; fi\n'
            f'if [[ "$1 $2" == "-m pytest" ]]; then exit "${{PYTEST_STATUS:-0}}"; fi\nexec {sys.executable} "$@"\n',
        )
        self.stand_in(self.programs / "mosquitto", "exit 0\n")
        self.libraries("libEGL.so.1", "libGLESv2.so.2", "libGL.so.1", "libglib-2.0.so.0")

    def stand_in(self, path: Path, body: str) -> None:
        path.write_text(f'#!/bin/bash\necho "{path.name} $*" >> {self.log}\n{body}')
        path.chmod(0o755)

    def libraries(self, *names: str) -> None:
        lines = "".join(f"\t{name} (libc6,x86-64) => /lib/{name}\n" for name in names)
        self.stand_in(self.programs / "ldconfig", f"cat <<'END'\n{lines}END\n")

    def run(self, script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.programs}:{os.environ['PATH']}"
        return run(self.root / script, *arguments, PATH=path, **({"PYTHON": sys.executable} | environment))

    def calls(self, program: str) -> list[str]:
        """The arguments of each call so far, oldest first."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.removeprefix(f"{program} ") for line in lines if line.startswith(f"{program} ")]

    def pip_calls(self) -> list[str]:
        return [call for call in self.calls("python") if call.startswith("-m pip install")]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "checkout"
    root.mkdir()
    return Checkout(root)


@pytest.mark.parametrize("script", SHELL_SCRIPTS)
def test_every_script_has_help_and_refuses_what_it_does_not_know(script: str) -> None:
    shown = run(ROOT / "scripts" / script, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "usage: " in shown.stdout
    if script in ("setup", "check", "install-service"):
        refused = run(ROOT / "scripts" / script, "--no-such-option")
        assert (refused.returncode, "--no-such-option" in refused.stderr) == (2, True)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="needs shellcheck")
def test_shell_is_clean() -> None:
    done = run("shellcheck", *(ROOT / "scripts" / name for name in SHELL_SCRIPTS), ROOT / ".ci" / "run")
    assert done.returncode == 0, done.stdout


def test_setup_installs_once_and_again_only_when_something_changed(checkout: Checkout) -> None:
    assert checkout.run("scripts/setup").returncode == 0
    (first,) = checkout.pip_calls()
    assert first.endswith(f"-e {checkout.root}[centre,dev]")
    again = checkout.run("scripts/setup")
    assert (again.returncode, again.stderr) == (0, ""), "nothing to do, nothing to say"
    assert len(checkout.pip_calls()) == 1
    with (checkout.root / "setup.cfg").open("a") as file:
        file.write("\n")
    checkout.run("scripts/setup")
    assert len(checkout.pip_calls()) == 2
    checkout.run("scripts/setup", "--force")
    assert len(checkout.pip_calls()) == 3


def test_setup_for_a_terminal_leaves_test_tools_out(checkout: Checkout) -> None:
    assert checkout.run("scripts/setup", "--runtime").returncode == 0
    assert checkout.run("scripts/setup").returncode == 0
    assert [call.rsplit(" ", 1)[1] for call in checkout.pip_calls()] == [
        str(checkout.root),
        f"{checkout.root}[centre,dev]",
    ], "what a developer needs is added later"


def test_setup_that_fails_says_why_and_does_not_count_as_done(checkout: Checkout) -> None:
    failed = checkout.run("scripts/setup", PIP_STATUS="1")
    assert failed.returncode == 1
    assert "ERROR: pip could not install" in failed.stderr
    assert str(checkout.root / ".venv" / "pip.log") in failed.stderr
    assert checkout.run("scripts/setup").returncode == 0
    assert len(checkout.pip_calls()) == 2


def test_setup_names_missing_system_packages_where_it_may_not_install(checkout: Checkout) -> None:
    checkout.libraries("libGL.so.1", "libglib-2.0.so.0")
    done = checkout.run("scripts/setup", "--no-apt")
    assert "missing system packages: libegl1 libgles2 (sudo apt-get install libegl1 libgles2)" in " ".join(
        done.stderr.split()
    )


def test_setup_installs_only_the_missing_system_packages_and_asks_sudo(checkout: Checkout) -> None:
    checkout.libraries("libEGL.so.1", "libGL.so.1", "libglib-2.0.so.0")
    checkout.stand_in(checkout.programs / "id", "echo 1000\n")
    checkout.stand_in(checkout.programs / "sudo", '[[ "$1" == -n ]] && shift\nexec "$@"\n')
    checkout.stand_in(checkout.programs / "apt-get", 'exit "${APT_STATUS:-0}"\n')
    assert checkout.run("scripts/setup").returncode == 0
    assert checkout.calls("apt-get") == ["-qq update", "-qq install -y --no-install-recommends libgles2"]
    assert len(checkout.calls("sudo")) == 2
    failed = checkout.run("scripts/setup", APT_STATUS="100")
    assert failed.returncode == 1
    assert "sudo apt-get install libgles2" in failed.stderr


def test_setup_refuses_an_old_python_by_name(checkout: Checkout) -> None:
    old = checkout.programs / "python-old"
    checkout.stand_in(old, 'if [[ "$1" == -V ]]; then echo "Python 3.8.10"; else exit 1; fi\n')
    done = checkout.run("scripts/setup", PYTHON=str(old))
    assert done.returncode == 1
    assert "is Python 3.8.10; 3.10 or newer is needed" in done.stderr


def prepare_checks(checkout: Checkout, failing: str = "") -> None:
    for tool in ("ruff", "mypy", "lint-imports", "vermin"):
        checkout.stand_in(checkout.root / ".venv" / "bin" / tool, f"exit {int(tool == failing)}\n")


@pytest.mark.parametrize(
    ("failing", "steps"),
    [
        ("", ""),
        ("ruff", "format lint"),
        ("mypy", "types"),
        ("lint-imports", "layers"),
        ("vermin", "oldest"),
    ],
)
def test_check_runs_everything_and_names_what_failed(checkout: Checkout, failing: str, steps: str) -> None:
    prepare_checks(checkout, failing)
    done = checkout.run("scripts/check")
    assert done.returncode == int(bool(failing))
    assert (f"FAILED: {steps}\n" in done.stderr) is bool(failing)
    assert len(checkout.calls("ruff")) == 2
    assert all(len(checkout.calls(tool)) == 1 for tool in ("mypy", "lint-imports", "vermin"))


@pytest.mark.parametrize(
    ("failing", "pytest_status", "code"), [("", "0", 0), ("mypy", "0", 1), ("", "1", 1), ("ruff", "1", 1)]
)
def test_test_needs_both_checks_and_tests_to_be_good(
    checkout: Checkout, failing: str, pytest_status: str, code: int
) -> None:
    prepare_checks(checkout, failing)
    done = checkout.run(".ci/run", "tests/core", "-x", PYTEST_STATUS=pytest_status)
    assert done.returncode == code
    assert "-m pytest tests/core -x" in checkout.calls("python"), "the tests run even when a check failed"


def test_demo_sets_up_and_hands_its_arguments_on(checkout: Checkout) -> None:
    checkout.stand_in(checkout.root / ".venv" / "bin" / "edge-agent", "exit 3\n")
    done = checkout.run("scripts/demo", "--json", "--attack", "photo")
    assert done.returncode == 3, "the demo's own exit code"
    assert checkout.calls("edge-agent") == ["demo --json --attack photo"]
    assert len(checkout.pip_calls()) == 1


NEWER_THAN_3_10 = {
    "standard library": "from datetime import UTC\n",
    "module": "import tomllib\n",
    "star in subscript": "def take(table: dict, path: tuple) -> None:\n    table[*path, 1]\n",
    "type parameters": "def same[T](one: T) -> T:\n    return one\n",
    "except groups": "try:\n    pass\nexcept* ValueError:\n    pass\n",
}


@pytest.mark.parametrize("code", NEWER_THAN_3_10.values(), ids=NEWER_THAN_3_10.keys())
def test_what_python_3_10_does_not_have_is_found_statically(tmp_path: Path, code: str) -> None:
    """The same tools and options as scripts/check: ruff sees newer syntax, vermin a newer standard library."""
    suspect = tmp_path / "suspect.py"
    suspect.write_text(code)
    bin_folder = Path(sys.executable).parent
    if not (bin_folder / "vermin").exists():
        pytest.skip("needs the extra dev (vermin, ruff)")
    found_by = [
        run(bin_folder / "ruff", "check", "--quiet", "--isolated", "--target-version=py310", "--select=E9", suspect),
        run(bin_folder / "vermin", "--quiet", "--no-tips", "--violations", "--target=3.10-", suspect),
    ]
    assert any(done.returncode for done in found_by), "neither noticed"


def test_the_package_says_3_10_and_so_do_the_tools() -> None:
    assert "python_requires = >=3.10\n" in (ROOT / "setup.cfg").read_text()
    project = (ROOT / "pyproject.toml").read_text()
    assert 'target-version = "py310"' in project
    assert 'python_version = "3.10"' in project
    assert "--target=3.10-" in (ROOT / "scripts" / "check").read_text()
