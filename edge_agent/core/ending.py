"""How a session ends: recorded, then printed, then shown; and whether the terminal opens for the next person.

Rules: nothing is printed before its record is committed, and nothing without one; a late word from the printer on the
last slip is still noted; a late word from the store is not, because the store itself knows which slips are unprinted.
"""

from __future__ import annotations

from dataclasses import replace

from edge_agent.core.messages import (
    AskAuthority,
    AuthorityAnswered,
    AuthorityNeeded,
    ClaimRecorded,
    ClaimRefused,
    Effect,
    MarkSlip,
    OutcomeRecorded,
    PrintSlip,
    RecordFailed,
    RecordOutcome,
    ReportEnd,
    SetPace,
    SlipFailed,
    SlipPrinted,
)
from edge_agent.core.model import ESSENTIAL_PARTS, MatchKind, Outcome, Paper, Part, Reason, Signal
from edge_agent.core.rules import Now, Rules
from edge_agent.core.state import Move, Phase, Session, elapsed_s, enter, show
from edge_agent.core.witness import NOTHING_SEEN

OUTCOME_SIGNAL = {
    Outcome.GIVEN: Signal.GIVEN,
    Outcome.REFERRED: Signal.REFERRED,
    Outcome.NOT_ENTITLED: Signal.NOT_ENTITLED,
    Outcome.ABANDONED: Signal.ABANDONED,
}


def refer(session: Session, reason: Reason, now: Now) -> Move:
    """End without a claim, for this reason: REFERRED, or ABANDONED when they left."""
    kind = MatchKind.IDENTIFICATION if session.token is None else MatchKind.VERIFICATION
    record = RecordOutcome(
        session.session_id, reason.outcome, reason, kind, session.pad, session.pad_attempts, session.pad_cues
    )
    session = replace(forget(session), outcome=reason.outcome, reason=reason)
    session, effects = show(enter(session, Phase.RECORDING, now), Signal.WORKING, now)
    return session, (*effects, record)


def forget(session: Session) -> Session:
    """The decision is made: drop what identified the person, and the token that named them."""
    return replace(
        session,
        token=None,
        token_refused_s=float("-inf"),
        straight=(),
        probes=(),
        challenge=None,
        witness=NOTHING_SEEN,
        asked_card_s=None,
    )


def on_recorded(session: Session, event: ClaimRecorded | ClaimRefused | OutcomeRecorded, now: Now) -> Move:
    """The record is on disk: print its slip. Who left needs none; a printer known to be down isn't asked."""
    receipt = event.receipt
    if session.phase is not Phase.RECORDING or receipt.session_id != session.session_id:
        return session, ()
    session = replace(session, receipt=receipt, outcome=receipt.outcome, reason=receipt.reason, request=None)
    if receipt.outcome is Outcome.ABANDONED:
        return _settle(session, now, OUTCOME_SIGNAL[Outcome.ABANDONED], ())
    if receipt.reason is Reason.PRINTER_UNAVAILABLE:
        mark = MarkSlip(session.session_id, printed=False, problem="the printer was not ready before the decision")
        return _settle(session, now, Signal.TAKE_SLIP_FAILED, (mark,))
    return enter(session, Phase.PRINTING, now), (PrintSlip(receipt),)


def on_authority_needed(session: Session, event: AuthorityNeeded, now: Now) -> Move:
    """Nothing is recorded yet: ask the centre first, for a few seconds."""
    waiting = session.phase is Phase.RECORDING and session.request is not None and session.request.may_ask
    if not waiting or event.session_id != session.session_id:
        return session, ()
    session, effects = show(enter(session, Phase.AUTHORISING, now), Signal.ASKING_CENTRE, now)
    return session, (*effects, AskAuthority(session.session_id, event.entitlement_ids))


def on_authority_answered(session: Session, event: AuthorityAnswered, now: Now) -> Move:
    """The centre has spoken: decide with what it says."""
    if session.phase is not Phase.AUTHORISING or event.session_id != session.session_id:
        return session, ()
    return _record_again(session, now, event)


def await_authority(session: Session, now: Now, rules: Rules) -> Move:
    """No answer, or no link any more: decide without the centre."""
    if Part.UPLINK in session.faults or elapsed_s(session, now) > rules.limits.authorise_s:
        return _record_again(session, now, AuthorityAnswered(session.session_id))
    return session, ()


