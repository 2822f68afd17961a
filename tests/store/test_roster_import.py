"""Importing a roster: all or nothing, never backwards, never somebody else's."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.core.policy import DEFAULT_POLICY
from edge_agent.ports import EmbedderId, RosterError, StoreError
from edge_agent.store import RosterInfo, Store
from edge_agent.store.database import APPLICATION_ID
from tests.store.terminal import (
    EMBEDDER,
    NOON,
    TERMINAL,
    Clock,
    claim_of,
    entitlement,
    open_store,
    roster,
    write_roster,
)


def test_a_new_terminal_has_no_roster(database: Path) -> None:
    with open_store(database) as store:
        assert store.roster_info() == RosterInfo()
        assert len(store.gallery()) == 0


def test_the_gallery_is_what_was_sealed(store: Store) -> None:
    gallery = store.gallery()
    assert gallery.subject_ids == ("s1", "s1", "s2", "s2", "s3", "s3")
    assert gallery.templates.dtype == np.float32
    np.testing.assert_array_equal(gallery.templates, np.concatenate([s.templates for s in roster().subjects]))
    info = store.roster_info()
    assert (info.version, info.subjects, info.templates, info.entitlements) == (1, 3, 6, 3)
    assert (info.imported_at, info.embedder) == (NOON, EMBEDDER)


def test_a_newer_roster_replaces_the_old_one(store: Store, tmp_path: Path, clock: Clock) -> None:
    change = store.import_roster(write_roster(tmp_path / "new", roster(2, 5)), clock())
    assert (change.changed, change.previous_version, change.version) == (True, 1, 2)
    assert (change.subjects, change.subjects_added, change.subjects_removed) == (5, 2, 0)
    change = store.import_roster(write_roster(tmp_path / "newer", roster(3, 1)), clock())
    assert (change.subjects_added, change.subjects_removed) == (0, 4)
    assert store.gallery().subject_ids == ("s1", "s1")


def test_templates_of_the_removed_are_gone_from_disk(store: Store, tmp_path: Path, clock: Clock) -> None:
    sealed = [row[0] for row in store._connection.execute("SELECT sealed FROM template")]
    assert all(any(s in p.read_bytes() for p in store.path.parent.iterdir()) for s in sealed)
    store.import_roster(write_roster(tmp_path / "new", roster(2, 1)), clock())
    for path in store.path.parent.iterdir():
        content = path.read_bytes()
        assert not any(s in content for s in sealed), path.name


def test_the_same_file_again_changes_nothing(store: Store, tmp_path: Path, clock: Clock) -> None:
    head = store.ledger_head()
    change = store.import_roster(tmp_path / "roster.aid", clock())
    assert (change.changed, change.version, change.subjects) == (False, 1, 3)
    assert store.ledger_head() == head


def stays(store: Store, path: Path, clock: Clock, match: str) -> None:
    before = (store.roster_info(), store.ledger_head(), store.gallery().subject_ids)
    with pytest.raises(RosterError, match=match) as error:
        store.import_roster(path, clock())
    assert str(path) in str(error.value)
    assert (store.roster_info(), store.ledger_head(), store.gallery().subject_ids) == before


def test_an_older_version_is_refused(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.import_roster(write_roster(tmp_path / "r5", roster(5)), clock())
    stays(store, write_roster(tmp_path / "r4", roster(4)), clock, "version 4 is older than 5")


def test_other_content_under_the_same_version_is_refused(store: Store, tmp_path: Path, clock: Clock) -> None:
    stays(store, write_roster(tmp_path / "other", roster(1, 7)), clock, "needs a higher version")


def test_another_sites_roster_is_refused(store: Store, tmp_path: Path, clock: Clock) -> None:
    stays(store, write_roster(tmp_path / "r", roster(2, site="desa-lain")), clock, "'desa-lain'")


def test_another_signer_is_refused(store: Store, tmp_path: Path, clock: Clock) -> None:
    stays(store, write_roster(tmp_path / "r", roster(2), Ed25519PrivateKey.generate()), clock, "signature")


def test_a_half_written_file_is_refused(store: Store, tmp_path: Path, clock: Clock) -> None:
    path = write_roster(tmp_path / "r", roster(2))
    path.write_bytes(path.read_bytes()[:-100])
    stays(store, path, clock, "half-written")


def test_another_embedder_is_refused_by_name(store: Store, tmp_path: Path, clock: Clock) -> None:
    other = EmbedderId("other-net", "cd" * 32)
    stays(
        store,
        write_roster(tmp_path / "r", roster(2, embedder=other)),
        clock,
        "other-net .* this terminal runs test-net",
    )


def test_a_changed_embedder_never_matches_old_templates(store: Store) -> None:
    store.close()
    with open_store(store.path, embedder=replace(EMBEDDER, sha256="ef" * 32)) as changed:
        assert changed.roster_info().version == 1
        with pytest.raises(StoreError, match="can't be compared"):
            changed.gallery()


def test_a_failure_while_importing_leaves_the_old_roster(
    store: Store, database: Path, tmp_path: Path, clock: Clock
) -> None:
    store.close()

    def fail(step: str) -> None:
        if step == "roster:inserted":
            raise KeyboardInterrupt

    with open_store(database, checkpoint=fail) as failing:
        with pytest.raises(KeyboardInterrupt):
            failing.import_roster(write_roster(tmp_path / "new", roster(2, 9)), clock())
        assert failing.roster_info().version == 1
        assert len(failing.gallery()) == 6


def test_a_template_moved_to_another_person_does_not_open(store: Store) -> None:
    store._connection.execute(
        "UPDATE template SET sealed = (SELECT sealed FROM template WHERE subject_id = 's1' LIMIT 1)"
        " WHERE subject_id = 's2'"
    )
    with pytest.raises(StoreError, match="subject s2"):
        store.gallery()


def test_serving_goes_on_under_the_new_roster(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.import_roster(write_roster(tmp_path / "new", roster(2, 5)), clock())
    assert store.record_claim(claim_of("s5"), clock()).receipt.claims


def test_revoked_tokens_are_those_of_the_roster_in_force(store: Store, tmp_path: Path, clock: Clock) -> None:
    assert store.revoked_tokens() == frozenset()
    lost, found = "0123456789ab", "ba9876543210"
    store.import_roster(write_roster(tmp_path / "new", roster(2, revoked_tokens=frozenset({lost, found}))), clock())
    assert store.revoked_tokens() == {lost, found}
    assert store.roster_info().revoked_tokens == 2
    store.import_roster(write_roster(tmp_path / "newer", roster(3, revoked_tokens=frozenset({lost}))), clock())
    assert store.revoked_tokens() == {lost}


def test_a_database_from_before_tokens_is_migrated_and_keeps_its_roster(database: Path) -> None:
    first = resources.files("edge_agent.store") / "migrations" / "0001_initial.sql"
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as raw:
        raw.executescript(f"{first.read_text('utf-8')}; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version=1;")
        instant = "2026-03-01T00:00:00.000Z"
        values = (1, 7, TERMINAL.site, instant, instant, "ab" * 32, EMBEDDER.name, EMBEDDER.sha256)
        raw.execute("INSERT INTO roster VALUES (?, ?, ?, ?, ?, ?, ?, ?)", values)
        raw.execute("INSERT INTO subject VALUES ('s1', NULL)")
        raw.commit()
    with open_store(database) as again:
        assert again.revoked_tokens() == frozenset()
        assert (again.roster_info().version, again.roster_info().subjects) == (7, 1)
        assert again._roster.policy() == DEFAULT_POLICY
        assert (again._roster.terminals(), again._roster.officers()) == (1, ())


def test_a_claimed_entitlement_given_to_somebody_else_is_refused(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    moved = [entitlement("s2", "x", entitlement_id="s1.bpnt")]
    file = write_roster(tmp_path / "moved.aid", roster(version=9, entitlements=moved))
    with pytest.raises(RosterError, match=r"'s1\.bpnt' is for subject 's2', but 's1' has claimed it"):
        store.import_roster(file, clock())
    assert store.roster_info().version < 9
    again = write_roster(tmp_path / "again.aid", roster(version=10))
    assert store.import_roster(again, clock()).changed
