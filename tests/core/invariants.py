"""What must hold on every step of a session, whatever happens. Used by the enumeration and by the state machine."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_agent.core.messages import (
    ActRecorded,
    AskAuthority,
    AuthorityNeeded,
    BadgeShown,
    ClaimRecorded,
    ClaimRefused,
    CommandShown,
    Effect,
    Event,
    FaceObserved,
    OutcomeRecorded,
    PrintActSlip,
    PrintSlip,
    RecordAct,
    RecordClaim,
    RecordOutcome,
    ReportEnd,
    ShowSignal,
    SlipShown,
    Ticked,
    TokenPresented,
    TokenRefused,
)
from edge_agent.core.model import FaceObservation, MatchKind, Outcome, PadMode, PadVerdict, Paper, Part, QualityProblem
from edge_agent.core.officer_acts import Act, Command
from edge_agent.core.rules import Now, Rules
from edge_agent.core.state import Phase, Session
from tests.core.people import SHEET_TILTED, SUBJECT_OF

TICK_S = 0.1
_ON_THE_WAY = frozenset({Phase.ACQUIRING, Phase.CHALLENGING, Phase.IDENTIFYING})


@dataclass(frozen=True)
class DeskHistory:
    """Kept by the invariants themselves: whose badge opened the desk, the last command that was not carried out yet,
    all other badges shown since, the slip and the token since that command."""

    badge: str = ""
    command: Command | None = None
    second: frozenset[str] = frozenset()
    slip: str = ""
    token: str = ""


NO_DESK = DeskHistory()


@dataclass(frozen=True)
class History:
    """What this session has already asked for: at most one record, one print, one end.

    answer: the outcome that was committed. faces: the tracks seen since the last challenge began (0: a second face, or
    no challenge yet), kept by the invariants themselves and not by the session under test. turned_head: since then a
    turned face had the depth of a head. refused: a code that isn't taken was held up during this session, and no good
    one after it. asked: the centre was asked. desk: what officers held up since the first badge.
    """

    session_id: str = ""
    recorded: bool = False
    printed: bool = False
    ended: bool = False
    answer: Outcome | None = None
    faces: frozenset[int] = frozenset({0})
    turned_head: bool = False
    refused: bool = False
    asked: bool = False
    desk: DeskHistory = NO_DESK


def check(
    before: Session,
    event: Event,
    now: Now,
    after: Session,
    effects: tuple[Effect, ...],
    rules: Rules,
    history: History,
    max_gap_s: float = TICK_S,
) -> History:
    """Raises AssertionError when an invariant is broken; returns the history with this step in it."""
    current = after.session_id or before.session_id
    if before.phase is Phase.ACQUIRING and after.phase is Phase.ASSISTING:
        # An officer stepped in before anything was asked of the person: their visit goes on at the desk.
        assert isinstance(event, BadgeShown)
        assert not history.recorded
        history = History()
    if current and current != history.session_id and after.session_id:
        assert not history.session_id or history.ended, "a session was dropped without an outcome"
        history = History(current, desk=history.desk)
    history = replace(_follow(before, event, after, history), desk=_follow_desk(before, event, after, history.desk))
    for effect in effects:
        history = _follow_request(before, event, effect, after, rules, history)
        if isinstance(effect, RecordClaim) and before.phase is Phase.IDENTIFYING:
            check_claim(before, after, effect, rules)
            assert effect.evidence is not None
            if rules.pad.mode is PadMode.ENFORCED:
                assert history.faces <= {after.track_id}, "another face since the challenge began"
                assert history.turned_head, "a claim for something flat"
            by_face = effect.evidence.kind is MatchKind.IDENTIFICATION
            assert not (by_face and history.refused and not rules.token_fallback), (
                "by face, with a card that isn't taken"
            )
        elif isinstance(effect, RecordOutcome):
            assert effect.outcome is effect.reason.outcome
            assert effect.outcome in (Outcome.REFERRED, Outcome.ABANDONED), "a face may only be referred"
        elif isinstance(effect, PrintSlip):
            assert isinstance(event, (ClaimRecorded, ClaimRefused, OutcomeRecorded)), "printed before it was recorded"
            assert effect.receipt is event.receipt
            assert effect.receipt.session_id == before.session_id == history.session_id
            assert effect.receipt.outcome is not Outcome.GIVEN or isinstance(event, ClaimRecorded)
            assert history.recorded, "printed without asking for a record"
            assert not history.printed, "printed twice"
            history = replace(history, printed=True)
        elif isinstance(effect, ReportEnd):
            assert not history.ended, "ended twice"
            assert effect.session_id == history.session_id
            assert effect.duration_s <= rules.limits.max_s + 3 * max_gap_s, f"session took {effect.duration_s} s"
            assert (history.answer or effect.outcome) is effect.outcome, "told another outcome than was recorded"
            if effect.outcome is Outcome.GIVEN:
                assert history.answer is Outcome.GIVEN, "given without a recorded claim"
                assert history.printed
            history = replace(history, ended=True)
    shown = [effect.signal for effect in effects if isinstance(effect, ShowSignal)]
    assert not shown or shown[-1] is after.signal
    assert shown or after.signal is before.signal, "the LEDs were not told"
    if isinstance(event, Ticked):
        check_limits(after, now, rules)
    busy = {*_ON_THE_WAY, Phase.RECORDING, Phase.AUTHORISING, Phase.PRINTING}
    assert (after.phase is Phase.ASSISTING) <= bool(after.desk.officer_id)
    assert bool(after.session_id) or after.phase not in busy
    assert (after.phase is Phase.CHALLENGING) == (after.challenge is not None)
    if after.phase not in (Phase.ACQUIRING, Phase.CHALLENGING, Phase.IDENTIFYING):
        assert not after.probes, "a probe outlived its session"
    if after.phase in (Phase.IDLE, Phase.OUT_OF_SERVICE) or (after.phase is Phase.ASSISTING and not after.session_id):
        assert not history.session_id or history.ended, "back to rest without an outcome"
    return history


def _follow_request(
    before: Session, event: Event, effect: Effect, after: Session, rules: Rules, history: History
) -> History:
    """What is asked of store, centre and, for acts, the printer: each once, and each only where it may be."""
    if isinstance(effect, (RecordClaim, RecordOutcome)):
        assert not history.recorded, "two records asked for in one session"
        history = replace(history, recorded=True)
    if isinstance(effect, RecordAct):
        check_act(event, effect, history.desk)
        if effect.request.act is not Act.SIGN_IN:
            history = replace(history, desk=DeskHistory(history.desk.badge, None, history.desk.second))
    elif isinstance(effect, PrintActSlip):
        assert isinstance(event, ActRecorded), "printed before it was recorded"
        assert before.desk.act is not None
        assert effect.receipt.act_id == before.desk.act.act_id
    elif isinstance(effect, AskAuthority):
        assert rules.ask_centre
        assert isinstance(event, AuthorityNeeded)
        assert not history.asked, "the centre was asked twice"
        history = replace(history, asked=True, recorded=False)
    elif isinstance(effect, RecordClaim) and before.phase is Phase.AUTHORISING:
        assert not effect.may_ask
        assert Part.PRINTER not in after.faults
        assert after.printer is not None
        assert after.printer.can_print, "given although its slip can't be printed"
        assert before.request == replace(effect, authorities=(), claimed=(), may_ask=True), "another claim"
    elif isinstance(effect, RecordClaim) and before.phase is Phase.ASSISTING:
        check_assisted(before, after, effect, history.desk)
        history = replace(history, desk=DeskHistory(history.desk.badge, None, history.desk.second))
    elif isinstance(effect, RecordClaim):
        assert before.phase is Phase.IDENTIFYING
    return history


def _follow_desk(before: Session, event: Event, after: Session, desk: DeskHistory) -> DeskHistory:
    """What was held up, whatever the session made of it; while something is under way, codes mean nothing."""
    if not after.desk.officer_id:
        return NO_DESK
    if before.phase is Phase.ASSISTING and (before.desk.busy or before.session_id):
        return desk
    if isinstance(event, BadgeShown):
        if desk.badge in {"", event.officer_id}:
            return replace(desk, badge=event.officer_id)
        return replace(desk, second=desk.second | {event.officer_id})
    if isinstance(event, CommandShown):
        return desk if event.command == desk.command else DeskHistory(desk.badge, event.command, desk.second)
    if isinstance(event, SlipShown):
        return replace(desk, slip=event.case_number)
    return replace(desk, token=event.subject_id) if isinstance(event, TokenPresented) else desk


def check_act(event: Event, effect: RecordAct, desk: DeskHistory) -> None:
    """No act without a badge before it, none that was not asked for, and a void with two officers' badges."""
    act = effect.request
    badges = {desk.badge, *desk.second}
    assert act.officer_id in badges
    if act.act is Act.SIGN_IN:
        assert isinstance(event, BadgeShown)
        assert event.officer_id == act.officer_id
        return
    assert desk.command is not None
    assert act.act is desk.command.act, "an act nobody asked for"
    assert act.act not in (Act.ASSIST, Act.CANCEL)
    if act.act is Act.VOID:
        assert isinstance(event, BadgeShown)
        assert act.second_officer_id == event.officer_id
        assert act.second_officer_id in badges
        assert act.second_officer_id != act.officer_id, "one officer alone voided a claim"
    else:
        assert act.second_officer_id is None
    if act.act in (Act.VOID, Act.REFERRAL_RESOLVED):
        assert act.case_number == desk.slip
        assert act.case_number
    if act.act is Act.REPRINT:
        assert (act.case_number, act.subject_id) in {(desk.slip or None, None), (None, desk.token or None)}


