"""What a session must keep to: time limits, liveness, match thresholds and the gallery, as plain values.

Rules: durations are seconds; bounds are checked where the values are made (`settings.py`), not here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge_agent.core.model import Gallery, PadMode


@dataclass(frozen=True)
class Limits:
    """How long each phase may take. `max_s` bounds the whole session, recording and printing included."""

    max_s: float = 52.0
    arrive_s: float = 0.4
    acquire_s: float = 8.0
    acquire_frames: int = 3
    identify_s: float = 4.0
    record_s: float = 2.0
    print_s: float = 8.0
    settle_s: float = 4.0
    absent_s: float = 1.5
    probe_frames: int = 6
    recheck_s: float = 5.0
    token_s: float = 15.0
    card_s: float = 10.0
    authorise_s: float = 5.0
    desk_s: float = 30.0

    @property
    def decide_s(self) -> float:
        """Seconds after the start at which the person's part ends, so that all that follows still fits: recording,
        asking the centre, recording again, printing."""
        return self.max_s - 2 * self.record_s - self.authorise_s - self.print_s


@dataclass(frozen=True)
class PadRules:
    """Liveness challenge: how many turns, how long for each, how far. Parallax as in `FaceObservation.parallax`.

    slow_factor, slow_turn_parallax: of `slower`. cues_decide: False only writes what the cues found into the record.
    passive_threshold: of the passive PAD model, where there is one.
    """

    mode: PadMode = PadMode.ENFORCED
    attempts: int = 2
    turns: int = 3
    answer_min_s: float = 0.15
    answer_max_s: float = 4.0
    centre_s: float = 4.0
    gap_min_s: float = 0.3
    gap_max_s: float = 0.8
    turn_parallax: float = 0.13
    centre_parallax: float = 0.07
    slow_factor: float = 1.5
    slow_turn_parallax: float = 0.10
    cues_decide: bool = True
    passive_threshold: float | None = None

    @property
    def slower(self) -> PadRules:
        """The same for somebody whose turns were not seen in time: longer windows, and a smaller turn is enough."""
        return replace(
            self,
            answer_max_s=self.answer_max_s * self.slow_factor,
            centre_s=self.centre_s * self.slow_factor,
            turn_parallax=min(self.turn_parallax, self.slow_turn_parallax),
        )


@dataclass(frozen=True)
class MatchRules:
    """Scores required: cosine similarities derived from the model's measured curve (`vision/manifest.py`)."""

    verification_threshold: float
    identification_threshold: float
    margin: float


@dataclass(frozen=True, eq=False)
class Rules:
    """Everything that bounds a session. token_fallback: whoever holds up a code that isn't taken is served by 1:N.
    ask_centre: the centre is asked for what has its home elsewhere. ask_card: who looks like two on the list is asked
    for their card before they are referred.
    """

    gallery: Gallery
    match: MatchRules
    limits: Limits = Limits()
    pad: PadRules = PadRules()
    token_fallback: bool = True
    ask_centre: bool = False
    ask_card: bool = False


@dataclass(frozen=True)
class Now:
    """The instant and the chance of one step. monotonic_s: seconds; entropy: at least 16 fresh random bytes."""

    monotonic_s: float
    entropy: bytes
