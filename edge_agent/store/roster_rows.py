"""A roster as rows, and back: everything the office signed, templates and names encrypted.

Rules: both run inside the caller's transaction. What `read_roster_rows` gives has the digest of what
`write_roster_rows` was given: the import proves it before it commits. Claims, acts and the ledger are never touched.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from datetime import date

import numpy as np
from pydantic import TypeAdapter

from edge_agent.core.model import Embedding, Timestamp
from edge_agent.core.policy import Officer, Proxy
from edge_agent.ports import EmbedderId
from edge_agent.roster_content import Roster, RosterSubject
from edge_agent.roster_policy import PolicyRecord, ProgrammeRecord
from edge_agent.store.ledger import Checkpoint
from edge_agent.store.receipts import all_entitlements, insert_entitlement
from edge_agent.store.records import instant_text, parse_instant
from edge_agent.store.templates import TemplateCipher

_PROGRAMMES: TypeAdapter[tuple[ProgrammeRecord, ...]] = TypeAdapter(tuple[ProgrammeRecord, ...])
_TABLES = ("revoked_token", "officer", "proxy", "entitlement", "template", "subject", "roster")
"""Those of the roster, so that whoever refers comes before what is referred to."""


def write_roster_rows(
    connection: sqlite3.Connection, cipher: TemplateCipher, roster: Roster, at: Timestamp, checkpoint: Checkpoint
) -> None:
    """Replace the roster in force by this one; its content digest is still empty."""
    execute = connection.execute
    for table in _TABLES:
        execute(f"DELETE FROM {table}")
    checkpoint("roster:cleared")
    _write_header(connection, roster, at)
    for subject in roster.subjects:
        key = subject.subject_id
        name = cipher.seal_name(key, roster.version, subject.display_name) if subject.display_name else None
        execute("INSERT INTO subject (subject_id, display_name) VALUES (?, ?)", (key, name))
        for template in subject.templates:
            sealed = cipher.seal_template(key, roster.version, template)
            execute("INSERT INTO template (subject_id, sealed) VALUES (?, ?)", (key, sealed))
    for entitlement in roster.entitlements:
        insert_entitlement(connection, entitlement)
    for proxy in roster.proxies:
        until = proxy.valid_until.isoformat() if proxy.valid_until else None
        execute(
            "INSERT INTO proxy (entitlement_id, cycle, proxy_id, valid_until) VALUES (?, ?, ?, ?)",
            (proxy.entitlement_id, proxy.cycle, proxy.proxy_id, until),
        )
    for officer in roster.officers:
        execute("INSERT INTO officer (officer_id, subject_id) VALUES (?, ?)", (officer.officer_id, officer.subject_id))
    for serial in sorted(roster.revoked_tokens):
        execute("INSERT INTO revoked_token (serial) VALUES (?)", (serial,))
    checkpoint("roster:inserted")


def _write_header(connection: sqlite3.Connection, roster: Roster, at: Timestamp) -> None:
    connection.execute(
        "INSERT INTO roster (one, version, site, issued_at, imported_at, file_sha256, embedder_name, embedder_sha256,"
        " policy, programmes, terminals) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            roster.version,
            roster.site,
            instant_text(roster.issued_at),
            instant_text(at.utc),
            roster.file_sha256,
            roster.embedder.name,
            roster.embedder.sha256,
            PolicyRecord.of(roster.policy).model_dump_json(),
            _PROGRAMMES.dump_json(roster.programmes).decode(),
            roster.terminals,
        ),
    )


def read_roster_rows(connection: sqlite3.Connection, cipher: TemplateCipher) -> Roster | None:
    """The roster in force as the office signed it; None without one. Raises StoreError when a row was changed."""
    row = connection.execute(
        "SELECT version, site, issued_at, file_sha256, embedder_name, embedder_sha256, policy, programmes, terminals"
        " FROM roster"
    ).fetchone()
    if row is None:
        return None
    version, site, issued_at, file_sha256, embedder, embedder_sha256, policy, programmes, terminals = row
    return Roster(
        site,
        version,
        parse_instant(issued_at),
        EmbedderId(embedder, embedder_sha256),
        _read_subjects(connection, cipher, version),
        tuple(all_entitlements(connection)),
        file_sha256,
        frozenset(serial for (serial,) in connection.execute("SELECT serial FROM revoked_token")),
        PolicyRecord.model_validate_json(policy).to_policy(),
        _PROGRAMMES.validate_json(programmes),
        tuple(_proxy(*proxy) for proxy in connection.execute(f"SELECT {PROXY_COLUMNS} FROM proxy")),
        tuple(Officer(*officer) for officer in connection.execute("SELECT officer_id, subject_id FROM officer")),
        terminals,
    )


def _read_subjects(connection: sqlite3.Connection, cipher: TemplateCipher, version: int) -> tuple[RosterSubject, ...]:
    templates: dict[str, list[Embedding]] = defaultdict(list)
    for subject_id, sealed in connection.execute("SELECT subject_id, sealed FROM template ORDER BY template_id"):
        templates[subject_id].append(cipher.open_template(subject_id, version, sealed))
    return tuple(
        RosterSubject(
            subject_id,
            np.stack(templates[subject_id]),
            cipher.open_name(subject_id, version, name) if name is not None else "",
        )
        for subject_id, name in connection.execute("SELECT subject_id, display_name FROM subject ORDER BY subject_id")
        if templates[subject_id]
    )


PROXY_COLUMNS = "entitlement_id, cycle, proxy_id, valid_until"


def _proxy(entitlement_id: str, cycle: str, proxy_id: str, until: str | None) -> Proxy:
    return Proxy(entitlement_id, cycle, proxy_id, date.fromisoformat(until) if until else None)


def proxies_of(connection: sqlite3.Connection, proxy_id: str) -> tuple[Proxy, ...]:
    """What this subject may fetch for others, by entitlement."""
    rows = connection.execute(
        f"SELECT {PROXY_COLUMNS} FROM proxy WHERE proxy_id = ? ORDER BY entitlement_id", (proxy_id,)
    )
    return tuple(_proxy(*row) for row in rows)
