"""Long random lives of a terminal: an agent with a store and a printer that may fail, people who come, turn and go.

Every step is checked against the invariants; at the end of all lives every phase and every outcome must have been seen.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from edge_agent.core.messages import (
    ActRecorded,
    AskAuthority,
    AskPrinterStatus,
    AuthorityAnswered,
    AuthorityNeeded,
    BadgeShown,
    CommandShown,
    Event,
    MarkSlip,
    PartFailed,
    PartRecovered,
    PrintActSlip,
    PrinterStatusReported,
    PrintSlip,
    RecordAct,
    RecordClaim,
    RecordFailed,
    RecordOutcome,
    ReportEnd,
    ShowSignal,
    SlipFailed,
    SlipPrinted,
    SlipShown,
    Ticked,
    TokenPresented,
    TokenRefused,
)
from edge_agent.core.model import Outcome, PadMode, Paper, Part, PrinterStatus, QualityProblem, Signal
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt, AssistReason, Command
from edge_agent.core.policy import Authority
from edge_agent.core.rules import Limits, Now
from edge_agent.core.session import Phase, Session, step
from tests.core.invariants import TICK_S, History, check
from tests.core.people import ANA, BUDI, TWIN, claim_recorded, claim_refused, frame, outcome_recorded, rules

FRAME_S = 0.1
MORE_CODES = [SlipShown("T1-0001"), TokenPresented(ANA), BadgeShown("officer-2")]
AT = datetime(2026, 1, 5, tzinfo=timezone.utc)


class Life(RuleBasedStateMachine):
    """One terminal from start; `world` is what is really there, the session only sees events."""

    phases: ClassVar[Counter[Phase]] = Counter()
    outcomes: ClassVar[Counter[Outcome]] = Counter()
    mode = PadMode.ENFORCED

    def __init__(self) -> None:
        super().__init__()
        limits = Limits(max_s=21.0, settle_s=1.0, print_s=3.0, probe_frames=3, desk_s=6.0)
        self.rules = replace(rules(self.mode, limits, turns=2), ask_centre=True, ask_card=True)
        self.session, self.history, self.now_s = Session(), History(), 50.0
        self.chance = random.Random(7)
        self.signal, self.signal_s, self.who, self.turns = Signal.STARTING, 0.0, None, False
        self.store_works, self.printer, self.claimed = True, PrinterStatus(online=True), set[str]()
        self.printing: tuple[str, float] | None = None
        self.recorded: dict[str, Outcome] = {}
        self.marked: list[MarkSlip] = []
        self.away: set[str] = set()
        self.asked: tuple[str, float] | None = None
        self.acts: set[str] = set()

    def send(self, event: Event) -> None:
        waiting = [event]
        while waiting:
            event = waiting.pop(0)
            before, now = self.session, Now(self.now_s, self.chance.randbytes(16))
            self.session, effects = step(before, event, now, self.rules)
            self.history = check(before, event, now, self.session, effects, self.rules, self.history)
            self.phases[self.session.phase] += 1
            for effect in effects:
                waiting += self.perform(effect)

    def perform(self, effect: object) -> list[Event]:
        if isinstance(effect, ShowSignal):
            self.signal, self.signal_s = effect.signal, self.now_s
        elif isinstance(effect, AskPrinterStatus):
            return [PrinterStatusReported(self.printer)]
        elif isinstance(effect, (RecordClaim, RecordOutcome, RecordAct)):
            return [self.record(effect)]
        elif isinstance(effect, AskAuthority):
            self.asked = (effect.session_id, self.now_s + self.chance.choice([0.5, 2.0, 9.0]))
        elif isinstance(effect, PrintActSlip):
            assert effect.receipt.act_id in self.acts, "printed what was never recorded"
            self.printing = (effect.receipt.act_id, self.now_s + self.chance.choice([0.5, 1.5, 4.0]))
        elif isinstance(effect, PrintSlip):
            assert effect.receipt.session_id in self.recorded, "printed what was never recorded"
            self.printing = (effect.receipt.session_id, self.now_s + self.chance.choice([0.5, 1.5, 4.0]))
        elif isinstance(effect, MarkSlip):
            assert effect.session_id in self.recorded, "marked what was never recorded"
            self.marked.append(effect)
        elif isinstance(effect, ReportEnd):
            self.outcomes[effect.outcome] += 1
            assert self.recorded.get(effect.session_id, effect.outcome) is effect.outcome
        return []

    def record(self, effect: RecordClaim | RecordOutcome | RecordAct) -> Event:
        """The store's answer."""
        if isinstance(effect, RecordAct):
            request = effect.request
            if not self.store_works:
                return RecordFailed(request.act_id, "disk full")
            self.acts.add(request.act_id)
            problem = self.chance.choice([None, None, ActProblem.LIMIT_REACHED])
            return ActRecorded(ActReceipt(request.act_id, request.act, request.officer_id, AT, 1, "ab" * 32, problem))
        assert effect.session_id not in self.recorded
        if not self.store_works:
            return RecordFailed(effect.session_id, "disk full")
        if isinstance(effect, RecordOutcome):
            self.recorded[effect.session_id] = effect.outcome
            return outcome_recorded(effect.session_id, effect.reason)
        if effect.subject_id in self.away and effect.may_ask:
            return AuthorityNeeded(effect.session_id, ("right",))
        if effect.subject_id in self.claimed or (effect.subject_id in self.away and not effect.authorities):
            self.recorded[effect.session_id] = Outcome.NOT_ENTITLED
            return claim_refused(effect.session_id)
        self.claimed.add(effect.subject_id)
        self.recorded[effect.session_id] = Outcome.GIVEN
        return claim_recorded(effect.session_id)

    def frame(self) -> None:
        """What the camera sees now: a willing person turns as the LEDs ask, a third of a second later."""
        way = {Signal.TURN_LEFT: 0.25, Signal.TURN_RIGHT: -0.25}.get(self.signal, 0.0)
        way = way if self.now_s - self.signal_s >= 0.3 else 0.0
        self.send(frame(self.now_s, self.who, way if self.turns and self.who else 0.0))

    @rule(seconds=st.sampled_from([0.3, 1.0, 3.0, 8.0]))
    def time_passes(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK_S)):
            self.now_s += TICK_S
            self.frame()
            self.send(Ticked())
            if self.printing is not None and self.now_s >= self.printing[1]:
                session_id, self.printing = self.printing[0], None
                self.send(SlipPrinted(session_id) if self.printer.can_print else SlipFailed(session_id, "paper"))
            if self.asked is not None and self.now_s >= self.asked[1]:
                session_id, self.asked = self.asked[0], None
                self.send(AuthorityAnswered(session_id, (Authority("right", 1, AT),)))

    @rule(who=st.sampled_from([ANA, BUDI, TWIN]), turns=st.booleans())
    def somebody_steps_up(self, who: str, turns: bool) -> None:
        self.who, self.turns = who, turns

    @rule(who=st.sampled_from([ANA, BUDI]))
    def a_willing_person_is_served(self, who: str) -> None:
        self.who = None
        self.time_passes(3.0)
        self.who, self.turns = who, True
        self.time_passes(8.0)

    @rule(who=st.sampled_from([ANA, TWIN]))
    def somebody_who_cannot_turn_stays(self, who: str) -> None:
        self.who = None
        self.time_passes(3.0)
        self.who, self.turns = who, False
        self.time_passes(8.0)

    @rule()
    def somebody_leaves_early(self) -> None:
        self.who = None
        self.time_passes(3.0)
        self.who, self.turns = ANA, False
        self.time_passes(1.0)
        self.who = None
        self.time_passes(3.0)

    @rule()
    def everybody_leaves(self) -> None:
        self.who = None

    @rule(problem=st.sampled_from([QualityProblem.MANY_FACES, QualityProblem.DARK, QualityProblem.TOO_FAR]))
    @precondition(lambda self: self.who is not None)
    def one_bad_frame(self, problem: QualityProblem) -> None:
        self.send(frame(self.now_s, self.who, problems=(problem,)))

    @rule(subject=st.sampled_from([ANA, BUDI, "nobody"]))
    def a_token_is_shown(self, subject: str) -> None:
        self.send(TokenPresented(subject))

    @rule()
    def a_card_that_is_not_taken_is_shown(self) -> None:
        self.send(TokenRefused("expired"))

    @rule(who=st.sampled_from([ANA, BUDI]))
    def the_right_of_somebody_moves(self, who: str) -> None:
        self.away ^= {who}

    @rule(
        officer=st.sampled_from(["officer-1", "officer-2"]),
        command=st.sampled_from([Command(act) for act in Act if act not in (Act.SIGN_IN, Act.ASSIST)]),
        more=st.lists(
            st.sampled_from([SlipShown("T1-0001"), TokenPresented(ANA), BadgeShown("officer-2")]), max_size=3
        ),
    )
    def an_officer_commands(self, officer: str, command: Command, more: list[Event]) -> None:
        for code in (BadgeShown(officer), CommandShown(command), *more):
            self.send(code)
            self.time_passes(0.3)

    @rule(who=st.sampled_from([ANA, BUDI]), reason=st.sampled_from(AssistReason))
    def an_officer_helps_somebody(self, who: str, reason: AssistReason) -> None:
        self.who = None
        self.time_passes(8.0)
        for code in (BadgeShown("officer-1"), CommandShown(Command(Act.ASSIST, reason)), TokenPresented(who)):
            self.send(code)
            self.time_passes(0.3)
        self.time_passes(8.0)

    @rule(works=st.booleans())
    def the_disk_fills_or_frees(self, works: bool) -> None:
        self.store_works = works
        self.send(PartRecovered(Part.STORE) if works else PartFailed(Part.STORE, "disk full"))

    @rule(paper=st.sampled_from([Paper.OK, Paper.OK, Paper.OUT]))
    def the_paper_changes(self, paper: Paper) -> None:
        self.printer = PrinterStatus(online=True, paper=paper)
        self.send(PrinterStatusReported(self.printer))

    @rule(fails=st.booleans())
    def the_camera_fails_or_recovers(self, fails: bool) -> None:
        self.send(PartFailed(Part.CAMERA, "unplugged") if fails else PartRecovered(Part.CAMERA))

    def teardown(self) -> None:
        """Left alone with everything working, a terminal always comes back to rest."""
        self.who = None
        self.printer, self.store_works = PrinterStatus(online=True), True
        self.send(PartRecovered(Part.STORE))
        self.send(PartRecovered(Part.CAMERA))
        self.send(PrinterStatusReported(self.printer))
        self.time_passes(8.0)
        if self.session.closed_by:
            self.session = replace(self.session, closed_by="")
        self.time_passes(8.0)
        self.time_passes(8.0)
        assert self.session.phase is Phase.IDLE
        assert self.signal is Signal.READY


@pytest.mark.parametrize("mode", list(PadMode))
def test_random_lives_keep_the_invariants_and_reach_everything(mode: PadMode) -> None:
    seen: Counter[Phase] = Counter()
    ends: Counter[Outcome] = Counter()
    machine = type("LifeOf" + mode.value, (Life,), {"mode": mode, "phases": seen, "outcomes": ends})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=80,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    expected = set(Phase) - ({Phase.CHALLENGING} if mode is PadMode.DISABLED else set())
    assert expected <= set(seen)
    assert set(ends) == set(Outcome)