def check_assisted(before: Session, after: Session, effect: RecordClaim, desk: DeskHistory) -> None:
    """A claim without a face: an officer's badge, their card with the reason, and the recipient's own token."""
    assert effect.evidence is None
    assert effect.assistance is not None
    assert effect.assistance.officer_id in {desk.badge, *desk.second}
    assert desk.command == Command(Act.ASSIST, effect.assistance.reason)
    assert effect.subject_id == desk.token
    assert after.printer is not None
    assert after.printer.can_print


def _follow(before: Session, event: Event, after: Session, history: History) -> History:
    """Note what the event itself says: answers of the store to this session, and faces."""
    if isinstance(event, (ClaimRecorded, ClaimRefused, OutcomeRecorded)):
        answers = before.phase is Phase.RECORDING and event.receipt.session_id == history.session_id
        history = replace(history, answer=event.receipt.outcome) if answers else history
    if before.phase not in (Phase.ACQUIRING, Phase.CHALLENGING, Phase.IDENTIFYING):
        return history
    if isinstance(event, (TokenPresented, TokenRefused)):
        return replace(history, refused=isinstance(event, TokenRefused))
    if after.phase is Phase.CHALLENGING and before.challenge is None:
        return replace(history, faces=frozenset(), turned_head=False)
    if before.asked_card_s is not None:
        return history  # whose face it is was seen before; only the card is awaited
    if isinstance(event, FaceObserved) and event.observation.track_id is not None:
        crowd = QualityProblem.MANY_FACES in event.observation.problems
        faces = history.faces | {0 if crowd else event.observation.track_id}
        return replace(history, faces=faces, turned_head=history.turned_head or _turned_head(event.observation))
    return history


