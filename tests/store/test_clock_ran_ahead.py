"""A board that once came back a year ahead: later records are held at that time, and people are served all the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.core.messages import ClaimRecorded, ClaimRefused
from edge_agent.core.model import Reason
from edge_agent.core.policy import OfflineLimits, Policy
from edge_agent.store import Store
from edge_agent.store.ledger import read_records
from edge_agent.store.record_totals import totals_of
from edge_agent.store.records import parse_instant
from tests.store.terminal import Clock, claim_of, entitlement, open_store, roster, write_roster


@pytest.fixture
def kiosk(database: Path, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    """Two people were given theirs before, while and after the clock was a year ahead; all of it offline."""
    with open_store(database) as store:
        rights = [entitlement(f"s{number}") for number in (1, 2, 3)]
        content = roster(1, entitlements=rights, policy=Policy(offline=OfflineLimits(hours_max=24.0)))
        store.import_roster(write_roster(tmp_path / "roster.aid", content), clock())
        assert isinstance(store.record_claim(claim_of("s1", "before"), clock()), ClaimRecorded)
        clock.trusted = False
        refused = store.record_claim(claim_of("s2", "ahead"), clock(days=365))
        assert isinstance(refused, ClaimRefused)
        assert refused.receipt.reason is Reason.CLOCK_UNTRUSTED
        clock.trusted = True
        clock(days=-365)
        assert isinstance(store.record_claim(claim_of("s2", "after"), clock(minutes=1)), ClaimRecorded)
        yield store


def test_the_wait_for_the_centre_counts_from_the_oldest_claim(kiosk: Store, clock: Clock) -> None:
    assert parse_instant(_times(kiosk)[-1]) > clock().utc, "the ledger never goes back"
    kiosk._connection.execute("DELETE FROM outbox WHERE seq <= 3")
    answer = kiosk.record_claim(claim_of("s3", "a day later"), clock(hours=25))
    assert isinstance(answer, ClaimRefused)
    assert answer.receipt.reason is Reason.OFFLINE_TOO_LONG


def test_a_record_held_in_the_future_keeps_nobody_waiting(kiosk: Store, clock: Clock) -> None:
    kiosk._connection.execute("DELETE FROM outbox WHERE seq <= 3")
    assert isinstance(kiosk.record_claim(claim_of("s3", "soon"), clock(minutes=1)), ClaimRecorded)


def test_the_day_is_counted_whole_from_the_records_alone(kiosk: Store) -> None:
    events = [json.loads(body) for body in read_records(kiosk.path)]
    assert totals_of(events, "2026-03-10", "Asia/Jakarta").given == 2


def _times(store: Store) -> list[str]:
    return [row[0] for row in store._connection.execute("SELECT time FROM ledger ORDER BY seq")]
