"""A file is there whole, or the old one stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.ports import RosterError
from edge_agent.whole_file import write_whole


def test_the_new_one_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "roster.aid"
    path.write_bytes(b"old")
    write_whole(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["roster.aid"]
    assert path.read_bytes() == b"new"


def test_where_it_can_not_be_written_the_old_one_stays(tmp_path: Path) -> None:
    path = tmp_path / "roster.aid"
    path.write_bytes(b"old")
    (tmp_path / "roster.aid.partial").mkdir()
    with pytest.raises(RosterError, match=r"roster\.aid: can't be written \(Is a directory\); choose another place"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
