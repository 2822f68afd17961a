"""Every event in every reachable phase, from every state the small rules can reach, against the invariants."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import datetime, timezone
from typing import TypeVar

import numpy as np
import pytest

from edge_agent.core import cues, ending, liveness, matching, officers, serving, state, witness
from edge_agent.core import session as session_module
from edge_agent.core.messages import (
    ActRecorded,
    AuthorityAnswered,
    AuthorityNeeded,
    BadgeShown,
    CommandShown,
    Event,
    PartFailed,
    PartRecovered,
    PrinterStatusReported,
    PrintSlip,
    RecordClaim,
    RecordFailed,
    RecordOutcome,
    SlipFailed,
    SlipPrinted,
    SlipShown,
    Ticked,
    TokenPresented,
    TokenRefused,
)
from edge_agent.core.model import (
    Embedding,
    Gallery,
    MatchKind,
    Outcome,
    PadMode,
    PadVerdict,
    Paper,
    Part,
    PrinterStatus,
    QualityProblem,
    Reason,
)
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt, AssistReason, Command
from edge_agent.core.policy import Authority
from edge_agent.core.rules import MatchRules, Now, Rules
from edge_agent.core.session import Phase, Session, step
from edge_agent.core.state import WITH_PERSON, Move, enter
from edge_agent.core.witness import Witness
from tests.core import invariants
from tests.core.invariants import History, check
from tests.core.people import (
    ANA,
    BUDI,
    SHEET_TILTED,
    SHORT,
    STRANGER,
    TWIN,
    claim_recorded,
    claim_refused,
    flat_frame,
    frame,
    outcome_recorded,
    rules,
)

GAPS_S = (0.1, 1.1)
LONG_GAP_S = 3.1
"""At the desk: longer than a card counts as still held up, and than everything but the desk's own limit."""
OFFICER, SECOND = "officer-1", "officer-2"
LONG_AGO = datetime(2026, 1, 5, tzinfo=timezone.utc)
T = TypeVar("T")


