"""A disk that is really full: nothing is half-written, the error says what to do, and with space again it goes on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.core.messages import ClaimRecorded
from edge_agent.ports import StoreError
from edge_agent.store import SqliteOutbox, Store
from edge_agent.store.ledger import verify
from tests.store.terminal import SIGNING, Clock, claim_of, open_store, referral, roster, write_roster


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs root to mount a small tmpfs; the page limit below covers the logic")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def record_until_refused(store: Store, clock: Clock) -> tuple[int, str]:
    """(outcomes committed, the error's text)."""
    for count in range(5000):
        try:
            store.record_outcome(referral(f"session-{count}"), clock())
        except StoreError as error:
            return count, str(error)
    raise AssertionError("the disk was never full")


def check_nothing_half_written(store: Store, committed: int) -> None:
    result = verify(store.path, SIGNING.public_key())
    assert result.intact
    assert result.count == committed + 1, "the roster's record and one per outcome"
    outbox = SqliteOutbox(store.path)
    assert outbox.depth() == result.count
    outbox.close()


def test_a_full_disk(small_disk: Path, tmp_path: Path, clock: Clock) -> None:
    ballast = small_disk / "ballast"
    with open_store(small_disk / "terminal.db") as store:
        store.import_roster(write_roster(tmp_path / "roster.aid", roster()), clock())
        ballast.write_bytes(bytes(200_000))
        committed, message = record_until_refused(store, clock)
        assert "disk is full" in message
        assert "free space" in message
        with pytest.raises(StoreError, match="disk is full"):
            store.record_claim(claim_of("s1", "session-last"), clock())
        check_nothing_half_written(store, committed)
        ballast.unlink()
        assert isinstance(store.record_claim(claim_of("s1", "session-last"), clock()), ClaimRecorded)
        check_nothing_half_written(store, committed + 1)
    with open_store(small_disk / "terminal.db") as again:
        check_nothing_half_written(again, committed + 1)


def test_starting_on_a_full_disk(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(1_040_000))
    with pytest.raises(StoreError, match=r"full|space"):
        open_store(small_disk / "terminal.db")
    (small_disk / "ballast").unlink()
    open_store(small_disk / "terminal.db").close()


def test_no_more_pages(store: Store, clock: Clock) -> None:
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 10}")
    committed, message = record_until_refused(store, clock)
    assert "disk is full" in message
    check_nothing_half_written(store, committed)
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    assert isinstance(store.record_claim(claim_of("s1", "session-last"), clock()), ClaimRecorded)
