"""Importing a delta: the same as the full roster, only on its own base, never half, never twice, never back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from edge_agent import roster_file
from edge_agent.core.model import Benefit
from edge_agent.ports import RosterError, StoreError
from edge_agent.roster_content import Roster, content_sha256
from edge_agent.roster_delta import difference
from edge_agent.roster_file import sign_delta
from edge_agent.roster_payload import RosterDelta, RosterPayload
from edge_agent.store import Store
from edge_agent.store.roster_rows import read_roster_rows
from tests.rosters import FIRST, OFFICE, POLICY, SECOND, opened, person, rice, write_delta, write_full
from tests.store.terminal import Clock, open_store

THIRD = replace(SECOND, version=3, subjects=(*SECOND.subjects, person("s6", 6)))


@pytest.fixture
def files(tmp_path: Path) -> dict[int, Path]:
    """Full rosters by version."""
    return {roster.version: write_full(tmp_path / f"r{roster.version}", roster) for roster in (FIRST, SECOND, THIRD)}


@pytest.fixture
def one_to_two(tmp_path: Path, files: dict[int, Path]) -> Path:
    return write_delta(tmp_path / "d12", files[1], files[2])


@pytest.fixture
def first(database: Path, files: dict[int, Path], clock: Clock) -> Iterator[Store]:
    """A terminal with version 1."""
    with open_store(database) as store:
        store.import_roster(files[1], clock())
        yield store


def held(store: Store) -> Roster:
    found = read_roster_rows(store._connection, store._cipher)
    assert found is not None
    return found


def stays(store: Store, path: Path, clock: Clock, match: str) -> None:
    before = (store.roster_info(), store.ledger_head(), content_sha256(held(store)))
    with pytest.raises(RosterError, match=match) as error:
        store.import_roster(path, clock())
    assert str(path) in str(error.value)
    assert (store.roster_info(), store.ledger_head(), content_sha256(held(store))) == before


def test_everything_of_a_full_roster_is_in_force(first: Store) -> None:
    assert content_sha256(held(first)) == content_sha256(FIRST) == first.roster_info().content_sha256
    table = first._roster
    assert (table.policy(), table.terminals(), table.issued_at()) == (POLICY, 2, FIRST.issued_at)
    assert table.officers() == FIRST.officers
    assert [proxy.entitlement_id for proxy in table.proxied_by("s2")] == ["s1.bpnt"]
    assert table.proxied_by("s1") == ()
    assert table.display_name("s2") == "Pak Budi"


def test_a_delta_ends_where_the_full_roster_ends(first: Store, one_to_two: Path, clock: Clock) -> None:
    change = first.import_roster(one_to_two, clock())
    assert (change.changed, change.kind, change.previous_version, change.version) == (True, "delta", 1, 2)
    assert (change.details.people_added, change.details.people_removed) == (("s5",), ("s4",))
    assert content_sha256(held(first)) == content_sha256(SECOND)
    assert sorted(set(first.gallery().subject_ids)) == ["s1", "s2", "s3", "s5"]
    assert first._roster.policy() == SECOND.policy
    assert first._roster.display_name("s2") == "Pak Budi Santoso"


def test_deltas_follow_each_other_and_full_rosters(
    first: Store, files: dict[int, Path], one_to_two: Path, tmp_path: Path, clock: Clock
) -> None:
    two_to_three = write_delta(tmp_path / "d23", files[2], files[3])
    stays(
        first, two_to_three, clock, r"is a delta from version 2, here version 1 is in force.*full roster of version 3"
    )
    first.import_roster(one_to_two, clock())
    assert first.import_roster(two_to_three, clock()).version == 3
    assert content_sha256(held(first)) == content_sha256(THIRD)


def test_a_delta_after_the_full_roster_of_the_same_content(
    first: Store, files: dict[int, Path], one_to_two: Path, tmp_path: Path, clock: Clock
) -> None:
    first.import_roster(files[2], clock())
    head = first.ledger_head()
    for again in (one_to_two, files[2]):
        assert not first.import_roster(again, clock()).changed
    assert first.ledger_head() == head
    assert first.import_roster(write_delta(tmp_path / "d23", files[2], files[3]), clock()).changed


def test_the_same_delta_twice_and_an_old_one(
    first: Store, files: dict[int, Path], one_to_two: Path, tmp_path: Path, clock: Clock
) -> None:
    assert first.import_roster(one_to_two, clock()).changed
    head = first.ledger_head()
    assert not first.import_roster(one_to_two, clock()).changed
    assert first.ledger_head() == head
    first.import_roster(files[3], clock())
    stays(first, one_to_two, clock, "version 2 is older than 3")


def test_a_delta_on_a_terminal_without_a_roster(database: Path, one_to_two: Path, clock: Clock) -> None:
    with open_store(database) as store:
        with pytest.raises(RosterError, match=r"here no roster is in force.*full roster of version 2"):
            store.import_roster(one_to_two, clock())
        assert store.roster_info().version == 0


def test_a_delta_from_other_content_of_the_same_version(first: Store, tmp_path: Path, clock: Clock) -> None:
    """A base with the right number and other content, as after a restored office."""
    other = write_full(tmp_path / "other", replace(FIRST, officers=()))
    delta = write_delta(tmp_path / "d", other, write_full(tmp_path / "r2", SECOND))
    stays(first, delta, clock, r"here version 1 with other content is in force")


def test_a_result_that_is_not_what_the_office_signed_is_refused(
    first: Store, files: dict[int, Path], tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An office whose software forgets half of the changes."""

    def forgetful(old: RosterPayload, new: RosterPayload) -> RosterDelta:
        return difference(old, new).model_copy(update={"officers": ()})

    monkeypatch.setattr(roster_file, "difference", forgetful)
    delta = tmp_path / "d"
    delta.write_bytes(sign_delta(opened(files[1]), opened(files[2]), OFFICE))
    stays(first, delta, clock, "content_sha256: the office signed")


