"""Cues of an attack in a whole session: who is watched on, who is referred and with what reason, what is recorded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from edge_agent.core.messages import FaceObserved, RecordClaim, RecordOutcome
from edge_agent.core.model import FrameCues, PadVerdict, Reason, Shape
from edge_agent.core.rules import Rules
from edge_agent.core.session import Phase
from tests.core.heads import HEAD, SHEET, parallax_of, seen
from tests.core.people import ANA, frame, rules
from tests.core.test_session_guards import FRAME_S, LIMITS, SIDE, Terminal

Look = Callable[[float, float], FaceObserved]
"""What stands there: given the time and the parallax asked for, a frame."""

BOUNDS = rules(limits=replace(LIMITS, max_s=60.0), turns=2)


def shallow(way: float) -> Shape:
    """A head of half the depth, turned this way: as deep for its turn as a bent print."""
    return seen(HEAD * (1.0, 1.0, 0.55), float(np.sign(way)) * 28 if way else 0.0)


def looks(shape_of: Callable[[float], Shape], blinks: bool, fingerprints: int | None = None) -> Look:
    """Something with this shape. fingerprints: it repeats its frames after so many."""
    count = 0

    def look(now_s: float, way: float) -> FaceObserved:
        nonlocal count
        count += 1
        shape = shape_of(way)
        sway = 0.005 * (-1) ** count
        opening = 0.1 if blinks and now_s % 2.0 < 0.25 else 0.3
        own = hash(now_s) if fingerprints is None else count % fingerprints
        event = frame(now_s, ANA, parallax_of(shape) + sway)
        return FaceObserved(replace(event.observation, cues=FrameCues(shape, opening, own)))

    return look


def stand(terminal: Terminal, look: Look, seconds: float, after_s: float = 0.4) -> None:
    """It stands there for so long, or until it is decided, and answers each light after_s later."""
    for _ in range(round(seconds / FRAME_S)):
        late = terminal.now_s - terminal.session.signal_s >= after_s
        terminal.see(look(terminal.now_s + FRAME_S, SIDE.get(terminal.session.signal, 0.0) if late else 0.0))
        if terminal.claims() or terminal.reasons():
            return


def head(way: float) -> Shape:
    return seen(HEAD, float(np.sign(way)) * 18 if way else 0.0)


def serve(look: Look, bounds: Rules = BOUNDS, after_s: float = 0.4) -> Terminal:
    terminal = Terminal(bounds)
    stand(terminal, look, 70.0, after_s)
    return terminal


def test_a_head_passes_at_once_whether_it_blinks_or_not() -> None:
    for blinks in (True, False):
        terminal = serve(looks(head, blinks))
        assert terminal.claims() == [ANA]
        assert terminal.now_s - 102.0 < 8.0


def test_a_shallow_face_that_blinks_passes_and_one_that_never_does_is_referred_after_a_longer_look() -> None:
    assert serve(looks(shallow, blinks=True)).claims() == [ANA]
    staring = serve(looks(shallow, blinks=False))
    assert staring.claims() == []
    assert staring.reasons() == [Reason.NOT_LIVE]


def test_frames_that_repeat_are_not_live_however_well_they_turn() -> None:
    terminal = serve(looks(head, blinks=True, fingerprints=7))
    assert terminal.reasons() == [Reason.NOT_LIVE]
    record = next(effect for effect in terminal.effects if isinstance(effect, RecordOutcome))
    assert dict(record.pad_cues)["integrity"] < 0.25
    assert dict(record.pad_cues)["depth"] > 0.5


def test_a_picture_that_is_tilted_instead_of_turned_is_not_taken_for_somebody_who_cannot_turn() -> None:
    tilted = looks(lambda way: seen(SHEET, float(np.sign(way)) * 30 if way else 0.0), blinks=True)
    assert serve(tilted).reasons() == [Reason.NOT_LIVE]


def test_who_cannot_turn_gets_a_slower_try_and_is_told_that_no_turn_was_seen() -> None:
    terminal = Terminal(BOUNDS)
    still = looks(lambda _: seen(HEAD, 0.0), blinks=True)
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}
    while not terminal.reasons():
        stand(terminal, still, FRAME_S)
        if terminal.session.phase is Phase.CHALLENGING:
            begun.setdefault(terminal.session.pad_attempts, terminal.now_s)
            ended[terminal.session.pad_attempts] = terminal.now_s
    assert terminal.reasons() == [Reason.COULD_NOT_TURN]
    first_s, second_s = (ended[attempt] - begun[attempt] for attempt in (1, 2))
    assert second_s > first_s + 0.3


def test_a_small_turn_is_enough_in_the_slower_try() -> None:
    barely = looks(lambda way: seen(HEAD, float(np.sign(way)) * 12 if way else 0.0), blinks=True)
    assert BOUNDS.pad.slow_turn_parallax < abs(parallax_of(seen(HEAD, 12))) < BOUNDS.pad.turn_parallax
    terminal = serve(barely)
    assert terminal.claims() == [ANA]
    claim = next(effect for effect in terminal.effects if isinstance(effect, RecordClaim))
    assert claim.evidence.pad_attempts == 2


def test_a_wrong_turn_is_never_excused_as_being_unable_to_turn() -> None:
    terminal = Terminal(BOUNDS)
    wrong = looks(head, blinks=True)
    while not terminal.reasons():
        asked = SIDE.get(terminal.session.signal, 0.0) if terminal.session.pad_attempts == 1 else 0.0
        terminal.see(wrong(terminal.now_s + FRAME_S, -asked))
    assert terminal.reasons() == [Reason.NOT_LIVE]


@pytest.mark.parametrize("decide", [True, False])
def test_scores_are_in_the_record_and_decide_only_if_they_may(decide: bool) -> None:
    bounds = replace(BOUNDS, pad=replace(BOUNDS.pad, cues_decide=decide))
    terminal = serve(looks(head, blinks=True, fingerprints=7), bounds)
    assert (terminal.claims() == [ANA]) is not decide
    if not decide:
        claim = next(effect for effect in terminal.effects if isinstance(effect, RecordClaim))
        assert claim.evidence.pad is PadVerdict.LIVE
        assert dict(claim.evidence.pad_cues)["integrity"] < 0.25
