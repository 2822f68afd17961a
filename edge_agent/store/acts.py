"""Officers' acts: checked, done and written in one transaction, with the officer's opaque id.

Rules: inside the caller's transaction. Every act, also one that is not done, leaves a ledger record, its outbox row and
a row of `officer_act`. An act has one answer: asked again (a retry after a crash), the stored one is given. A void
touches nothing but `claim.voided_seq`, which the table lets be set once: that opens the entitlement again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from edge_agent.core.act_rules import CaseFacts, problem_of
from edge_agent.core.model import Outcome, Receipt, Timestamp
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt, ActRequest, DayTotals
from edge_agent.ports import StoreError
from edge_agent.store.claims import TerminalIdentity
from edge_agent.store.day_totals import acts_today, totals_data, totals_from, totals_of
from edge_agent.store.ledger import Checkpoint, Head, Ledger
from edge_agent.store.receipts import count_copy, receipts_where
from edge_agent.store.record_types import CLAIM_VOIDED, DAY_ENDED, OFFICER_ACTED, REFERRAL_RESOLVED
from edge_agent.store.records import instant_text, parse_instant
from edge_agent.store.roster import RosterTable
from edge_agent.store.surroundings import Surroundings

_TYPES = {Act.VOID: CLAIM_VOIDED, Act.REFERRAL_RESOLVED: REFERRAL_RESOLVED, Act.DAY_END: DAY_ENDED}
"""Records of acts that were done; all others, and every act that was not done, are `OFFICER_ACTED`."""


@dataclass(frozen=True)
class _Case:
    """The outcome that an act is about, and whose session it was ("": nobody was recognised)."""

    receipt: Receipt
    subject_id: str
    facts: CaseFacts


class Acts:
    """Officers' acts through the store's connection."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        ledger: Ledger,
        roster: RosterTable,
        surroundings: Surroundings,
        *,
        terminal: TerminalIdentity,
        checkpoint: Checkpoint,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._roster = roster
        self._surroundings = surroundings
        self._terminal = terminal
        self._checkpoint = checkpoint

    def record(self, request: ActRequest, at: Timestamp) -> ActReceipt:
        """Check, do and write. Raises StoreError when this act's id was used for another one."""
        stored = self._stored(request)
        if stored is not None:
            return stored
        before = self._ledger.head()
        instant = self._surroundings.instant(at, before)
        day = self._surroundings.local_day(instant)
        case = self._case(request)
        problem = problem_of(
            request, case.facts if case else None, self._done_today(request, day), self._roster.policy().officers
        )
        act = replace(request, case_number=case.receipt.case_number if case else request.case_number)
        detail: dict[str, Any] = {}
        if problem is None:
            detail = self._do(act, case, day, before.sequence + 1)
            self._checkpoint("act:done")
        new = self._ledger.append(*self._record(act, problem, day, detail, before), at)
        self._connection.execute(
            "INSERT INTO officer_act (act_id, act, officer_id, second_officer_id, case_number, problem, day,"
            " recorded_at, seq, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                act.act_id,
                act.act.value,
                act.officer_id,
                act.second_officer_id,
                act.case_number,
                problem.value if problem else None,
                day,
                instant_text(instant),
                new.sequence,
                json.dumps(detail),
            ),
        )
        self._checkpoint("act:inserted")
        written = self._stored(request)
        assert written is not None  # it was inserted above
        return written

    def closed_by(self) -> str:
        """The officer whose CLOSE is newer than any OPEN; empty: none."""
        row = self._connection.execute(
            "SELECT act, officer_id FROM officer_act WHERE act IN (?, ?) AND problem IS NULL ORDER BY seq DESC LIMIT 1",
            (Act.CLOSE.value, Act.OPEN.value),
        ).fetchone()
        return str(row[1]) if row is not None and row[0] == Act.CLOSE.value else ""

    def _done_today(self, request: ActRequest, day: str) -> int:
        officers = {request.officer_id, request.second_officer_id or request.officer_id}
        return max(acts_today(self._connection, request.act, officer, day) for officer in officers)

    def _do(self, act: ActRequest, case: _Case | None, day: str, sequence: int) -> dict[str, Any]:
        """Do it; what the record and a second answer need. sequence: of the record that is about to be written."""
        if act.act is Act.DAY_END:
            return {"totals": totals_data(totals_of(self._connection, day))}
        if case is None:
            return {}
        session_id = case.receipt.session_id
        if act.act is Act.REPRINT:
            return {"session": session_id, "copy": count_copy(self._connection, session_id)}
        if act.act is Act.VOID:
            standing = [claim.claim_id for claim in case.receipt.claims if not claim.voided]
            for claim_id in standing:
                self._connection.execute("UPDATE claim SET voided_seq = ? WHERE claim_id = ?", (sequence, claim_id))
            return {"session": session_id, "claims": standing}
        return {"session": session_id}

    def _case(self, request: ActRequest) -> _Case | None:
        """Of the slip shown; with a card, the latest claim of its bearer that stands, or else their latest outcome."""
        if request.act not in (Act.REPRINT, Act.VOID, Act.REFERRAL_RESOLVED):
            return None
        if request.case_number is not None:
            found = self._cases("case_number = ?", request.case_number)
        elif request.subject_id is not None:
            found = self._cases("subject_id = ? AND outcome <> 'ABANDONED'", request.subject_id)
        else:
            return None
        standing = [case for case in found if case.facts.outcome is Outcome.GIVEN and not case.facts.void]
        chosen = standing or found
        return chosen[-1] if chosen else None

    def _cases(self, condition: str, value: str) -> list[_Case]:
        """Oldest first."""
        cases = []
        for receipt, subject_id in receipts_where(self._connection, condition, (value,)):
            void = bool(receipt.claims) and all(claim.voided for claim in receipt.claims)
            resolved = self._connection.execute(
                "SELECT 1 FROM officer_act WHERE case_number = ? AND act = ? AND problem IS NULL",
                (receipt.case_number, Act.REFERRAL_RESOLVED.value),
            ).fetchone()
            cases.append(_Case(receipt, subject_id, CaseFacts(receipt.outcome, void, resolved is not None)))
        return cases

    def _stored(self, request: ActRequest) -> ActReceipt | None:
        """The answer this act already has."""
        row = self._connection.execute(
            "SELECT act, officer_id, second_officer_id, problem, day, recorded_at, seq, hash, case_number, detail"
            " FROM officer_act JOIN ledger USING (seq) WHERE act_id = ?",
            (request.act_id,),
        ).fetchone()
        if row is None:
            return None
        act, officer_id, second_officer_id, problem, day, recorded_at, sequence, digest, case_number, detail_text = row
        if (act, officer_id) != (request.act.value, request.officer_id):
            raise StoreError(f"act {request.act_id}: already recorded as another act; nothing was recorded")
        detail = json.loads(detail_text)
        copy = self._copy(detail["session"]) if "session" in detail else None
        totals: DayTotals | None = totals_from(day, detail["totals"]) if "totals" in detail else None
        return ActReceipt(
            act_id=request.act_id,
            act=Act(act),
            officer_id=officer_id,
            recorded_at=parse_instant(recorded_at),
            record_seq=sequence,
            record_hash=digest,
            problem=ActProblem(problem) if problem else None,
            case_number=case_number or "",
            copy=copy if act in (Act.REPRINT.value, Act.VOID.value) else None,
            copy_number=detail.get("copy", 0),
            totals=totals,
            second_officer_id=second_officer_id,
        )

    def _copy(self, session_id: str) -> Receipt:
        return self._roster.named(*receipts_where(self._connection, "session_id = ?", (session_id,))[0])

    def _record(
        self, act: ActRequest, problem: ActProblem | None, day: str, detail: Mapping[str, Any], before: Head
    ) -> tuple[str, dict[str, Any]]:
        """Type and data of the act's record. before: the ledger's head, which a day's end confirms."""
        common = {"act_id": act.act_id, "officer": act.officer_id, "day": day, "site": self._terminal.site}
        if problem is not None or act.act not in _TYPES:
            told = {
                "act": act.act.value,
                "second_officer": act.second_officer_id,
                "case_number": act.case_number,
                "problem": problem.value if problem else None,
            }
            return OFFICER_ACTED, {**told, **({"copy": detail["copy"]} if "copy" in detail else {}), **common}
        if act.act is Act.DAY_END:
            head = {"sequence": before.sequence, "hash": before.hash}
            return DAY_ENDED, {"totals": detail["totals"], "head": head, **common}
        data = {"case_number": act.case_number, **common}
        if act.act is Act.VOID:
            data.update({"claims": detail["claims"], "second_officer": act.second_officer_id})
        return _TYPES[act.act], data
