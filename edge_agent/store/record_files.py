"""Where an auditor's records come from: a terminal's database, an export, or the centre's copy of many terminals.

Rules: reading changes nothing. A centre's copy may be unordered, hold records twice and mix terminals: it is put in
order, and of two records that differ both stay, so that verification names them. Records that can't be read at all are
kept at the end of what is checked for the same reason.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.ports import StoreError
from edge_agent.store.ledger import read_records
from edge_agent.store.records import parse_instant

SOURCE_PREFIX = "urn:aid:terminal:"
Event = Mapping[str, Any]
"""One record, parsed: a CloudEvents object as docs/records.md describes it."""


@dataclass(frozen=True)
class TerminalRecords:
    """bodies: one terminal's records as JSON texts, by sequence. doubles: exact repetitions that were left out."""

    terminal_id: str
    bodies: tuple[bytes, ...]
    doubles: int = 0

    def events(self) -> Iterator[Event]:
        """The records that can be read, parsed."""
        for body in self.bodies:
            event = parsed(body)
            if event is not None:
                yield event


def records_by_terminal(path: Path) -> dict[str, TerminalRecords]:
    """Every terminal in a file, by id. Raises StoreError: it can't be read, or holds no record."""
    found: dict[str, set[bytes]] = {}
    order: dict[str, list[tuple[int, int, bytes]]] = {}
    doubles: dict[str, int] = {}
    unread: list[bytes] = []
    for place, body in enumerate(read_records(path)):
        event = parsed(body)
        name, sequence = (terminal_of(event), sequence_of(event)) if event is not None else (None, None)
        if event is None or name is None or sequence is None:
            unread.append(body)
            continue
        mark = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).digest()
        seen = found.setdefault(name, set())
        doubles.setdefault(name, 0)
        if mark in seen:
            doubles[name] += 1
            continue
        seen.add(mark)
        order.setdefault(name, []).append((sequence, place, body))
    if not order and unread:
        raise StoreError(
            f"{path}: holds no record of a terminal; give a terminal's database, or records as JSON, one a line"
        )
    return {
        name: TerminalRecords(name, (*(body for _, _, body in sorted(rows)), *unread), doubles[name])
        for name, rows in sorted(order.items())
    }


def records_of(path: Path, terminal_id: str | None = None) -> TerminalRecords:
    """The records of one terminal; None: of the only one. Raises StoreError naming those the file holds."""
    found = records_by_terminal(path)
    if terminal_id is None and len(found) <= 1:
        return next(iter(found.values()), TerminalRecords("", ()))
    if terminal_id in found:
        return found[terminal_id]
    held = ", ".join(found) or "none"
    if terminal_id is None:
        raise StoreError(f"{path}: holds several terminals ({held}); choose one with --terminal ID")
    raise StoreError(f"{path}: holds no record of terminal '{terminal_id}', only of: {held}; correct --terminal")


def parsed(body: bytes) -> Event | None:
    """The record's object; None: it is none."""
    try:
        event = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def terminal_of(event: Event) -> str | None:
    """Which terminal a record says it is of."""
    source = event.get("source")
    return source[len(SOURCE_PREFIX) :] if isinstance(source, str) and source.startswith(SOURCE_PREFIX) else None


def sequence_of(event: Event) -> int | None:
    """Its place in the chain."""
    text = event.get("sequence")
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else None


def local_day(event: Event, zone: ZoneInfo) -> str:
    """The local day a record counts to, ISO 8601: the one it names, in older records that of its time. Raises
    KeyError, ValueError: it has neither."""
    named = data_of(event).get("day")
    return str(named) if named else parse_instant(str(event["time"])).astimezone(zone).date().isoformat()


def data_of(event: Event) -> Mapping[str, Any]:
    """Its data; empty where there is none."""
    data = event.get("data")
    return data if isinstance(data, dict) else {}
