"""Scripts: what is filled in, what is refused, and where the fault is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.devices.puppet.face import load_face
from edge_agent.devices.puppet.script import ASSETS, Attack, Behaviour, Then, load_script
from edge_agent.ports import CameraError
from tests.devices.puppet.theatre import ROOT


def written(folder: Path, text: str) -> Path:
    path = folder / "visits.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_bare_visit_is_a_cooperative_person_with_the_shipped_face(tmp_path: Path) -> None:
    script = load_script(written(tmp_path, "visits:\n  - who: Ibu Sari\n"))
    (visit,) = script.visits
    assert (visit.behaviour, visit.attack, script.then) == (Behaviour.COOPERATIVE, Attack.NONE, Then.STAY_EMPTY)
    assert visit.face == ASSETS / "nasa_astronaut.json"


def test_paths_are_relative_to_the_script(tmp_path: Path) -> None:
    text = "visits:\n  - face: faces/other.json\n    attack: replay\n    clip: ../clip.mp4\n"
    (visit,) = load_script(written(tmp_path, text)).visits
    assert visit.face == tmp_path / "faces" / "other.json"
    assert visit.clip == tmp_path / ".." / "clip.mp4"


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "puppet").glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_scripts_are_good_and_their_faces_are_there(path: Path) -> None:
    for visit in load_script(path).visits:
        load_face(visit.face)


def test_every_fault_is_told_with_its_line_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = "seeed: 3\nvisits:\n  - behavior: late\n    turn_deg: 90\n  - attack: foto\nthen: end\n"
    with pytest.raises(CameraError) as caught:
        load_script(written(tmp_path, text))
    lines = str(caught.value).splitlines()
    assert [line.partition("visits.yaml:")[2][:2] for line in lines] == ["1:", "3:", "4:", "5:"]
    assert "did you mean 'seed'?" in lines[0]
    assert "visits.0.behavior: unknown key; did you mean 'behaviour'?" in lines[1]
    assert "visits.0.turn_deg: 90:" in lines[2]
    assert "'photo'" in lines[3]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("seed: 1\n", "visits: is missing"),
        ("visits: []\n", "visits: .*at least 1"),
        ("visits:\n  - reaction_s: [2, 1]\n", r"reaction_s: the shortest is longer"),
        ("visits:\n  - clip: a.mp4\n", "visits.0: clip without `attack: replay`"),
        ("visits:\n\t- who: x\n", "2: is indented with a tab"),
        ("- who: x\n", "holds a list"),
        ("", "empty"),
        ("visits:\n  - who: a\n    who: b\n", "3: visits.0.who: given twice"),
    ],
)
def test_a_bad_script_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(CameraError, match=said):
        load_script(written(tmp_path, text))


def test_a_missing_script_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match=r"gone\.yaml: no such file; correct camera\.path"):
        load_script(tmp_path / "gone.yaml")
