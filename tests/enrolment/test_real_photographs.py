"""Enrolment with the terminal's own vision on real portraits: two people, two photographs each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from edge_agent.enrolment.photos import PhotoTools, enrol
from edge_agent.settings import VisionSettings
from edge_agent.vision.loading import load_examiner
from edge_agent.vision.photo import load_photo

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("EDGE_AGENT_SHARED_DATA", REPOSITORY.parent / "shared" / "data")) / "portraits"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs the portraits of ../shared/data (or EDGE_AGENT_SHARED_DATA)"
)


@pytest.fixture(scope="module")
def tools() -> Iterator[PhotoTools]:
    examiner = load_examiner(VisionSettings(manifest=REPOSITORY / "models" / "manifest.yaml"))
    yield PhotoTools(load_photo, examiner)
    examiner.close()


def test_two_photographs_of_a_person_agree_and_two_people_do_not(tools: PhotoTools) -> None:
    first = enrol("p1", sorted(DATA.glob("person_1_*")), tools)
    second = enrol("p2", sorted(DATA.glob("person_2_*")), tools)
    assert first.template is not None, first.reports
    assert second.template is not None, second.reports
    other = enrol("p1", sorted(DATA.glob("person_1_*"))[:1], tools).template
    assert other is not None
    assert float(first.template @ other) > float(first.template @ second.template) + 0.05


def test_a_stranger_among_the_photographs_is_refused(tools: PhotoTools) -> None:
    photos = [*sorted(DATA.glob("person_1_*")), DATA / "nasa_astronaut.png"]
    reports = enrol("p1", photos, tools, same_person_min=0.9).reports
    assert reports[2].accepted is False
    assert "same person" in reports[2].reason


def test_a_picture_without_a_face_says_so(tools: PhotoTools, tmp_path: Path) -> None:
    path = tmp_path / "wall.png"
    Image.new("RGB", (640, 480), (180, 170, 160)).save(path)
    (report,) = enrol("p1", [path], tools).reports
    assert "no face was found" in report.reason
