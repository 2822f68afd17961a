"""The session bench: one visit and one start of the real terminal, its keys and its refusals; never its times."""

from __future__ import annotations

import json
from argparse import ArgumentParser

import pytest

from edge_agent.bench import session

SPREAD = {"median", "p99", "min", "max", "n"}


@pytest.mark.slow
def test_the_documented_keys_are_there_and_the_parts_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    parser = ArgumentParser()
    session.add_arguments(parser)
    few = ["--visits", "1", "--turns", "1", "--starts", "1", "--idle-s", "1", "--json"]
    assert session.execute(parser.parse_args(few)) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result) == {"machine", "decision", "cold_start", "cpu", "memory"}
    row = result["decision"]["1"]
    assert row["outcomes"] == {"GIVEN": 1}
    assert set(row["all_tries"]) == set(row["person_alone"]) == SPREAD
    parts = ("acquire", "pauses", "turning", "returning", "watched", "identify")
    if row["first_try"]:
        assert sum(row[part]["median"] for part in parts) == pytest.approx(row["seconds"]["median"], abs=0.01)
        assert min(row[part]["median"] for part in parts[:-2]) > 0
    assert set(result["cold_start"]) == SPREAD
    assert set(result["cpu"]) == {
        "idle_percent",
        "idle_s",
        "session_percent",
        "puppet_ms",
        "session_without_puppet_percent",
    }
    memory = result["memory"]
    for when in ("idle", "served"):
        assert set(memory[when]) == {"rss_mb", "anonymous_mb", "file_mb", "peak_mb", "largest_mb"}
        assert "libmediapipe.so" in memory[when]["largest_mb"]
    assert list(memory["bare_mb"]) == ["python", "numpy", "opencv", "mediapipe", "landmarker", "network"]
    assert memory["puppet_mb"] > 0
    told = session.describe(result)
    assert "cold start" in told
    assert "the person alone" in told


@pytest.mark.parametrize(
    ("turns", "visits", "starts"), [((2,), 0, 0), ((2,), -1, 1), ((2,), 1, -1), ((0,), 1, 0), ((9,), 1, 0)]
)
def test_what_cant_be_measured_is_refused(turns: tuple[int, ...], visits: int, starts: int) -> None:
    with pytest.raises(session.SessionBenchError, match="at least 1"):
        session.run(turns, visits, 1, starts, 1.0)