def _record_again(session: Session, now: Now, answer: AuthorityAnswered) -> Move:
    if session.request is None:
        raise AssertionError("AUTHORISING without a request")
    if Part.PRINTER in session.faults or (session.printer is not None and not session.printer.can_print):
        return refer(replace(session, request=None), Reason.PRINTER_UNAVAILABLE, now)
    request = replace(session.request, authorities=answer.authorities, claimed=answer.claimed, may_ask=False)
    session, effects = show(enter(replace(session, request=request), Phase.RECORDING, now), Signal.WORKING, now)
    return session, (*effects, request)


def on_record_failed(session: Session, event: RecordFailed, now: Now) -> Move:
    """Nothing could be committed: nothing is given, nothing is printed, and the terminal closes."""
    if session.phase is not Phase.RECORDING or event.session_id != session.session_id:
        return session, ()
    reason = Reason.WALKED_AWAY if session.reason is Reason.WALKED_AWAY else Reason.TERMINAL_FAULT
    session = replace(session, outcome=reason.outcome, reason=reason, faults=session.faults | {Part.STORE})
    return _settle(session, now, OUTCOME_SIGNAL[reason.outcome], ())


def on_slip(session: Session, event: SlipPrinted | SlipFailed, now: Now) -> Move:
    """The printer's word on a slip."""
    printed = isinstance(event, SlipPrinted)
    mark = MarkSlip(event.session_id, printed, "" if isinstance(event, SlipPrinted) else event.problem)
    if session.phase is Phase.PRINTING and event.session_id == session.session_id and session.outcome is not None:
        signal = OUTCOME_SIGNAL[session.outcome] if printed else Signal.TAKE_SLIP_FAILED
        return _settle(session, now, signal, (mark,))
    if not printed or event.session_id != session.last_id:
        return session, ()
    if session.phase is Phase.SETTLING and session.signal is Signal.TAKE_SLIP_FAILED and session.outcome is not None:
        session, shown = show(session, OUTCOME_SIGNAL[session.outcome], now)
        return session, (mark, *shown)
    return session, (mark,)


def _settle(session: Session, now: Now, signal: Signal, effects: tuple[Effect, ...]) -> Move:
    """The session has its outcome; show it."""
    session = replace(enter(session, Phase.SETTLING, now), last_id=session.session_id)
    session, shown = show(session, signal, now)
    outcome = session.outcome or Outcome.REFERRED
    duration_s = round(now.monotonic_s - session.started_s, 3)
    end = ReportEnd(
        session_id=session.session_id,
        outcome=outcome,
        reason=session.reason,
        duration_s=duration_s,
        phases_s=session.phases_s,
        pad_attempts=session.pad_attempts,
        waited_s=round(session.waited_s, 3),
        assisted=bool(session.helped) and outcome is Outcome.GIVEN,
    )
    return session, (*effects, *shown, end)


def rest(session: Session, now: Now) -> Move:
    """Nobody is being served any more: wait for the next person, or close when a needed part is down.

    An officer who has just helped somebody is still at the desk.
    """
    session = replace(
        session, armed=False, arriving_s=None, session_id="", receipt=None, request=None, helped="", phases_s=()
    )
    if not must_close(session) and session.desk.officer_id:
        desk = replace(session.desk.handed_to(session.desk.officer_id), since_s=now.monotonic_s)
        return show(enter(replace(session, desk=desk), Phase.ASSISTING, now), Signal.BADGE_READ, now)
    if not must_close(session):
        return enter(session, Phase.IDLE, now), ()
    desk = session.desk.handed_to("")
    session = replace(enter(session, Phase.OUT_OF_SERVICE, now), asked_s=now.monotonic_s, desk=desk)
    session, shown = show(session, closed_signal(session), now)
    return session, (*shown, SetPace(awake=False))


def must_close(session: Session) -> bool:
    """Whether a part without which nobody can be served is down, or an officer has closed the terminal."""
    printer_down = session.printer is not None and not session.printer.can_print
    return bool(session.faults & ESSENTIAL_PARTS) or printer_down or bool(session.closed_by)


def closed_signal(session: Session) -> Signal:
    """Paper is the one fault an attendant mends without a technician, so it has a signal of its own.

    A printer without paper usually says that it is offline too.
    """
    paper_out = session.printer is not None and session.printer.paper is Paper.OUT
    other_faults = session.faults & (ESSENTIAL_PARTS - {Part.PRINTER})
    if session.closed_by and not must_close(replace(session, closed_by="")):
        return Signal.CLOSED_BY_OFFICER
    return Signal.PAPER_OUT if paper_out and not other_faults else Signal.OUT_OF_SERVICE
