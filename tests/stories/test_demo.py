"""The demo, as a stranger runs it, and real footage through the real daemon."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.demo.broker import DemoBroker
from edge_agent.demo.command import footage_scene
from edge_agent.demo.play import Performance, play
from edge_agent.demo.stage import PREFIX, Scene, set_stage
from edge_agent.demo.timeline import Timeline
from edge_agent.settings import SHIPPED_MANIFEST
from edge_agent.store.ledger import read_records
from tests.brokers import needs_mosquitto

pytestmark = [needs_mosquitto, pytest.mark.mosquitto, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
VIDEOS = Path(os.environ.get("EDGE_AGENT_SHARED_DATA", ROOT.parent / "shared/data")) / "videos"
needs_videos = pytest.mark.skipif(not VIDEOS.is_dir(), reason=f"no real footage at {VIDEOS}")


def test_the_demo_gives_once_tells_so_and_refers_a_photograph(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edge_agent", "demo", "--json", "--folder", str(tmp_path / "demo")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    summary = json.loads(done.stdout)
    assert summary["problems"] == []
    ended = [(one["outcome"], one["reason"]) for one in summary["outcomes"]]
    assert ended == [("GIVEN", None), ("NOT_ENTITLED", "already_claimed"), ("REFERRED", "not_live")]
    assert all(
        {"ACQUIRING", "CHALLENGING", "RECORDING", "PRINTING"} <= one["phases_s"].keys() for one in summary["outcomes"]
    )
    first, second, third = (Path(slip["text"]).read_text(encoding="utf-8") for slip in summary["slips"])
    assert "10 kg beras" in first
    assert summary["outcomes"][0]["case"] in second  # the first claim's number, beside its time
    assert "PETUGAS" in third
    assert all(Path(slip["png"]).read_bytes().startswith(b"\x89PNG") for slip in summary["slips"])
    assert summary["statuses_received"] == ["online", "stopped"]
    assert [int(event["sequence"]) for event in summary["events_received"]] == list(
        range(1, summary["ledger"]["records"] + 1)
    )


def served(folder: Path, scene: Scene) -> tuple[Performance, list[dict[str, Any]]]:
    """One session of this scene, and the records it left."""
    with DemoBroker(folder, PREFIX) as broker:
        stage = set_stage(folder, SHIPPED_MANIFEST, scene, broker.port, lambda _: None)
        seen = play(
            stage,
            broker,
            Timeline(io.StringIO()),
            over=lambda seen: bool(seen.sessions),
            at_most_s=60.0,
            show_slip=lambda _: None,
        )
    return seen, [json.loads(body) for body in read_records(stage.database)]


@needs_videos
def test_a_recorded_speaker_is_identified_among_500_when_liveness_is_only_recorded(tmp_path: Path) -> None:
    seen, records = served(tmp_path, footage_scene(VIDEOS / "speaker_a.mp4", "recorded"))
    assert seen.outcomes == ["GIVEN"]
    claim = next(record for record in records if record["type"] == "aid.claim.recorded.v1")
    assert claim["data"]["subject"] == "subject-0001"
    assert claim["data"]["evidence"]["pad"] == "not_live"
    assert claim["data"]["evidence"]["gallery_size"] == 500


@needs_videos
def test_the_same_recording_is_referred_when_liveness_is_enforced(tmp_path: Path) -> None:
    seen, records = served(tmp_path, footage_scene(VIDEOS / "speaker_a.mp4", "enforced"))
    assert [(one["outcome"], one["reason"]) for one in seen.sessions] == [("REFERRED", "not_live")]
    assert not any(record["type"] == "aid.claim.recorded.v1" for record in records)


@needs_videos
def test_another_speaker_matches_nobody(tmp_path: Path) -> None:
    enrolled = footage_scene(VIDEOS / "speaker_a.mp4", "recorded")
    shown = footage_scene(VIDEOS / "speaker_b.mp4", "recorded")
    seen, _ = served(tmp_path, Scene(shown.camera, enrolled.pictures, "recorded"))
    assert [(one["outcome"], one["reason"]) for one in seen.sessions] == [("REFERRED", "not_recognised")]
