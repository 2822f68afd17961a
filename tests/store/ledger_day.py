"""A made-up day at a terminal, as records: claims, referrals, a void, a reprint, slips; through the real store."""

from __future__ import annotations

from pathlib import Path

from edge_agent.core.messages import ClaimRecorded, MarkSlip, RecordClaim
from edge_agent.core.model import Reason, Receipt
from edge_agent.core.officer_acts import Act, ActRequest, Assistance, AssistReason
from edge_agent.core.policy import Officer
from edge_agent.store import Store
from edge_agent.store.record_files import Event, records_of
from tests.store.terminal import Clock, claim_of, open_store, referral, roster, write_roster

DAY = "2026-03-10"
ZONE = "Asia/Jakarta"


def events_of(store: Store) -> list[Event]:
    return list(records_of(store.path).events())


def give(store: Store, clock: Clock, subject: str, session: str, officer: str | None = None) -> Receipt:
    request = claim_of(subject, session)
    if officer is not None:
        request = RecordClaim(session, subject, None, Assistance(officer, AssistReason.VEIL))
    answer = store.record_claim(request, clock(minutes=1))
    assert isinstance(answer, ClaimRecorded), answer
    return answer.receipt


def live_a_day(folder: Path, clock: Clock) -> Store:
    """Six people: s1..s4 given (s3 by an officer, s4 voided), s5 already claimed twice over, two referred, one left."""
    store = open_store(folder / "terminal.db")
    content = roster(1, 6, officers=(Officer("o1"), Officer("o2")))
    store.import_roster(write_roster(folder / "roster.aid", content), clock())
    given = [give(store, clock, subject, f"g-{subject}") for subject in ("s1", "s2")]
    given.append(give(store, clock, "s3", "g-s3", "o1"))
    given.append(give(store, clock, "s4", "g-s4"))
    for receipt in given[:3]:
        store.mark_slip(MarkSlip(receipt.session_id, True), clock())
    store.record_claim(claim_of("s1", "again"), clock(minutes=1))
    lost = store.record_outcome(referral("r-1"), clock(minutes=1)).receipt
    store.record_outcome(referral("r-2", Reason.NOT_LIVE), clock(minutes=1))
    store.record_outcome(referral("w-1", Reason.WALKED_AWAY), clock(minutes=1))
    acts = (
        ActRequest("a-1", Act.VOID, "o1", "o2", given[3].case_number),
        ActRequest("a-2", Act.REPRINT, "o1", None, given[0].case_number),
        ActRequest("a-3", Act.REFERRAL_RESOLVED, "o2", None, lost.case_number),
        ActRequest("a-4", Act.VOID, "o1", "o1", given[1].case_number),
    )
    for act in acts:
        store.record_act(act, clock(minutes=1))
    return store
