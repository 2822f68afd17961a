"""Every way a database file can be wrong has its own error, and the file is left as it was."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.core.model import Reason
from edge_agent.key_files import key_id
from edge_agent.ports import StoreError
from edge_agent.store import Store, check_disk
from edge_agent.store.database import known_version, migrate
from edge_agent.store.ledger import Ledger
from edge_agent.store.templates import TemplateCipher
from tests.store.terminal import KEYS, TERMINAL, Clock, claim_of, open_store, referral, roster, write_roster


@pytest.fixture
def closed(store: Store, clock: Clock) -> Path:
    """The file of a terminal that worked and was stopped."""
    store.record_claim(claim_of("s1"), clock())
    store.close()
    return store.path


def refused(path: Path, **changes: object) -> str:
    before = hashlib.sha256(path.read_bytes()).digest()
    with pytest.raises(StoreError) as error:
        open_store(path, **changes)
    assert str(path) in str(error.value)
    assert hashlib.sha256(path.read_bytes()).digest() == before, "the file was changed"
    return str(error.value)


def test_the_file_is_private_durable_and_kept(closed: Path) -> None:
    assert stat.S_IMODE(closed.stat().st_mode) == 0o600
    with open_store(closed) as again:
        connection = again._connection
        pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        assert pragmas == ["wal", 2]
        assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
        assert connection.execute("PRAGMA user_version").fetchone()[0] == known_version()
        assert again.roster_info().version == 1


def test_not_a_database(database: Path) -> None:
    database.parent.mkdir()
    database.write_bytes(b"terminal: kiosk-1\n" * 300)
    assert "damaged or not a database" in refused(database)


def test_a_database_of_another_program(database: Path) -> None:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as other:
        other.execute("CREATE TABLE photos (name)")
    assert "another program" in refused(database)


@pytest.mark.parametrize("page", [2, 5, 9])
def test_a_damaged_page(closed: Path, page: int) -> None:
    with closed.open("r+b") as file:
        file.seek(4096 * page)
        file.write(os.urandom(4096))
    message = refused(closed)
    assert "damaged" in message
    assert "keep it" in message


def test_half_a_file(closed: Path) -> None:
    os.truncate(closed, closed.stat().st_size // 2)
    assert "damaged" in refused(closed)


def test_a_lost_index_entry_that_would_allow_a_second_claim(store: Store, clock: Clock) -> None:
    """The UNIQUE index of portions as it was before the claim: each page is sound, the index lacks a row."""
    store.close()
    with closing(sqlite3.connect(store.path)) as raw:
        index = "SELECT rootpage FROM sqlite_master WHERE name = 'claim_once'"
        start = 4096 * (raw.execute(index).fetchone()[0] - 1)
    before = store.path.read_bytes()[start : start + 4096]
    with open_store(store.path) as again:
        again.record_claim(claim_of("s1"), clock())
    with store.path.open("r+b") as file:
        file.seek(start)
        file.write(before)
    assert "integrity_check('claim')" in refused(store.path)


def test_a_newer_database(closed: Path) -> None:
    with closing(sqlite3.connect(closed)) as raw:
        raw.execute(f"PRAGMA user_version = {known_version() + 1}")
    assert "newer software" in refused(closed)


def test_a_ledger_whose_end_was_rewritten(closed: Path) -> None:
    with closing(sqlite3.connect(closed, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER ledger_is_not_changed")
        raw.execute("UPDATE ledger SET body = CAST(replace(body, 's1', 's2') AS BLOB) WHERE seq = 2")
    assert "last ledger record (2)" in refused(closed)


def test_a_ledger_whose_end_was_cut(closed: Path) -> None:
    with closing(sqlite3.connect(closed, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER ledger_is_not_deleted")
        raw.execute("DELETE FROM ledger WHERE seq = 2")
    assert "has lost its 'ledger'" in refused(closed)


def test_a_ledger_with_a_hole(store: Store, clock: Clock) -> None:
    store.record_terminal_event("started", {}, clock())
    store.record_terminal_event("stopped", {}, clock())
    store.close()
    with closing(sqlite3.connect(store.path, isolation_level=None)) as raw:
        raw.execute("DROP TRIGGER ledger_is_not_deleted")
        raw.execute("DELETE FROM outbox WHERE seq = 2")
        raw.execute("DELETE FROM ledger WHERE seq = 2")
    assert "ends at record 3 but has 2" in refused(store.path)


def test_another_template_key(closed: Path) -> None:
    assert "store.template_key" in refused(closed, keys=replace(KEYS, template=b"x" * 32))


def test_another_signing_key(closed: Path) -> None:
    assert "store.signing_key" in refused(closed, keys=replace(KEYS, signing=Ed25519PrivateKey.generate()))


def test_another_terminal(closed: Path) -> None:
    assert "'kiosk-1'" in refused(closed, terminal=replace(TERMINAL, id="kiosk-2"))


def test_two_processes(store: Store) -> None:
    with pytest.raises(StoreError, match=f"in use by process {os.getpid()}"):
        open_store(store.path)
    store.close()
    open_store(store.path).close()


def test_locked_by_a_database_browser(store: Store, clock: Clock) -> None:
    with closing(sqlite3.connect(store.path, isolation_level=None)) as browser:
        browser.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another process holds the file"):
            store.record_claim(claim_of("s1"), clock())
        browser.execute("ROLLBACK")
    assert store.record_claim(claim_of("s1"), clock()).receipt.record_seq == 2


def test_the_path_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="give it to the user of the service"):
        open_store(tmp_path / "file" / "terminal.db")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """In a process without privileges, since root may write anywhere."""
    tmp_path.chmod(0o555)
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.store.terminal import open_store\n"
        "from edge_agent.ports import StoreError\n"
        "if os.geteuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    open_store(Path(sys.argv[1]))\n"
        "except (StoreError, PermissionError) as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "terminal.db")], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("StoreError"), done.stderr
    assert "give it to the user of the service" in done.stdout


def test_a_failed_migration_leaves_nothing(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [(1, "CREATE TABLE a (x); CREATE TABLE b (nonsense ,;")]
    monkeypatch.setattr("edge_agent.store.database._migrations", lambda: steps)
    with pytest.raises(StoreError, match="migration 0001"):
        open_store(database)
    with closing(sqlite3.connect(database)) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    monkeypatch.undo()
    open_store(database).close()


def test_low_disk_space_is_told(tmp_path: Path) -> None:
    assert check_disk(tmp_path / "terminal.db", 1) > 1
    with pytest.raises(StoreError, match="disk_free_min_mb"):
        check_disk(tmp_path / "terminal.db", 1e12)


def test_templates_and_names_lie_encrypted(tmp_path: Path, clock: Clock) -> None:
    folder = tmp_path / "data"
    store = open_store(folder / "terminal.db")
    content = roster()
    store.import_roster(write_roster(tmp_path / "roster.aid", content), clock())
    store.record_outcome(referral(), clock())
    on_disk = b"".join(path.read_bytes() for path in folder.iterdir()) + (tmp_path / "roster.aid").read_bytes()
    for subject in content.subjects:
        assert subject.display_name.encode() not in on_disk
        for template in subject.templates:
            assert template.tobytes()[:12] not in on_disk
    store.close()


def old_file(path: Path, version: int) -> None:
    """A terminal's file as software of this schema version left it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, version)
        cipher = TemplateCipher(KEYS.template)
        meta = {"terminal_id": TERMINAL.id, "signing_key_id": key_id(KEYS.signing.public_key())}
        for key, value in {**meta, "template_key_check": cipher.check_value}.items():
            connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))


