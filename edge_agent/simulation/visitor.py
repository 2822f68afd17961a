"""Somebody in front of a terminal: what its camera sees of them, what they hold up, and when they go.

People see only the lights. They know what their light means, take their slip, and go; nobody knows the rules.

Rules: `now_s` is seconds of the day; only a frame's `captured_s` is the terminal's own. What follows from an outcome is
not decided here (`intentions.py`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from edge_agent.core.model import FaceObservation, FrameCues, QualityProblem, Signal
from edge_agent.simulation.bearing import Head, head_shape, print_shape
from edge_agent.simulation.likeness import Look
from edge_agent.simulation.village import Person

USABLE_PARALLAX = 0.12
"""`vision.quality.parallax_max`: a head turned further gives no probe."""
WALK_UP_S = 0.7
SHOW_CARD_EVERY_S = 0.4
FIND_CARD_S = 2.0
"""From the light that asks for the card until it is held up."""
_PRINT_YAW_DEG = 35.0
_PRINT_TURN = 0.24
OVER = frozenset({Signal.GIVEN, Signal.REFERRED, Signal.NOT_ENTITLED, Signal.ABANDONED, Signal.TAKE_SLIP_FAILED})
"""Lights that tell somebody that their turn is over."""


@dataclass(frozen=True, eq=False)
class Errand:
    """One coming of one person.

    shows: code texts held up from the start; carries: their card, shown when it is asked for. leaves_after_s: walks off
    then. held_print: what the camera sees is a flat print. covered: the face can't be used.
    """

    person: Person
    shows: tuple[str, ...] = ()
    carries: tuple[str, ...] = ()
    leaves_after_s: float | None = None
    held_print: bool = False
    covered: bool = False


class Visitor:
    """Present from `came_s` on. track_id: the tracker's number for this face. look: how they look this time."""

    def __init__(self, errand: Errand, track_id: int, came_s: float, look: Look, chance: random.Random) -> None:
        self.errand = errand
        self.came_s = came_s
        self.leaves_s: float | None = None
        """When they will turn away; None: not yet decided."""
        person = errand.person
        self._track_id = track_id
        self._look = look
        self._chance = chance
        self._head = Head(person.pace, self._chance)
        self._shown_s = -SHOW_CARD_EVERY_S
        self._asked_s: float | None = None
        if errand.leaves_after_s is not None:
            self.leaves_s = came_s + errand.leaves_after_s

    def see(self, signal: Signal | None, now_s: float) -> None:
        """Watch the lights: who sees that it is over takes the slip and goes; so does who stands in the dark."""
        if self.leaves_s is not None:
            return
        if signal in OVER:
            self.leaves_s = now_s + 1.0 + self._chance.expovariate(1 / 0.8)
        elif signal is None or signal in (Signal.OUT_OF_SERVICE, Signal.PAPER_OUT, Signal.STOPPED):
            self.leaves_s = now_s + 2.0 + self._chance.expovariate(1 / 1.0)

    def codes(self, signal: Signal | None, now_s: float) -> tuple[str, ...]:
        """What a code reader finds in view now."""
        self._asked_s = (self._asked_s or now_s) if signal is Signal.SHOW_CARD else None
        found = self._asked_s is not None and now_s - self._asked_s >= FIND_CARD_S
        held = self.errand.carries if found else self.errand.shows
        if not held or now_s - self.came_s < WALK_UP_S or now_s - self._shown_s < SHOW_CARD_EVERY_S:
            return ()
        if signal in OVER or signal in (Signal.TURN_LEFT, Signal.TURN_RIGHT, Signal.LOOK_AHEAD):
            return ()
        self._shown_s = now_s
        return held

    def frame(self, signal: Signal, now_s: float, captured_s: float) -> FaceObservation:
        """What one frame shows. captured_s: on the terminal's monotonic clock."""
        parallax, eye_open = self._head.look(now_s, signal)
        errand, chance = self.errand, self._chance
        shape = head_shape(parallax)
        if errand.held_print:
            shape = print_shape(round(parallax / _PRINT_TURN * _PRINT_YAW_DEG))
            parallax, eye_open = chance.gauss(0.0, 0.008), 0.3
        problems = self._problems(parallax, now_s)
        return FaceObservation(
            captured_s=captured_s,
            track_id=self._track_id,
            problems=problems,
            parallax=parallax,
            eye_distance_px=85.0,
            quality=chance.uniform(0.6, 0.9),
            probe=None if problems else self._look.frame(),
            cues=FrameCues(shape, eye_open, chance.getrandbits(64)),
        )

    def _problems(self, parallax: float, now_s: float) -> tuple[QualityProblem, ...]:
        if now_s - self.came_s < WALK_UP_S:
            return (QualityProblem.TOO_FAR,)
        if self.errand.covered:
            return (QualityProblem.CUT_OFF,)
        if abs(parallax) > USABLE_PARALLAX:
            return (QualityProblem.TURNED,)
        return (QualityProblem.BLURRED,) if self._chance.random() < self.errand.person.pace.blind_share else ()


def nobody(captured_s: float) -> FaceObservation:
    """A frame with no face in it."""
    return FaceObservation(captured_s, None, (QualityProblem.NO_FACE,))
