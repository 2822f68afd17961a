"""`edge-agent attack make` as it is typed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.__main__ import main
from tests.vision.faces import PORTRAIT_FILE, meshes, video


def make(*arguments: str | Path) -> int:
    return main(["attack", "make", *map(str, arguments)])


def test_a_clip_is_written_that_plays_and_shows_the_face(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "clip.mp4"
    assert make("--species", "print", PORTRAIT_FILE, out, "--seconds", "1", "--fps", "5", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert made["frames"] == 5
    played = list(video(out))
    assert len(played) == 5
    assert all(meshes(picture) for _, picture in played)
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_the_same_seed_makes_the_same_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    digests = []
    for seed in ("3", "3", "4"):
        out = tmp_path / "clip.mp4"
        arguments = ("--species", "bent-print", PORTRAIT_FILE, out, "--seconds", "1", "--fps", "4", "--seed", seed)
        assert make(*arguments, "--json") == 0
        told = json.loads(capsys.readouterr().out)["frames_sha256"]
        digests.append((told, hashlib.sha256(out.read_bytes()).hexdigest()))
    assert digests[0] == digests[1]
    assert digests[0][0] != digests[2][0]


def grey(path: Path) -> Path:
    cv2.imwrite(str(path), np.full((200, 200, 3), 128, np.uint8))
    return path


def test_what_cannot_be_a_source_is_told_with_a_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    cases = {
        tmp_path / "absent.jpg": "can't be read",
        tmp_path / "absent.mp4": "check the path",
        text: "not a video",
        grey(tmp_path / "grey.png"): "no face found",
    }
    for source, words in cases.items():
        assert make("--species", "print", source, tmp_path / "out.mp4") == 2
        told = capsys.readouterr().err
        assert str(source) in told
        assert words in told
    assert not (tmp_path / "out.mp4").exists()


def test_where_it_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert make("--species", "still", PORTRAIT_FILE, tmp_path / "out.avi") == 2
    assert ".mp4" in capsys.readouterr().err
    assert make("--species", "still", PORTRAIT_FILE, tmp_path / "nowhere" / "out.mp4") == 2
    assert "make it first" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [("--seconds", "0"), ("--fps", "many"), ("--species", "hologram")])
def test_wrong_options_are_told(wrong: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as exit_:
        make("--species", "print", PORTRAIT_FILE, tmp_path / "out.mp4", *wrong)
    assert exit_.value.code == 2
