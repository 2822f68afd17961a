"""Who leaves the roster leaves the disk: templates and names are searched for in the raw bytes of every file."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from edge_agent.store import Store
from edge_agent.store.ledger import verify
from tests.store.terminal import SIGNING, Clock, claim_of, open_store, roster, write_roster


def ciphertexts(store: Store) -> list[bytes]:
    """Every sealed template and name."""
    statement = "SELECT sealed FROM template UNION ALL SELECT display_name FROM subject"
    return [row[0] for row in store._connection.execute(statement)]


def on_disk(database: Path, secrets: list[bytes]) -> list[str]:
    """Which of the database's files hold one of these."""
    files = sorted(database.parent.iterdir())
    return [path.name for path in files if any(secret in path.read_bytes() for secret in secrets)]


def records(database: Path, kind: str) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(database)) as raw:
        bodies = [json.loads(row[0]) for row in raw.execute("SELECT body FROM ledger ORDER BY seq")]
    return [body["data"] for body in bodies if body["type"] == kind]


def test_templates_and_names_are_gone_and_the_record_says_so(store: Store, tmp_path: Path, clock: Clock) -> None:
    secrets = ciphertexts(store)
    assert on_disk(store.path, secrets) == ["terminal.db"]
    change = store.import_roster(write_roster(tmp_path / "new", roster(2, 1)), clock())
    assert change.wipe_problem == store.wipe_problem == ""
    assert on_disk(store.path, secrets) == []
    (record,) = records(store.path, "aid.subject.deleted.v1")
    assert record["subjects"] == ["s2", "s3"]
    assert record["roster"]["version"] == 2
    assert store.ledger_head().sequence == 3
    assert verify(store.path, SIGNING.public_key()).intact


def test_what_was_freed_is_not_in_the_file_either(store: Store, tmp_path: Path, clock: Clock) -> None:
    """Even on a connection that forgot to overwrite what it deletes."""
    secrets = ciphertexts(store)
    store._connection.execute("PRAGMA secure_delete=OFF")
    store.import_roster(write_roster(tmp_path / "new", roster(2, 1)), clock())
    assert on_disk(store.path, secrets) == []
    assert store._connection.execute("PRAGMA freelist_count").fetchone()[0] == 0


def test_old_templates_of_those_who_stay_go_too(store: Store, tmp_path: Path, clock: Clock) -> None:
    secrets = ciphertexts(store)
    store.import_roster(write_roster(tmp_path / "new", roster(2)), clock())
    assert on_disk(store.path, secrets) == []
    assert records(store.path, "aid.subject.deleted.v1") == []


def test_claims_and_ledger_of_those_who_left_stay(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.record_claim(claim_of("s3"), clock())
    store.import_roster(write_roster(tmp_path / "new", roster(2, 1)), clock())
    with closing(sqlite3.connect(store.path)) as raw:
        assert raw.execute("SELECT subject_id FROM claim").fetchall() == [("s3",)]
    assert len(records(store.path, "aid.claim.recorded.v1")) == 1
    assert verify(store.path, SIGNING.public_key()).intact


def test_many_deletions_are_told_in_records_that_a_broker_takes(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.import_roster(write_roster(tmp_path / "many", roster(2, 1204, entitlements=[])), clock())
    store.import_roster(write_roster(tmp_path / "few", roster(3, 1, entitlements=[])), clock())
    found = records(store.path, "aid.subject.deleted.v1")
    assert [len(record["subjects"]) for record in found] == [500, 500, 203]
    assert len({subject for record in found for subject in record["subjects"]}) == 1203


STEPS = [
    ("roster:inserted", 1),
    ("ledger:appended", 1),
    ("roster:committed", 1),
    ("deletion:truncated", 1),
    ("deletion:wiped", 1),
    ("ledger:appended", 2),
    ("outbox:queued", 2),
    ("deletion:recorded", 1),
]
BEFORE_COMMIT = STEPS[:2]


@pytest.mark.parametrize(("step", "occurrence"), STEPS)
def test_a_deletion_cut_off_by_a_crash_is_made_good(store: Store, tmp_path: Path, step: str, occurrence: int) -> None:
    secrets, database = ciphertexts(store), store.path
    store.close()
    new = write_roster(tmp_path / "new", roster(2, 1))
    command = [sys.executable, "-m", "tests.store.killed_importing", str(database), str(new), step, str(occurrence)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr or f"never came to {step}"

    point = (step, occurrence)
    if point in (*BEFORE_COMMIT, ("roster:committed", 1)):
        assert on_disk(database, secrets), "nothing to make good: this test would see nothing"
    with open_store(database) as again:
        assert again.roster_info().version == (1 if point in BEFORE_COMMIT else 2)
        if point in BEFORE_COMMIT:
            assert records(database, "aid.subject.deleted.v1") == []
            again.import_roster(new, Clock()())
        assert on_disk(database, secrets) == []
        assert [record["subjects"] for record in records(database, "aid.subject.deleted.v1")] == [["s2", "s3"]]
        assert not again.import_roster(new, Clock()()).changed
        assert verify(database, SIGNING.public_key()).intact
    with open_store(database):
        assert len(records(database, "aid.subject.deleted.v1")) == 1, "told once"


def test_a_wipe_that_is_kept_from_its_work_is_said_and_done_at_the_next_open(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    """Somebody reads the file in a database browser: the roster is in force, the templates are not wiped yet."""
    secrets, database = ciphertexts(store), store.path
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM template").fetchone()
        change = store.import_roster(write_roster(tmp_path / "new", roster(2, 1)), clock())
        assert (change.changed, store.roster_info().version) == (True, 2)
        assert "another process reads the file" in change.wipe_problem
        assert on_disk(database, secrets)
        assert records(database, "aid.subject.deleted.v1") == []
    # A second import before that adds to what must be told.
    change = store.import_roster(write_roster(tmp_path / "newer", roster(3, 0, entitlements=[])), clock())
    assert change.wipe_problem == ""
    assert on_disk(database, secrets) == []
    assert [record["subjects"] for record in records(database, "aid.subject.deleted.v1")] == [["s1", "s2", "s3"]]
