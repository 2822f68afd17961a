"""Single guards of the session: against a picture that somebody else turns for, and for people in a queue."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edge_agent.core import liveness
from edge_agent.core.messages import (
    AskPrinterStatus,
    Effect,
    Event,
    FaceObserved,
    PrinterStatusReported,
    RecordClaim,
    RecordOutcome,
    SlipPrinted,
    Ticked,
    TokenPresented,
)
from edge_agent.core.model import FaceObservation, PrinterStatus, QualityProblem, Reason, Signal
from edge_agent.core.rules import Limits, Now, Rules
from edge_agent.core.session import Phase, Session, step
from tests.core.people import ANA, BUDI, FACES, TRACK_OF, claim_recorded, frame, rules

FRAME_S = 0.1
LIMITS = Limits(max_s=30.0, acquire_frames=2, probe_frames=4)
SIDE = {Signal.TURN_LEFT: 0.25, Signal.TURN_RIGHT: -0.25}


class Terminal:
    """The pure session with a clock, a working printer and a store that says yes."""

    def __init__(self, bounds: Rules | None = None) -> None:
        self.rules = bounds or rules(limits=LIMITS, turns=2)
        self.session, self.now_s, self.count = Session(), 100.0, 0
        self.effects: list[Effect] = []
        self.empty(2.0)

    def send(self, event: Event) -> None:
        waiting = [event]
        while waiting:
            self.count += 1
            now = Now(self.now_s, self.count.to_bytes(16, "big"))
            self.session, effects = step(self.session, waiting.pop(0), now, self.rules)
            self.effects += effects
            for effect in effects:
                if isinstance(effect, AskPrinterStatus):
                    waiting.append(PrinterStatusReported(PrinterStatus(online=True)))
                elif isinstance(effect, RecordClaim):
                    waiting.append(claim_recorded(effect.session_id))
                    waiting.append(SlipPrinted(effect.session_id))

    def see(self, event: FaceObserved) -> None:
        self.now_s += FRAME_S
        self.send(event)
        self.send(Ticked())

    def empty(self, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            self.see(frame(self.now_s, None))

    def willing(self, who: str, seconds: float) -> None:
        """This person stands there and turns as asked."""
        for _ in range(round(seconds / FRAME_S)):
            late = self.now_s - self.session.signal_s >= 0.3
            self.see(frame(self.now_s + FRAME_S, who, SIDE.get(self.session.signal, 0.0) if late else 0.0))

    def claims(self) -> list[str]:
        return [effect.subject_id for effect in self.effects if isinstance(effect, RecordClaim)]

    def reasons(self) -> list[Reason]:
        return [effect.reason for effect in self.effects if isinstance(effect, RecordOutcome)]


def without_probe(now_s: float, who: str, parallax: float) -> FaceObserved:
    """Eyes kept shut: it can be followed and judged by parallax, but not compared."""
    problems = (QualityProblem.EYES_CLOSED,)
    return FaceObserved(FaceObservation(now_s, TRACK_OF[who], problems, parallax, 80.0, 0.8, None))


def test_whoever_turns_must_show_a_face_that_can_be_compared() -> None:
    # A picture of ana first, then an accomplice who turns with closed eyes in the same place, then the picture again.
    terminal = Terminal()
    for _ in range(9):
        terminal.see(frame(terminal.now_s + FRAME_S, ANA))
        if terminal.session.phase is Phase.CHALLENGING:
            break
    assert terminal.session.phase is Phase.CHALLENGING
    while terminal.session.phase is Phase.CHALLENGING and terminal.session.pad_attempts == 1:
        late = terminal.now_s - terminal.session.signal_s >= 0.3
        turned = SIDE.get(terminal.session.signal, 0.0) if late else 0.0
        terminal.see(without_probe(terminal.now_s + FRAME_S, ANA, turned))
    for _ in range(60):
        terminal.see(frame(terminal.now_s + FRAME_S, ANA))
    assert terminal.claims() == []


def test_a_turn_ends_only_with_a_frame_that_gives_a_probe() -> None:
    bounds = rules(turns=1).pad
    challenge = liveness.wait(liveness.begin(bounds, 0.0, 0.0, b"x" * 16), bounds, 1.0)
    way = 0.25 if challenge.cues[0] is liveness.Direction.LEFT else -0.25
    turned = liveness.look(challenge, bounds, way, 1.5, usable=False)
    assert turned.step is liveness.Step.RETURN, "a turned frame never gives a probe"
    assert liveness.look(turned, bounds, 0.0, 1.7, usable=False) == turned
    assert liveness.look(turned, bounds, float("nan"), 1.7) == turned
    assert liveness.look(turned, bounds, 0.0, 1.8).step is liveness.Step.PASSED


def test_what_was_seen_before_the_challenge_is_not_fused() -> None:
    terminal = Terminal()
    while terminal.session.phase is not Phase.CHALLENGING:
        terminal.see(frame(terminal.now_s + FRAME_S, ANA))
    began_s = terminal.now_s
    while terminal.session.phase is Phase.CHALLENGING:
        terminal.willing(ANA, FRAME_S)
        assert all(probe.captured_s >= began_s for probe in terminal.session.probes)
    terminal.willing(ANA, 2.0)
    assert terminal.claims() == [ANA]


def test_who_was_interrupted_is_not_told_that_their_turns_were_at_fault() -> None:
    terminal = Terminal()
    for _ in range(300):
        if terminal.session.phase is Phase.CHALLENGING:
            terminal.see(frame(terminal.now_s + FRAME_S, ANA, problems=(QualityProblem.MANY_FACES,)))
        terminal.see(frame(terminal.now_s + FRAME_S, ANA))
        if terminal.reasons():
            break
    assert terminal.reasons() == [Reason.NO_USABLE_VIEW]


def test_a_queue_in_the_background_does_not_keep_the_terminal_from_the_next_person() -> None:
    terminal = Terminal()
    terminal.willing(ANA, 12.0)
    assert terminal.claims() == [ANA]
    for _ in range(80):
        terminal.see(frame(terminal.now_s + FRAME_S, BUDI, problems=(QualityProblem.TOO_FAR,)))
    assert terminal.session.armed
    assert terminal.session.signal is Signal.READY


def test_the_next_person_is_served_although_they_stepped_up_at_once() -> None:
    terminal = Terminal()
    terminal.willing(ANA, 9.0)
    terminal.willing(BUDI, 25.0)
    assert terminal.claims() == [ANA, BUDI]


def test_who_lingers_over_their_slip_is_not_served_again() -> None:
    terminal = Terminal()
    terminal.willing(ANA, 40.0)
    assert terminal.claims() == [ANA]


def test_a_short_break_of_the_track_while_lingering_starts_nothing() -> None:
    terminal = Terminal()
    terminal.willing(ANA, 4.0)
    while terminal.session.phase is not Phase.IDLE:
        terminal.willing(ANA, FRAME_S)
    terminal.willing(BUDI, 4.0)  # the same person under another number
    assert terminal.session.phase is Phase.IDLE
    assert not terminal.session.armed


def test_a_card_still_in_view_of_the_last_person_does_not_name_the_next() -> None:
    terminal = Terminal()
    terminal.willing(ANA, 8.0)
    assert not terminal.session.armed
    terminal.send(TokenPresented(ANA))
    terminal.empty(7.0)
    terminal.willing(BUDI, 12.0)
    assert terminal.claims() == [ANA, BUDI]
    terminal.empty(7.0)
    terminal.send(TokenPresented(BUDI))
    assert terminal.session.token == BUDI


def test_faces_of_different_people_are_far_apart() -> None:
    assert abs(float(np.dot(FACES[ANA], FACES[BUDI]))) < 0.1


def arrived(bounds: Rules) -> Terminal:
    """Ana stands there and is being looked at; nothing of her is known yet."""
    terminal = Terminal(bounds)
    while terminal.session.phase is Phase.IDLE:
        terminal.see(frame(terminal.now_s, ANA, problems=(QualityProblem.BLURRED,)))
    return terminal


def test_a_moving_head_is_not_taken_for_the_straight_look() -> None:
    terminal = arrived(rules(limits=replace(LIMITS, acquire_frames=3)))
    for parallax in (0.11, 0.06, 0.01):  # on the way back from a turn
        terminal.see(frame(terminal.now_s, ANA, parallax))
    assert terminal.session.phase is Phase.ACQUIRING
    for _ in range(2):
        terminal.see(frame(terminal.now_s, ANA, 0.01))
    assert terminal.session.phase is Phase.CHALLENGING
    assert terminal.session.challenge is not None
    assert terminal.session.challenge.neutral == 0.01


def test_after_a_failed_try_there_is_time_to_look_ahead_again() -> None:
    terminal = arrived(rules())
    terminal.see(frame(terminal.now_s, ANA))
    terminal.see(frame(terminal.now_s + FRAME_S, ANA, 0.25))  # unasked
    assert (terminal.session.phase, terminal.session.pad_attempts) == (Phase.ACQUIRING, 1)
    began_s = terminal.now_s
    while terminal.session.phase is Phase.ACQUIRING:
        terminal.see(frame(terminal.now_s, ANA))
    assert terminal.session.pad_attempts == 2
    assert 1.0 <= terminal.now_s - began_s <= 1.0 + 2 * FRAME_S
