"""The store: one open database file, its keys and its lock; every write of the terminal goes through here.

Rules: main thread only (the uplink reads its outbox through `SqliteOutbox`). Every method is one transaction or one
read. After a StoreError nothing of that call was written, and the same call may be made again.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.core.messages import (
    ActRecorded,
    AuthorityNeeded,
    ClaimRecorded,
    ClaimRefused,
    MarkSlip,
    OutcomeRecorded,
    RecordClaim,
    RecordOutcome,
)
from edge_agent.core.model import Gallery, Outcome, Receipt, Timestamp
from edge_agent.core.officer_acts import ActRequest
from edge_agent.core.policy import Officer
from edge_agent.key_files import key_id
from edge_agent.ports import EmbedderId, RosterError, StoreError
from edge_agent.roster_file import open_roster
from edge_agent.slip_code import code_of, sign_slip
from edge_agent.store.acts import Acts
from edge_agent.store.claims import Outcomes, TerminalIdentity
from edge_agent.store.database import SET_UP_ANEW, migrate, open_database, told, transaction
from edge_agent.store.deletion import Deletion
from edge_agent.store.file_lock import FileLock
from edge_agent.store.grants import GrantTable, Released
from edge_agent.store.keys import Keys
from edge_agent.store.ledger import Checkpoint, Head, Ledger
from edge_agent.store.receipts import count_copy
from edge_agent.store.roster import RosterInfo, RosterTable
from edge_agent.store.roster_import import RosterChange, RosterImport
from edge_agent.store.surroundings import Surroundings
from edge_agent.store.templates import TemplateCipher

_EVENT_KIND = re.compile(r"[a-z]+([._][a-z]+)*")
_BYTES_PER_MB = 1_000_000


class Store:
    """An open store. Make one with `Store.open`; it is a context manager that closes."""

    def __init__(
        self,
        path: Path,
        lock: FileLock,
        connection: sqlite3.Connection,
        *,
        keys: Keys,
        terminal: TerminalIdentity,
        embedder: EmbedderId | None,
        checkpoint: Checkpoint,
    ) -> None:
        self.path = path
        self._lock = lock
        self._connection = connection
        self._keys = keys
        self._terminal = terminal
        self._embedder = embedder
        self._checkpoint = checkpoint
        self._cipher = TemplateCipher(keys.template)
        self._ledger = Ledger(connection, keys.signing, terminal.id, checkpoint)
        self._grants = GrantTable(connection, self._ledger, checkpoint)
        self._roster = RosterTable(connection, self._cipher, embedder)
        self._import = RosterImport(
            connection, self._ledger, self._roster, self._cipher, terminal_id=terminal.id, checkpoint=checkpoint
        )
        self._deletion = Deletion(connection, path, self._ledger, checkpoint)
        self.wipe_problem = ""
        """Why what a roster took away is not gone from disk yet; empty when it is. Tried again at each open."""
        surroundings = Surroundings(connection, self._roster, terminal.id, ZoneInfo(terminal.timezone))
        self._surroundings = surroundings
        self._outcomes = Outcomes(
            connection, self._ledger, self._roster, surroundings, terminal=terminal, checkpoint=checkpoint
        )
        self._acts = Acts(
            connection, self._ledger, self._roster, surroundings, terminal=terminal, checkpoint=checkpoint
        )

    @classmethod
    def open(
        cls,
        path: Path,
        keys: Keys,
        terminal: TerminalIdentity,
        *,
        embedder: EmbedderId | None = None,
        checkpoint: Checkpoint = lambda _: None,
    ) -> Store:
        """Lock, check, migrate and open the file, creating it if absent.

        embedder: the one this terminal runs; a roster for another is refused. checkpoint: called at each step of a
        transaction (tests). Raises StoreError naming the file, what failed and the remedy; a damaged, foreign or newer
        file, or one of another terminal or key, is left as it is.
        """
        lock = FileLock(path)
        try:
            connection = open_database(path)
            try:
                store = cls(
                    path,
                    lock,
                    connection,
                    keys=keys,
                    terminal=terminal,
                    embedder=embedder,
                    checkpoint=checkpoint,
                )
                with told(path):
                    store._check_identity()
                migrate(connection, path)
                with told(path):
                    store._ledger.check_head(path)
                store._wipe()
            except BaseException:
                connection.close()
                raise
        except BaseException:
            lock.release()
            raise
        return store

    def close(self) -> None:
        """Close the file and free the lock; safe to call twice."""
        self._connection.close()
        self._lock.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def record_claim(self, request: RecordClaim, at: Timestamp) -> ClaimRecorded | ClaimRefused | AuthorityNeeded:
        """Decide and commit. Raises StoreError: nothing was recorded. AuthorityNeeded: nothing either, yet."""
        with transaction(self._connection, self.path):
            self._checkpoint("claim:begun")
            receipt = self._outcomes.record_claim(request, at)
        self._checkpoint("claim:committed")
        if isinstance(receipt, AuthorityNeeded):
            return receipt
        return ClaimRecorded(receipt) if receipt.outcome is Outcome.GIVEN else ClaimRefused(receipt)

    def record_outcome(self, request: RecordOutcome, at: Timestamp) -> OutcomeRecorded:
        """Commit an outcome without a claim. Raises StoreError: nothing was recorded."""
        with transaction(self._connection, self.path):
            self._checkpoint("outcome:begun")
            receipt = self._outcomes.record_outcome(request, at)
        self._checkpoint("outcome:committed")
        return OutcomeRecorded(receipt)

    def record_act(self, request: ActRequest, at: Timestamp) -> ActRecorded:
        """Commit an officer's act, or that it was not done. Raises StoreError: nothing was recorded."""
        with transaction(self._connection, self.path):
            self._checkpoint("act:begun")
            receipt = self._acts.record(request, at)
        self._checkpoint("act:committed")
        return ActRecorded(receipt)

    def mark_slip(self, mark: MarkSlip, at: Timestamp) -> None:
        """Commit whether a slip came out. Raises StoreError, also for a session without an outcome."""
        with transaction(self._connection, self.path):
            self._checkpoint("slip:begun")
            self._outcomes.mark_slip(mark, at)
        self._checkpoint("slip:committed")

    def release(self, entitlement_id: str, grant_number: int, at: Timestamp) -> Released:
        """Give an entitlement back to the centre, or record that nothing of it is left. Raises StoreError: nothing
        changed."""
        with transaction(self._connection, self.path):
            self._checkpoint("release:begun")
            released = self._grants.release(entitlement_id, grant_number, at)
        self._checkpoint("release:committed")
        return released

    def record_terminal_event(self, kind: str, data: Mapping[str, Any], at: Timestamp) -> None:
        """Commit `aid.terminal.<kind>.v1` ("started", "part.failed"). data: JSON values, nothing personal."""
        if not _EVENT_KIND.fullmatch(kind):
            raise StoreError(f"terminal event '{kind}': the kind is lower-case words joined by dots")
        with transaction(self._connection, self.path):
            self._ledger.append(f"aid.terminal.{kind}.v1", data, at)

    def unprinted(self, to: str = "") -> list[Receipt]:
        """Receipts of given claims whose slip is not known to have come out; oldest first. to: a session's id; only
        those of the person whose session it was."""
        with told(self.path):
            return self._outcomes.unprinted(to)

    def gallery(self) -> Gallery:
        """The templates of the roster in force. Raises StoreError when they don't fit this terminal's embedder."""
        with told(self.path):
            return self._roster.gallery()

    def roster_info(self) -> RosterInfo:
        """What roster is in force."""
        with told(self.path):
            return self._roster.info()

    def revoked_tokens(self) -> frozenset[str]:
        """Serials of the tokens that the roster in force withdraws."""
        with told(self.path):
            return self._roster.revoked_tokens()

    def officers(self) -> tuple[Officer, ...]:
        """Whose badges the roster in force lets command this terminal."""
        with told(self.path):
            return self._roster.officers()

    def surely_past(self) -> datetime | None:
        """The latest instant that has surely come, whatever an unconfirmed clock says; None: nothing is known."""
        with told(self.path):
            return self._surroundings.surely_past()

    def closed_by(self) -> str:
        """The officer who closed this terminal; empty when nobody has, or it was opened again."""
        with told(self.path):
            return self._acts.closed_by()

    def count_copy(self, session_id: str) -> int:
        """Number the next copy of this session's slip, from 1. Raises StoreError, also for a session without a slip."""
        with transaction(self._connection, self.path):
            return count_copy(self._connection, session_id)

    def slip_code(self, receipt: Receipt, copy: int) -> str:
        """The signed text of this receipt's slip; copy: 0 for the original. Raises SlipCodeError: there is none."""
        signing = self._keys.signing
        code = code_of(receipt, self._terminal.id, self._terminal.site, key_id(signing.public_key()), copy)
        return sign_slip(code, signing)

    def ledger_head(self) -> Head:
        """The last record: sequence, hash, time."""
        with told(self.path):
            return self._ledger.head()

    def import_roster(self, roster_file: Path, at: Timestamp) -> RosterChange:
        """Put a signed roster, full or delta, in force, or leave the old one. Raises RosterError (file, field, remedy),
        StoreError. Once it is in force, what it took away is wiped from disk; `wipe_problem` says when that failed."""
        file = open_roster(roster_file, self._keys.roster, self._terminal.id, self._keys.exchange, self._embedder)
        if file.header.site != self._terminal.site:
            raise RosterError(
                f"{roster_file}: site: is for '{file.header.site}', this terminal serves '{self._terminal.site}'; "
                "the old roster stays; ask the office for this site's roster"
            )
        with transaction(self._connection, self.path):
            change = self._import.put_in_force(file, at)
            if change.changed:
                self._deletion.order(change.details.people_removed, self._roster.reference(), at)
        self._checkpoint("roster:committed")
        self._wipe()
        return replace(change, wipe_problem=self.wipe_problem)

    def _wipe(self) -> None:
        """Nobody is kept from aid by a disk too full to rewrite the file: what stays to be wiped is said instead."""
        try:
            self._deletion.finish()
        except StoreError as error:
            self.wipe_problem = str(error)
        else:
            self.wipe_problem = ""

    def _check_identity(self) -> None:
        """The file belongs to this terminal and to these keys; a new file is marked with them."""
        mine = {
            "terminal_id": self._terminal.id,
            "signing_key_id": key_id(self._keys.signing.public_key()),
            "template_key_check": self._cipher.check_value,
        }
        with transaction(self._connection, self.path):
            found = dict(self._connection.execute("SELECT key, value FROM meta").fetchall())
            for key in mine.keys() - found.keys():
                self._connection.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, mine[key]))
        for key, remedy in _IDENTITY_REMEDIES.items():
            if found.get(key, mine[key]) != mine[key]:
                raise StoreError(f"{self.path}: {remedy.format(found=found[key], mine=mine[key])}")


_IDENTITY_REMEDIES = {
    "terminal_id": "belongs to terminal '{found}', the settings say '{mine}'; correct terminal.id or store.path",
    "signing_key_id": (
        "its ledger is signed by key {found}, store.signing_key is {mine}; put the old key back: "
        "a chain can't be continued with another one"
    ),
    "template_key_check": (
        f"was encrypted with another key than store.template_key; put the old key back, or {SET_UP_ANEW}"
    ),
}


def check_disk(path: Path, free_min_mb: float) -> float:
    """Free megabytes (10^6 bytes) where the database lies. Raises StoreError when under `store.disk_free_min_mb`."""
    folder = path.absolute().parent
    try:
        free_mb = shutil.disk_usage(folder).free / _BYTES_PER_MB
    except OSError as error:
        raise StoreError(f"{folder}: free space can't be asked ({error.strerror}); check store.path") from error
    if free_mb < free_min_mb:
        raise StoreError(
            f"{folder}: {free_mb:.0f} MB free, store.disk_free_min_mb is {free_min_mb:g}; "
            "free space before records are lost (journalctl --vacuum-size=50M)"
        )
    return free_mb
