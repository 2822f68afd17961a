"""Officers at a terminal without a screen, phase ASSISTING: a badge, then a command card, then what that card needs.

    ASSIST             the recipient's own token      -> a claim without a face, as any claim: recorded, printed
    REPRINT            a slip, or the token           -> the slip again, marked as a copy
    VOID               a slip, then another badge     -> the claim is void, the right is open again
    REFERRAL_RESOLVED  the slip of the referral
    DAY_END, CLOSE, OPEN, CANCEL   nothing more

Rules: nothing is done without a badge shown before it, and nothing twice for a card that is only still in view. Faces
mean nothing here. The desk closes by itself `desk_s` after the last card; the store checks every act once more.
"""

from __future__ import annotations

from dataclasses import replace

from edge_agent.core.desk import Code
from edge_agent.core.ending import forget, must_close, refer, rest
from edge_agent.core.messages import (
    ActRecorded,
    AskPrinterStatus,
    BadgeShown,
    CommandShown,
    MarkSlip,
    PrintActSlip,
    RecordAct,
    RecordClaim,
    RecordFailed,
    SetPace,
    SlipFailed,
    SlipPrinted,
    SlipShown,
    TokenPresented,
)
from edge_agent.core.model import Part, Reason, Signal
from edge_agent.core.officer_acts import Act, ActReceipt, ActRequest, Assistance, Command
from edge_agent.core.rules import Now, Rules
from edge_agent.core.state import Move, Phase, Session, enter, may_ask, new_id, show, without_verdict

HELD_S = 3.0
"""A code seen again within this is still the same card held up; the desk is told of it every second."""

TOLD_S = 4.0
"""How long the light of an act that ended stays."""

_AT_ONCE = frozenset({Act.DAY_END, Act.CLOSE, Act.OPEN})
_PRINTED = frozenset({Act.REPRINT, Act.VOID, Act.DAY_END, Act.REFERRAL_RESOLVED})


def can_begin(session: Session) -> bool:
    """Whether a badge is answered now: nobody is past being looked at, and only an officer has closed the terminal.

    Somebody who is only being looked at is helped by this very officer, or is the officer: their visit goes on here.
    """
    if session.phase in (Phase.IDLE, Phase.ACQUIRING):
        return True
    return session.phase is Phase.OUT_OF_SERVICE and not must_close(replace(session, closed_by=""))


def arrive(session: Session, event: BadgeShown, now: Now) -> Move:
    """A badge where no officer is at the desk. One that merely stayed in view after the desk closed opens nothing, or a
    badge on a ribbon would keep everybody from being served."""
    still = session.desk.in_view(event, now.monotonic_s)
    session = replace(session, desk=session.desk.seeing(event, now.monotonic_s))
    return (session, ()) if still else begin(session, event, now)


def begin(session: Session, event: BadgeShown, now: Now) -> Move:
    """An officer came to the desk."""
    session = replace(
        without_verdict(forget(session)),
        session_id="",
        started_s=now.monotonic_s,
        armed=False,
        arriving_s=None,
        desk=replace(
            session.desk.handed_to(event.officer_id), since_s=now.monotonic_s, held=event, held_s=now.monotonic_s
        ),
    )
    session, effects = show(enter(session, Phase.ASSISTING, now), Signal.BADGE_READ, now)
    sign_in = RecordAct(ActRequest(new_id(now), Act.SIGN_IN, event.officer_id))
    return session, (SetPace(awake=True), sign_in, *effects)


def on_code(session: Session, event: Code, now: Now) -> Move:
    """A code is held up to the desk."""
    desk = session.desk
    still = desk.held == event and now.monotonic_s - desk.held_s <= HELD_S
    if isinstance(event, (BadgeShown, CommandShown)):
        still = still or desk.in_view(event, now.monotonic_s)
        desk = desk.seeing(event, now.monotonic_s)
    session = replace(session, desk=replace(desk, held=event, held_s=now.monotonic_s))
    if still or desk.busy or session.session_id:
        return session, ()
    session = replace(session, desk=replace(session.desk, since_s=now.monotonic_s))
    if isinstance(event, BadgeShown):
        return _on_badge(session, event, now)
    if isinstance(event, CommandShown):
        return _on_command(session, event.command, now)
    if isinstance(event, SlipShown):
        return _on_slip_shown(session, event, now)
    return _on_token(session, event, now)


def _on_badge(session: Session, event: BadgeShown, now: Now) -> Move:
    """The second one a void needs; otherwise whoever showed it is at the desk now."""
    desk = session.desk
    if event.officer_id == desk.officer_id:
        return show(session, Signal.NEXT_CARD if desk.command else Signal.BADGE_READ, now)
    if desk.command == Command(Act.VOID) and desk.case_number:
        return _record(session, now, second_officer_id=event.officer_id)
    return begin(session, event, now)


def _on_command(session: Session, command: Command, now: Now) -> Move:
    if command.act is Act.CANCEL:
        return leave(session, now)
    session = replace(session, desk=replace(session.desk, command=command, case_number=""))
    if command.act in _AT_ONCE:
        return _record(session, now)
    return show(session, Signal.NEXT_CARD, now)


def _on_slip_shown(session: Session, event: SlipShown, now: Now) -> Move:
    command = session.desk.command
    if command is None or command.act not in (Act.REPRINT, Act.VOID, Act.REFERRAL_RESOLVED):
        return session, ()
    session = replace(session, desk=replace(session.desk, case_number=event.case_number))
    if command.act is Act.VOID:
        return show(session, Signal.NEXT_CARD, now)
    return _record(session, now)


