"""What was seen once is not looked at again, survives a torn end, and says nothing to whoever lacks the key."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest

from edge_agent.enrolment.photo_cache import CachedLooker, PhotoCache
from edge_agent.enrolment.photos import Seen
from edge_agent.ports import RosterError
from tests.enrolment.office_list import DARK, EMBEDDER, FaceExaminer, face, tools

KEY, PRINT = b"office secret of the tests, 32 b", "ab" * 32


def look(path: Path, photos: list[Path], key: bytes = KEY, fingerprint: str = PRINT) -> tuple[list[Seen], int]:
    """What the photographs showed, and how many were really looked at."""
    cache, examiner = PhotoCache(path, key, fingerprint), FaceExaminer()
    looker = CachedLooker(cache, EMBEDDER, lambda: tools(examiner))
    seen = [looker.look(photo) for photo in photos]
    cache.keep_only_used()
    looker.close()
    cache.close()
    return seen, examiner.examined


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    return [face(tmp_path / f"{number}.png", number, DARK if number == 2 else 0) for number in range(5)]


def test_a_second_look_remembers_both_faces_and_refusals(tmp_path: Path, photos: list[Path]) -> None:
    path = tmp_path / "cache"
    first, looked = look(path, photos)
    assert looked == 5
    second, looked = look(path, photos)
    assert looked == 0
    for one, other in zip(first, second, strict=True):
        assert one.reason == other.reason
        assert (one.probe is None) == (other.probe is None)
        if one.probe is not None and other.probe is not None:
            np.testing.assert_array_equal(one.probe, other.probe)
    assert "too dark" in second[2].reason
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_the_content_that_counts_not_the_name(tmp_path: Path, photos: list[Path]) -> None:
    path = tmp_path / "cache"
    look(path, photos)
    photos[0].rename(tmp_path / "renamed.png")
    face(photos[1], 77)
    assert look(path, [tmp_path / "renamed.png", *photos[1:]])[1] == 1


def test_models_are_loaded_only_for_what_is_new(tmp_path: Path, photos: list[Path]) -> None:
    look(tmp_path / "cache", photos)

    def load_models() -> None:
        raise AssertionError("models were loaded")

    looker = CachedLooker(PhotoCache(tmp_path / "cache", KEY, PRINT), EMBEDDER, load_models)  # type: ignore[arg-type]
    assert looker.look(photos[0]).probe is not None
    assert looker.embedder == EMBEDDER
    looker.close()


def test_an_interrupted_build_goes_on_where_it_was(tmp_path: Path, photos: list[Path]) -> None:
    path = tmp_path / "cache"
    cache = PhotoCache(path, KEY, PRINT)
    looker = CachedLooker(cache, EMBEDDER, tools)
    for photo in photos[:3]:
        looker.look(photo)
    cache.close()  # no `keep_only_used`: the build never came to its end
    assert look(path, photos)[1] == 2


@pytest.mark.parametrize("torn", [1, 5, 100])
def test_a_torn_end_is_cut_off(tmp_path: Path, photos: list[Path], torn: int) -> None:
    path = tmp_path / "cache"
    look(path, photos)
    path.write_bytes(path.read_bytes()[:-torn])
    assert look(path, photos)[1] == 1
    assert look(path, photos)[1] == 0


def test_other_models_or_another_key_look_again(tmp_path: Path, photos: list[Path]) -> None:
    path = tmp_path / "cache"
    look(path, photos)
    size = path.stat().st_size
    assert look(path, photos, fingerprint="cd" * 32)[1] == 5
    assert path.stat().st_size == size, "what older models saw is gone"
    assert look(path, photos, key=KEY[::-1])[1] == 5


def test_whoever_left_the_list_is_forgotten(tmp_path: Path, photos: list[Path]) -> None:
    path = tmp_path / "cache"
    look(path, photos)
    assert look(path, photos[:2])[1] == 0
    assert look(path, photos)[1] == 3


def test_the_file_shows_neither_name_nor_face(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    photo = face(tmp_path / "3204125506870001 Siti.png", 9)
    (seen,), _ = look(path, [photo])
    assert seen.probe is not None
    content = path.read_bytes()
    assert b"Siti" not in content
    assert b"3204125506870001" not in content
    assert seen.probe.tobytes()[:16] not in content


def test_an_unreadable_photograph_is_told_and_not_remembered(tmp_path: Path) -> None:
    (seen,), _ = look(tmp_path / "cache", [tmp_path / "none.png"])
    assert seen.reason == "can't be read (No such file or directory); check the name and its permissions"
    (tmp_path / "torn.png").write_bytes(b"no picture")
    (seen,), _ = look(tmp_path / "cache", [tmp_path / "torn.png"])
    assert "isn't a whole photograph" in seen.reason


def test_two_builds_at_once_and_a_foreign_file(tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path / "cache", KEY, PRINT)
    with pytest.raises(RosterError, match="another build is at work"):
        PhotoCache(tmp_path / "cache", KEY, PRINT)
    cache.close()
    (tmp_path / "list.csv").write_text("subject_id\n")
    with pytest.raises(RosterError, match="is no photo cache; choose another file"):
        PhotoCache(tmp_path / "list.csv", KEY, PRINT)
    assert (tmp_path / "list.csv").read_text() == "subject_id\n"
    with pytest.raises(RosterError, match="can't be written"):
        PhotoCache(tmp_path / "none" / "cache", KEY, PRINT)
