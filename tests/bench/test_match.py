"""The match bench on small galleries: its keys, that all find the same, and that who is missing is told."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from edge_agent.bench import match
from edge_agent.bench.match_peers import PEERS, PeerMissingError
from edge_agent.core.matching import identify
from edge_agent.core.model import Embedding
from tests.vision.faces import REPOSITORY

INSTALLED = {name: make for name, make in PEERS.items() if name in ("faiss", "usearch")}


class Slow:
    """A peer that takes its time and, if told to, finds the wrong row."""

    version = "1.2.3"

    def __init__(self, wrong: bool = False) -> None:
        self._wrong = wrong
        self.rows = np.zeros((0, 0), np.float32)

    def load(self, rows: np.ndarray) -> int:
        assert rows.dtype == np.float32
        assert rows.flags.c_contiguous
        self.rows = rows
        return 7_000_000

    def search(self, probe: Embedding) -> int:
        scores = self.rows @ probe
        return int(np.argmin(scores) if self._wrong else np.argmax(scores))

    def unload(self) -> None:
        self.rows = np.zeros((0, 0), np.float32)


def missing(threads: int) -> Slow:
    raise PeerMissingError(f"not here with {threads} threads; pip install it")


def test_the_documented_keys_are_there_for_every_size() -> None:
    result = match.run((50, 300), probes=8, peers={"slow": lambda _: Slow(), "gone": missing}, threads=3)
    assert set(result) == {"machine", "threads", "dimension", "peers", "sizes"}
    assert result["threads"] == 3
    assert result["peers"] == {
        "slow": {"version": "1.2.3"},
        "gone": {"missing": "not here with 3 threads; pip install it"},
    }
    for row, size in zip(result["sizes"], (50, 300), strict=True):
        assert set(row) == {"templates", "gallery_mb", "ids_mb", "ours", "slow"}
        assert row["templates"] == size
        assert row["gallery_mb"] == round(size * 128 * 4 / 1e6, 3)
        assert row["ids_mb"] > 0
        assert set(row["ours"]) == {"median_ms", "p99_ms", "n"}
        assert set(row["slow"]) == {"median_ms", "p99_ms", "n", "ratio", "same_best", "gallery_mb"}
        assert row["slow"]["same_best"] == row["slow"]["n"] == row["ours"]["n"] == 8
        assert row["slow"]["gallery_mb"] == 7.0
    assert "pip install it" in match.describe(result)


def test_a_peer_that_finds_another_row_is_told() -> None:
    (row,) = match.run((40,), probes=8, peers={"slow": lambda _: Slow(wrong=True)})["sizes"]
    assert row["slow"]["same_best"] == 0


def test_half_of_the_probes_are_recognised_and_the_rule_runs_whole() -> None:
    rng = np.random.default_rng(3)
    gallery = match.make_gallery(500, rng)
    found = [identify(match.probe_for(gallery.templates, turn, rng)[0], gallery, match.RULES) for turn in range(40)]
    assert [one.subject_id is not None for one in found] == [True, False] * 20
    assert all(one.runner_up is not None for one in found)


@pytest.mark.parametrize("name", sorted(INSTALLED))
def test_real_peers_find_the_same_best_row(name: str) -> None:
    try:
        INSTALLED[name](1)
    except PeerMissingError as error:
        pytest.skip(str(error))
    (row,) = match.run((2000,), probes=20, peers={name: INSTALLED[name]})["sizes"]
    assert row[name]["same_best"] == row[name]["n"] == 20


@pytest.mark.parametrize("name", sorted(INSTALLED))
def test_a_peer_that_isnt_installed_says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("faiss", "usearch", "usearch.index"):
        monkeypatch.setitem(sys.modules, module, None)
    package = {"faiss": "faiss-cpu", "usearch": "usearch"}[name]
    with pytest.raises(PeerMissingError, match=rf"pip install {package}.*\.\[bench\]"):
        INSTALLED[name](1)


@pytest.mark.parametrize(("sizes", "probes"), [((1,), 10), ((100,), 3), ((), 10)])
def test_what_cant_be_measured_is_refused(sizes: tuple[int, ...], probes: int) -> None:
    with pytest.raises(match.MatchBenchError, match="at least"):
        match.run(sizes, probes, peers={})


def test_the_command_measures_with_the_threads_asked_for() -> None:
    command = [sys.executable, "-m", "edge_agent", "bench", "match", "--sizes", "60", "--probes", "4", "--no-peers"]
    done = subprocess.run(
        [*command, "--threads", "2", "--json"], capture_output=True, text=True, cwd=REPOSITORY, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["threads"] == 2
    assert result["peers"] == {}
    assert [row["templates"] for row in result["sizes"]] == [60]


def test_the_command_says_why_it_cant() -> None:
    command = [sys.executable, "-m", "edge_agent", "bench", "match", "--sizes", "1", "--no-peers"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)
    assert done.returncode == 1
    assert "at least 2" in done.stderr