def _on_token(session: Session, event: TokenPresented, now: Now) -> Move:
    command = session.desk.command
    if command is None or command.act not in (Act.ASSIST, Act.REPRINT):
        return session, ()
    if command.act is Act.REPRINT:
        return _record(session, now, subject_id=event.subject_id)
    session = replace(
        session,
        session_id=new_id(now),
        started_s=now.monotonic_s,
        phases_s=(),
        printer=None,
        helped=event.subject_id,
    )
    session, effects = show(session, Signal.WORKING, now)
    return session, (*effects, AskPrinterStatus())


def on_refused_code(session: Session, now: Now) -> Move:
    """A code that is not taken is told, and what was asked for so far still stands."""
    if session.desk.busy or session.session_id or session.signal is Signal.CARD_REFUSED:
        return session, ()
    return show(session, Signal.CARD_REFUSED, now)


def _record(session: Session, now: Now, *, second_officer_id: str | None = None, subject_id: str | None = None) -> Move:
    desk = session.desk
    if desk.command is None:
        raise AssertionError("an act without a command")
    act = ActRequest(
        act_id=new_id(now),
        act=desk.command.act,
        officer_id=desk.officer_id,
        second_officer_id=second_officer_id,
        case_number=desk.case_number or None,
        subject_id=subject_id,
    )
    session = replace(session, desk=replace(desk, act=act, command=None, case_number="", since_s=now.monotonic_s))
    session, effects = show(session, Signal.WORKING, now)
    return session, (*effects, RecordAct(act))


def on_recorded(session: Session, event: ActRecorded, now: Now) -> Move:
    """The act is on disk: print what it calls for, and do what it asks of the terminal."""
    desk, receipt = session.desk, event.receipt
    if session.phase is not Phase.ASSISTING or desk.act is None or receipt.act_id != desk.act.act_id:
        return session, ()
    session = replace(session, desk=replace(desk, act=None, since_s=now.monotonic_s))
    if receipt.problem is None and receipt.act in (Act.CLOSE, Act.OPEN):
        closed_by = receipt.officer_id if receipt.act is Act.CLOSE else ""
        return leave(replace(session, closed_by=closed_by), now)
    if receipt.problem is not None or receipt.act in _PRINTED:
        return replace(session, desk=replace(session.desk, receipt=receipt)), (PrintActSlip(receipt),)
    return show(session, Signal.ACT_DONE, now)


def on_record_failed(session: Session, event: RecordFailed, now: Now) -> Move:
    """Nothing was done: the officer sees it, and the terminal closes."""
    act = session.desk.act
    if session.phase is not Phase.ASSISTING or act is None or event.session_id != act.act_id:
        return session, ()
    session = replace(session, faults=session.faults | {Part.STORE})
    return leave(session, now)


def on_slip(session: Session, event: SlipPrinted | SlipFailed, now: Now) -> Move:
    """The printer's word on an act's slip. A copy that came out is the slip its session lacked."""
    receipt = session.desk.receipt
    if session.phase is not Phase.ASSISTING or receipt is None or event.session_id != receipt.act_id:
        return session, ()
    session = replace(session, desk=replace(session.desk, receipt=None, since_s=now.monotonic_s))
    printed = isinstance(event, SlipPrinted)
    if not printed:
        return show(session, Signal.TAKE_SLIP_FAILED, now)
    session, effects = show(session, Signal.ACT_REFUSED if receipt.problem else Signal.ACT_DONE, now)
    return session, (*_made_good(receipt), *effects)


def _made_good(receipt: ActReceipt) -> tuple[MarkSlip, ...]:
    if receipt.act is not Act.REPRINT or receipt.copy is None or receipt.problem is not None:
        return ()
    return (MarkSlip(receipt.copy.session_id, printed=True),)


def advance(session: Session, now: Now, rules: Rules) -> Move:
    """What the desk does as time goes by."""
    desk, limits = session.desk, rules.limits
    waited_s = now.monotonic_s - desk.since_s
    if session.session_id:
        return _help(session, waited_s, now, rules)
    if desk.act is not None:
        failed = RecordFailed(desk.act.act_id, "no answer from the store")
        return on_record_failed(session, failed, now) if waited_s > limits.record_s else (session, ())
    if desk.receipt is not None:
        problem = f"the printer did not confirm within {limits.print_s:g} s"
        failed_slip = SlipFailed(desk.receipt.act_id, problem)
        return on_slip(session, failed_slip, now) if waited_s > limits.print_s else (session, ())
    if waited_s > limits.desk_s or must_close(replace(session, closed_by="")):
        return leave(session, now)
    told = session.signal not in (Signal.BADGE_READ, Signal.NEXT_CARD)
    if told and now.monotonic_s - session.signal_s >= TOLD_S:
        return show(session, Signal.NEXT_CARD if desk.command else Signal.BADGE_READ, now)
    return session, ()


def _help(session: Session, waited_s: float, now: Now, rules: Rules) -> Move:
    """The recipient is named; as for everybody, the printer must have said that it can print."""
    desk, printer = session.desk, session.printer
    if printer is None and waited_s <= rules.limits.identify_s:
        return session, ()
    if printer is None or not printer.can_print:
        return refer(session, Reason.PRINTER_UNAVAILABLE, now)
    if desk.command is None or desk.command.reason is None:
        raise AssertionError("helping without a reason")
    assistance = Assistance(desk.officer_id, desk.command.reason)
    ask = may_ask(session, rules)
    request = RecordClaim(session.session_id, session.helped, None, assistance=assistance, may_ask=ask)
    session, effects = show(enter(replace(session, request=request), Phase.RECORDING, now), Signal.WORKING, now)
    return session, (*effects, request)


def leave(session: Session, now: Now) -> Move:
    """Nobody is at the desk any more."""
    return rest(replace(session, desk=session.desk.handed_to("")), now)
