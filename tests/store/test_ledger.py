"""The chain: what it says, and each way of tampering that verification names."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.store import Store
from edge_agent.store.ledger import read_records, verify
from tests.store.terminal import NOON, SIGNING, Clock, claim_of, open_store, referral

PUBLIC = SIGNING.public_key()


@pytest.fixture
def chain(store: Store, clock: Clock) -> list[bytes]:
    """Six records, as JSON texts."""
    store.record_claim(claim_of("s1"), clock())
    for n in range(4):
        store.record_outcome(referral(f"session-{n + 2}"), clock(minutes=1))
    return list(read_records(store.path))


def resigned(event: dict[str, Any], key: Ed25519PrivateKey = SIGNING) -> bytes:
    unsigned = rfc8785.dumps({name: value for name, value in event.items() if name != "signature"})
    return rfc8785.dumps({**event, "signature": base64.urlsafe_b64encode(key.sign(unsigned)).decode().rstrip("=")})


def test_a_record_is_a_cloudevent_that_anyone_can_check(chain: list[bytes]) -> None:
    event = json.loads(chain[1])
    assert rfc8785.dumps(event) == chain[1], "stored in canonical form"
    assert event["specversion"] == "1.0"
    assert event["source"] == "urn:aid:terminal:kiosk-1"
    assert event["time"] == "2026-03-10T05:00:00.000Z"
    assert (event["sequence"], event["clocktrusted"], event["bootid"]) == ("0000000002", True, "boot-1")
    assert all(name.isalnum() and name == name.lower() for name in event), "CloudEvents attribute names"
    first = json.loads(chain[0])
    signature = first.pop("signature")
    unsigned = rfc8785.dumps(first)
    assert event["prevhash"] == hashlib.sha256(unsigned).hexdigest()
    PUBLIC.verify(base64.urlsafe_b64decode(signature + "=="), unsigned)


def test_the_whole_chain_holds_from_database_export_and_records(
    store: Store, chain: list[bytes], tmp_path: Path
) -> None:
    export = tmp_path / "export.jsonl"
    # Any formatting will do: it is the content that is signed.
    export.write_text("\n".join(json.dumps(json.loads(record), indent=None) for record in chain) + "\n")
    head = store.ledger_head()
    for source in (store.path, export, chain):
        result = verify(source, PUBLIC, known_head=(head.sequence, head.hash))
        assert result.intact
        assert (result.count, result.head_sequence, result.head_hash) == (6, 6, head.hash)


def test_an_empty_chain_holds(database: Path) -> None:
    with open_store(database):
        assert verify(database, PUBLIC).count == 0


def edited(chain: list[bytes]) -> list[bytes]:
    return [*chain[:2], chain[2].replace(b"not_recognised", b"took_too_long"), *chain[3:]]


def forged(chain: list[bytes]) -> list[bytes]:
    other = Ed25519PrivateKey.generate()
    return [*chain[:2], resigned(json.loads(edited(chain)[2]), other), *chain[3:]]


def signed_again_with_the_stolen_key(chain: list[bytes]) -> list[bytes]:
    return [*chain[:2], resigned(json.loads(edited(chain)[2])), *chain[3:]]


def moved_back_in_time(chain: list[bytes]) -> list[bytes]:
    event = json.loads(chain[2])
    return [*chain[:2], resigned({**event, "time": "2020-01-01T00:00:00.000Z"}), *chain[3:]]


@pytest.mark.parametrize(
    ("tamper", "sequence", "why"),
    [
        (edited, 3, "changed or forged"),
        (forged, 3, "changed or forged"),
        (signed_again_with_the_stolen_key, 4, "that one was changed"),
        (moved_back_in_time, 3, "earlier"),
        (lambda chain: chain[:2] + chain[3:], 3, "missing"),
        (lambda chain: chain[1:], 1, "missing"),
        (lambda chain: [*chain[:2], chain[3], chain[2], *chain[4:]], 3, "out of order"),
        (lambda chain: [*chain[:3], chain[2], *chain[3:]], 4, "repeated"),
        (lambda chain: [*chain[:2], b'{"half": ', *chain[3:]], 3, "not a record"),
        (lambda chain: [*chain[:2], b"[]", *chain[3:]], 3, "not a record"),
    ],
)
def test_tampering_is_found_where_it_is(chain: list[bytes], tamper: Any, sequence: int, why: str) -> None:
    broken = verify(tamper(chain), PUBLIC).first_broken
    assert broken is not None
    assert broken.sequence == sequence
    assert why in broken.why


def test_a_cut_end_shows_only_against_a_known_head(store: Store, chain: list[bytes]) -> None:
    head = store.ledger_head()
    assert verify(chain[:4], PUBLIC).intact
    broken = verify(chain[:4], PUBLIC, (head.sequence, head.hash)).first_broken
    assert broken is not None
    assert (broken.sequence, "missing at the end" in broken.why) == (5, True)
    broken = verify(chain, PUBLIC, (4, "0" * 64)).first_broken
    assert broken is not None
    assert (broken.sequence, "replaced" in broken.why) == (4, True)


def test_another_terminals_key_is_named(chain: list[bytes]) -> None:
    result = verify(chain, Ed25519PrivateKey.generate().public_key())
    assert result.count == 0
    assert result.first_broken is not None
    assert "signed by key" in result.first_broken.why


def test_time_never_runs_backwards_and_the_record_says_so(store: Store, clock: Clock) -> None:
    store.record_outcome(referral("a"), clock(days=1))
    store.record_outcome(referral("b"), clock(days=-1))
    before, after = (json.loads(record) for record in list(read_records(store.path))[-2:])
    assert after["time"] == before["time"]
    assert after["clocktrusted"] is False
    assert after["clockutc"] == "2026-03-10T05:00:00.000Z"
    assert "clockutc" not in before
    assert store.ledger_head().time == NOON + timedelta(days=1)


def test_a_trusted_clock_decides_although_the_ledger_was_once_ahead(store: Store, clock: Clock) -> None:
    """A clock that ran a year ahead, untrusted, must not make everything "no longer valid" once it is put right."""
    clock.trusted = False
    store.record_outcome(referral("a"), clock(days=365))
    clock.utc, clock.trusted = NOON, True
    receipt = store.record_claim(claim_of("s1"), clock()).receipt
    assert receipt.claims
    assert receipt.recorded_at == NOON