def test_a_row_that_was_not_written_as_signed_is_noticed(
    first: Store, files: dict[int, Path], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is of what lies in the database, not of what was read from the file."""
    first._connection.execute(
        "CREATE TEMP TRIGGER spoil AFTER INSERT ON entitlement WHEN NEW.entitlement_id = 's2.bpnt'"
        " BEGIN UPDATE entitlement SET amount = '61.500' WHERE entitlement_id = 's2.bpnt'; END"
    )
    stays(first, files[2], clock, "content_sha256: the office signed")


def test_a_failure_in_the_middle_of_a_delta_leaves_the_base(
    first: Store, database: Path, one_to_two: Path, clock: Clock
) -> None:
    first.close()

    def fail(step: str) -> None:
        if step == "roster:inserted":
            raise KeyboardInterrupt

    with open_store(database, checkpoint=fail) as failing:
        with pytest.raises(KeyboardInterrupt):
            failing.import_roster(one_to_two, clock())
        assert content_sha256(held(failing)) == content_sha256(FIRST)
    with open_store(database) as again:
        assert again.import_roster(one_to_two, clock()).version == 2


def test_after_an_import_by_older_software_a_full_roster_is_asked_for(
    first: Store, one_to_two: Path, files: dict[int, Path], clock: Clock
) -> None:
    first._connection.execute("UPDATE roster SET content_sha256 = ''")
    stays(first, one_to_two, clock, "the full roster of version 2")
    assert not first.import_roster(files[1], clock()).changed, "still the same file"
    assert first.import_roster(files[2], clock()).changed


def test_names_go_when_the_policy_no_longer_shows_them(
    first: Store, files: dict[int, Path], tmp_path: Path, clock: Clock
) -> None:
    silent = write_full(tmp_path / "silent", replace(FIRST, version=2, policy=replace(POLICY, show_names=False)))
    first.import_roster(write_delta(tmp_path / "d", files[1], silent), clock())
    assert first._roster.display_name("s2") == ""
    assert first._connection.execute("SELECT count(*) FROM subject WHERE display_name IS NOT NULL").fetchone()[0] == 0


def test_a_base_whose_row_was_changed_needs_the_full_roster(
    first: Store, one_to_two: Path, files: dict[int, Path], clock: Clock
) -> None:
    first._connection.execute(
        "UPDATE template SET sealed = (SELECT sealed FROM template WHERE subject_id = 's1' LIMIT 1)"
        " WHERE subject_id = 's2'"
    )
    with pytest.raises(StoreError, match="subject s2"):
        first.import_roster(one_to_two, clock())
    assert first.roster_info().version == 1
    assert first.import_roster(files[2], clock()).changed
    assert content_sha256(held(first)) == content_sha256(SECOND)


def test_the_record_of_an_import(first: Store, one_to_two: Path, clock: Clock) -> None:
    first.import_roster(one_to_two, clock())
    with closing(sqlite3.connect(first.path)) as raw:
        bodies = [json.loads(row[0]) for row in raw.execute("SELECT body FROM ledger ORDER BY seq")]
    kinds = [(body["type"], body["data"].get("kind")) for body in bodies[:2]]
    assert kinds == [("aid.roster.imported.v1", "full"), ("aid.roster.imported.v1", "delta")]
    data = bodies[1]["data"]
    assert (data["version"], data["previous_version"], data["subjects_removed"]) == (2, 1, 1)
    assert data["content_sha256"] == content_sha256(SECOND)
    assert "Budi" not in json.dumps(bodies)


def test_amounts_and_portions_come_back_as_signed(first: Store) -> None:
    rights = {right.entitlement_id: right for right in held(first).entitlements}
    assert rights["s1.bpnt"] == rice("s1")
    assert rights["s1.bpnt"].benefit == Benefit("goods", rice("s1").benefit.amount, "kg", "beras")