def test_claims_of_before_portions_stay_and_count(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "terminal.db"
    old_file(path, 2)
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        ledger = Ledger(raw, KEYS.signing, TERMINAL.id, lambda _: None)
        raw.execute("BEGIN")
        new = ledger.append("aid.claim.recorded.v1", {}, clock())
        at = "2026-03-09T05:00:00.000Z"
        raw.execute(
            "INSERT INTO session (session_id, outcome, case_number, subject_id, recorded_at, seq, detail)"
            " VALUES ('old', 'GIVEN', 'OLD-1', 's1', ?, ?, '{\"remaining\": []}')",
            (at, new.sequence),
        )
        raw.execute(
            "INSERT INTO claim (claim_id, claim_number, entitlement_id, session_id, subject_id, programme, cycle, kind,"
            " amount, unit, item, claimed_at, terminal_id, place, seq) VALUES ('c', 'OLD-1', 's1.bpnt', 'old', 's1',"
            " 'BPNT', '2026-03', 'goods', '10', 'kg', 'beras', ?, 'kiosk-1', 'Balai', ?)",
            (at, new.sequence),
        )
        raw.execute("COMMIT")
    with open_store(path) as store:
        store.import_roster(write_roster(tmp_path / "roster.aid", roster()), clock())
        (owed,) = store.unprinted()
        assert (owed.claims[0].portion, owed.claims[0].voided) == (1, False)
        answer = store.record_claim(claim_of("s1"), clock())
        assert answer.receipt.reason is Reason.ALREADY_CLAIMED  # type: ignore[union-attr]
        assert answer.receipt.earlier == owed.claims[0]  # type: ignore[union-attr]


def test_a_file_of_another_terminal_is_refused_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "terminal.db"
    old_file(path, 1)
    with pytest.raises(StoreError, match="belongs to terminal"):
        open_store(path, terminal=replace(TERMINAL, id="another"))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1
    open_store(path).close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] > 1
