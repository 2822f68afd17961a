"""The roster as the terminal holds it: templates and names encrypted, replaced as a whole.

Rules: `replace` runs inside the caller's transaction, so the old roster stays until the new one is complete. An older
version is refused; the same file again changes nothing. Templates of another embedder are never matched.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from edge_agent.core.model import Gallery, Timestamp
from edge_agent.core.policy import DEFAULT_POLICY, Officer, Policy, Proxy
from edge_agent.ports import EmbedderId, RosterError, StoreError
from edge_agent.roster_content import Roster, without_unwanted_names
from edge_agent.roster_policy import PolicyRecord, ProgrammeRecord
from edge_agent.store.ledger import Checkpoint, Ledger
from edge_agent.store.receipts import insert_entitlement
from edge_agent.store.records import instant_text, parse_instant
from edge_agent.store.templates import TemplateCipher

ROSTER_IMPORTED = "aid.roster.imported.v1"
_PROGRAMMES: TypeAdapter[tuple[ProgrammeRecord, ...]] = TypeAdapter(tuple[ProgrammeRecord, ...])


@dataclass(frozen=True)
class RosterInfo:
    """The roster in force. version 0, empty texts and None: none was imported yet."""

    version: int = 0
    site: str = ""
    issued_at: datetime | None = None
    imported_at: datetime | None = None
    file_sha256: str = ""
    embedder: EmbedderId | None = None
    subjects: int = 0
    templates: int = 0
    entitlements: int = 0
    revoked_tokens: int = 0


@dataclass(frozen=True)
class RosterChange:
    """What an import did. changed: False when the very same file was in force already."""

    changed: bool
    version: int
    previous_version: int
    subjects: int
    subjects_added: int
    subjects_removed: int
    entitlements: int


class RosterTable:
    """Roster, subjects, templates and entitlements through the store's connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ledger: Ledger,
        cipher: TemplateCipher,
        embedder: EmbedderId | None,
        checkpoint: Checkpoint,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._cipher = cipher
        self._embedder = embedder
        self._checkpoint = checkpoint

    def info(self) -> RosterInfo:
        """The roster in force."""
        row = self._connection.execute(
            "SELECT version, site, issued_at, imported_at, file_sha256, embedder_name, embedder_sha256 FROM roster"
        ).fetchone()
        if row is None:
            return RosterInfo()
        counts = [self._count(table) for table in ("subject", "template", "entitlement", "revoked_token")]
        return RosterInfo(
            row[0], row[1], parse_instant(row[2]), parse_instant(row[3]), row[4], EmbedderId(row[5], row[6]), *counts
        )

    def reference(self) -> dict[str, Any]:
        """The roster and embedder that a record names."""
        row = self._connection.execute(
            "SELECT version, file_sha256, embedder_name, embedder_sha256 FROM roster"
        ).fetchone()
        if row is None:
            return {"version": 0}
        return {"version": row[0], "sha256": row[1], "embedder": row[2], "embedder_sha256": row[3]}

    def has_subject(self, subject_id: str) -> bool:
        """Whether the roster in force knows this subject."""
        row = self._connection.execute("SELECT 1 FROM subject WHERE subject_id = ?", (subject_id,)).fetchone()
        return row is not None

    def revoked_tokens(self) -> frozenset[str]:
        """Serials of tokens that the office has withdrawn."""
        return frozenset(row[0] for row in self._connection.execute("SELECT serial FROM revoked_token"))

    def policy(self) -> Policy:
        """What the centre allows this terminal; the defaults without a roster."""
        row = self._connection.execute("SELECT policy FROM roster").fetchone()
        return PolicyRecord.model_validate_json(row[0]).to_policy() if row else DEFAULT_POLICY

    def officers(self) -> tuple[Officer, ...]:
        """Who may show a badge here, by id."""
        rows = self._connection.execute("SELECT officer_id, subject_id FROM officer ORDER BY officer_id")
        return tuple(Officer(*row) for row in rows)

    def proxied_by(self, proxy_id: str) -> tuple[Proxy, ...]:
        """What this subject may fetch for others, by entitlement."""
        rows = self._connection.execute(
            "SELECT entitlement_id, cycle, proxy_id, valid_until FROM proxy WHERE proxy_id = ? ORDER BY entitlement_id",
            (proxy_id,),
        )
        return tuple(
            Proxy(e, cycle, who, date.fromisoformat(until) if until else None) for e, cycle, who, until in rows
        )

    def terminals(self) -> int:
        """How many terminals the roster in force is sealed to; 1 without a roster."""
        row = self._connection.execute("SELECT terminals FROM roster").fetchone()
        return int(row[0]) if row else 1

    def issued_at(self) -> datetime | None:
        """When the office made the roster in force; None without one."""
        row = self._connection.execute("SELECT issued_at FROM roster").fetchone()
        return parse_instant(row[0]) if row else None

    def display_name(self, subject_id: str) -> str:
        """The name for slips; empty when the roster holds none."""
        row = self._connection.execute(
            "SELECT display_name, version FROM subject, roster WHERE subject_id = ?", (subject_id,)
        ).fetchone()
        return self._cipher.open_name(subject_id, row[1], row[0]) if row and row[0] is not None else ""

    def gallery(self) -> Gallery:
        """Every template, decrypted. Raises StoreError when they were made by another embedder than the one in use."""
        info = self.info()
        if self._embedder is not None and info.embedder is not None and info.embedder != self._embedder:
            raise StoreError(
                f"roster {info.version} was made for embedder {info.embedder}, this terminal runs {self._embedder}: "
                "their templates can't be compared; import a roster made for it"
            )
        rows = self._connection.execute("SELECT subject_id, sealed FROM template ORDER BY template_id").fetchall()
        templates = [self._cipher.open_template(subject_id, info.version, sealed) for subject_id, sealed in rows]
        matrix = np.stack(templates) if templates else np.zeros((0, 0), np.float32)
        return Gallery(tuple(row[0] for row in rows), matrix)

    def replace(self, roster: Roster, at: Timestamp, file_name: str) -> RosterChange:
        """Put this roster in force. Raises RosterError when it is older, or another file of the same version."""
        old = self.info()
        if roster.version < old.version:
            raise RosterError(
                f"{file_name}: version {roster.version} is older than {old.version}, which is in force and stays; "
                "ask the office for the newest roster"
            )
        if roster.version == old.version:
            if roster.file_sha256 != old.file_sha256:
                raise RosterError(
                    f"{file_name}: version {roster.version} is in force already with other content, which stays; "
                    "a changed roster needs a higher version"
                )
            return RosterChange(False, old.version, old.version, old.subjects, 0, 0, old.entitlements)
        self._check_claimed(roster, file_name)
        roster = without_unwanted_names(roster)
        before = {row[0] for row in self._connection.execute("SELECT subject_id FROM subject")}
        self._insert(roster, at)
        now = {subject.subject_id for subject in roster.subjects}
        change = RosterChange(
            True,
            roster.version,
            old.version,
            len(now),
            len(now - before),
            len(before - now),
            len(roster.entitlements),
        )
        data = {
            "version": change.version,
            "previous_version": change.previous_version,
            "sha256": roster.file_sha256,
            "site": roster.site,
            "subjects": change.subjects,
            "subjects_added": change.subjects_added,
            "subjects_removed": change.subjects_removed,
            "entitlements": change.entitlements,
            "revoked_tokens": len(roster.revoked_tokens),
            "embedder": roster.embedder.name,
            "embedder_sha256": roster.embedder.sha256,
        }
        self._ledger.append(ROSTER_IMPORTED, data, at)
        return change

    def _check_claimed(self, roster: Roster, file_name: str) -> None:
        """An entitlement that was claimed stays its subject's: under another subject it could never be given."""
        claimed = dict(self._connection.execute("SELECT entitlement_id, subject_id FROM claim").fetchall())
        for entitlement in roster.entitlements:
            owner = claimed.get(entitlement.entitlement_id, entitlement.subject_id)
            if owner != entitlement.subject_id:
                raise RosterError(
                    f"{file_name}: entitlement '{entitlement.entitlement_id}' is for subject "
                    f"'{entitlement.subject_id}', but '{owner}' has claimed it here; the old roster stays; "
                    "give the new entitlement an id of its own"
                )

    def _insert(self, roster: Roster, at: Timestamp) -> None:
        execute = self._connection.execute
        for table in ("revoked_token", "officer", "proxy", "entitlement", "template", "subject", "roster"):
            execute(f"DELETE FROM {table}")
        self._checkpoint("roster:cleared")
        execute(
            "INSERT INTO roster (one, version, site, issued_at, imported_at, file_sha256, embedder_name,"
            " embedder_sha256, policy, programmes, terminals) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
        for subject in roster.subjects:
            key = subject.subject_id
            name = self._cipher.seal_name(key, roster.version, subject.display_name) if subject.display_name else None
            execute("INSERT INTO subject (subject_id, display_name) VALUES (?, ?)", (key, name))
            for template in subject.templates:
                sealed = self._cipher.seal_template(key, roster.version, template)
                execute("INSERT INTO template (subject_id, sealed) VALUES (?, ?)", (key, sealed))
        for entitlement in roster.entitlements:
            insert_entitlement(self._connection, entitlement)
        for proxy in roster.proxies:
            until = proxy.valid_until.isoformat() if proxy.valid_until else None
            execute("INSERT INTO proxy VALUES (?, ?, ?, ?)", (proxy.entitlement_id, proxy.cycle, proxy.proxy_id, until))
        for officer in roster.officers:
            execute("INSERT INTO officer VALUES (?, ?)", (officer.officer_id, officer.subject_id))
        for serial in sorted(roster.revoked_tokens):
            execute("INSERT INTO revoked_token (serial) VALUES (?)", (serial,))
        self._checkpoint("roster:inserted")

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _proxy(entitlement_id: str, cycle: str, proxy_id: str, until: str | None) -> Proxy:
    return Proxy(entitlement_id, cycle, proxy_id, date.fromisoformat(until) if until else None)
