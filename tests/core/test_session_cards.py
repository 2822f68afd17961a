"""Cards that are read, and cards that aren't taken: what the lights say, and whether the face decides instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.core.messages import PartFailed, RecordClaim, ShowSignal, TokenPresented, TokenRefused
from edge_agent.core.model import MatchKind, Part, Reason, Signal
from edge_agent.core.session import Phase
from tests.core.people import ANA, BUDI, rules
from tests.core.test_session_guards import FRAME_S, LIMITS, Terminal

STRICT = replace(rules(limits=LIMITS, turns=2), token_fallback=False)
REFUSED = TokenRefused("expired", "a1")


def signals(terminal: Terminal) -> list[Signal]:
    return [effect.signal for effect in terminal.effects if isinstance(effect, ShowSignal)]


def until(terminal: Terminal, phase: Phase) -> None:
    while terminal.session.phase is not phase:
        terminal.willing(ANA, FRAME_S)


@pytest.mark.parametrize("when", [Phase.IDLE, Phase.ACQUIRING, Phase.CHALLENGING])
def test_whoever_holds_up_a_card_that_is_not_taken_is_referred_where_policy_says_so(when: Phase) -> None:
    terminal = Terminal(STRICT)
    until(terminal, when)
    terminal.send(REFUSED)
    terminal.willing(ANA, 10.0)
    assert terminal.claims() == []
    assert terminal.reasons() == [Reason.TOKEN_REFUSED]


def test_otherwise_the_face_decides() -> None:
    terminal = Terminal()
    terminal.send(REFUSED)
    terminal.willing(ANA, 10.0)
    assert terminal.claims() == [ANA]


def test_without_any_card_the_face_decides() -> None:
    terminal = Terminal(STRICT)
    terminal.willing(ANA, 10.0)
    assert terminal.claims() == [ANA]


def test_a_good_card_after_a_refused_one_counts() -> None:
    terminal = Terminal(STRICT)
    terminal.send(REFUSED)
    terminal.send(TokenPresented(ANA))
    terminal.willing(ANA, 10.0)
    claim = next(effect for effect in terminal.effects if isinstance(effect, RecordClaim))
    assert claim.evidence.kind is MatchKind.VERIFICATION


def test_a_refused_card_is_not_held_against_the_next_person() -> None:
    terminal = Terminal(STRICT)
    terminal.willing(ANA, 10.0)
    assert not terminal.session.armed
    terminal.send(REFUSED)  # in view of the one just served
    terminal.empty(7.0)
    terminal.willing(BUDI, 12.0)
    assert terminal.claims() == [ANA, BUDI]


def test_a_card_held_up_long_before_anybody_came_is_forgotten() -> None:
    terminal = Terminal(STRICT)
    terminal.send(REFUSED)
    terminal.empty(LIMITS.token_s + 1)
    terminal.willing(ANA, 10.0)
    assert terminal.claims() == [ANA]


@pytest.mark.parametrize("when", [Phase.IDLE, Phase.ACQUIRING, Phase.CHALLENGING])
def test_a_card_reader_that_fails_holds_nobody_up(when: Phase) -> None:
    terminal = Terminal(STRICT)
    until(terminal, when)
    terminal.send(PartFailed(Part.TOKEN_READER, "unplugged"))
    terminal.willing(ANA, 10.0)
    terminal.empty(7.0)
    terminal.willing(BUDI, 12.0)
    assert terminal.claims() == [ANA, BUDI]


@pytest.mark.parametrize(("event", "signal"), [(TokenPresented(ANA), Signal.CARD_READ), (REFUSED, Signal.CARD_REFUSED)])
def test_the_lights_tell_at_once_and_go_back_to_ready(event: TokenPresented | TokenRefused, signal: Signal) -> None:
    terminal = Terminal()
    assert terminal.session.signal is Signal.READY
    for _ in range(3):
        terminal.send(event)
        terminal.empty(0.3)
    assert terminal.session.signal is Signal.READY, "told once, not at every look"
    assert signals(terminal).count(signal) == 1


def test_guidance_goes_on_after_a_card_was_told() -> None:
    terminal = Terminal()
    until(terminal, Phase.ACQUIRING)
    terminal.send(REFUSED)
    assert terminal.session.signal is Signal.CARD_REFUSED
    terminal.willing(ANA, 10.0)
    assert terminal.claims() == [ANA]


def test_no_card_covers_a_light_that_asks_for_a_turn() -> None:
    terminal = Terminal()
    until(terminal, Phase.CHALLENGING)
    for event in (TokenPresented(ANA), REFUSED):
        before = terminal.session.signal
        terminal.send(event)
        assert terminal.session.signal is before
