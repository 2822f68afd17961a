"""The commands, from keys to a checked ledger, as an office and a technician type them."""

from __future__ import annotations

import argparse
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.enrolment import commands as enrolment_commands
from edge_agent.enrolment.alike import AlikeMin, FaceRules
from edge_agent.ports import EmbedderId, TerminalError
from edge_agent.settings import load
from edge_agent.store import Store, commands, load_keys
from tests.enrolment.office import BLACK, EMBEDDER, GREEN, HEADER, PINK, RED, picture, row, tools
from tests.store.terminal import SETTINGS, Clock, claim_of

RULES = FaceRules(EMBEDDER, "56" * 32, lambda _people, _photos: AlikeMin(0.999, 1e-6))


class CommandLine:
    """`edge-agent` with only these commands, in a folder of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.config = folder / "terminal.yaml"
        self.config.write_text(SETTINGS.replace("keys/roster.pub.pem", "office/roster.pub.pem"))
        self.clock = Clock()
        self.embedder = EMBEDDER
        self._capture = capture
        self._parser = argparse.ArgumentParser("edge-agent")
        subparsers = self._parser.add_subparsers()
        roster = subparsers.add_parser("roster").add_subparsers()
        enrolment_commands.add_commands(subparsers, roster, lambda _: tools(), lambda _: RULES)
        commands.add_commands(subparsers, roster, self.clock, lambda _: self.embedder)

    def __call__(self, *words: object) -> tuple[int, str]:
        """(exit code, everything printed)."""
        arguments = self._parser.parse_args([str(word) for word in words])
        code = arguments.run(arguments)
        captured = self._capture.readouterr()
        return int(code), captured.out + captured.err


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


@pytest.fixture
def roster_file(run: CommandLine) -> Path:
    """Keys made, s1 and s2 enrolled, the roster built."""
    keys, office, source = run.folder / "keys", run.folder / "office", run.folder / "source"
    for kind, folder in (("terminal", keys), ("roster", office), ("office", office)):
        assert run("keys", "make", kind, folder)[0] == 0
    photo = picture(run.folder / "s2.png", GREEN)
    code, text = run("enrol", "--subject", "s2", "--office-key", office / "office.key", "--folder", source, photo)
    assert code == 0, text
    picture(source / "s1" / "a.png", RED)
    picture(source / "s1" / "b.png", PINK)
    (source / "entitlements.csv").write_text("\n".join([HEADER, row("s1"), row("s2")]))
    out = run.folder / "roster.aid"
    code, text = build(run, out, 1)
    assert code == 0, text
    assert "2 people, 2 entitlements, sealed to kiosk-1" in text
    return out


def build(run: CommandLine, out: Path, version: int, *more: object) -> tuple[int, str]:
    return run(
        "roster", "build", run.folder / "source", "--sign", run.folder / "office" / "roster.pem",
        "--site", "desa-sukamaju", "--terminal", f"kiosk-1={run.folder / 'keys' / 'exchange.pub.pem'}",
        "--office-key", run.folder / "office" / "office.key", "--version", version, "--out", out, *more,
    )  # fmt: skip


def test_a_roster_reaches_the_terminal(run: CommandLine, roster_file: Path) -> None:
    code, text = run("roster", "show", "--config", run.config)
    assert (code, "no roster" in text) == (1, True)
    code, text = run("roster", "import", roster_file, "--config", run.config)
    assert (code, "roster 1 is in force (before: none): 2 people (2 new, 0 gone)" in text) == (0, True)
    assert "nothing changed" in run("roster", "import", roster_file, "--config", run.config)[1]
    code, text = run("roster", "show", "--config", run.config)
    assert (code, "2 people, 2 templates, 2 entitlements" in text, "colour-net" in text) == (0, True, True)
    code, text = run("roster", "show", roster_file, "--config", run.config)
    assert json.loads(text)["version"] == 1


def test_withdrawn_tokens_reach_the_terminal(run: CommandLine, roster_file: Path) -> None:
    (run.folder / "revoked.txt").write_text("0123456789ab  # lost\n")
    code, text = build(run, run.folder / "second.aid", 2, "--revoked", run.folder / "revoked.txt")
    assert (code, "withdraws 1 tokens" in text) == (0, True)
    assert run("roster", "import", run.folder / "second.aid", "--config", run.config)[0] == 0
    settings = load(run.config).settings
    with Store.open(settings.store.path, load_keys(settings.store), commands.terminal_of(settings)) as store:
        assert store.revoked_tokens() == {"0123456789ab"}


def test_a_build_with_faults_writes_nothing_and_says_all(run: CommandLine, roster_file: Path) -> None:
    picture(run.folder / "source" / "s1" / "dark.png", BLACK)
    (run.folder / "source" / "entitlements.csv").write_text("\n".join([HEADER, row("s1", amount="x"), row("s9")]))
    out = run.folder / "second.aid"
    code, text = build(run, out, 2)
    assert code == 1
    assert "dark.png: refused: the face is too dark" in text
    assert "entitlements.csv:2: amount: x" in text
    assert "entitlements.csv:3: subject_id: s9" in text
    assert "2 problem(s); no roster was written" in text
    assert not out.exists()


def test_enrolling_says_why_a_photograph_is_refused(run: CommandLine, roster_file: Path) -> None:
    photo = picture(run.folder / "dark.png", BLACK)
    office_key = run.folder / "office" / "office.key"
    code, text = run("enrol", "--subject", "s5", "--office-key", office_key, "--folder", run.folder / "e", photo)
    assert code == 1
    assert "dark.png: refused: the face is too dark; turn it to the light" in text
    assert not (run.folder / "e").exists()
    with pytest.raises(TerminalError, match="opaque id"):
        run("enrol", "--subject", "3201234567890001", "--office-key", office_key, photo)


def test_a_roster_for_another_model_is_refused(run: CommandLine, roster_file: Path) -> None:
    run.embedder = EmbedderId("newer-net", "99" * 32)
    with pytest.raises(TerminalError, match="this terminal runs newer-net"):
        run("roster", "import", roster_file, "--config", run.config)


def test_a_wrong_terminal_argument_is_explained(run: CommandLine, roster_file: Path) -> None:
    with pytest.raises(TerminalError, match=r"kiosk-1=exchange\.pub\.pem"):
        run(
            "roster",
            "build",
            "x",
            "--sign",
            run.folder / "office" / "roster.pem",
            "--site",
            "s",
            "--terminal",
            "kiosk-1",
        )


def test_the_ledger_is_verified_while_the_terminal_runs(run: CommandLine, roster_file: Path) -> None:
    assert run("roster", "import", roster_file, "--config", run.config)[0] == 0
    settings = load(run.config).settings
    with Store.open(settings.store.path, load_keys(settings.store), commands.terminal_of(settings)) as store:
        store.record_claim(claim_of("s1"), run.clock())
        head = store.ledger_head()
        code, text = run("ledger", "verify", "--config", run.config)
        assert (code, f"2 record(s) hold; head 2:{head.hash}" in text) == (0, True)
    known = ("--head", f"2:{head.hash}", "--key", run.folder / "keys" / "signing.pub.pem")
    assert run("ledger", "verify", "--config", run.config, *known)[0] == 0
    code, text = run("ledger", "show", "--config", run.config, "--last", "1")
    assert (code, json.loads(text)["type"]) == (0, "aid.claim.recorded.v1")
    export = run.folder / "export.jsonl"
    export.write_text(run("ledger", "show", "--config", run.config, "--last", "0")[1])
    assert run("ledger", "verify", "--file", export, *known)[0] == 0
    export.write_text(export.read_text().splitlines()[0] + "\n")
    code, text = run("ledger", "verify", "--file", export, *known)
    assert (code, "BROKEN at record 2: it" in text, "missing at the end" in text) == (1, True, True)


def test_a_tampered_ledger_is_reported_by_its_record(run: CommandLine, roster_file: Path) -> None:
    run("roster", "import", roster_file, "--config", run.config)
    database = load(run.config).settings.store.path
    with closing(sqlite3.connect(database, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER ledger_is_not_changed")
        raw.execute("UPDATE ledger SET body = CAST(replace(body, '\"subjects\":2', '\"subjects\":3') AS BLOB)")
    code, text = run("ledger", "verify", "--config", run.config)
    assert (code, "BROKEN at record 1" in text) == (1, True)


def test_keys_are_shown_by_their_ids_only(run: CommandLine, roster_file: Path) -> None:
    code, text = run("keys", "show", run.folder / "keys")
    assert code == 0
    assert "PRIVATE" not in text
    assert (run.folder / "keys" / "template.key").read_bytes().hex() not in text
    assert text.count("exchange id") == 2
    assert run("keys", "show", run.folder)[0] == 1
    with pytest.raises(TerminalError, match="never overwritten"):
        run("keys", "make", "terminal", run.folder / "keys")
    with pytest.raises(TerminalError, match="write sequence and hash"):
        run("ledger", "verify", "--config", run.config, "--head", "12")
