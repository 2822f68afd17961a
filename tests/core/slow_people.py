"""People at their own pace in front of the pure session: reaction, turning, looking back, sway, blinks and mistakes.

The figures of a kind of person are assumptions of the right order, not measurements of recipients (docs/liveness.md).
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field, replace

from edge_agent.core.messages import (
    AskPrinterStatus,
    Event,
    FaceObserved,
    PrinterStatusReported,
    RecordClaim,
    RecordOutcome,
    ShowSignal,
    Ticked,
)
from edge_agent.core.model import FaceObservation, PadVerdict, PrinterStatus, QualityProblem, Reason, Signal
from edge_agent.core.rules import Limits, Now, PadRules, Rules
from edge_agent.core.session import Session, step
from tests.core.heads import cues
from tests.core.people import ANA, FACES, GALLERY, MATCH, TRACK_OF

FRAME_S = 1 / 15
USABLE_PARALLAX = 0.12
"""`vision.quality.parallax_max`."""


@dataclass(frozen=True)
class Pace:
    """A kind of person. Times are medians in seconds, each drawn log-normally with `spread`; angles are parallax.

    reaction_s: from the light to the first movement; turn_s, back_s: for the whole way out (to `turn`) and back.
    sway: amplitude of the slow sway of a standing head, one parallax unit in 0.012 a degree; tremor: at 5 Hz.
    aside: how far from straight they stand (standard deviation). mistakes: share of turns begun the wrong way.
    blind_share: share of straight frames without a probe (blinks, glare on glasses, blur).
    """

    reaction_s: float = 0.6
    turn_s: float = 0.5
    back_s: float = 0.5
    spread: float = 0.2
    turn: float = 0.24
    sway: float = 0.02
    tremor: float = 0.0
    aside: float = 0.02
    mistakes: float = 0.0
    blind_share: float = 0.05


YOUNG = Pace()
OLD = Pace(reaction_s=1.0, turn_s=0.9, back_s=1.0, spread=0.25, sway=0.035, tremor=0.01, aside=0.03, mistakes=0.02)
SLOW = Pace(reaction_s=1.5, turn_s=1.2, back_s=1.5, spread=0.25, turn=0.22, sway=0.04, tremor=0.02, aside=0.04)
SLOW_GLASSES = replace(SLOW, blind_share=0.5)
STIFF = replace(SLOW, turn=0.16)


@dataclass
class Head:
    """One person's head: where it is at each instant, given the signal shown."""

    pace: Pace
    chance: random.Random
    parallax: float = 0.0
    goal: float = 0.0
    speed: float = 1.0
    signal: Signal = Signal.READY
    acts_s: float = float("inf")
    neutral: float = field(init=False)
    phase: float = field(init=False)

    def __post_init__(self) -> None:
        self.neutral = max(-0.1, min(0.1, self.chance.gauss(0.0, self.pace.aside)))
        self.phase = self.chance.uniform(0, 2 * math.pi)

    def seen_at(self, now_s: float, signal: Signal) -> float:
        """Parallax at now_s; the head moves on by one frame."""
        if signal is not self.signal:
            self.signal, self.acts_s = signal, now_s + self._drawn(self.pace.reaction_s)
        if now_s >= self.acts_s:
            self.acts_s = float("inf")
            self._act()
        way = self.goal - self.parallax
        self.parallax += math.copysign(min(abs(way), self.speed * FRAME_S), way)
        sway = self.pace.sway * math.sin(2 * math.pi * 0.3 * now_s + self.phase)
        return self.neutral + self.parallax + sway + self.pace.tremor * math.sin(2 * math.pi * 5 * now_s)

    def _act(self) -> None:
        side = {Signal.TURN_LEFT: 1.0, Signal.TURN_RIGHT: -1.0}.get(self.signal, 0.0)
        if side and self.chance.random() < self.pace.mistakes:
            side = -side
        self.goal = side * self.pace.turn
        self.speed = self.pace.turn / self._drawn(self.pace.turn_s if side else self.pace.back_s)

    def _drawn(self, median_s: float) -> float:
        return median_s * math.exp(self.chance.gauss(0.0, self.pace.spread))


@dataclass(frozen=True)
class Visit:
    """How one visit ended: reason None means that a claim was asked for; decided_s counts from the start."""

    reason: Reason | None
    pad: PadVerdict
    tries: int
    decided_s: float


def visit(pace: Pace, seed: int, pad: PadRules, limits: Limits) -> Visit:
    """One person, who stays until it is decided."""
    chance = random.Random(seed)
    rules = Rules(gallery=GALLERY, match=MATCH, limits=limits, pad=pad)
    head = Head(pace, chance)
    session, now_s = Session(), 100.0
    while now_s < 200.0:
        now_s += FRAME_S
        parallax = head.seen_at(now_s, session.signal)
        usable = abs(parallax) <= USABLE_PARALLAX and chance.random() >= pace.blind_share
        problems = () if usable else (QualityProblem.TURNED,)
        probe = FACES[ANA] if usable else None
        shown = cues(parallax, now_s)
        seen = FaceObservation(now_s, TRACK_OF[ANA], problems, parallax, 80.0, chance.uniform(0.6, 0.9), probe, shown)
        present = now_s > 102.0
        waiting: list[Event] = [FaceObserved(seen) if present else FaceObserved(FaceObservation(now_s, None, ()))]
        waiting.append(Ticked())
        while waiting:
            session, effects = step(session, waiting.pop(0), Now(now_s, chance.randbytes(16)), rules)
            for effect in effects:
                if isinstance(effect, AskPrinterStatus):
                    waiting.append(PrinterStatusReported(PrinterStatus(online=True)))
                elif isinstance(effect, RecordClaim):
                    return Visit(None, effect.evidence.pad, effect.evidence.pad_attempts, now_s - session.started_s)
                elif isinstance(effect, RecordOutcome):
                    return Visit(effect.reason, effect.pad, effect.pad_attempts, now_s - session.started_s)
                else:
                    assert isinstance(effect, ShowSignal) or effect is not None
    raise AssertionError("the visit never ended")
