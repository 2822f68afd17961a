"""The uplink's view of the database: oldest first, as signed, from its own thread."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from edge_agent.ports import Outbox, OutboxRow, StoreError
from edge_agent.store import SqliteOutbox, Store
from edge_agent.store.ledger import read_records
from tests.store.terminal import Clock, claim_of, referral


def test_rows_are_the_ledgers_records_oldest_first(store: Store, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    store.record_outcome(referral("session-2"), clock())
    outbox: Outbox = SqliteOutbox(store.path)
    rows = outbox.oldest(10)
    assert [row.sequence for row in rows] == [1, 2, 3]
    assert [row.body for row in rows] == list(read_records(store.path))
    assert [(row.event_id, row.event_type) for row in rows] == [
        (json.loads(row.body)["id"], json.loads(row.body)["type"]) for row in rows
    ]
    assert len(outbox.oldest(2)) == 2
    outbox.close()


def test_an_acknowledged_row_is_forgotten_and_the_record_kept(store: Store, clock: Clock) -> None:
    store.record_outcome(referral(), clock())
    outbox = SqliteOutbox(store.path)
    outbox.delete(1)
    outbox.delete(1)
    outbox.delete(99)
    assert (outbox.depth(), [row.sequence for row in outbox.oldest(10)]) == (1, [2])
    assert len(list(read_records(store.path))) == 2
    outbox.close()
    outbox.close()


def test_it_works_in_another_thread_while_the_store_writes(store: Store, clock: Clock) -> None:
    outbox = SqliteOutbox(store.path)
    seen: list[OutboxRow] = []
    wanted = 40

    def courier() -> None:
        while len(seen) < wanted + 1:
            for row in outbox.oldest(5):
                outbox.delete(row.sequence)
                seen.append(row)

    thread = threading.Thread(target=courier, daemon=True)
    thread.start()
    for n in range(wanted):
        store.record_outcome(referral(f"session-{n}"), clock())
    thread.join(30)
    assert not thread.is_alive()
    outbox.close()
    assert [row.sequence for row in seen] == list(range(1, wanted + 2))


def test_a_missing_database_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"absent\.db"):
        SqliteOutbox(tmp_path / "absent.db").depth()
    assert not (tmp_path / "absent.db").exists()
