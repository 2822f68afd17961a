"""The bench end to end on few frames; its times are only checked for being there, never for being fast."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from edge_agent.bench import frames as bench
from edge_agent.bench.dlib_peer_link import Peer, PeerMissingError
from edge_agent.settings import VisionSettings
from tests.vision.faces import REPOSITORY, shared

MANIFEST = REPOSITORY / "models" / "manifest.yaml"
SETTINGS = VisionSettings(manifest=MANIFEST)

WORKING_PEER = """
def face_locations(image, model):
    assert model == "hog"
    return [(0, 1, 1, 0)] if image.mean() > 1 else []


def face_encodings(image, known_face_locations):
    return [[0.0] * 128 for _ in known_face_locations]
"""


@pytest.fixture
def peer_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a stand-in for the face_recognition package is written, found by peers started with this Python."""
    facts = tmp_path / "face_recognition-9.9.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: face_recognition\nVersion: 9.9\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "face_recognition.py"


def test_the_built_in_portrait_is_measured_by_stage_beside_the_bare_models(peer_module: Path) -> None:
    peer_module.write_text(WORKING_PEER)
    result = bench.run(SETTINGS, count=20, idle_s=0.5)
    assert result["frames"] == 20
    assert result["frames_with_probe"] == 20
    assert result["frame_px"] == [640, 480]
    assert list(result["stages"]) == ["landmarks", "quality", "cues", "chip", "embed", "total"]
    assert all(row["frames"] == 20 for row in result["stages"].values())
    assert result["bare"]["embed_invocations"] == 1
    assert set(result["bare"]) == {"landmarks", "embed", "total", "embed_invocations"}
    medians = result["stages"]["total"]["median_ms"] / result["bare"]["total"]["median_ms"]
    assert result["ratio_to_bare"] == pytest.approx(medians, rel=0.01)
    for loop in ("plain_loop", "plain_loop_least"):
        assert result[loop]["frames"] == 20
        assert result[loop]["ratio"] > 0
        assert result[loop]["cosine_to_ours"] > 0.97, "the loop must see the same face"
    assert result["peer"]["version"] == "9.9"
    assert result["peer"]["faces_found"] == result["peer"]["frames"] == 4
    assert result["idle"]["fps"] > 0
    assert result["machine"]["interpreter"].split()[0] in ("LiteRT", "tflite-runtime")
    assert "times the bare models" in bench.describe(result)


@pytest.mark.parametrize(("mirrored", "invocations"), [(False, 1), (True, 2)])
def test_the_bare_network_runs_as_often_as_ours(mirrored: bool, invocations: int) -> None:
    settings = VisionSettings(manifest=MANIFEST, mirrored_average=mirrored)
    result = bench.run(settings, count=12, peer_python=None, idle_s=0)
    assert result["bare"]["embed_invocations"] == invocations
    assert result["plain_loop"]["cosine_to_ours"] > 0.99, "the loop must take the same looks"
    assert "peer" not in result
    assert "idle" not in result


def test_footage_is_measured_as_it_is() -> None:
    result = bench.run(SETTINGS, shared("videos/speaker_b.mp4"), 20, peer_python=None, idle_s=0)
    assert result["source"] == "speaker_b.mp4"
    assert result["frame_px"] == [512, 512]
    assert result["frames"] == 20


@pytest.mark.parametrize("content", [None, b"not a video"])
def test_footage_that_gives_no_frames_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "clip.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(bench.BenchError, match=r"clip\.mp4: gave 0 frames"):
        bench.run(SETTINGS, path, 20, peer_python=None, idle_s=0)


def test_frames_without_a_face_are_not_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "portrait_frames", lambda count: [np.zeros((480, 640, 3), np.uint8)] * count)
    with pytest.raises(bench.BenchError, match="no frame gave a probe"):
        bench.run(SETTINGS, count=12, peer_python=None, idle_s=0)


def test_a_missing_peer_is_said_and_the_rest_is_measured(peer_module: Path) -> None:
    peer_module.write_text("raise ImportError('no dlib here')\n")
    result = bench.run(SETTINGS, count=12, idle_s=0)
    assert "no dlib here" in result["peer"]["missing"]
    assert "--peer-python" in result["peer"]["missing"]
    assert result["ratio_to_bare"] > 0
    assert "no dlib here" in bench.describe(result)


def test_a_peer_whose_python_cant_be_started() -> None:
    with pytest.raises(PeerMissingError, match="can't be started"):
        Peer("/nonexistent/python")


def test_the_ratio_says_how_many_times_longer_the_peer_takes(peer_module: Path) -> None:
    peer_module.write_text(WORKING_PEER)
    peer = Peer(sys.executable)
    described = peer.describe([200.0, 220.0, 240.0], [10.0, 11.0, 12.0])
    peer.close()
    assert described["ratio"] == 20.0
    assert described["median_ms"] == 220.0


def test_a_peer_that_dies_is_said(peer_module: Path) -> None:
    peer_module.write_text(WORKING_PEER.replace("assert model", "import os; os._exit(3)\n    assert model"))
    peer = Peer(sys.executable)
    with pytest.raises(PeerMissingError, match="process ended"):
        peer.measure(np.zeros((8, 8, 3), np.uint8))
    peer.close()


def test_the_command_line_gives_json_or_a_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    parser = ArgumentParser()
    bench.add_arguments(parser)
    few = ["--manifest", str(MANIFEST), "--frames", "12", "--idle-s", "0", "--no-peer", "--json"]
    assert bench.execute(parser.parse_args(few)) == 0
    assert json.loads(capsys.readouterr().out)["frames"] == 12
    assert bench.execute(parser.parse_args(["--manifest", str(tmp_path / "manifest.yaml"), "--no-peer"])) == 1
    assert "manifest.yaml" in capsys.readouterr().err
