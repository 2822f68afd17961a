"""What `edge-agent bench … --help` teaches, and that a terminal at work loads none of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_agent.__main__ import main
from tests.vision.faces import REPOSITORY


@pytest.mark.parametrize(
    ("what", "taught"),
    [
        ("vision", ("bare models", "--peer-python", "edge-agent bench vision --footage")),
        ("match", ("faiss", "usearch", "pip install -e '.[bench]'", "edge-agent bench match --sizes")),
        ("session", ("exec to READY", "about 13 s each", "edge-agent bench session --visits 20")),
    ],
)
def test_help_teaches(what: str, taught: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", what, "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    for words in taught:
        assert words in told


def test_the_benches_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", "--help"])
    told = capsys.readouterr().out
    assert all(name in told for name in ("vision", "match", "session"))


def test_run_loads_no_other_command() -> None:
    program = (
        "import sys\nfrom edge_agent.__main__ import main\n"
        "status = main(['run', '--config', '/nonexistent.yaml'])\n"
        "others = {'bench', 'demo', 'attacks', 'evaluation', 'store', 'vision'}\n"
        "assert not {f'edge_agent.{name}' for name in others} & set(sys.modules)\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 2, done.stderr
    assert "nonexistent.yaml" in done.stderr
