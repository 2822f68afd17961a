"""The roster in force, as the terminal reads it.

Rules: read-only; `roster_import` replaces it as a whole. Templates and names lie encrypted; templates of another
embedder are never matched.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from edge_agent.core.model import Gallery, Receipt
from edge_agent.core.policy import DEFAULT_POLICY, Officer, Policy, Proxy
from edge_agent.ports import EmbedderId, StoreError
from edge_agent.roster_policy import PolicyRecord
from edge_agent.store.records import parse_instant
from edge_agent.store.roster_rows import proxies_of
from edge_agent.store.templates import TemplateCipher


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
    proxies: int = 0
    officers: int = 0
    terminals: int = 1
    content_sha256: str = ""


class RosterTable:
    """Roster, subjects, templates and entitlements through the store's connection."""

    def __init__(self, connection: sqlite3.Connection, cipher: TemplateCipher, embedder: EmbedderId | None) -> None:
        self._connection = connection
        self._cipher = cipher
        self._embedder = embedder

    def info(self) -> RosterInfo:
        """The roster in force."""
        row = self._connection.execute(
            "SELECT version, site, issued_at, imported_at, file_sha256, embedder_name, embedder_sha256, terminals,"
            " content_sha256 FROM roster"
        ).fetchone()
        if row is None:
            return RosterInfo()
        return RosterInfo(
            version=row[0],
            site=row[1],
            issued_at=parse_instant(row[2]),
            imported_at=parse_instant(row[3]),
            file_sha256=row[4],
            embedder=EmbedderId(row[5], row[6]),
            subjects=self._count("subject"),
            templates=self._count("template"),
            entitlements=self._count("entitlement"),
            revoked_tokens=self._count("revoked_token"),
            proxies=self._count("proxy"),
            officers=self._count("officer"),
            terminals=row[7],
            content_sha256=row[8],
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
        return proxies_of(self._connection, proxy_id)

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

    def named(self, receipt: Receipt, subject_id: str) -> Receipt:
        """The receipt with the name for its slip. subject_id: whose it is; empty: nobody was recognised."""
        return replace(receipt, display_name=self.display_name(subject_id)) if subject_id else receipt

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

    def _count(self, table: str) -> int:
        return int(self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
