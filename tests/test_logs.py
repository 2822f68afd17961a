"""A log line is JSON under systemd, readable in a terminal, and never says who somebody is."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import structlog

from edge_agent import logs
from edge_agent.core.model import FaceObservation, Outcome
from edge_agent.settings import LogSettings


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    sys.excepthook, threading.excepthook, sys.unraisablehook = before[2:]
    logging.captureWarnings(False)
    structlog.reset_defaults()


@dataclass
class Lines:
    stream: io.StringIO

    def all(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def only(self) -> dict[str, object]:
        (line,) = self.all()
        return line


@pytest.fixture
def lines() -> Lines:
    stream = io.StringIO()
    logs.configure(LogSettings(format="json"), stream)
    return Lines(stream)


def test_a_line_has_both_clocks_level_and_logger(lines: Lines) -> None:
    structlog.get_logger("agent").info(
        "phase", phase=Outcome.GIVEN, seconds=1.5, path=Path("/x"), amount=Decimal("2.50")
    )
    line = lines.only()
    assert str(line["timestamp"]).endswith("Z")
    assert isinstance(line["monotonic_s"], float)
    assert {key: line[key] for key in ("event", "level", "logger", "phase", "seconds", "path", "amount")} == {
        "event": "phase",
        "level": "info",
        "logger": "agent",
        "phase": "GIVEN",
        "seconds": 1.5,
        "path": "/x",
        "amount": "2.50",
    }


@pytest.mark.parametrize(
    "key",
    ["name", "display_name", "nik", "NIK", "template", "templates", "probe", "embedding", "image", "subject_name"],
)
def test_keys_that_could_identify_are_withheld_at_any_depth(lines: Lines, key: str) -> None:
    structlog.get_logger("x").info("seen", **{key: "Siti"}, detail={"inner": [{key: "Siti"}]})
    assert "Siti" not in lines.stream.getvalue()
    assert lines.only()[key] == logs.WITHHELD


def test_keys_that_only_look_alike_pass(lines: Lines) -> None:
    structlog.get_logger("x").info("seen", filename="a.yaml", imagery=1, technik="b", hostname="h")
    assert {key: lines.only()[key] for key in ("filename", "imagery", "technik", "hostname")} == {
        "filename": "a.yaml",
        "imagery": 1,
        "technik": "b",
        "hostname": "h",
    }


@pytest.mark.parametrize(
    "value",
    [
        np.full((4,), 0.123456, np.float32),
        [np.full((4,), 0.123456, np.float32)],
        {"inner": np.float32(0.123456)},
        [0.123456] * 128,
        b"0.123456",
        FaceObservation(0.0, 1, (), probe=np.full((4,), 0.123456, np.float32)),
    ],
    ids=["array", "in-list", "scalar", "numbers", "bytes", "object"],
)
def test_arrays_bytes_and_objects_are_refused_whatever_the_key(lines: Lines, value: object) -> None:
    structlog.get_logger("x").info("seen", vector=value)
    assert "0.1234" not in lines.stream.getvalue()
    assert logs.WITHHELD in str(lines.only()["vector"])


def test_arrays_in_the_text_of_a_librarys_log_are_refused(lines: Lines) -> None:
    logging.getLogger("library").warning("vector %s of %d", np.full((4,), 0.123456), 4)
    logging.getLogger("library").warning("vector %(v)s", {"v": np.full((4,), 0.123456)})
    assert "0.1234" not in lines.stream.getvalue()
    assert [line["logger"] for line in lines.all()] == ["library", "library"]


def test_a_national_number_is_withheld_in_text_numbers_and_errors(lines: Lines) -> None:
    log = structlog.get_logger("x")
    log.info("import of 3204123456780001 failed", line="row 3204123456780001,", number=3204123456780001)
    try:
        raise ValueError("bad row 3204123456780001")
    except ValueError as error:
        log.exception("import_failed", problem=error)
    assert "3204123456780001" not in lines.stream.getvalue()
    assert "bad row [withheld]" in str(lines.all()[1]["exception"])


def test_hashes_and_short_numbers_are_not_taken_for_national_numbers(lines: Lines) -> None:
    digest = "a1234567890123456b" + "0" * 40
    structlog.get_logger("x").info("seen", sha256=digest, sequence=123456789012345)
    assert (lines.only()["sha256"], lines.only()["sequence"]) == (digest, 123456789012345)


def test_a_traceback_shows_no_local_variables(lines: Lines) -> None:
    def fails() -> None:
        secret_local = "Siti Aminah"
        raise RuntimeError(f"length {len(secret_local)}")

    try:
        fails()
    except RuntimeError:
        structlog.get_logger("x").exception("failed")
    assert "RuntimeError: length 11" in str(lines.only()["exception"])
    assert "Siti" not in lines.stream.getvalue()


def test_warnings_and_uncaught_exceptions_of_threads_go_the_same_way(lines: Lines) -> None:
    warnings.warn("old interface", UserWarning, stacklevel=1)

    def dies() -> None:
        raise OSError("port vanished")

    thread = threading.Thread(target=dies, name="printer")
    thread.start()
    thread.join()
    warned, died = lines.all()
    assert (warned["logger"], warned["level"]) == ("py.warnings", "warning")
    assert "old interface" in str(warned["event"])
    assert (died["event"], died["level"], died["thread"]) == ("thread_died", "critical", "printer")
    assert "port vanished" in str(died["exception"])


def test_the_level_is_kept_for_our_own_and_libraries_lines() -> None:
    stream = io.StringIO()
    logs.configure(LogSettings(format="json", level="warning"), stream)
    structlog.get_logger("x").info("quiet")
    logging.getLogger("library").info("quiet")
    structlog.get_logger("x").warning("loud")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["loud"]


def test_configuring_twice_writes_each_line_once() -> None:
    stream = io.StringIO()
    logs.configure(LogSettings(format="json"), io.StringIO())
    logs.configure(LogSettings(format="json"), stream)
    structlog.get_logger("x").info("once")
    assert len(stream.getvalue().splitlines()) == 1


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("form", "stream", "journal", "as_json"),
    [
        ("auto", Terminal(), False, False),
        ("auto", Terminal(), True, True),
        ("auto", io.StringIO(), False, True),
        ("text", io.StringIO(), True, False),
        ("json", Terminal(), False, True),
    ],
)
def test_form_follows_setting_journal_and_terminal(
    monkeypatch: pytest.MonkeyPatch, form: str, stream: io.StringIO, journal: bool, as_json: bool
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    if journal:
        monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    logs.configure(LogSettings.model_validate({"format": form}), stream)
    structlog.get_logger("x").info("hello", number=7)
    line = stream.getvalue()
    assert line.startswith("{") is as_json
    assert "hello" in line
    assert "7" in line


def test_lines_to_the_journal_carry_their_priority(tmp_path: Path) -> None:
    """The real thing: the process's own standard error is the file that JOURNAL_STREAM names."""
    code = (
        "import os, structlog; s = os.fstat(2); os.environ['JOURNAL_STREAM'] = f'{s.st_dev}:{s.st_ino}'\n"
        "from edge_agent import logs; from edge_agent.settings import LogSettings\n"
        "logs.configure(LogSettings()); log = structlog.get_logger('x'); log.error('bad'); log.info('fine')\n"
        "raise SystemError('the end')"
    )
    journal = tmp_path / "journal"
    with journal.open("w") as file:
        done = subprocess.run([sys.executable, "-c", code], stderr=file, check=False, env={**os.environ})
    bad, fine, end = journal.read_text().splitlines()
    assert (bad[:4], fine[:4], end[:4]) == ("<3>{", "<6>{", "<2>{")
    assert json.loads(end[3:])["event"] == "process_died"
    assert done.returncode == 1
