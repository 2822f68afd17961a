"""CPU and memory of a process, read from /proc."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edge_agent.bench.process_costs import CpuMark, bare_memory, cpu_mark, memory
from edge_agent.bench.terminal_process import TerminalProcessError, cold_start_s


def test_cpu_between_two_marks_is_per_cent_of_one_core() -> None:
    assert CpuMark(10.0, 3.0).percent_until(CpuMark(12.0, 4.0)) == pytest.approx(50.0)


def test_a_busy_process_uses_cpu() -> None:
    before = cpu_mark(os.getpid())
    while cpu_mark(os.getpid()).used_s < before.used_s + 0.05:
        pass
    assert before.percent_until(cpu_mark(os.getpid())) > 0


def test_resident_memory_is_its_own_and_that_of_mapped_files() -> None:
    held = "held = bytearray(b'x') * 50_000_000; print('ready', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        found = memory(process.pid)
        process.communicate(b"\n")
    assert found["anonymous_mb"] > 50
    assert found["rss_mb"] == pytest.approx(found["anonymous_mb"] + found["file_mb"], abs=1)
    assert found["peak_mb"] >= found["rss_mb"]
    assert any("libc" in name or "python" in name for name in found["largest_mb"])


def test_the_libraries_alone_grow_step_by_step() -> None:
    steps = bare_memory()
    assert list(steps) == ["python", "numpy", "opencv", "mediapipe", "landmarker", "network"]
    assert sorted(steps.values()) == list(steps.values())


def test_a_terminal_that_cant_start_is_said_with_its_own_words(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = tmp_path / "terminal.yaml"
    config.write_text("terminal: {}\n")
    with pytest.raises(TerminalProcessError, match=r"waited in vain for READY.*start_failed"):
        cold_start_s(config, 1, lambda _: None)
