"""Putting a roster file in force: what is accepted, what changes, and the record of it.

Rules: runs inside the caller's transaction, so the old roster stays until the new one is complete and proven. An older
version is refused; the same content again changes nothing, whether it comes in full or as a delta. What is in force
afterwards is read back from the database, and its digest must be the one the office signed.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from typing import Any

from edge_agent.core.model import Entitlement, Timestamp
from edge_agent.ports import RosterError, StoreError
from edge_agent.roster_changes import RosterChanges, changes
from edge_agent.roster_content import Roster, content_sha256, payload_of, without_unwanted_names
from edge_agent.roster_file import RosterFile
from edge_agent.roster_payload import RosterPayload
from edge_agent.store.ledger import Checkpoint, Ledger
from edge_agent.store.receipts import all_entitlements
from edge_agent.store.record_types import ROSTER_IMPORTED
from edge_agent.store.roster import RosterInfo, RosterTable
from edge_agent.store.roster_rows import read_roster_rows, write_roster_rows
from edge_agent.store.roster_warnings import ImportWarning, homes_moved, reissued
from edge_agent.store.templates import TemplateCipher

_WARNINGS_IN_RECORD = 50
_NO_CHANGES = RosterChanges()


@dataclass(frozen=True)
class RosterChange:
    """What an import did. changed: False when the very same content was in force already.

    kind: "full" or "delta". details: by id, empty when nothing changed; warnings: what somebody should look at.
    wipe_problem: why deleted templates are not gone from disk yet; empty when they are.
    """

    changed: bool
    version: int
    previous_version: int
    subjects: int
    subjects_added: int
    subjects_removed: int
    entitlements: int
    kind: str = "full"
    details: RosterChanges = _NO_CHANGES
    warnings: tuple[ImportWarning, ...] = ()
    wipe_problem: str = ""


class RosterImport:
    """Imports through the store's connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ledger: Ledger,
        table: RosterTable,
        cipher: TemplateCipher,
        *,
        terminal_id: str,
        checkpoint: Checkpoint,
    ) -> None:
        self._terminal_id = terminal_id
        self._connection = connection
        self._ledger = ledger
        self._table = table
        self._cipher = cipher
        self._checkpoint = checkpoint

    def put_in_force(self, file: RosterFile, at: Timestamp) -> RosterChange:
        """Replace the roster in force by what the file holds. Raises RosterError: nothing was changed."""
        old = self._table.info()
        if self._is_in_force(file, old):
            return RosterChange(False, old.version, old.version, old.subjects, 0, 0, old.entitlements, file.header.kind)
        roster = without_unwanted_names(file.roster(self._base(file, old)))
        self._check_claimed(roster, str(file.path))
        entitlements = all_entitlements(self._connection)
        warnings = self._warnings(entitlements, roster, at)
        before, people = self._old_payload(), self._people()
        write_roster_rows(self._connection, self._cipher, roster, at, self._checkpoint)
        digest = self._prove(file)
        self._connection.execute("UPDATE roster SET content_sha256 = ?", (digest,))
        details = replace(
            changes(before, payload_of(roster)),
            people_added=tuple(s.subject_id for s in roster.subjects if s.subject_id not in people),
            people_removed=tuple(sorted(people - {s.subject_id for s in roster.subjects})),
        )
        change = RosterChange(
            True,
            roster.version,
            old.version,
            len(roster.subjects),
            len(details.people_added),
            len(details.people_removed),
            len(roster.entitlements),
            file.header.kind,
            details,
            warnings,
        )
        self._ledger.append(ROSTER_IMPORTED, _record(change, roster, digest), at)
        return change

    def _is_in_force(self, file: RosterFile, old: RosterInfo) -> bool:
        """Whether this very content is in force. Raises RosterError when the file is older or contradicts it."""
        header = file.header
        if header.version < old.version:
            raise RosterError(
                f"{file.path}: version {header.version} is older than {old.version}, which is in force and stays; "
                "ask the office for the newest roster"
            )
        if header.version > old.version:
            return False
        if file.sha256 == old.file_sha256 or (header.content_sha256 or "-") == old.content_sha256:
            return True
        raise RosterError(
            f"{file.path}: version {header.version} is in force already with other content, which stays; "
            "a changed roster needs a higher version"
        )

    def _base(self, file: RosterFile, old: RosterInfo) -> Roster | None:
        """What a delta is applied to; None for a full file. Raises RosterError when it is not in force here."""
        header = file.header
        if header.kind == "full":
            return None
        if (header.base_version, header.base_sha256) != (old.version, old.content_sha256):
            here = f"version {old.version}" if old.version else "no roster"
            if header.base_version == old.version:
                here += " with other content"
            raise RosterError(
                f"{file.path}: base_version: is a delta from version {header.base_version}, here {here} is in force, "
                f"which stays; import the delta made from it, or the full roster of version {header.version}"
            )
        return read_roster_rows(self._connection, self._cipher)

    def _prove(self, file: RosterFile) -> str:
        """The digest of what is in the tables now. Raises RosterError when it is not what the office signed."""
        written = read_roster_rows(self._connection, self._cipher)
        digest = "" if written is None else content_sha256(written)
        promised = file.header.content_sha256
        if promised is not None and promised != digest:
            raise RosterError(
                f"{file.path}: content_sha256: the office signed {promised[:12]}…, what would be in force is "
                f"{digest[:12]}…; the old roster stays; ask the office for the full roster, made again"
            )
        return digest

    def _old_payload(self) -> RosterPayload:
        """What to compare with. A row that can't be opened must not keep its cure out: then everything is new."""
        try:
            roster = read_roster_rows(self._connection, self._cipher)
        except StoreError:
            roster = None
        return RosterPayload(subjects=(), entitlements=()) if roster is None else payload_of(roster)

    def _people(self) -> set[str]:
        return {row[0] for row in self._connection.execute("SELECT subject_id FROM subject")}

    def _warnings(self, old: list[Entitlement], roster: Roster, at: Timestamp) -> tuple[ImportWarning, ...]:
        alone = self._table.terminals() <= 1, roster.terminals <= 1
        return (
            *reissued(self._connection, old, roster.entitlements),
            *homes_moved(self._connection, old, roster.entitlements, at.utc, self._terminal_id, alone=alone),
        )

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


def _record(change: RosterChange, roster: Roster, digest: str) -> dict[str, Any]:
    return {
        "version": change.version,
        "previous_version": change.previous_version,
        "kind": change.kind,
        "sha256": roster.file_sha256,
        "content_sha256": digest,
        "site": roster.site,
        "terminals": roster.terminals,
        "subjects": change.subjects,
        "subjects_added": change.subjects_added,
        "subjects_removed": change.subjects_removed,
        "entitlements": change.entitlements,
        "proxies": len(roster.proxies),
        "officers": len(roster.officers),
        "revoked_tokens": len(roster.revoked_tokens),
        "embedder": roster.embedder.name,
        "embedder_sha256": roster.embedder.sha256,
        "warnings": len(change.warnings),
        "warned": [
            {"code": warning.code, "entitlement_id": warning.entitlement_id, "other": warning.other}
            for warning in change.warnings[:_WARNINGS_IN_RECORD]
        ],
    }
