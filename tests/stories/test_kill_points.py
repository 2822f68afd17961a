"""kill -9 at every step between identification and acknowledgement: one claim at most, never a lost record."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from edge_agent.core.messages import ClaimRefused
from edge_agent.core.model import Reason
from edge_agent.store.ledger import read_records, verify
from tests.brokers import Broker, Subscriber, needs_mosquitto
from tests.store.terminal import SIGNING, Clock, claim_of, open_store

pytestmark = [needs_mosquitto, pytest.mark.mosquitto]
ROOT = Path(__file__).parents[2]
MUST_BE_SEEN = {
    "claim:begun",
    "claim:committed",
    "print_slip:begun",
    "print_slip:done",
    "slip:committed",
    "delete:done",
}


def run(folder: Path, port: int, *point: str) -> int:
    """One life of the terminal; its exit status."""
    command = [sys.executable, "-m", "tests.stories.killed_terminal", str(folder), str(port), *point]
    return subprocess.run(command, cwd=ROOT, timeout=120, check=False, capture_output=True).returncode


def test_killed_at_every_step_nobody_gets_it_twice_and_no_record_is_lost(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Subscriber(broker, "aid/v1/+/+/events") as centre:
        whole = tmp_path / "whole"
        whole.mkdir()
        assert run(whole, broker.port, "-") == 0
        points = (whole / "points").read_text().split()
        assert set(points) >= MUST_BE_SEEN
        for number, point in enumerate(points):
            folder = tmp_path / f"life-{number}"
            folder.mkdir()
            before = len(centre.payloads())
            assert run(folder, broker.port, point) == -signal.SIGKILL, point
            check_after_death(folder, point)
            assert run(folder, broker.port) == 0, point
            check_after_restart(folder, point, centre.payloads()[before:])


def check_after_death(folder: Path, point: str) -> None:
    """What lies on the disk after the kill is whole: chain, claim and outbox agree, an unprinted slip is known."""
    database = folder / "terminal.db"
    assert verify(database, SIGNING.public_key()).intact, point
    records = [json.loads(body) for body in read_records(database)]
    recorded = sum(record["type"] == "aid.claim.recorded.v1" for record in records)
    printed = sum(record["type"] == "aid.slip.printed.v1" for record in records)
    with closing(sqlite3.connect(database)) as connection:
        claims = connection.execute("SELECT count(*) FROM claim").fetchone()[0]
        waiting = [row[0] for row in connection.execute("SELECT seq FROM outbox ORDER BY seq")]
    assert claims == recorded <= 1, point
    assert waiting == sorted(waiting), point
    with open_store(database) as store:
        assert len(store.unprinted()) == recorded - printed, point


def check_after_restart(folder: Path, point: str, arrived: list[bytes]) -> None:
    """The centre has every record of the chain, first arrivals in order, and the right is spent once or still open."""
    database = folder / "terminal.db"
    assert verify(database, SIGNING.public_key()).intact, point
    written = [json.loads(body)["id"] for body in read_records(database)]
    first_arrivals = list(dict.fromkeys(json.loads(payload)["id"] for payload in arrived))
    with closing(sqlite3.connect(database)) as connection:
        waiting = [
            row[0] for row in connection.execute("SELECT event_id FROM ledger JOIN outbox USING (seq) ORDER BY seq")
        ]
    # At most the restart's own last word ("stopped") may still wait: nobody stayed to carry it.
    assert len(waiting) <= 1, point
    assert [*first_arrivals, *(one for one in waiting if one not in first_arrivals)] == written, point
    given = any(json.loads(body)["type"] == "aid.claim.recorded.v1" for body in read_records(database))
    with open_store(database) as store:
        answer = store.record_claim(claim_of("s1", "another-session"), Clock(store.ledger_head().time)())
    assert isinstance(answer, ClaimRefused) is given, point
    if given:
        assert answer.receipt.reason is Reason.ALREADY_CLAIMED, point