def _turned_head(seen: FaceObservation) -> bool:
    """Whether this is a turned face with the shape of a head, not of a sheet."""
    turned = seen.parallax is not None and abs(seen.parallax) > 0.12
    return turned and seen.cues is not None and seen.cues.shape is not SHEET_TILTED


def check_limits(after: Session, now: Now, rules: Rules) -> None:
    """Once time has been told, no phase is past its limit."""
    limits = rules.limits
    if after.phase in (Phase.ACQUIRING, Phase.CHALLENGING, Phase.IDENTIFYING):
        assert now.monotonic_s - after.started_s < limits.decide_s, f"{after.phase.value} has no end"
    most_s = {
        Phase.ACQUIRING: limits.acquire_s,
        Phase.IDENTIFYING: limits.identify_s,
        Phase.RECORDING: limits.record_s,
        Phase.PRINTING: limits.print_s,
        Phase.SETTLING: limits.settle_s,
        Phase.AUTHORISING: limits.authorise_s,
    }
    if after.phase is Phase.ASSISTING:
        longest_s = max(limits.desk_s, limits.record_s, limits.print_s, limits.identify_s)
        assert now.monotonic_s - after.desk.since_s <= longest_s, "the desk stays open"
    if after.asked_card_s is not None:
        assert after.phase is Phase.IDENTIFYING
        assert now.monotonic_s - after.asked_card_s <= limits.card_s, "the card is awaited for too long"
    elif after.phase in most_s:
        assert now.monotonic_s - after.entered_s <= most_s[after.phase], f"{after.phase.value} is past its limit"


def check_claim(before: Session, after: Session, claim: RecordClaim, rules: Rules) -> None:
    """No claim without live + identified with threshold and margin, for the very track that is there."""
    evidence = claim.evidence
    assert evidence is not None
    assert before.phase is Phase.IDENTIFYING
    if rules.pad.mode is PadMode.ENFORCED:
        assert evidence.pad is PadVerdict.LIVE, "a claim without liveness"
    assert evidence.score >= evidence.threshold
    if evidence.kind is MatchKind.IDENTIFICATION:
        assert evidence.runner_up is None or evidence.score - evidence.runner_up >= rules.match.margin
        assert evidence.threshold == rules.match.identification_threshold
    else:
        assert evidence.threshold == rules.match.verification_threshold
        assert claim.subject_id == before.token
    assert after.printer is not None
    assert after.printer.online
    assert after.printer.paper is not Paper.OUT
    assert after.track_id is not None
    assert claim.subject_id == SUBJECT_OF[after.track_id], "a claim for another track"
    assert evidence.frames * 2 >= rules.limits.probe_frames
