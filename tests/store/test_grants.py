"""Giving an entitlement back: recorded, remembered, and never after it was given."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.messages import ClaimRecorded, ClaimRefused, RecordClaim
from edge_agent.core.model import Reason
from edge_agent.core.policy import Authority
from edge_agent.store import Store
from edge_agent.store.ledger import read_records, verify
from tests.store.terminal import NOON, SIGNING, Clock, claim_of, entitlement, open_store, roster, write_roster


@pytest.fixture
def home(store: Store, tmp_path: Path, clock: Clock) -> Store:
    """kiosk-1 is the home of s1's entitlements; one of them comes in portions."""
    rights = [entitlement("s1", home="kiosk-1"), entitlement("s2", home="kiosk-1", portion=Decimal(4))]
    store.import_roster(write_roster(tmp_path / "two.aid", roster(2, entitlements=rights)), clock())
    return store


def records(store: Store) -> list[dict[str, object]]:
    """The data of the release records."""
    events = [json.loads(body) for body in read_records(store.path)]
    return [event["data"] for event in events if event["type"] == "aid.entitlement.released.v1"]


def test_what_was_given_back_is_no_longer_at_home(home: Store, clock: Clock) -> None:
    assert not home.release("s1.bpnt", 0, clock()).claimed
    answer = home.record_claim(claim_of("s1"), clock())
    assert isinstance(answer, ClaimRefused)
    assert answer.receipt.reason is Reason.NOT_HOME
    assert records(home) == [{"entitlement_id": "s1.bpnt", "grant_number": 0, "claimed": False, "claims": []}]
    assert verify(home.path, SIGNING.public_key()).intact


def test_what_was_given_is_not_given_back(home: Store, clock: Clock) -> None:
    answer = home.record_claim(claim_of("s1"), clock())
    assert home.release("s1.bpnt", 0, clock()).claimed
    (record,) = records(home)
    assert record["claimed"] is True
    assert record["claims"] == [
        {
            "claim_id": answer.receipt.claims[0].claim_id,
            "portion": 1,
            "amount": "10",
            "at": "2026-03-10T05:00:00.000Z",
        }
    ]


def test_an_open_balance_is_given_back_with_what_was_given_of_it(home: Store, clock: Clock) -> None:
    home.record_claim(claim_of("s2"), clock())
    assert not home.release("s2.bpnt", 0, clock()).claimed
    (record,) = records(home)
    assert [(one["portion"], one["amount"]) for one in record["claims"]] == [(1, "4")]  # type: ignore[attr-defined]
    assert isinstance(home.record_claim(claim_of("s2", "later"), clock(days=2)), ClaimRefused)


def test_it_stays_given_back_over_a_restart_and_a_new_roster(
    home: Store, database: Path, tmp_path: Path, clock: Clock
) -> None:
    home.release("s1.bpnt", 0, clock())
    home.close()
    with open_store(database) as again:
        rights = [entitlement("s1", home="kiosk-1")]
        again.import_roster(write_roster(tmp_path / "three.aid", roster(3, entitlements=rights)), clock())
        assert isinstance(again.record_claim(claim_of("s1"), clock()), ClaimRefused)


def granted(number: int, session: str) -> RecordClaim:
    return replace(claim_of("s1", session), authorities=(Authority("s1.bpnt", number, NOON),))


def test_only_a_higher_grant_opens_it_again(home: Store, clock: Clock) -> None:
    home.release("s1.bpnt", 3, clock())
    assert isinstance(home.record_claim(granted(3, "a"), clock()), ClaimRefused)
    assert isinstance(home.record_claim(granted(4, "b"), clock()), ClaimRecorded)


def test_a_later_request_never_lowers_the_number(home: Store, clock: Clock) -> None:
    home.release("s1.bpnt", 5, clock())
    assert home.release("s1.bpnt", 2, clock()).grant_number == 5
    assert isinstance(home.record_claim(granted(4, "a"), clock()), ClaimRefused)


def test_an_entitlement_of_no_roster_is_given_back_too(home: Store, clock: Clock) -> None:
    assert not home.release("gone.bpnt", 2, clock()).claimed
