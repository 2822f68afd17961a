"""Cards that are read, and cards that aren't taken: what the lights say, and whether the face decides instead."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.core.messages import PartFailed, RecordClaim, ShowSignal, TokenPresented, TokenRefused
from edge_agent.core.model import MatchKind, Part, Reason, Signal
from edge_agent.core.rules import MatchRules
from edge_agent.core.session import Phase
from tests.core.people import ANA, BUDI, TWIN, rules
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


ASKED = replace(
    rules(limits=LIMITS, turns=2),
    ask_card=True,
    match=MatchRules(verification_threshold=0.7, identification_threshold=0.7, margin=0.1),
)
"""A twin, who looks as much like ana as like budi, passes 1:1 for either of them."""


def asked_for_their_card() -> Terminal:
    terminal = Terminal(ASKED)
    while Signal.SHOW_CARD not in signals(terminal):
        terminal.willing(TWIN, FRAME_S)
    assert terminal.claims() == []
    return terminal


def test_who_looks_like_two_on_the_list_is_asked_for_their_card() -> None:
    terminal = asked_for_their_card()
    terminal.send(TokenPresented(BUDI))
    terminal.willing(TWIN, 4.0)
    assert terminal.claims() == [BUDI]
    claim = next(effect for effect in terminal.effects if isinstance(effect, RecordClaim))
    assert claim.evidence is not None
    assert claim.evidence.kind is MatchKind.VERIFICATION


def test_a_card_may_hide_the_face_while_it_is_held_up() -> None:
    terminal = asked_for_their_card()
    terminal.empty(LIMITS.absent_s + 1)
    terminal.send(TokenPresented(ANA))
    terminal.willing(TWIN, 4.0)
    assert terminal.claims() == [ANA]


def test_without_a_card_they_are_referred_and_never_guessed() -> None:
    terminal = asked_for_their_card()
    terminal.willing(TWIN, ASKED.limits.card_s + 1)
    assert terminal.claims() == []
    assert terminal.reasons() == [Reason.AMBIGUOUS]


def test_somebody_elses_card_does_not_help() -> None:
    terminal = asked_for_their_card()
    terminal.send(TokenPresented("nobody"))
    terminal.willing(TWIN, 4.0)
    assert terminal.reasons() == [Reason.NOT_RECOGNISED]


def test_who_leaves_while_their_card_is_awaited_has_left() -> None:
    terminal = asked_for_their_card()
    terminal.empty(ASKED.limits.card_s + 1)
    assert terminal.reasons() == [Reason.WALKED_AWAY]


def test_nobody_is_asked_for_a_card_that_cannot_be_read_here() -> None:
    terminal = Terminal(replace(ASKED, ask_card=False))
    terminal.willing(TWIN, 10.0)
    assert terminal.reasons() == [Reason.AMBIGUOUS]
    assert Signal.SHOW_CARD not in signals(terminal)
