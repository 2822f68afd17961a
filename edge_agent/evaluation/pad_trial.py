"""One presentation judged by the product's own session: what vision observed goes in, a verdict comes out.

Rules: time is the footage's, so nothing waits; the challenge is drawn from the entropy given. A trial ends where the
session would identify (accepted) or refer. It is a whole transaction: the session's own second try is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from edge_agent.core.cues import Finding, judge
from edge_agent.core.messages import Event, FaceObserved, PrinterStatusReported, RecordOutcome, ShowSignal, Ticked
from edge_agent.core.model import FaceObservation, Gallery, PadMode, PrinterStatus, Reason, Signal
from edge_agent.core.rules import MatchRules, Now, PadRules, Rules
from edge_agent.core.session import step
from edge_agent.core.state import Phase, Session
from edge_agent.core.witness import NOTHING_SEEN, begin_try, see

TRIAL_MAX_S = 40.0


class Verdict(str, Enum):
    """What the terminal made of a presentation (ISO/IEC 30107-3: bona fide, attack, or a non-response)."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NO_RESPONSE = "no_response"


@dataclass(frozen=True)
class Judged:
    """reason: the session's, None when accepted. tries: challenges begun. seconds: from its arrival to the verdict.

    cues: scores of the latest try (docs/pad-cues.md), by name.
    """

    verdict: Verdict
    reason: str | None
    tries: int
    seconds: float
    cues: tuple[tuple[str, float], ...] = ()


class Trial:
    """A terminal with nobody enrolled, to which one presentation is made. Instants are seconds and must not fall."""

    def __init__(self, pad: PadRules, begun_s: float, rng: np.random.Generator) -> None:
        nobody = Gallery((), np.zeros((0, 128), np.float32))
        self._rules = Rules(nobody, MatchRules(1.0, 1.0, 0.0), pad=pad)
        self._rng = rng
        self._begun_s = begun_s
        self._session = Session(entered_s=begun_s)
        self.signal: Signal | None = None
        self.judged: Judged | None = None
        for event in (PrinterStatusReported(PrinterStatus(online=True)), Ticked()):
            self._step(event, begun_s)

    def observe(self, seen: FaceObservation, now_s: float) -> Judged | None:
        """One frame looked at; the verdict when there is one."""
        for event in (FaceObserved(seen), Ticked()):
            if self.judged is None:
                self._step(event, now_s)
        return self.judged

    def out_of_footage(self) -> Judged:
        """Nothing more is shown: a non-response."""
        tries = self._session.pad_attempts
        return self.judged or Judged(Verdict.NO_RESPONSE, "footage_ended", tries, TRIAL_MAX_S)

    def _step(self, event: Event, now_s: float) -> None:
        self._session, effects = step(self._session, event, Now(now_s, self._rng.bytes(32)), self._rules)
        seconds = round(now_s - self._begun_s, 3)
        tries = self._session.pad_attempts
        if self._session.phase is Phase.IDENTIFYING:
            self.judged = Judged(Verdict.ACCEPTED, None, tries, seconds, self._session.pad_cues)
        for effect in effects:
            if isinstance(effect, ShowSignal):
                self.signal = effect.signal
            elif isinstance(effect, RecordOutcome):
                rejected = effect.reason in (Reason.NOT_LIVE, Reason.COULD_NOT_TURN)
                verdict = Verdict.REJECTED if rejected else Verdict.NO_RESPONSE
                self.judged = Judged(verdict, effect.reason.value, tries, seconds, effect.pad_cues)


def replay(observations: tuple[FaceObservation, ...], fps: float, pad: PadRules, rng: np.random.Generator) -> Judged:
    """Present a recording that was observed before: it goes on whatever is asked, from a random frame of it, again and
    again. observations: one cycle, forwards and back, fps: of them. A camera's noise is never the same twice, so each
    way through counts as pixels of its own; what repeats within one is repeated in the recording.
    """
    trial = Trial(pad, 0.0, rng)
    start = int(rng.integers(len(observations)))
    for sequence in range(int(TRIAL_MAX_S * fps)):
        now_s = (sequence + 1) / fps
        seen = _shown(observations, start + sequence, now_s)
        judged = trial.observe(seen, now_s)
        if judged is not None:
            return judged
    return trial.out_of_footage()


def _shown(observations: tuple[FaceObservation, ...], position: int, now_s: float) -> FaceObservation:
    lap, index = divmod(position, len(observations))
    way = 2 * lap + (index > len(observations) // 2)
    seen = replace(observations[index], captured_s=now_s)
    if seen.cues is None:
        return seen
    return replace(seen, cues=replace(seen.cues, fingerprint=hash((seen.cues.fingerprint, way))))


def perform(
    watch: Callable[[Signal | None, float], FaceObservation],
    times_s: Iterator[float],
    pad: PadRules,
    rng: np.random.Generator,
) -> Judged:
    """Present somebody who watches the lights. watch: the signal shown and the instant -> what vision makes of them."""
    begun_s = next(times_s)
    trial = Trial(pad, begun_s, rng)
    for now_s in times_s:
        if now_s - begun_s > TRIAL_MAX_S:
            break
        judged = trial.observe(watch(trial.signal, now_s), now_s)
        if judged is not None:
            return judged
    return trial.out_of_footage()


def acquired(observations: tuple[FaceObservation, ...], fps: float, rng: np.random.Generator) -> Judged:
    """Present a recording of a living person to everything but the challenge, which a recording can't answer.

    Once there is a usable view, all cues are judged that need no answer, over one way through.
    """
    judged = replay(observations, fps, PadRules(mode=PadMode.DISABLED), rng)
    if judged.verdict is not Verdict.ACCEPTED:
        return judged
    finding = _watched(observations[: len(observations) // 2 + 1], fps)
    scores = tuple((cue.value, round(score, 3)) for cue, score in finding.scores)
    if Finding(finding.scores).live:
        return replace(judged, cues=scores)
    return replace(judged, verdict=Verdict.REJECTED, reason="cues", cues=scores)


def _watched(observations: tuple[FaceObservation, ...], fps: float) -> Finding:
    """The cues of a recording that nobody asked to turn; where it turns by itself, its depth among them."""
    witness, track = NOTHING_SEEN, None
    turn = PadRules().turn_parallax
    for index, seen in enumerate(observations):
        if seen.track_id != track:
            witness, track = NOTHING_SEEN, seen.track_id
        if witness.straight is None and seen.probe is not None and seen.parallax is not None:
            witness = begin_try(witness, seen.parallax)
        shown = replace(seen, captured_s=(index + 1) / fps)
        witness = see(witness, shown, (index + 1) / fps, turn)
    return judge(witness, ())
