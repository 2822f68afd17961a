"""`kill -9` at every step from the roster to the acknowledgement: nothing twice, nothing lost, the chain holds."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.store import SqliteOutbox
from edge_agent.store.ledger import verify
from tests.store.terminal import SIGNING, Clock, claim_of, open_store, roster, write_roster

ROSTER_ONLY = [("roster:cleared", 1), ("roster:inserted", 1), ("ledger:appended", 1), ("outbox:queued", 1)]
BEFORE_COMMIT = [
    ("claim:begun", 1),
    ("claim:inserted", 1),
    ("ledger:appended", 2),
    ("outbox:queued", 2),
    ("session:inserted", 1),
]
AFTER_COMMIT = [
    ("claim:committed", 1),
    ("agent:printing", 1),
    ("slip:begun", 1),
    ("ledger:appended", 3),
    ("outbox:queued", 3),
    ("slip:marked", 1),
]
AFTER_PRINTING = [("slip:committed", 1), ("agent:sending", 1), ("agent:sending", 3), ("agent:acknowledged", 1)]


@pytest.mark.parametrize(("step", "occurrence"), ROSTER_ONLY + BEFORE_COMMIT + AFTER_COMMIT + AFTER_PRINTING)
def test_killed_at(database: Path, tmp_path: Path, step: str, occurrence: int) -> None:
    roster_file = write_roster(tmp_path / "roster.aid", roster())
    command = [sys.executable, "-m", "tests.store.killed", str(database), str(roster_file), step, str(occurrence)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr or f"never came to {step}"

    point = (step, occurrence)
    committed = point in AFTER_COMMIT + AFTER_PRINTING
    clock = Clock()
    with open_store(database) as store:
        assert verify(database, SIGNING.public_key()).intact
        assert store.roster_info().version == (0 if point in ROSTER_ONLY else 1)
        assert claims(database) == (["s1.bpnt"] if committed else [])
        assert [receipt.session_id for receipt in store.unprinted()] == (
            ["session-killed"] if point in AFTER_COMMIT else []
        )
        if point not in AFTER_PRINTING:
            assert ("aid.claim.recorded.v1" in waiting(database)) == committed
        # The agent, started again, asks again; then the person comes again.
        store.import_roster(roster_file, clock())
        again = store.record_claim(claim_of("s1", "session-killed"), clock()).receipt
        assert [claim.entitlement_id for claim in again.claims] == ["s1.bpnt"]
        store.record_claim(claim_of("s1", "session-later"), clock())
        assert claims(database) == ["s1.bpnt"]
        assert verify(database, SIGNING.public_key()).intact
        types = recorded(database)
        assert types.count("aid.claim.recorded.v1") == 1


def claims(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as raw:
        return [row[0] for row in raw.execute("SELECT entitlement_id FROM claim")]


def waiting(database: Path) -> list[str]:
    outbox = SqliteOutbox(database)
    types = [row.event_type for row in outbox.oldest(100)]
    outbox.close()
    return types


def recorded(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as raw:
        return [json.loads(row[0])["type"] for row in raw.execute("SELECT body FROM ledger ORDER BY seq")]