@pytest.fixture(autouse=True)
def quick_replace(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dataclasses.replace` without its introspection: two thirds of this module's time. Same result, same refusals."""
    names: dict[type, frozenset[str]] = {}

    def quick(old: T, /, **changes: object) -> T:
        if type(old) not in names:
            names[type(old)] = frozenset(one.name for one in fields(old))  # type: ignore[arg-type]
        assert names[type(old)].issuperset(changes)
        new = object.__new__(type(old))
        new.__dict__.update(old.__dict__)
        new.__dict__.update(changes)
        return new

    for module in (ending, liveness, officers, serving, session_module, state, witness, invariants):
        monkeypatch.setattr(module, "replace", quick)


UNSEEING = frozenset({Phase.RECORDING, Phase.PRINTING, Phase.SETTLING, Phase.OUT_OF_SERVICE})


def events(session: Session, now_s: float) -> Iterator[tuple[str, Event]]:
    """One of each event, and one of each kind of frame; answers both to this session and to a stranger's."""
    yield "tick", Ticked()
    for who in (ANA, BUDI, STRANGER, TWIN):
        yield f"frame {who}", frame(now_s, who)
    yield "frame nobody", frame(now_s, None)
    yield "frame left", frame(now_s, ANA, parallax=0.25)
    yield "frame right", frame(now_s, ANA, parallax=-0.25)
    yield "frame flat left", flat_frame(now_s, ANA, parallax=0.2)
    yield "frame flat right", flat_frame(now_s, ANA, parallax=-0.2)
    yield "frame far", frame(now_s, ANA, problems=(QualityProblem.TOO_FAR,))
    yield "frame many", frame(now_s, ANA, problems=(QualityProblem.MANY_FACES,))
    yield "badge", BadgeShown(OFFICER)
    yield "command", CommandShown(Command(Act.ASSIST, AssistReason.VEIL))
    yield "slip shown", SlipShown("T1-0001")
    yield "token", TokenPresented(ANA)
    yield "token unknown", TokenPresented("nobody")
    yield "token refused", TokenRefused("expired")
    yield "printer ok", PrinterStatusReported(PrinterStatus(online=True))
    yield "printer out", PrinterStatusReported(PrinterStatus(online=True, paper=Paper.OUT))
    yield "printer gone", PrinterStatusReported(PrinterStatus(online=False))
    for own, session_id in (("own", session.session_id or "none"), ("foreign", "foreign")):
        yield f"claim recorded {own}", claim_recorded(session_id)
        yield f"claim refused {own}", claim_refused(session_id)
        yield f"outcome recorded {own}", outcome_recorded(session_id, session.reason or Reason.NOT_RECOGNISED)
        yield f"record failed {own}", RecordFailed(session_id, "disk full")
        yield f"slip printed {own}", SlipPrinted(session_id)
        yield f"slip failed {own}", SlipFailed(session_id, "jam")
        yield f"authority needed {own}", AuthorityNeeded(session_id, ("right",))
        yield f"authority {own}", AuthorityAnswered(session_id, (Authority("right", 1, LONG_AGO),))
    for part in (Part.CAMERA, Part.PRINTER, Part.STORE, Part.UPLINK, Part.TOKEN_READER):
        yield f"{part.value} failed", PartFailed(part, "test")
        yield f"{part.value} recovered", PartRecovered(part)


def key(session: Session, now_s: float, history: History, mode: PadMode) -> tuple[object, ...]:
    """States that behave alike: times count in whole seconds, numbers only up to what is needed."""

    def ago(then_s: float | None, most: int) -> float | None:
        return None if then_s is None else min(most, (now_s - then_s) // 1.0)

    challenge = session.challenge
    if session.phase is Phase.ASSISTING and not session.session_id:
        # Nobody is being served: how the last visit ended no longer matters.
        printer = None if session.printer is None else session.printer.can_print
        return session.phase, session.faults, printer, bool(session.closed_by), desk_key(session, now_s)
    return (
        session.phase,
        session.faults & {Part.CAMERA, Part.PRINTER, Part.STORE},
        None if session.printer is None else session.printer.can_print,
        session.armed,
        session.token is not None if session.phase in WITH_PERSON or session.phase is Phase.IDLE else None,
        session.track_id if session.phase in WITH_PERSON else None,
        len(session.straight) > 0,
        tuple(int(np.argmax(probe.embedding)) for probe in session.probes[:2]),
        None if challenge is None else (challenge.step, challenge.index, ago(challenge.since_s, 1)),
        session.pad,
        session.pad_attempts,
        session.slow,
        session.wrong,
        depths(session) if mode is PadMode.ENFORCED else None,
        session.outcome,
        session.reason,
        ago(session.entered_s, 2),
        ago(session.seen_s, 1) if session.phase not in UNSEEING else None,
        ago(session.arriving_s, 0) if session.phase is Phase.IDLE else None,
        # How late in a session only matters near the deadline.
        now_s - session.started_s >= 5.0 if session.phase in WITH_PERSON else None,
        session.token if session.phase in WITH_PERSON else None,
        history.refused if session.phase in WITH_PERSON else None,
        history.recorded,
        history.printed,
        history.ended,
        history.answer,
        history.faces if session.phase in (Phase.CHALLENGING, Phase.IDENTIFYING) else None,
        history.turned_head if mode is PadMode.ENFORCED and session.phase in WITH_PERSON else None,
        history.asked,
        session.asked_card_s is not None,
        bool(session.closed_by),
        desk_key(session, now_s),
    )


def desk_key(session: Session, now_s: float) -> tuple[object, ...] | None:
    """Times count as before or after the long gap; of the code held up last its kind."""
    desk = session.desk
    if not desk.officer_id:
        return None
    held = None if desk.held is None else (type(desk.held), now_s - desk.held_s < LONG_GAP_S)
    doing = None if desk.act is None else desk.act.act, None if desk.receipt is None else desk.receipt.act
    return desk.officer_id, desk.command, desk.case_number, doing, held, now_s - desk.since_s < LONG_GAP_S


def depths(session: Session) -> tuple[bool, ...] | None:
    """Whether turned frames showed a flat thing, and whether they showed a head, as far as it still matters."""
    if session.phase not in WITH_PERSON:
        return None
    flat = [view.shape is SHEET_TILTED for view in session.witness.turned]
    return any(flat), not all(flat)


def not_at_the_desk(session: Session) -> bool:
    """The desk is explored by itself: nothing of it outlasts it but who closed the terminal."""
    return session.phase is not Phase.ASSISTING


def explore(
    bounds: Rules,
    start: Session = Session(),  # noqa: B008 - immutable
    events: Callable[[Session, float], Iterator[tuple[str, Event]]] = events,
    within: Callable[[Session], bool] = not_at_the_desk,
    gaps_s: tuple[float, ...] = GAPS_S,
) -> set[tuple[Phase, str]]:
    """Breadth first, all but two faults at once; returns the (phase, event) pairs tried. within: what to go on from."""
    tried: set[tuple[Phase, str]] = set()
    queue = deque([(start, 100.0, History())])
    seen = {key(start, 100.0, History(), bounds.pad.mode)}
    count = 0
    while queue:
        session, then_s, history = queue.popleft()
        for gap_s in gaps_s:
            now_s = then_s + gap_s
            for name, event in events(session, now_s):
                count += 1
                now = Now(now_s, count.to_bytes(16, "big"))
                after, effects = step(session, event, now, bounds)
                later = check(session, event, now, after, effects, bounds, history, max_gap_s=max(gaps_s))
                tried.add((session.phase, name))
                after_key = key(after, now_s, later, bounds.pad.mode)
                if after_key not in seen and len(after.faults) < 2 and within(after):
                    seen.add(after_key)
                    queue.append((after, now_s, later))
    return tried


@pytest.mark.parametrize("mode", list(PadMode))
def test_every_event_in_every_phase_keeps_the_invariants(mode: PadMode) -> None:
    # What comes after the decision doesn't depend on how liveness is asked for: the centre and the card once is enough.
    asking = mode is PadMode.DISABLED
    tried = explore(replace(rules(mode), ask_centre=asking, ask_card=asking))
    names = {name for name, _ in events(Session(), 0.0)}
    phases = set(Phase) - {Phase.ASSISTING, Phase.CHALLENGING if asking else Phase.AUTHORISING}
    missing = {(phase, name) for phase in phases for name in names} - tried
    assert not missing


COMMANDS = (
    Command(Act.ASSIST, AssistReason.VEIL),
    Command(Act.REPRINT),
    Command(Act.VOID),
    Command(Act.DAY_END),
    Command(Act.CLOSE),
    Command(Act.OPEN),
    Command(Act.REFERRAL_RESOLVED),
    Command(Act.CANCEL),
)


def desk_events(session: Session, now_s: float) -> Iterator[tuple[str, Event]]:
    """Everything an officer can hold up and everything that answers; of frames and parts only what may matter."""
    yield "tick", Ticked()
    yield "frame", frame(now_s, ANA)
    yield "frame nobody", frame(now_s, None)
    yield "badge", BadgeShown(OFFICER)
    yield "second badge", BadgeShown(SECOND)
    for command in COMMANDS:
        yield command.act.value, CommandShown(command)
    yield "slip shown", SlipShown("T1-0001")
    yield "token", TokenPresented(ANA)
    yield "token refused", TokenRefused("expired")
    yield "printer ok", PrinterStatusReported(PrinterStatus(online=True))
    yield "printer gone", PrinterStatusReported(PrinterStatus(online=False))
    act = session.desk.act
    doing = session.desk.receipt.act_id if session.desk.receipt else act.act_id if act else "none"
    for own, act_id in (("own", doing), ("foreign", "foreign")):
        asked = act.act if act else Act.DAY_END
        receipt = ActReceipt(act_id, asked, OFFICER, LONG_AGO, 1, "ab" * 32)
        yield f"act recorded {own}", ActRecorded(receipt)
        yield f"act refused {own}", ActRecorded(replace(receipt, problem=ActProblem.LIMIT_REACHED))
        yield f"act failed {own}", RecordFailed(act_id, "disk full")
        yield f"act printed {own}", SlipPrinted(act_id)
        yield f"act not printed {own}", SlipFailed(act_id, "jam")
    session_id = session.session_id or "none"
    yield "claim recorded", claim_recorded(session_id)
    yield "claim refused", claim_refused(session_id)
    yield "outcome recorded", outcome_recorded(session_id, session.reason or Reason.NOT_RECOGNISED)
    yield "claim not recorded", RecordFailed(session_id, "disk full")
    yield "slip printed", SlipPrinted(session_id)
    yield "slip failed", SlipFailed(session_id, "jam")
    yield "authority needed", AuthorityNeeded(session_id, ("right",))
    yield "authority", AuthorityAnswered(session_id)
    for part in (Part.STORE, Part.UPLINK):
        yield f"{part.value} failed", PartFailed(part, "test")
        yield f"{part.value} recovered", PartRecovered(part)


def about_the_desk(session: Session) -> bool:
    return session.phase not in WITH_PERSON and (bool(session.desk.officer_id) or session.phase is Phase.OUT_OF_SERVICE)


def test_everything_at_the_desk_keeps_the_invariants() -> None:
    """From a waiting terminal on, also while an officer has closed it."""
    start = Session(phase=Phase.IDLE)
    bounds = replace(rules(PadMode.DISABLED, replace(SHORT, desk_s=4.0)), ask_centre=True)
    tried = explore(bounds, start, desk_events, about_the_desk, (0.1, LONG_GAP_S))
    names = {name for name, _ in desk_events(Session(), 0.0)}
    missing = {(phase, name) for phase in (Phase.ASSISTING, Phase.OUT_OF_SERVICE) for name in names} - tried
    assert not missing


def test_who_held_up_a_refused_card_is_not_looked_for_by_face_unless_policy_allows() -> None:
    assert explore(replace(rules(PadMode.DISABLED), token_fallback=False))


def test_a_refused_card_that_is_forgotten_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "_on_refused_token", lambda session, *_: (session, ()))
    with pytest.raises(AssertionError, match="card that isn't taken"):
        explore(replace(rules(PadMode.DISABLED), token_fallback=False))


def _identify_without_liveness(session: Session, unseen: bool, now: Now, rules: Rules) -> Move:
    return serving._begin_identifying(replace(session, pad=PadVerdict.NOT_LIVE), now)


def _believe_every_cue(witness: Witness, latencies_s: Sequence[float], passive_threshold: float | None) -> cues.Finding:
    return cues.Finding()


def _keep_probes_of_another_track(session: Session, now: Now, rules: Rules) -> Move:
    return enter(replace(session, straight=(), challenge=None), Phase.ACQUIRING, now), ()


def _print_without_a_record(session: Session, event: RecordFailed, now: Now) -> Move:
    return enter(session, Phase.PRINTING, now), (PrintSlip(claim_recorded(session.session_id).receipt),)


def _guess_the_best(probe: Embedding, gallery: Gallery, rules: MatchRules) -> matching.Match:
    best = int(np.argmax(gallery.templates @ probe))
    score = float(gallery.templates[best] @ probe)
    return matching.Match(MatchKind.IDENTIFICATION, gallery.subject_ids[best], None, score, score, 0.7, 0.1)


def _deny_by_the_face(session: Session, reason: Reason, now: Now) -> Move:
    record = RecordOutcome(session.session_id, Outcome.NOT_ENTITLED, reason, MatchKind.IDENTIFICATION, session.pad, 0)
    return enter(ending.forget(session), Phase.RECORDING, now), (record,)


def _never_give_up(session: Session, now: Now, rules: Rules) -> Move:
    if session.phase is not Phase.ACQUIRING or session.straight:
        return _ADVANCE(session, now, rules)
    return session, ()


def _go_on_with_another_face(session: Session, now: Now, rules: Rules) -> Move:
    kept = session.challenge is not None and not session.challenge.over
    return (session, ()) if kept else _START_OVER(session, now, rules)


_START_OVER, _ADVANCE = serving._again, serving.advance
SEEDED_FAULTS = {
    "identified without liveness": (serving, "_try_failed", _identify_without_liveness, PadMode.ENFORCED),
    "probes kept across tracks": (serving, "_again", _keep_probes_of_another_track, PadMode.DISABLED),
    "challenge kept across tracks": (serving, "_again", _go_on_with_another_face, PadMode.ENFORCED),
    "a flat thing that answers": (cues, "judge", _believe_every_cue, PadMode.ENFORCED),
    "printed without a record": (ending, "on_record_failed", _print_without_a_record, PadMode.ENFORCED),
    "best guess given": (matching, "identify", _guess_the_best, PadMode.ENFORCED),
    "denied by the face": (serving, "refer", _deny_by_the_face, PadMode.ENFORCED),
    "no time limit": (serving, "advance", _never_give_up, PadMode.ENFORCED),
}


@pytest.mark.parametrize("name", SEEDED_FAULTS)
def test_a_fault_seeded_into_a_guard_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, guard, fault, mode = SEEDED_FAULTS[name]
    monkeypatch.setattr(module, guard, fault)
    with pytest.raises(AssertionError):
        explore(rules(mode, attempts=1))


def _void_by_one_officer(session: Session, event: BadgeShown, now: Now) -> Move:
    return officers._record(session, now, second_officer_id=session.desk.officer_id)


def _help_anybody(session: Session, event: TokenPresented, now: Now) -> Move:
    return officers_on_token(session, TokenPresented("somebody-else"), now)


def _ask_the_centre_again(session: Session, now: Now, answer: AuthorityAnswered) -> Move:
    session, effects = ending_record_again(session, now, answer)
    again = [replace(effect, may_ask=True) if isinstance(effect, RecordClaim) else effect for effect in effects]
    return session, tuple(again)


def _obey_until_told_otherwise(session: Session, now: Now, **shown: str | None) -> Move:
    command = session.desk.command
    session, effects = officers_record(session, now, **shown)
    return replace(session, desk=replace(session.desk, command=command)), effects


def _let_go(session: Session, waited_s: float, now: Now, rules: Rules) -> Move:
    return ending.rest(session, now)


def _give_without_paper(session: Session, now: Now, answer: AuthorityAnswered) -> Move:
    return ending_record_again(replace(session, printer=None, faults=frozenset()), now, answer)


officers_record = officers._record
officers_on_token = officers._on_token
ending_record_again = ending._record_again
DESK_FAULTS = {
    "a void by one officer": (officers, "_on_badge", _void_by_one_officer),
    "a claim for somebody whose card was not shown": (officers, "_on_token", _help_anybody),
    "the centre asked again and again": (ending, "_record_again", _ask_the_centre_again),
    "one card for many slips": (officers, "_record", _obey_until_told_otherwise),
    "somebody helped to no outcome": (officers, "_help", _let_go),
    "given without paper": (ending, "_record_again", _give_without_paper),
}


@pytest.mark.parametrize("name", DESK_FAULTS)
def test_a_fault_seeded_into_the_desk_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module, guard, fault = DESK_FAULTS[name]
    monkeypatch.setattr(module, guard, fault)
    bounds = replace(rules(PadMode.DISABLED, replace(SHORT, desk_s=4.0)), ask_centre=True)
    with pytest.raises(AssertionError):
        explore(bounds, Session(phase=Phase.IDLE), desk_events, about_the_desk, (0.1, LONG_GAP_S))
