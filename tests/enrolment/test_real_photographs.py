"""Enrolment with the terminal's own vision on real portraits: two people, two photographs each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from edge_agent.__main__ import main
from edge_agent.enrolment.national_number import office_subject_id
from edge_agent.enrolment.photos import PhotoTools, enrol
from edge_agent.key_files import load_secret
from edge_agent.settings import VisionSettings
from edge_agent.vision.loading import load_examiner
from edge_agent.vision.photo import load_photo
from tests.enrolment.office_list import COLUMNS_FILE, OfficeList, good_row, nik, write_list

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


def test_the_command_finds_one_person_under_two_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way with the terminal's models: three rows, two of them of one person with another photograph."""
    office = OfficeList(tmp_path / "kpm.csv", [good_row(number) for number in (1, 2, 3)])
    office.photo_folder.mkdir()
    first, again = sorted(DATA.glob("person_1_*"))
    for number, photo in ((1, first), (2, DATA / "nasa_astronaut.png"), (3, again)):
        shutil.copy(photo, office.photo_folder / f"{number}{photo.suffix}")
    write_list(office)
    for kind in ("roster", "office-id", "terminal"):
        assert main(["keys", "make", kind, str(tmp_path / kind)]) == 0
    words = [
        *("roster", "build", str(office.path), f"--columns={COLUMNS_FILE}", "--site=desa"),
        *(f"--id-key={tmp_path / 'office-id' / 'office-id.key'}", f"--sign={tmp_path / 'roster' / 'roster.pem'}"),
        *(f"--terminal=kiosk-1={tmp_path / 'terminal' / 'exchange.pub.pem'}", f"--out={tmp_path / 'roster.aid'}"),
    ]
    capsys.readouterr()
    assert main(words) == 1
    said = capsys.readouterr()
    ids = [office_subject_id(load_secret(tmp_path / "office-id" / "office-id.key"), nik(n)) for n in (1, 3)]
    assert f"kpm.csv:2: NIK: {ids[0]}: looks like {ids[1]} in line 4" in said.err
    assert "3 photographs, 0 refused" in said.out
    (tmp_path / "known.csv").write_text(f"first,second,reason\n{ids[0]},{ids[1]},seen both\n")
    assert main([*words, f"--known-alike={tmp_path / 'known.csv'}"]) == 0
