"""One person, from arrival to slip: `step(session, event, now, rules) -> (session, effects)`.

IDLE → ACQUIRING → CHALLENGING → IDENTIFYING → RECORDING (→ AUTHORISING → RECORDING) → PRINTING → SETTLING → IDLE; also
ASSISTING (an officer's badge) and OUT_OF_SERVICE.

`state.py` holds the state, `serving.py` the phases with a person present, `ending.py` how it ends, `officers.py` the
desk; this file receives events, waits for arrivals and watches the limits.

Rules
- Pure: time and chance come in as `Now`, everything else as events; no event in any phase raises.
- A session ends within `limits.max_s` in GIVEN, REFERRED, NOT_ENTITLED or ABANDONED. A face can only be referred.
- Every phase has a limit. IDLE and OUT_OF_SERVICE hold nobody up; a closed terminal asks its printer every `recheck_s`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from edge_agent.core import ending, officers, serving
from edge_agent.core.desk import Code
from edge_agent.core.messages import (
    ActRecorded,
    AskPrinterStatus,
    AuthorityAnswered,
    AuthorityNeeded,
    BadgeShown,
    ClaimRecorded,
    ClaimRefused,
    CommandShown,
    Event,
    FaceObserved,
    OutcomeRecorded,
    PartFailed,
    PartRecovered,
    PrinterStatusReported,
    RecordFailed,
    SetPace,
    SlipFailed,
    SlipPrinted,
    SlipShown,
    TokenPresented,
    TokenRefused,
)
from edge_agent.core.model import (
    ESSENTIAL_PARTS,
    FaceObservation,
    Part,
    QualityProblem,
    Reason,
    Signal,
)
from edge_agent.core.rules import Now, Rules
from edge_agent.core.state import WITH_PERSON, Move, Phase, Session, elapsed_s, enter, new_id, show, without_verdict
from edge_agent.core.witness import NOTHING_SEEN

Answer = (
    ClaimRecorded
    | ClaimRefused
    | OutcomeRecorded
    | AuthorityNeeded
    | AuthorityAnswered
    | ActRecorded
    | RecordFailed
    | SlipPrinted
    | SlipFailed
)
_ANSWERS = get_args(Answer)

LINGER_S = 5.0
"""How long after the result somebody may stand there before a face on another track is taken for the next person."""


def step(session: Session, event: Event, now: Now, rules: Rules) -> Move:
    """One step. Returns the next state and the effects to perform in order."""
    if isinstance(event, FaceObserved):
        return _on_face(session, event.observation, now, rules)
    if isinstance(event, _ANSWERS):
        return _on_answer(session, event, now)
    if isinstance(event, (BadgeShown, CommandShown, SlipShown, TokenPresented)) and _for_the_desk(session, event):
        if isinstance(event, BadgeShown) and session.phase is not Phase.ASSISTING:
            return officers.arrive(session, event, now)
        return officers.on_code(session, event, now)
    if isinstance(event, PartFailed):
        return _on_failure(replace(session, faults=session.faults | {event.part}), event.part, now, rules)
    if isinstance(event, PartRecovered):
        session = replace(session, faults=session.faults - {event.part})
    elif isinstance(event, PrinterStatusReported):
        session = replace(session, printer=event.status)
    elif isinstance(event, TokenPresented) and (session.phase in WITH_PERSON or session.armed):
        # Not while the last person is still there with their card in view: it would be held against the next one.
        return _on_token(session, event, now, rules)
    elif isinstance(event, TokenRefused) and session.phase is Phase.ASSISTING:
        return officers.on_refused_code(session, now)
    elif isinstance(event, TokenRefused) and event.of_officer and session.armed:
        return _advance(session, now, rules) if event.again else _tell_card(session, Signal.CARD_REFUSED, now, rules)
    elif isinstance(event, TokenRefused) and not event.of_officer and (session.phase in WITH_PERSON or session.armed):
        return _on_refused_token(session, now, rules)
    return _advance(session, now, rules)


def _on_answer(session: Session, event: Answer, now: Now) -> Move:
    """What store, printer and centre say to an effect; each looks whether it is still waited for."""
    if isinstance(event, (ClaimRecorded, ClaimRefused, OutcomeRecorded)):
        return ending.on_recorded(session, event, now)
    if isinstance(event, AuthorityNeeded):
        return ending.on_authority_needed(session, event, now)
    if isinstance(event, AuthorityAnswered):
        return ending.on_authority_answered(session, event, now)
    if isinstance(event, ActRecorded):
        return officers.on_recorded(session, event, now)
    if isinstance(event, RecordFailed):
        if session.phase is Phase.ASSISTING:
            return officers.on_record_failed(session, event, now)
        return ending.on_record_failed(session, event, now)
    of_act = session.desk.receipt is not None and event.session_id == session.desk.receipt.act_id
    return officers.on_slip(session, event, now) if of_act else ending.on_slip(session, event, now)


def _for_the_desk(session: Session, event: Code) -> bool:
    """Codes go to the desk while an officer is at it; a badge opens it."""
    return session.phase is Phase.ASSISTING or (isinstance(event, BadgeShown) and officers.can_begin(session))


def _on_failure(session: Session, part: Part, now: Now, rules: Rules) -> Move:
    """Whoever is being served is referred; the terminal closes when they are done."""
    helping = session.phase is Phase.ASSISTING and bool(session.session_id)
    if part in ESSENTIAL_PARTS and (session.phase in WITH_PERSON or helping):
        reason = Reason.PRINTER_UNAVAILABLE if part is Part.PRINTER else Reason.TERMINAL_FAULT
        return ending.refer(session, reason, now)
    return _advance(session, now, rules)


def _on_token(session: Session, event: TokenPresented, now: Now, rules: Rules) -> Move:
    """This person is verified against the subject named; a code refused before no longer counts."""
    known = session.token == event.subject_id and now.monotonic_s - session.token_s <= rules.limits.token_s
    session = replace(session, token=event.subject_id, token_s=now.monotonic_s, token_refused_s=float("-inf"))
    return _tell_card(session, Signal.CARD_READ, now, rules) if not known else _advance(session, now, rules)


def _on_refused_token(session: Session, now: Now, rules: Rules) -> Move:
    known = now.monotonic_s - session.token_refused_s <= rules.limits.token_s
    session = replace(session, token_refused_s=now.monotonic_s)
    return _tell_card(session, Signal.CARD_REFUSED, now, rules) if not known else _advance(session, now, rules)


def _tell_card(session: Session, signal: Signal, now: Now, rules: Rules) -> Move:
    """Shown for a moment, but never instead of a light that asks for a turn."""
    if session.phase not in (Phase.IDLE, Phase.ACQUIRING):
        return _advance(session, now, rules)
    session, effects = show(session, signal, now)
    session, more = _advance(session, now, rules)
    return session, (*effects, *more)


def _on_face(session: Session, seen: FaceObservation, now: Now, rules: Rules) -> Move:
    present = seen.track_id is not None
    if session.phase in WITH_PERSON:
        session = replace(session, problems=seen.problems, seen_s=now.monotonic_s if present else session.seen_s)
        return serving.on_face(session, seen, now, rules) if present else _advance(session, now, rules)
    near = present and QualityProblem.TOO_FAR not in seen.problems
    session = _note_waiting(replace(session, problems=seen.problems), seen, near, now)
    if near and not _is_next(session, seen, now):
        session = replace(session, seen_s=now.monotonic_s)
    if session.phase is Phase.IDLE:
        since_s = now.monotonic_s if session.arriving_s is None else session.arriving_s
        session = replace(session, arriving_s=since_s if near else None)
        if session.armed:
            session = replace(session, track_id=seen.track_id)
    return _advance(session, now, rules)


def _note_waiting(session: Session, seen: FaceObservation, near: bool, now: Now) -> Session:
    """Since when somebody else than the one just served has been near; nobody near, nobody waits."""
    if not near:
        return replace(session, waiting_s=None)
    if session.waiting_s is not None or (seen.track_id == session.track_id and not session.armed):
        return session
    return replace(session, waiting_s=now.monotonic_s)


def _is_next(session: Session, seen: FaceObservation, now: Now) -> bool:
    """Whether this face is taken for the next person although nobody was seen to leave.

    A track may break while somebody looks down at their slip, so that takes a while.
    """
    other = seen.track_id != session.track_id
    return session.phase is Phase.IDLE and not session.armed and other and elapsed_s(session, now) >= LINGER_S


def _advance(session: Session, now: Now, rules: Rules) -> Move:
    """What the present phase does next, given what is known and what time it is."""
    if session.phase in WITH_PERSON:
        return serving.advance(session, now, rules)
    if session.phase is Phase.IDLE:
        return _await_arrival(session, now, rules)
    if session.phase is Phase.OUT_OF_SERVICE:
        return _stay_closed(session, now, rules)
    if session.phase is Phase.ASSISTING:
        return officers.advance(session, now, rules)
    if session.phase is Phase.AUTHORISING:
        return ending.await_authority(session, now, rules)
    limits = rules.limits
    if session.phase is Phase.RECORDING and elapsed_s(session, now) > limits.record_s:
        return ending.on_record_failed(session, RecordFailed(session.session_id, "no answer from the store"), now)
    if session.phase is Phase.PRINTING and elapsed_s(session, now) > limits.print_s:
        problem = f"the printer did not confirm within {limits.print_s:g} s"
        return ending.on_slip(session, SlipFailed(session.session_id, problem), now)
    if session.phase is Phase.SETTLING and elapsed_s(session, now) > limits.settle_s:
        return ending.rest(session, now)
    return session, ()


def _await_arrival(session: Session, now: Now, rules: Rules) -> Move:
    limits = rules.limits
    if ending.must_close(session):
        return ending.rest(session, now)
    if not session.armed:
        # Whoever was served has gone when their track has; a queue behind them, or the next one there, may stay.
        if now.monotonic_s - session.seen_s < limits.absent_s:
            return session, ()
        # Whoever waits behind the last person arrives now: their time begins with READY, not when they queued up.
        session, effects = show(replace(session, armed=True, arriving_s=None), Signal.READY, now)
        return session, (*effects, SetPace(awake=False))
    if session.arriving_s is None or now.monotonic_s - session.arriving_s < limits.arrive_s:
        told = session.signal in (Signal.CARD_READ, Signal.CARD_REFUSED)
        if told and now.monotonic_s - session.signal_s >= serving.GUIDANCE_HOLD_S:
            return show(session, Signal.READY, now)
        return session, ()
    session = replace(
        without_verdict(session),
        session_id=new_id(now),
        started_s=session.arriving_s,
        waited_s=0.0 if session.waiting_s is None else max(0.0, session.arriving_s - session.waiting_s),
        waiting_s=None,
        helped="",
        request=None,
        asked_card_s=None,
        token=session.token if now.monotonic_s - session.token_s <= limits.token_s else None,
        token_refused_s=session.token_refused_s
        if now.monotonic_s - session.token_refused_s <= limits.token_s
        else float("-inf"),
        arriving_s=None,
        armed=False,
        straight=(),
        probes=(),
        challenge=None,
        witness=NOTHING_SEEN,
        slow=False,
        wrong=False,
    )
    session = replace(enter(session, Phase.ACQUIRING, now), phases_s=())
    session, effects = show(session, Signal.LOOK_HERE, now)
    return session, (SetPace(awake=True), *effects)


def _stay_closed(session: Session, now: Now, rules: Rules) -> Move:
    if not ending.must_close(session):
        # Whoever waited for the repair is the next person: don't make them step away first.
        return show(replace(enter(session, Phase.IDLE, now), armed=True, arriving_s=None), Signal.READY, now)
    session, effects = show(session, ending.closed_signal(session), now)
    if now.monotonic_s - session.asked_s < rules.limits.recheck_s:
        return session, effects
    return replace(session, asked_s=now.monotonic_s), (*effects, AskPrinterStatus())


__all__ = ["Phase", "Session", "step"]
