"""Opening, checking and migrating the one SQLite file, and transactions on it.

Rules: WAL, `synchronous=FULL`, foreign keys, deleted content overwritten (`secure_delete`). A file that fails a check
is refused and left as it is: all checks of an existing file run on a read-only connection. Every `sqlite3.Error` leaves
here as a `StoreError` that names the file and the remedy.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import resources
from pathlib import Path

from edge_agent.ports import StoreError

APPLICATION_ID = 0x41494454
"""`PRAGMA application_id` of our files: "AIDT"."""

BUSY_TIMEOUT_S = 1.5
"""How long a writer waits for the other connection; under `session.record_s` (2 s), so that the person is not kept."""

_MAGIC = b"SQLite format 3\x00"
_KEEP = "the file was not touched: keep it with its -wal and -shm files, it holds records"
SET_UP_ANEW = (
    "set the terminal up anew, with a new terminal.id and a roster for it: a backup, or a new file under the old id, "
    "has forgotten what was given and would give it twice"
)
"""The only remedy for a database that is lost (docs/authority.md)."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open and check, creating and setting up a new file. An existing one still has its schema: see `migrate`.

    Raises StoreError; an existing file that fails is left unchanged.
    """
    _make_place(path)
    if path.exists() and path.stat().st_size:
        _check_existing(path)
    else:
        _create_private(path)
    connection = connect(path, synchronous="FULL")
    try:
        with told(path):
            if connection.execute("PRAGMA journal_mode=WAL").fetchone()[0] != "wal":
                raise StoreError(f"{path}: write-ahead logging is not possible on this file system; use a local disk")
            connection.execute("PRAGMA secure_delete=ON")
            is_new = connection.execute("PRAGMA user_version").fetchone()[0] == 0
        if is_new:
            migrate(connection, path)
    except StoreError:
        connection.close()
        raise
    return connection


def connect(path: Path, synchronous: str, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode with our pragmas; transactions are begun explicitly. Raises StoreError."""
    mode = "ro" if read_only else "rw"
    with told(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=BUSY_TIMEOUT_S,
            check_same_thread=False,
        )
        try:
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute(f"PRAGMA synchronous={synchronous}")
        except sqlite3.Error:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """BEGIN IMMEDIATE … COMMIT; anything raised inside rolls back. SQLite's errors become StoreError."""
    with told(path):
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into StoreErrors about this file."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """The StoreError for an SQLite error: what happened to which file, and what to do."""
    said = str(error)
    # By text, since `sqlite_errorcode` needs Python 3.11.
    for symptom, remedy in (
        (
            "full",
            "the disk is full and nothing was recorded; free space (journalctl --vacuum-size=50M), then try again",
        ),
        ("locked", "another process holds the file; stop it (a database browser? a second terminal process?)"),
        (
            "disk I/O error",
            "the disk can't be written or read; nothing was recorded; check space, card and mount (dmesg)",
        ),
        ("malformed", f"the database is damaged; {_KEEP}; {SET_UP_ANEW}"),
        ("not a database", f"the file is not a terminal's database; {_KEEP}; correct store.path"),
        ("readonly", "the file or its folder can't be written; give it to the user of the service"),
        (
            "unable to open",
            "the file can't be opened; check that its folder exists and belongs to the user of the service",
        ),
    ):
        if symptom in said:
            return StoreError(f"{path}: {said}: {remedy}")
    return StoreError(f"{path}: {said}; nothing was recorded; report this with the log")


def known_version() -> int:
    """The newest schema version this software knows."""
    return max(number for number, _ in _migrations())


def _make_place(path: Path) -> None:
    folder = path.absolute().parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path}: its folder can't be made ({error.strerror}); "
            f"create {folder} and give it to the user of the service"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise StoreError(
            f"{path}: folder {folder} can't be written; "
            "give it to the user of the service (chown) or correct store.path"
        )
    if path.is_dir():
        raise StoreError(f"{path}: is a folder; store.path must name a file")


def _create_private(path: Path) -> None:
    """Make the file readable by its owner only; SQLite gives -wal and -shm the same mode."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            give_to_owner_of_folder(descriptor, path)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(f"{path}: can't be created ({error.strerror}); free space or correct store.path") from error


def give_to_owner_of_folder(descriptor: int, path: Path) -> None:
    """A file that root makes (`sudo edge-agent roster import`) must still belong to the service. Raises OSError."""
    if os.geteuid() == 0:
        folder = path.absolute().parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)


def _check_existing(path: Path) -> None:
    """Magic, integrity, kind and version, without writing a byte."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise StoreError(f"{path}: can't be read ({error.strerror}); give it to the user of the service") from error
    if magic != _MAGIC:
        raise StoreError(
            f"{path}: damaged or not a database (its first bytes are not SQLite's); {_KEEP}; "
            f"correct store.path, or {SET_UP_ANEW}"
        )
    with closing(connect(path, "FULL", read_only=True)) as connection, told(path):
        _check_kind(connection, path)
        _check_integrity(connection, path)


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    kind = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if tables and kind != APPLICATION_ID:
        raise StoreError(f"{path}: is a database of another program (application_id {kind:#x}); correct store.path")
    if version > known_version():
        raise StoreError(
            f"{path}: has schema version {version}, this software knows {known_version()}; "
            "install the newer software again (the file was not touched)"
        )


def _check_integrity(connection: sqlite3.Connection, path: Path) -> None:
    """`quick_check` on all; on `claim` its indexes too, since they are its UNIQUE constraints; then the references."""
    statements = ["PRAGMA quick_check(3)"]
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'claim'").fetchone():
        statements.append("PRAGMA integrity_check('claim')")
    for statement in statements:
        found = [str(row[0]) for row in connection.execute(statement)]
        if found != ["ok"]:
            raise StoreError(f"{path}: damaged ({statement[7:]}: {'; '.join(found)[:300]}); {_KEEP}; {SET_UP_ANEW}")
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise StoreError(f"{path}: a row of '{broken[0]}' has lost its '{broken[2]}'; {_KEEP}; {SET_UP_ANEW}")


def _migrations() -> list[tuple[int, str]]:
    """(version, SQL) of `migrations/NNNN_name.sql`, ascending."""
    folder = resources.files("edge_agent.store") / "migrations"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
    return [(int(f.name.split("_")[0]), f.read_text("utf-8")) for f in files]


def migrate(connection: sqlite3.Connection, path: Path, newest: int | None = None) -> None:
    """Bring the schema to the newest version (or this one), each step in its own transaction. Raises StoreError."""
    with told(path):
        have = connection.execute("PRAGMA user_version").fetchone()[0]
    for version, sql in _migrations():
        if version <= have or (newest is not None and version > newest):
            continue
        # PRAGMA user_version is part of the transaction: a step is either whole or absent.
        script = (
            f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA application_id={APPLICATION_ID};\nPRAGMA user_version={version};\nCOMMIT;"
        )
        try:
            connection.executescript(script)
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise StoreError(f"migration {version:04}: {explain(error, path)}") from error
