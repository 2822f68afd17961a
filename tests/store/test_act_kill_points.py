"""`kill -9` at every step of an officer's act: it is whole or absent, and asked again it happens once."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.core.messages import ClaimRecorded
from edge_agent.core.officer_acts import Act, ActRequest
from edge_agent.store.ledger import verify
from tests.store.terminal import SIGNING, Clock, claim_of, open_store, roster, write_roster

STEPS = ["act:begun", "act:done", "ledger:appended", "outbox:queued", "act:inserted", "act:committed"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at(database: Path, tmp_path: Path, step: str) -> None:
    roster_file = write_roster(tmp_path / "roster.aid", roster())
    command = [sys.executable, "-m", "tests.store.killed_by_act", str(database), str(roster_file), step]
    died = subprocess.run(command, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr or f"never came to {step}"

    committed = step == "act:committed"
    clock = Clock()
    with open_store(database) as store:
        assert verify(database, SIGNING.public_key()).intact
        assert voids(database) == ([1, 1, 1] if committed else [0, 0, 0])
        with closing(sqlite3.connect(database)) as raw:
            case = raw.execute("SELECT case_number FROM session").fetchone()[0]
        answer = store.record_act(ActRequest("act-killed", Act.VOID, "o1", "o2", case), clock()).receipt
        assert answer.problem is None
        assert voids(database) == [1, 1, 1]
        assert isinstance(store.record_claim(claim_of("s1", "session-2"), clock()), ClaimRecorded)
        assert verify(database, SIGNING.public_key()).intact


def voids(database: Path) -> list[int]:
    """Void claims, rows of acts, records of voids that wait for the centre or were written."""
    with closing(sqlite3.connect(database)) as raw:
        count = [
            raw.execute("SELECT count(*) FROM claim WHERE voided_seq IS NOT NULL").fetchone()[0],
            raw.execute("SELECT count(*) FROM officer_act").fetchone()[0],
        ]
        bodies = raw.execute("SELECT body FROM ledger JOIN outbox USING (seq)").fetchall()
        return [*count, sum(json.loads(row[0])["type"] == "aid.claim.voided.v1" for row in bodies)]
