"""The office's list for the centre."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.ports import RosterError
from edge_agent.roster_list import read_roster_list, roster_list, write_roster_list
from tests.store.terminal import entitlement

HEAD = '{"site": "d", "roster_version": 1, "entitlements": ['
RIGHTS = [entitlement("s1", home="t1"), entitlement("s2")]


def test_it_is_read_as_it_was_written_and_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    content = roster_list("desa-1", 3, ["t1", "t2"], RIGHTS)
    write_roster_list(path, content)
    assert read_roster_list(path) == content
    assert [one.home for one in content.entitlements] == ["t1", None]
    assert "subject" not in path.read_text()


def test_a_roster_for_one_terminal_alone_has_its_home_there() -> None:
    """That terminal gives without asking, so the centre must never grant it to another."""
    assert [one.home for one in roster_list("desa-1", 3, ["t1"], RIGHTS).entitlements] == ["t1", "t1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "JSON"),
        ('{"site": "d", "roster_version": 1}', "entitlements"),
        (
            HEAD + '{"entitlement_id": "e", "home": null, "amount": "0"}]}',
            "amount",
        ),
        (
            HEAD
            + '{"entitlement_id": "e", "home": null, "amount": "1"}, '
            + '{"entitlement_id": "e", "home": "t", "amount": "1"}]}',
            "appears twice",
        ),
    ],
)
def test_a_bad_list_is_told_with_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(RosterError, match=said) as caught:
        read_roster_list(path)
    assert str(path) in str(caught.value)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(RosterError, match=r"nowhere\.json"):
        read_roster_list(tmp_path / "nowhere.json")
