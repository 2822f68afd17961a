"""`edge-agent evaluate` from the command line, on data sets made of the one portrait."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.evaluation import command
from edge_agent.evaluation.pairs import PairsError
from tests.vision.faces import portrait, shared


def evaluate(*arguments: str | Path) -> int:
    parser = argparse.ArgumentParser()
    command.add_commands(parser.add_subparsers())
    parsed = parser.parse_args(["evaluate", *map(str, arguments)])
    status: int = parsed.run(parsed)
    return status


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four subjects with three pictures each, all of the portrait at another brightness; Dot's third has no face."""
    folder = tmp_path_factory.mktemp("images")
    for place, name in enumerate(("Ann", "Bob", "Cid", "Dot")):
        (folder / name).mkdir()
        for photo in (1, 2, 3):
            picture = np.clip(portrait().astype(np.int16) - 8 * place - 3 * photo, 0, 255).astype(np.uint8)
            if (name, photo) == ("Dot", 3):
                picture[:] = 127
            cv2.imwrite(str(folder / name / f"{name}_{photo:04d}.png"), picture[:, :, ::-1])
    return folder


def test_verify_reports_pairs_failures_and_pictures(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("2\nAnn\t1\t2\nDot\t1\t3\nAnn\t1\tBob\t1\nCid\t1\tDot\t2\n")
    assert evaluate("verify", pairs, "--images", images, "--json", "-", "--plots", tmp_path / "plots") == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["command"], report["gate"]) == ("verify", "open")
    assert (report["fta"]["count"], report["fta"]["n"], report["fta"]["pairs"]) == (1, 7, 1)
    assert report["fta"]["by_reason"] == {"no_face": 1}
    assert report["accuracy"]["n"] == 4
    assert report["accuracy"]["acquired_only"]["n"] == 3
    assert report["tmr"]["1e-3"]["value"] is None, "21 comparisons support no such rate"
    assert report["at_targets"]["1e-3"]["fmr"]["count"] == 2, "the same face in another's name matches"
    assert report["at_targets"]["1e-3"]["fnmr"] | {"ci95": 0} == {"value": 0.5, "count": 1, "n": 2, "ci95": 0}
    assert list(report["other_gates"]) == ["enrolment"]
    assert {file.name for file in (tmp_path / "plots").iterdir()} == {"det.png", "scores.png", "index.html"}
    assert cv2.imread(str(tmp_path / "plots" / "det.png")) is not None


def test_identify_reports_galleries_and_pictures(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "report.json"
    plots = tmp_path / "plots"
    assert evaluate("identify", images, "--gallery", "1,2", "--seeds", 2, "--json", target, "--plots", plots) == 0
    report = json.loads(target.read_text())
    assert list(report["galleries"]) == ["1", "2"]
    # Everybody is the same person: alone in the gallery all match it; with two enrolled nobody leads by the margin.
    assert report["galleries"]["1"]["fpir"]["0.01"]["acquired_only"]["value"] == 1.0
    assert report["galleries"]["2"]["tpir"]["0.01"]["count"] == 0
    assert report["fta"]["count"] == 1
    told = capsys.readouterr().out
    assert "gallery 2, target FPIR 0.01" in told
    assert "gate enrolment" in told
    assert {file.name for file in plots.iterdir()} == {"det.png", "gallery.png", "scores.png", "index.html"}


def test_no_embedding_or_image_is_left_behind(images: Path, tmp_path: Path) -> None:
    target = tmp_path / "report.json"
    evaluate("identify", images, "--seeds", 1, "--json", target)
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    assert len(target.read_text()) < 20_000
    for name in ("Ann", "Bob", "Cid", "Dot"):
        assert name not in target.read_text()


def test_bad_input_is_told_before_the_models_are_loaded(images: Path, tmp_path: Path) -> None:
    with pytest.raises(PairsError, match="can't be read"):
        evaluate("verify", tmp_path / "none.txt", "--images", images)
    with pytest.raises(PairsError, match="at most half of the 4 subjects"):
        evaluate("identify", images, "--gallery", "3")
    with pytest.raises(SystemExit):
        evaluate("identify", images, "--gallery", "0")


def test_news_photographs_are_told_apart(tmp_path: Path) -> None:
    """Forty pairs of LFW's view 1, thresholds from forty others: nearly all are judged rightly."""
    lfw = shared("lfw_view1")
    listed = (lfw / "pairsDevTest.txt").read_text().splitlines()
    mated, others = listed[1:501:12], listed[501::12]
    for name, start in (("train.txt", 0), ("test.txt", 20)):
        (tmp_path / name).write_text("\n".join(["20", *mated[start : start + 20], *others[start : start + 20]]) + "\n")
    target, train, images = tmp_path / "report.json", tmp_path / "train.txt", lfw / "images"
    evaluate("verify", tmp_path / "test.txt", "--train", train, "--images", images, "--json", target)
    report = json.loads(target.read_text())
    assert report["fta"]["count"] == 0
    assert report["accuracy"]["mean"] >= 0.9
    assert report["accuracy"]["threshold_from"] == "train.txt"
    assert report["at_targets"]["1e-2"]["fmr"]["count"] <= 2
    assert report["other_gates"]["enrolment"]["fta"]["count"] > 0, "turned heads and second faces are refused"
