"""Outcomes: what a session ended with, decided and written in one transaction.

Rules: `record_claim` decides inside the transaction that writes, so nothing can come between. Every outcome, also a
refusal, leaves a ledger record and an outbox row in that same transaction. A session has one outcome: asked again (a
retry after a crash), the stored receipt answers.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from edge_agent.core.decision import Grant, Granted, Refused
from edge_agent.core.eligibility import decide
from edge_agent.core.messages import AuthorityNeeded, MarkSlip, RecordClaim, RecordOutcome
from edge_agent.core.model import Claim, Outcome, Reason, Receipt, Timestamp
from edge_agent.core.officer_acts import Assistance
from edge_agent.core.policy import Circumstances, Policy
from edge_agent.ports import StoreError
from edge_agent.store.case_number import case_number
from edge_agent.store.day_totals import assisted_today
from edge_agent.store.ledger import Checkpoint, Head, Ledger
from edge_agent.store.receipts import (
    claims_where,
    entitlements_where,
    insert_claim,
    insert_session,
    receipts_where,
)
from edge_agent.store.record_types import CLAIM_RECORDED, SESSION_ENDED, SLIP_FAILED, SLIP_PRINTED
from edge_agent.store.records import (
    assistance_data,
    benefit_data,
    claim_data,
    entitlement_data,
    evidence_data,
    instant_text,
)
from edge_agent.store.roster import RosterTable
from edge_agent.store.surroundings import Surroundings

_LONGEST_PROBLEM = 200


@dataclass(frozen=True)
class TerminalIdentity:
    """Who writes: id and site as in the settings, place as on slips, timezone an IANA name (the local day counts)."""

    id: str
    site: str
    place: str
    timezone: str


class Outcomes:
    """Sessions and claims through the store's connection. Methods run inside the caller's transaction."""

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
        self._terminal = terminal
        self._surroundings = surroundings
        self._checkpoint = checkpoint

    def record_claim(self, request: RecordClaim, at: Timestamp) -> Receipt | AuthorityNeeded:
        """Decide and write; the receipt's outcome is GIVEN, NOT_ENTITLED or REFERRED.

        Nothing is written when the centre must be asked first and the request allows it.
        """
        stored = self._stored(request.session_id, request.subject_id)
        if stored is not None:
            return stored
        head = self._ledger.head()
        instant = self._surroundings.instant(at, head)
        decision = self._decide(request, instant, at.clock_trusted)
        if decision.ask and request.may_ask:
            return AuthorityNeeded(request.session_id, decision.ask)
        base: dict[str, Any] = {
            "session": request.session_id,
            "subject": request.subject_id,
            "evidence": evidence_data(request.evidence) if request.evidence is not None else None,
            "assisted": request.assistance is not None,
            "assistance": assistance_data(request.assistance) if request.assistance is not None else None,
        }
        number = case_number(self._terminal.id, head.sequence + 1)
        if isinstance(decision, Refused):
            return self._refuse(request, decision, number=number, instant=instant, base=base, at=at)
        claims = self._claims(decision.grants, number, instant, request.assistance)
        for claim in claims:
            insert_claim(self._connection, claim, request.session_id, head.sequence + 1)
        self._checkpoint("claim:inserted")
        data = {
            **base,
            "claims": [claim_data(claim) for claim in claims],
            "remaining": [benefit_data(benefit) for benefit in decision.remaining],
        }
        new = self._append(CLAIM_RECORDED, None, number, data, at)
        receipt = Receipt(
            session_id=request.session_id,
            outcome=Outcome.GIVEN,
            reason=None,
            case_number=number,
            recorded_at=instant,
            record_seq=new.sequence,
            record_hash=new.hash,
            claims=claims,
            remaining=decision.remaining,
            roster_issued_at=self._roster.issued_at(),
        )
        return self._finish(receipt, request.subject_id)

    def record_outcome(self, request: RecordOutcome, at: Timestamp) -> Receipt:
        """Write an outcome that has no claim and no subject."""
        if request.outcome is not request.reason.outcome:
            raise StoreError(
                f"session {request.session_id}: outcome {request.outcome.value} does not go with "
                f"reason {request.reason.value}"
            )
        stored = self._stored(request.session_id, None)
        if stored is not None:
            return stored
        head = self._ledger.head()
        number = case_number(self._terminal.id, head.sequence + 1)
        attempt = {
            "kind": request.kind.value,
            "pad": request.pad.value,
            "pad_attempts": request.pad_attempts,
            "pad_cues": dict(request.pad_cues),
        }
        data = {"session": request.session_id, "attempt": attempt}
        new = self._append(SESSION_ENDED, request.reason, number, data, at)
        receipt = Receipt(
            session_id=request.session_id,
            outcome=request.outcome,
            reason=request.reason,
            case_number=number,
            recorded_at=self._surroundings.instant(at, head),
            record_seq=new.sequence,
            record_hash=new.hash,
            roster_issued_at=self._roster.issued_at(),
            tries=request.pad_attempts,
        )
        return self._finish(receipt, None)

    def mark_slip(self, mark: MarkSlip, at: Timestamp) -> None:
        """Note that the slip came out, or why not; saying the same again changes nothing."""
        row = self._connection.execute(
            "SELECT case_number, slip, slip_problem FROM session WHERE session_id = ?", (mark.session_id,)
        ).fetchone()
        if row is None:
            raise StoreError(f"session {mark.session_id}: has no recorded outcome, so it has no slip to mark")
        problem = "" if mark.printed else mark.problem[:_LONGEST_PROBLEM]
        state = "printed" if mark.printed else "failed"
        if (row[1], row[2]) == (state, problem):
            return
        data = {"session": mark.session_id, "case_number": row[0]}
        if not mark.printed:
            data["problem"] = problem
        new = self._ledger.append(SLIP_PRINTED if mark.printed else SLIP_FAILED, data, at)
        if row[1] != "printed":
            self._connection.execute(
                "UPDATE session SET slip = ?, slip_problem = ?, slip_at = ? WHERE session_id = ?",
                (state, problem, instant_text(new.time), mark.session_id),
            )
        self._checkpoint("slip:marked")

    def unprinted(self, to: str = "") -> list[Receipt]:
        """Given, and the slip is not known to have come out; oldest first. to: a session; only to whom it was."""
        condition = "outcome = 'GIVEN' AND slip <> 'printed'"
        if to:
            condition += " AND subject_id = (SELECT subject_id FROM session WHERE session_id = ?)"
        found = receipts_where(self._connection, condition, (to,) if to else ())
        return [self._roster.named(receipt, subject_id) for receipt, subject_id in found]

    def _decide(self, request: RecordClaim, instant: datetime, clock_trusted: bool) -> Granted | Refused:
        subject_id = request.subject_id
        if not self._roster.has_subject(subject_id):
            # The roster changed since the face was matched: circumstance, not data.
            return Refused(Reason.NOT_RECOGNISED)
        here, policy = self._surroundings.circumstances(request, instant, clock_trusted), self._roster.policy()
        proxies = self._roster.proxied_by(subject_id)
        rights = [
            *entitlements_where(self._connection, "subject_id", subject_id),
            *entitlements_where(self._connection, "entitlement_id", *(proxy.entitlement_id for proxy in proxies)),
        ]
        claims = claims_where(self._connection, "entitlement_id", *(right.entitlement_id for right in rights))
        decision = decide(subject_id, rights, claims, here, policy=policy, proxies=proxies)
        if request.assistance is None:
            return decision
        refused = self._refuse_assistance(request.assistance, subject_id, here, policy)
        if refused is not None:
            return refused
        # A proxy comes with their own face: an officer's word stands for what is the bearer's own and no more.
        own = decide(subject_id, rights, claims, here, policy=policy)
        if isinstance(own, Granted) or own.reason.outcome is not Outcome.NOT_ENTITLED:
            return own
        by_face = isinstance(decision, Granted) or decision.reason.outcome is not Outcome.NOT_ENTITLED
        return Refused(Reason.NOT_RECOGNISED, own.earlier) if by_face else own

    def _refuse_assistance(
        self, assistance: Assistance, subject_id: str, here: Circumstances, policy: Policy
    ) -> Refused | None:
        """An officer vouches only so often a day, only while on the roster, and never for themselves."""
        officer = next((one for one in self._roster.officers() if one.officer_id == assistance.officer_id), None)
        if officer is not None and officer.subject_id == subject_id:
            return Refused(Reason.PROXY_ON_DUTY)
        done = assisted_today(self._connection, assistance.officer_id, here.today.isoformat())
        most = 0 if officer is None else policy.officers.assisted_per_day
        return Refused(Reason.ASSISTED_LIMIT) if done >= most else None

    def _claims(
        self, grants: tuple[Grant, ...], number: str, instant: datetime, assistance: Assistance | None
    ) -> tuple[Claim, ...]:
        """One claim each; a lone claim has the case number, several have -1, -2 … behind it."""
        return tuple(
            Claim(
                claim_id=str(uuid.uuid4()),
                claim_number=number if len(grants) == 1 else f"{number}-{place}",
                entitlement_id=grant.entitlement.entitlement_id,
                subject_id=grant.entitlement.subject_id,
                programme=grant.entitlement.programme,
                cycle=grant.entitlement.cycle,
                benefit=replace(grant.entitlement.benefit, amount=grant.amount),
                claimed_at=instant,
                terminal_id=self._terminal.id,
                place=self._terminal.place,
                portion=grant.portion,
                left=grant.left,
                proxy_id=grant.proxy_id,
                assisted_by=assistance.officer_id if assistance is not None else None,
                assist_reason=assistance.reason.value if assistance is not None else None,
                grant_number=grant.grant_number,
            )
            for place, grant in enumerate(grants, 1)
        )

    def _refuse(
        self,
        request: RecordClaim,
        decision: Refused,
        *,
        number: str,
        instant: datetime,
        base: Mapping[str, Any],
        at: Timestamp,
    ) -> Receipt:
        reason, outcome = decision.reason, decision.reason.outcome
        data = dict(base)
        if decision.entitlement is not None:
            data["entitlement"] = entitlement_data(decision.entitlement)
        if decision.earlier is not None:
            data["earlier_claim"] = decision.earlier.claim_id
        new = self._append(SESSION_ENDED, reason, number, data, at)
        receipt = Receipt(
            session_id=request.session_id,
            outcome=outcome,
            reason=reason,
            case_number=number,
            recorded_at=instant,
            record_seq=new.sequence,
            record_hash=new.hash,
            earlier=decision.earlier,
            entitlement=decision.entitlement,
            roster_issued_at=self._roster.issued_at(),
            open_from=decision.open_from,
            tries=request.evidence.pad_attempts if request.evidence is not None else 0,
        )
        return self._finish(receipt, request.subject_id)

    def _append(
        self, event_type: str, reason: Reason | None, number: str, data: Mapping[str, Any], at: Timestamp
    ) -> Head:
        """The ledger record of an outcome, with what every one of them says."""
        instant = self._surroundings.instant(at, self._ledger.head())
        common = {
            "outcome": (reason.outcome if reason else Outcome.GIVEN).value,
            "reason": reason.value if reason else None,
            "case_number": number,
            "day": self._surroundings.local_day(instant),
            "site": self._terminal.site,
            "place": self._terminal.place,
            "roster": self._roster.reference(),
        }
        return self._ledger.append(event_type, {**data, **common}, at)

    def _finish(self, receipt: Receipt, subject_id: str | None) -> Receipt:
        insert_session(self._connection, receipt, subject_id, self._surroundings.local_day(receipt.recorded_at))
        self._checkpoint("session:inserted")
        return self._roster.named(receipt, subject_id or "")

    def _stored(self, session_id: str, subject_id: str | None) -> Receipt | None:
        """The receipt this session already has. Raises StoreError when it belongs to somebody else."""
        found = receipts_where(self._connection, "session_id = ?", (session_id,))
        if not found:
            return None
        receipt, owner = found[0]
        if subject_id is not None and owner and owner != subject_id:
            raise StoreError(f"session {session_id}: already recorded for another subject; nothing was recorded")
        return self._roster.named(receipt, owner)
