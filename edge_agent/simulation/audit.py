"""Gathers a day's books for `books.py`: every terminal's database, its chain verified, and what the broker was given.

Rules: read-only, from the files a day has left behind.
"""

from __future__ import annotations

import json

from edge_agent.simulation.booked import LedgerCopy
from edge_agent.simulation.books import BookData
from edge_agent.simulation.day import Played
from edge_agent.simulation.reading import outbox_sequences, slip_states
from edge_agent.simulation.terminal import SimulatedTerminal
from edge_agent.store.ledger import read_records, verify


def gather(played: Played) -> BookData:
    """Everything this day left behind. Raises StoreError when a database can't be read."""
    village = played.site.village
    return BookData(
        ledgers=tuple(_copy(terminal, played) for terminal in played.site.terminals),
        entitlements={right.entitlement_id: right for right in village.entitlements},
        proxies=village.proxies,
        truth=played.truth,
        secrets=tuple(secret for person in village.people for secret in (person.name, person.national_number)),
    )


def _copy(terminal: SimulatedTerminal, played: Played) -> LedgerCopy:
    database = terminal.parts.database
    bodies = tuple(read_records(database))
    verification = verify(bodies, terminal.parts.keys.signing.public_key())
    broken = verification.first_broken
    return LedgerCopy(
        terminal=terminal.id,
        events=tuple(json.loads(body) for body in bodies),
        bodies=bodies,
        broken="" if broken is None else f"record {broken.sequence} {broken.why}",
        slips=slip_states(database),
        waiting=frozenset(outbox_sequences(database)),
        delivered=played.broker.records.get(terminal.id, {}),
    )
