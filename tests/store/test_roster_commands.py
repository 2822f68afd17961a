"""`edge-agent roster import|show|delta|schema`: what is printed, for people and for machines, and the exit code."""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edge_agent.ports import RosterError
from edge_agent.roster_json_schema import schema
from edge_agent.store.claims import TerminalIdentity
from edge_agent.store.roster_commands import add_commands
from edge_agent.store.roster_warnings import REISSUED
from tests.rosters import EMBEDDER, FIRST, OFFICE, SECOND, TEMPLATE_KEY, rice, write_full
from tests.store.terminal import SETTINGS, SIGNING, TERMINAL, Clock, claim_of, open_store

OFFICE_SECRET = b"office's secret of tests, 32 byt"


class CommandLine:
    """The roster commands in a folder with keys and settings."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capture = capture
        (folder / "terminal.yaml").write_text(SETTINGS)
        (folder / "keys").mkdir()
        private = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = OFFICE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for name, content in {
            "template.key": TEMPLATE_KEY,
            "office.key": OFFICE_SECRET,
            "signing.pem": SIGNING.private_bytes(*private),
            "roster.pem": OFFICE.private_bytes(*private),
            "roster.pub.pem": public,
        }.items():
            (folder / "keys" / name).write_bytes(content)
            os.chmod(folder / "keys" / name, 0o600)
        self._parser = argparse.ArgumentParser("edge-agent roster")
        commands = self._parser.add_subparsers()
        clock = Clock()
        identity = TerminalIdentity(TERMINAL.id, TERMINAL.site, TERMINAL.place, TERMINAL.timezone)
        add_commands(commands, clock, lambda _: EMBEDDER, lambda _: identity)

    def __call__(self, *words: object) -> tuple[int, str]:
        """(exit code, everything printed)."""
        arguments = self._parser.parse_args([str(word) for word in words])
        code = arguments.run(arguments)
        captured = self._capture.readouterr()
        return int(code), captured.out + captured.err

    def config(self) -> tuple[str, Path]:
        """The settings, as words of a command."""
        return "--config", self.folder / "terminal.yaml"

    def delta(self, old: Path, new: Path, out: Path) -> tuple[int, str]:
        """`roster delta` with the office's keys."""
        keys = self.folder / "keys"
        return self("delta", old, new, "--sign", keys / "roster.pem", "--office-key", keys / "office.key", "--out", out)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


def test_the_import_prints_what_changed(run: CommandLine, tmp_path: Path) -> None:
    old, new = write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND)
    code, text = run("import", old, *run.config())
    assert (code, "roster 1 is in force (before: none): 4 people (4 new, 0 gone), 4 entitlements" in text) == (0, True)
    code, text = run("import", new, *run.config())
    assert code == 0
    for line in (
        "roster 2 is in force (before: 1): 4 people (1 new, 1 gone), 4 entitlements",
        "  people added: 1 (s5)",
        "  people removed: 1 (s4)",
        "  people with new templates: 1 (s1)",
        "  entitlement states: 1 (s1.bpnt state active → suspended)",
        "  officers removed: 1 (officer-2)",
        "  tokens withdrawn: 1 (bbbbbbbbbbbb)",
        "  policy: 4 (roster_max_age_days 30 → 20, ",
    ):
        assert line in text, line
    assert "Budi" not in text
    assert "nothing changed" in run("import", new, *run.config())[1]


def test_the_import_for_machines(run: CommandLine, tmp_path: Path) -> None:
    data = json.loads(run("import", write_full(tmp_path / "r1", FIRST), "--json", *run.config())[1])
    assert (data["changed"], data["version"], data["previous_version"], data["kind"]) == (True, 1, 0, "full")
    assert data["changes"]["people_added"] == ["s1", "s2", "s3", "s4"]
    assert {"field": "show_names", "before": False, "after": True, "id": ""} in data["changes"]["policy"]


def test_a_delta_from_the_office_to_the_terminal(run: CommandLine, tmp_path: Path) -> None:
    old, new, out = write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND), tmp_path / "delta.aid"
    code, text = run.delta(old, new, out)
    assert code == 0
    assert "from version 1 to 2 of site desa-sukamaju, sealed to kiosk-1, kiosk-2" in text
    assert "people removed: 1 (s4)" in text
    assert json.loads(run("show", out, *run.config())[1])["kind"] == "delta"
    run("import", old, *run.config())
    code, text = run("import", out, *run.config())
    assert (code, "roster 2 is in force (before: 1)" in text) == (0, True)
    code, text = run("show", *run.config())
    assert "version     2 for site desa-sukamaju, sealed to 2 terminal(s)" in text
    assert "2 proxies, 2 officers, 2 withdrawn tokens" in text


def test_a_warning_is_printed(run: CommandLine, tmp_path: Path) -> None:
    run("import", write_full(tmp_path / "r1", FIRST), *run.config())
    with open_store(tmp_path / "data" / "terminal.db") as store:
        assert store.record_claim(claim_of("s2"), Clock()())
    again = replace(rice("s2"), entitlement_id="s2.bpnt.again")
    new = write_full(tmp_path / "r2", replace(FIRST, version=2, entitlements=(again,), proxies=()))
    code, text = run("import", new, *run.config())
    assert (code, "WARN s2.bpnt.again: s2 already received BPNT 2026-03 here as s2.bpnt" in text) == (0, True)
    third = replace(again, entitlement_id="s2.bpnt.third")
    newer = write_full(tmp_path / "r3", replace(FIRST, version=3, entitlements=(third,), proxies=()))
    (warning,) = json.loads(run("import", newer, "--json", *run.config())[1])["warnings"]
    assert (warning["code"], warning["entitlement_id"], warning["other"]) == (REISSUED, "s2.bpnt.third", "s2.bpnt")


def test_a_delta_that_can_not_be_written(run: CommandLine, tmp_path: Path) -> None:
    old, new = write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND)
    with pytest.raises(RosterError, match="can't be written"):
        run.delta(old, new, tmp_path / "absent" / "delta.aid")


def test_the_schema_is_printed(run: CommandLine) -> None:
    assert json.loads(run("schema")[1]) == schema()
