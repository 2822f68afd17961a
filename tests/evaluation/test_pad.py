"""APCER, BPCER and non-responses: counted by hand, and measured on real vision with the shipped portrait."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.attacks.material import Material, read_material
from edge_agent.attacks.species import Species
from edge_agent.core.cues import CONCLUSIVE
from edge_agent.core.rules import PadRules
from edge_agent.evaluation import pad_people
from edge_agent.evaluation.pad import Presentations, report
from edge_agent.evaluation.pad_clips import Clip, PadListError, list_clips
from edge_agent.evaluation.pad_people import Watch
from edge_agent.evaluation.pad_trial import Judged, Verdict
from edge_agent.settings import SHIPPED_MANIFEST, VisionSettings
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.loading import load_observer
from tests.vision.faces import LANDMARKER_FILE, PORTRAIT_FILE

REASON = {Verdict.ACCEPTED: None, Verdict.REJECTED: "not_live", Verdict.NO_RESPONSE: "no_usable_view"}


def presentations(accepted: int, rejected: int, silent: int, owner: int | None = None) -> Presentations:
    """Each from a source of its own, unless they share one."""
    made = Presentations()
    verdicts = [Verdict.ACCEPTED] * accepted + [Verdict.REJECTED] * rejected + [Verdict.NO_RESPONSE] * silent
    for number, verdict in enumerate(verdicts):
        made.add(Judged(verdict, REASON[verdict], 1, 5.0), number if owner is None else owner)
    return made


def test_apcer_is_the_share_accepted_of_those_answered() -> None:
    told = presentations(2, 8, 10).report(Verdict.ACCEPTED)
    assert (told["value"], told["count"], told["n"]) == (0.2, 2, 10)
    # Wilson's 95 % interval of 2/10 is 5.67 % to 50.98 %; a bootstrap over ten sources may only widen it.
    assert told["ci95"][0] <= 0.0567
    assert told["ci95"][1] >= 0.5098
    assert (told["non_response"]["value"], told["non_response"]["n"]) == (0.5, 20)
    assert told["presentations"] == told["sources"] == 20
    assert told["reasons"] == {"no_usable_view": 10, "not_live": 8}


def test_bpcer_is_the_share_rejected_of_those_answered() -> None:
    told = report({}, {"prompt": presentations(9, 1, 0), "slow": presentations(6, 2, 2)}, {}, Presentations())
    assert (told["bpcer"]["value"], told["bpcer"]["n"]) == (pytest.approx(3 / 18, abs=1e-6), 18)
    assert told["bpcer"]["non_response"]["count"] == 2
    assert told["bpcer_by_behaviour"]["slow"]["value"] == 0.25


def test_the_worst_species_is_named() -> None:
    attacks = {"print": presentations(0, 10, 0), "mask": presentations(3, 7, 0), "odd": presentations(0, 0, 9)}
    told = report(attacks, {}, {}, Presentations())
    assert (told["worst_species"], told["apcer_max"]) == ("mask", 0.3)
    assert (told["apcer"]["odd"]["value"], told["apcer"]["odd"]["n"]) == (None, 0)
    assert report({}, {}, {}, Presentations())["worst_species"] is None


def test_of_two_without_errors_the_one_with_fewer_presentations_is_worse() -> None:
    attacks = {"a-many": presentations(0, 90, 0), "b-few": presentations(0, 5, 0)}
    assert report(attacks, {}, {}, Presentations())["worst_species"] == "b-few"


@pytest.fixture(scope="module")
def astronaut() -> Material:
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        return read_material(PORTRAIT_FILE, landmarker)


def test_a_living_head_is_accepted_and_a_tilted_print_is_not(astronaut: Material) -> None:
    observer = load_observer(VisionSettings(manifest=SHIPPED_MANIFEST))
    try:
        watch = Watch(observer, 10.0)
        person = pad_people.person(astronaut, "prompt", 1)
        held = pad_people.attacker(astronaut, Species.PRINT, 1)
        assert pad_people.present(person, watch, PadRules(), 1).verdict is Verdict.ACCEPTED
        assert pad_people.present(held, watch, PadRules(), 1).verdict is Verdict.REJECTED
        # A clip for each side, played as asked: the challenge can't tell it from a person, the screen's own traces can.
        operated = pad_people.attacker(astronaut, Species.SCREEN_REPLAY, 1)
        alone = pad_people.present(operated, watch, PadRules(cues_decide=False), 1)
        assert alone.verdict is Verdict.ACCEPTED
        assert min(dict(alone.cues)[cue] for cue in ("moire", "bezel")) < CONCLUSIVE
        operated = pad_people.attacker(astronaut, Species.SCREEN_REPLAY, 1)
        assert pad_people.present(operated, watch, PadRules(), 1).verdict is Verdict.REJECTED
    finally:
        observer.close()


def test_a_folder_is_measured_and_the_same_seed_gives_the_same_report(tmp_path: Path) -> None:
    clip = tmp_path / "clips" / "print" / "astronaut.mp4"
    clip.parent.mkdir(parents=True)
    rate = ("--seconds", "2", "--fps", "10")
    assert main(["attack", "make", "--species", "print", str(PORTRAIT_FILE), str(clip), *rate]) == 0
    reports = []
    plots = tmp_path / "plots"
    for name in ("once.json", "again.json"):
        options = ("--visits", "0", "--attackers", "0", "--seeds", "3", "--json", str(tmp_path / name))
        options += ("--plots", str(plots))
        assert main(["evaluate", "pad", str(tmp_path / "clips"), *options]) == 0
        reports.append(json.loads((tmp_path / name).read_text("utf-8")))
    assert reports[0] == reports[1]
    assert reports[0]["apcer"]["print"]["value"] == 0.0
    assert reports[0]["apcer"]["print"]["presentations"] == 3
    assert reports[0]["bpcer"]["value"] is None
    assert reports[0]["apcer"]["print"]["cues"]["integrity"]["n"] == 3
    for picture in ("rates.png", "cues.png"):
        assert (plots / picture).read_bytes().startswith(b"\x89PNG")
        assert picture in (plots / "index.html").read_text("utf-8")


def test_scores_of_cues_are_counted_by_their_bounds() -> None:
    made = Presentations()
    for score in (0.1, 0.3, 0.4, 0.9):
        made.add(Judged(Verdict.REJECTED, "not_live", 1, 5.0, (("depth", score),)), 0)
    made.add(Judged(Verdict.NO_RESPONSE, "no_usable_view", 0, 5.0), 1)
    told = made.report(Verdict.ACCEPTED)["cues"]
    assert told == {"depth": {"n": 4, "median": 0.35, "doubts": 3, "conclusive": 1}}


def test_the_page_names_every_key(tmp_path: Path) -> None:
    told = report({"print": presentations(1, 1, 1)}, {"slow": presentations(1, 0, 0)}, {}, Presentations())
    page = (LANDMARKER_FILE.parents[1] / "docs" / "evaluation-pad.md").read_text("utf-8")
    for key in (*told, *told["bpcer"]):
        assert f"`{key}`" in page or f"`{key}." in page, key
    for behaviour in (*pad_people.FOLLOWING, *pad_people.NOT_FOLLOWING):
        assert f"`{behaviour}`" in page


def test_clips_are_listed_by_folder_and_by_csv(tmp_path: Path) -> None:
    (tmp_path / "print").mkdir()
    (tmp_path / "print" / "a.mp4").touch()
    (tmp_path / "print" / "notes.txt").touch()
    listed = tmp_path / "list.csv"
    listed.write_text("path,species\nprint/a.mp4,my-print\n", "utf-8")
    assert list_clips(tmp_path) == (Clip(tmp_path / "print" / "a.mp4", "print"),)
    assert list_clips(listed) == (Clip(tmp_path / "print" / "a.mp4", "my-print"),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("file,kind\na.mp4,print\n", "path,species"),
        ("path,species\nabsent.mp4,print\n", ":2: path: 'absent.mp4'"),
        ("path,species\nlist.csv,A Print\n", "'A Print'"),
        ("", "first line"),
    ],
)
def test_what_is_wrong_with_a_list_is_told(content: str, words: str, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(content, "utf-8")
    with pytest.raises(PadListError, match=words):
        list_clips(listed)


def test_an_empty_folder_and_a_broken_clip_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PadListError, match="one folder per species"):
        list_clips(tmp_path)
    with pytest.raises(PadListError, match="no such folder"):
        list_clips(tmp_path / "absent")
    (tmp_path / "print").mkdir()
    (tmp_path / "print" / "a.mp4").write_text("no video")
    assert main(["evaluate", "pad", str(tmp_path), "--visits", "0", "--attackers", "0"]) == 2
    assert "not a video" in capsys.readouterr().err
