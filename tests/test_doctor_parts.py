"""The doctor on a whole terminal of simulated devices, with real keys, database and models: the command itself."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

SETTINGS = """\
terminal: {{id: t-0001, site: desa, place: Balai Desa, complaint_channel: telepon}}
camera: {{driver: file, path: {pictures}, loop: true}}
printer: {{driver: simulated, folder: slips}}
leds: {{driver: simulated}}
store:
  path: state/terminal.sqlite
  template_key: keys/template.key
  signing_key: keys/signing.pem
  roster_key: keys/roster.pub.pem
vision: {{manifest: {manifest}}}
uplink: {{host: localhost, port: {port}}}
"""


def edge_agent(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "edge_agent", *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=ROOT)


@pytest.fixture
def terminal(tmp_path: Path) -> Path:
    """A settings file with everything it names, except a broker: nothing listens at that port."""
    keys = tmp_path / "keys"
    for kind in ("terminal", "roster"):
        done = edge_agent("keys", "make", kind, keys)
        assert done.returncode == 0, done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path / "terminal.yaml"
    path.write_text(
        SETTINGS.format(
            pictures=ROOT / "edge_agent" / "devices" / "assets", manifest=ROOT / "models" / "manifest.yaml", port=port
        )
    )
    return path


def examined(path: Path) -> tuple[int, dict[str, dict[str, str]]]:
    done = edge_agent("doctor", "--config", path, "--json")
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, {check["name"]: check for check in json.loads(done.stdout)["checks"]}


def test_a_whole_simulated_terminal_can_serve(terminal: Path) -> None:
    code, checks = examined(terminal)
    assert code == 0, checks
    for name in ("packages", "disk", "models", "vision", "keys", "camera", "printer", "LEDs"):
        assert checks[name]["state"] == "ok", checks[name]
    assert checks["database"]["state"] == "warn", "it is made at the first start, not by the doctor"
    assert not (terminal.parent / "state").exists()
    assert checks["broker"]["state"] == "warn"
    assert "refused the connection" in checks["broker"]["seen"]
    assert all(check["remedy"] for check in checks.values() if check["state"] != "ok")


def test_a_card_reader_that_is_not_there_keeps_nobody_from_serving(terminal: Path) -> None:
    terminal.write_text(terminal.read_text() + "tokens: {reader: serial, device: nowhere}\n")
    code, checks = examined(terminal)
    assert code == 0
    assert checks["card reader"]["state"] == "warn"
    assert checks["card reader"]["seen"] == "nowhere: No such file or directory"
    assert "/dev/serial/by-id" in checks["card reader"]["remedy"]


def test_broken_parts_are_named_and_the_rest_is_examined(terminal: Path) -> None:
    (terminal.parent / "keys" / "template.key").chmod(0o644)
    (terminal.parent / "state").mkdir()
    (terminal.parent / "state" / "terminal.sqlite").write_bytes(b"this is no database" * 100)
    text = terminal.read_text().replace(str(ROOT / "edge_agent" / "devices" / "assets"), "nowhere")
    terminal.write_text(text)
    code, checks = examined(terminal)
    assert code == 1
    failed = {name for name, check in checks.items() if check["state"] == "fail"}
    assert failed == {"keys", "database", "camera"}
    assert "chmod 600" in checks["keys"]["remedy"]
    assert (terminal.parent / "state" / "terminal.sqlite").read_bytes().startswith(b"this is no database")
