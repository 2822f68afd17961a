"""Nothing a subscriber receives names or shows a person: checked on every message, with the real store's records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_agent.store import SqliteOutbox
from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.store.terminal import Clock, claim_of, open_store, referral, roster, write_roster
from tests.uplink.terminals import Terminal

FORBIDDEN_KEYS = {"name", "display_name", "nama", "nik", "national_number", "password"}
FORBIDDEN_KEYS |= {"template", "templates", "embedding", "probe", "image", "photo", "frame", "chip"}
NIK = re.compile(r"(?<![0-9A-Za-z])\d{16}(?![0-9A-Za-z])")
"""Indonesia's national number: sixteen digits that stand alone."""
BLOB = re.compile(r"[A-Za-z0-9+/_=-]{120,}")
"""128 int8 in base64 are 172 characters; a signature has 86, a hash 64."""
SERIES = 16
"""A list of so many numbers is a vector, whatever it is called."""


def offences(text: str, names: list[str]) -> list[str]:
    """What in this message should not be on the wire."""
    found = [f"the name {name}" for name in names if name.lower() in text.lower()]
    found += [f"a sixteen-digit number {number}" for number in NIK.findall(text)]
    found += [f"a blob {blob[:20]}…" for blob in BLOB.findall(text)]
    for key, value in pairs(json.loads(text)):
        if key.lower() in FORBIDDEN_KEYS:
            found.append(f"the key {key}")
        if isinstance(value, list) and sum(isinstance(part, int | float) for part in value) >= SERIES:
            found.append(f"a vector under {key}")
    return found


def pairs(part: Any, under: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield key, value
            yield from pairs(value, key)
    elif isinstance(part, list):
        for value in part:
            yield under, value
            yield from pairs(value, under)


@pytest.mark.parametrize(
    "message",
    [
        '{"data": {"name": "x"}}',
        '{"who": "Ibu Nomor 2"}',
        '{"note": "3273010101010001"}',
        '{"v": 3273010101010001}',
        '{"deep": [{"embedding": null}]}',
        '{"v": "' + "QUJD" * 43 + '"}',
        '{"v": [' + ", ".join(["0.125"] * 128) + "]}",
    ],
)
def test_the_check_itself_finds_what_it_should(message: str) -> None:
    assert offences(message, ["Ibu Nomor 2"])


@pytest.mark.mosquitto
@needs_mosquitto
def test_nothing_on_the_wire_names_or_shows_a_person(tmp_path: Path) -> None:
    clock = Clock()
    store = open_store(tmp_path / "store.db")
    store.import_roster(write_roster(tmp_path / "roster.aid", roster()), clock())
    store.record_claim(claim_of("s1"), clock())
    store.record_claim(claim_of("s1", session="session-2"), clock())
    store.record_outcome(referral("session-3"), clock())
    names = ["Ibu Nomor 1", "Ibu Nomor 2", "Ibu Nomor 3"]
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as centre:
        waiting = SqliteOutbox(store.path)
        with Terminal(tmp_path, broker, outbox_factory=lambda: SqliteOutbox(store.path)) as terminal:
            terminal.worker.wake()
            wait_until(lambda: waiting.depth() == 0, "an empty outbox")
            wait_until(lambda: centre.messages("/telemetry"), "a heartbeat")
            assert not terminal.problems()
        wait_until(lambda: len(centre.messages("/status")) == 2, "birth and farewell")
        waiting.close()
        wait_until(lambda: len(centre.messages("/events")) >= 4, "the records")
        for message in centre.messages():
            text = message.payload.decode()
            assert offences(text, names) == [], f"on {message.topic}: {text}"
    store.close()
