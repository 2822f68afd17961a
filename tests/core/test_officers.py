"""What an officer does at the desk, card by card."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

import pytest

from edge_agent.core import officers
from edge_agent.core.messages import (
    ActRecorded,
    AskPrinterStatus,
    BadgeShown,
    CommandShown,
    Effect,
    Event,
    MarkSlip,
    PrintActSlip,
    PrinterStatusReported,
    PrintSlip,
    RecordAct,
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
from edge_agent.core.model import Part, PrinterStatus, Reason, Signal
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt, ActRequest, Assistance, AssistReason, Command
from edge_agent.core.rules import Now
from edge_agent.core.session import Phase, Session, step
from tests.core.people import ANA, claim_recorded, frame, receipt, rules

AT = datetime(2026, 1, 5, tzinfo=timezone.utc)
SITI, AGUS = BadgeShown("siti"), BadgeShown("agus")
VEIL = CommandShown(Command(Act.ASSIST, AssistReason.VEIL))
SLIP = SlipShown("T1-0001")


@dataclass
class Desk:
    """A waiting terminal; `show` holds a card up for a moment, `asked` are the effects of the last step."""

    session: Session = field(default_factory=lambda: Session(phase=Phase.IDLE, signal=Signal.READY, armed=True))
    now_s: float = 100.0
    asked: tuple[Effect, ...] = ()

    def send(self, event: Event, after_s: float = 0.2) -> tuple[Effect, ...]:
        self.now_s += after_s
        now = Now(self.now_s, round(self.now_s * 10).to_bytes(16, "big"))
        self.session, self.asked = step(self.session, event, now, rules())
        return self.asked

    def show(self, *codes: Event) -> tuple[Effect, ...]:
        for code in codes:
            self.send(code)
        return self.asked

    def act(self) -> ActRequest:
        (act,) = [effect.request for effect in self.asked if isinstance(effect, RecordAct)]
        return act

    def recorded(self, problem: ActProblem | None = None) -> ActReceipt:
        act = self.act()
        done = ActReceipt(act.act_id, act.act, act.officer_id, AT, 7, "ab" * 32, problem, copy=receipt("old"))
        self.send(ActRecorded(done))
        return done


def test_a_badge_opens_the_desk_and_is_recorded() -> None:
    desk = Desk()
    desk.show(SITI)
    assert (desk.session.phase, desk.session.signal) == (Phase.ASSISTING, Signal.BADGE_READ)
    assert (desk.act().act, desk.act().officer_id) == (Act.SIGN_IN, "siti")


@pytest.mark.parametrize("code", [VEIL, SLIP, TokenPresented(ANA)])
def test_without_a_badge_no_card_opens_it(code: Event) -> None:
    desk = Desk()
    assert not [effect for effect in desk.show(code) if isinstance(effect, (RecordAct, RecordClaim))]
    assert desk.session.phase is Phase.IDLE


def test_a_veiled_recipient_is_helped_by_their_own_card() -> None:
    desk = Desk()
    assert AskPrinterStatus() in desk.show(SITI, VEIL, TokenPresented(ANA))
    (claim,) = [e for e in desk.send(PrinterStatusReported(PrinterStatus(True))) if isinstance(e, RecordClaim)]
    assert claim.subject_id == ANA
    assert claim.evidence is None
    assert claim.assistance == Assistance("siti", AssistReason.VEIL)
    answer = claim_recorded(claim.session_id)
    assert desk.send(answer) == (PrintSlip(answer.receipt),)
    desk.send(SlipPrinted(claim.session_id))
    assert desk.session.signal is Signal.GIVEN
    desk.send(Ticked(), 1.5)
    assert desk.session.phase is Phase.ASSISTING, "the officer may help the next one"
    assert not [e for e in desk.show(TokenPresented("next")) if isinstance(e, RecordClaim)], "but says so again"


def test_nobody_is_helped_to_a_slip_that_cannot_be_printed() -> None:
    desk = Desk()
    desk.show(SITI, VEIL, TokenPresented(ANA))
    effects = desk.send(PrinterStatusReported(PrinterStatus(online=False)))
    (outcome,) = [effect for effect in effects if isinstance(effect, RecordOutcome)]
    assert outcome.reason is Reason.PRINTER_UNAVAILABLE


def test_a_void_takes_two_officers() -> None:
    desk = Desk()
    desk.show(SITI, CommandShown(Command(Act.VOID)), SLIP)
    assert desk.session.signal is Signal.NEXT_CARD
    assert not [effect for effect in desk.send(SITI, 5.0) if isinstance(effect, RecordAct)], "their own badge again"
    desk.now_s -= 4.0
    desk.show(AGUS)
    act = desk.act()
    assert (act.act, act.officer_id, act.second_officer_id, act.case_number) == (Act.VOID, "siti", "agus", "T1-0001")


def test_a_card_that_stays_in_view_acts_once() -> None:
    desk = Desk()
    day_end = CommandShown(Command(Act.DAY_END))
    desk.show(SITI, day_end)
    done = desk.recorded()
    desk.send(SlipPrinted(done.act_id))
    assert desk.session.signal is Signal.ACT_DONE
    for _ in range(3):
        assert not [effect for effect in desk.send(day_end, 1.0) if isinstance(effect, RecordAct)]


@pytest.mark.parametrize(("act", "needs"), [(Act.DAY_END, ()), (Act.REPRINT, (SLIP,)), (Act.VOID, (SLIP, AGUS))])
def test_a_card_that_stays_in_view_beside_others_acts_once(act: Act, needs: tuple[Event, ...]) -> None:
    """A badge on a ribbon, a slip in the other hand: the codes are told by turns, each second."""
    desk, card = Desk(), CommandShown(Command(act))
    desk.show(SITI, card, *needs)
    done = desk.recorded()
    desk.send(SlipPrinted(done.act_id))
    for _ in range(5):
        for code in (SITI, card, *needs):
            acts = [effect.request.act for effect in desk.send(code, 0.3) if isinstance(effect, RecordAct)]
            assert set(acts) <= {Act.SIGN_IN}, "done twice"
    desk.send(Ticked(), 4.0)
    desk.show(SITI, card, *needs)
    assert desk.act().act is act, "taken away and shown again, it is meant"


def test_a_terminal_closed_by_a_card_still_in_view_is_closed_once() -> None:
    desk, card = Desk(), CommandShown(Command(Act.CLOSE))
    desk.show(SITI, card)
    desk.recorded()
    for _ in range(5):
        for code in (SITI, card):
            acts = [effect.request.act for effect in desk.send(code, 0.5) if isinstance(effect, RecordAct)]
            assert Act.CLOSE not in acts


def test_a_slip_printed_again_makes_good_what_its_session_lacked() -> None:
    desk = Desk()
    desk.show(SITI, CommandShown(Command(Act.REPRINT)), SLIP)
    done = desk.recorded()
    assert desk.asked == (PrintActSlip(done),)
    assert MarkSlip("old", printed=True) in desk.send(SlipPrinted(done.act_id))


@pytest.mark.parametrize(("ended", "signal"), [(SlipPrinted, Signal.ACT_REFUSED), (None, Signal.TAKE_SLIP_FAILED)])
def test_a_refused_act_prints_why(ended: type[SlipPrinted] | None, signal: Signal) -> None:
    desk = Desk()
    desk.show(SITI, CommandShown(Command(Act.REFERRAL_RESOLVED)), SLIP)
    refused = desk.recorded(ActProblem.NOT_A_REFERRAL)
    assert desk.asked == (PrintActSlip(refused),)
    event = ended(refused.act_id) if ended else SlipFailed(refused.act_id, "paper")
    assert not [effect for effect in desk.send(event) if isinstance(effect, MarkSlip)]
    assert desk.session.signal is signal


def test_an_officer_closes_and_only_a_badge_opens_again() -> None:
    desk = Desk()
    desk.show(SITI, CommandShown(Command(Act.CLOSE)))
    desk.recorded()
    assert (desk.session.phase, desk.session.closed_by) == (Phase.OUT_OF_SERVICE, "siti")
    assert desk.session.signal is Signal.CLOSED_BY_OFFICER
    desk.send(PrinterStatusReported(PrinterStatus(True)), 30.0)
    desk.send(frame(desk.now_s, ANA), 1.0)
    assert desk.session.phase is Phase.OUT_OF_SERVICE
    desk.show(AGUS)
    assert desk.session.phase is Phase.ASSISTING
    desk.send(CommandShown(Command(Act.OPEN)))
    desk.recorded()
    assert (desk.session.phase, desk.session.closed_by) == (Phase.IDLE, "")


def test_a_closed_terminal_whose_officer_walks_off_closes_again() -> None:
    desk = Desk(Session(phase=Phase.OUT_OF_SERVICE, closed_by="siti"))
    desk.show(AGUS)
    desk.send(Ticked(), 2.5)
    assert (desk.session.phase, desk.session.closed_by) == (Phase.OUT_OF_SERVICE, "siti")


def test_a_broken_terminal_answers_no_badge() -> None:
    desk = Desk(Session(phase=Phase.OUT_OF_SERVICE, faults=frozenset({Part.CAMERA})))
    assert desk.show(SITI) == () or desk.session.phase is Phase.OUT_OF_SERVICE


def test_the_desk_closes_by_itself_and_when_nothing_can_be_recorded() -> None:
    desk = Desk()
    desk.show(SITI)
    desk.send(Ticked(), 2.5)
    assert desk.session.phase is Phase.IDLE
    desk.show(SITI, CommandShown(Command(Act.DAY_END)))
    desk.send(RecordFailed(desk.act().act_id, "disk full"))
    assert desk.session.phase is Phase.OUT_OF_SERVICE


def test_whoever_is_only_being_looked_at_is_helped_by_the_officer_beside_them() -> None:
    desk = Desk()
    for _ in range(4):
        desk.send(frame(desk.now_s, ANA, 0.3))
    assert desk.session.phase is Phase.ACQUIRING
    desk.show(SITI)
    assert desk.session.phase is Phase.ASSISTING
    assert not desk.session.session_id
    assert replace(desk.session, desk=Session().desk).receipt is None


def test_a_code_that_is_not_taken_is_told_and_the_desk_goes_on_from_where_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(officers, "TOLD_S", 1.0)
    desk, lights = Desk(), []
    for event in (SITI, VEIL, TokenRefused("badge_expired", "a1"), Ticked(), Ticked()):
        desk.send(event, 0.6)
        lights.append(desk.session.signal)
    assert lights[1:] == [Signal.NEXT_CARD, Signal.CARD_REFUSED, Signal.CARD_REFUSED, Signal.NEXT_CARD]
    assert AskPrinterStatus() in desk.show(TokenPresented(ANA))


def test_an_officers_bad_badge_is_not_held_against_the_recipient_in_front() -> None:
    desk = Desk()
    desk.show(TokenRefused("badge_expired", "a1"))
    assert desk.session.signal is Signal.CARD_REFUSED
    assert desk.session.token_refused_s == float("-inf")
    desk.show(TokenRefused("expired", "a1"))
    assert desk.session.token_refused_s == desk.now_s


def test_a_badge_that_only_stays_in_view_keeps_nobody_from_being_served() -> None:
    """On a ribbon, beside the people in front: once the desk has closed by itself, it must be shown anew."""
    desk = Desk()
    for _ in range(5):
        desk.send(SITI, 0.5)
        desk.send(Ticked(), 0.5)
    assert desk.session.phase is Phase.IDLE, "the desk closed by itself"
    for waited in range(8):
        desk.send(SITI, 0.5)
        desk.send(Ticked() if waited < 4 else frame(desk.now_s, ANA), 0.2)
    assert desk.session.phase is Phase.CHALLENGING


def test_two_badges_in_view_sign_in_once_each_and_a_second_badge_is_one_shown_for_it() -> None:
    """Two officers side by side, badges on ribbons: no flood of records, and no badge consents by hanging there."""
    desk, acts = Desk(), []
    codes = (SITI, AGUS, CommandShown(Command(Act.VOID)), SITI, AGUS, SLIP)
    for code in (*codes, SITI, AGUS, SLIP, SITI, AGUS, SLIP):
        acts += [effect.request.act for effect in desk.send(code, 0.3) if isinstance(effect, RecordAct)]
    assert acts == [Act.SIGN_IN, Act.SIGN_IN]
    desk.send(SLIP, 1.0)
    desk.send(SLIP, 0.9)
    desk.show(SITI)
    assert (desk.act().act, desk.act().officer_id, desk.act().second_officer_id) == (Act.VOID, "agus", "siti")
