"""The cues of a presentation attack: each a pure function of what was witnessed, with its own score; and their fusion.

Rules: a score lies in 0..1, higher is more like a living person at the camera, on one scale: under `DOUBT` (0.5) a cue
is a doubt, under `CONCLUSIVE` (0.25) it decides alone; cues that vary among living people too never go under 0.25. Not
live: one conclusive cue, or two doubts. A cue that couldn't be taken has no score; where every honest camera gives it
(`ALWAYS`), that is a doubt. Nobody needs to hear, read, smile or be quick. How the bounds were measured:
docs/pad-cues.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from edge_agent.core.witness import TILTED_SIN, StraightLook, Witness, depths, misfits

DOUBT = 0.5
CONCLUSIVE = 0.25
DOUBTS_MAX = 1
"""More doubts than this are no chance any more."""


class Cue(str, Enum):
    """What is judged, named as in records."""

    DEPTH = "depth"
    PLANE = "plane"
    LATENCY = "latency"
    BLINK = "blink"
    MOTION = "motion"
    INTEGRITY = "integrity"
    MOIRE = "moire"
    BEZEL = "bezel"
    CAST = "cast"
    PASSIVE = "passive"


ALWAYS = (Cue.DEPTH, Cue.INTEGRITY)
"""Taken in every session whose turns were answered; without them nothing shows that the camera was looked into."""


@dataclass(frozen=True)
class Scale:
    """Where a measured value is surely living, a doubt, and (None: never) conclusive; growing with life."""

    sure: float
    doubt: float
    conclusive: float | None = None

    def score(self, value: float) -> float:
        """0..1, linear between: 0 at 0, `CONCLUSIVE`, `DOUBT`, 1."""
        if self.conclusive is None:
            return float(np.interp(value, (0.0, self.doubt, self.sure), (CONCLUSIVE, DOUBT, 1.0)))
        return float(np.interp(value, (0.0, self.conclusive, self.doubt, self.sure), (0.0, CONCLUSIVE, DOUBT, 1.0)))


SCALES = {
    Cue.DEPTH: Scale(sure=0.6, doubt=0.45, conclusive=0.22),
    Cue.PLANE: Scale(sure=0.05, doubt=0.03, conclusive=0.015),
    Cue.LATENCY: Scale(sure=0.45, doubt=0.25),
    Cue.BLINK: Scale(sure=1.0, doubt=0.26),
    Cue.MOTION: Scale(sure=0.008, doubt=0.003),
    Cue.INTEGRITY: Scale(sure=1.0, doubt=0.9, conclusive=0.7),
    Cue.MOIRE: Scale(sure=0.9, doubt=0.5, conclusive=0.25),
    Cue.BEZEL: Scale(sure=0.9, doubt=0.5, conclusive=0.25),
    Cue.CAST: Scale(sure=0.9, doubt=0.5),
}

FRAMES_LEAST = 5
"""Fewer frames tell nothing of a stream, or of involuntary motion."""
SCREEN_LOOKS_LEAST = 3
BLINK_DEPTH = 0.75
"""Eyes open less than this share of their median are a blink; both speakers' fall to 0.59 … 0.66."""
BLINK_EVERY_S = 6.0
"""The mean pause between blinks of somebody who stares at a light; ten a minute, the low end of people at rest."""
WATCHED_GAP_S = 0.25
"""Looks further apart than this were not watched in between: a blink takes 0.1 to 0.4 s."""


@dataclass(frozen=True)
class Finding:
    """scores: of the cues that could be taken. missing: of `ALWAYS`, those that couldn't."""

    scores: tuple[tuple[Cue, float], ...] = ()
    missing: tuple[Cue, ...] = ()

    @property
    def conclusive(self) -> tuple[Cue, ...]:
        """Cues that decide alone."""
        return tuple(cue for cue, score in self.scores if not score >= CONCLUSIVE)

    @property
    def doubts(self) -> tuple[Cue, ...]:
        """Cues in doubt, the conclusive and the missing ones among them. Of `DEPTH` and `PLANE`, which look at the same
        turn, only one counts."""
        found = [cue for cue, score in self.scores if not score >= DOUBT]
        if Cue.DEPTH in found and Cue.PLANE in found:
            found.remove(Cue.PLANE)
        return (*found, *self.missing)

    @property
    def live(self) -> bool:
        """No conclusive cue, and no more than `DOUBTS_MAX` doubts."""
        return not self.conclusive and len(self.doubts) <= DOUBTS_MAX

    @property
    def blink_would_tell(self) -> bool:
        """Whether it is live but for one doubt, and watching until the eyes blink or ought to have may settle it."""
        blink = dict(self.scores).get(Cue.BLINK)
        return self.live and bool(self.doubts) and blink is not None and DOUBT <= blink < 1.0


def judge(witness: Witness, latencies_s: Sequence[float], passive_threshold: float | None = None) -> Finding:
    """Every cue of a session. latencies_s: from each light to its turn; passive_threshold: of the passive model."""
    measured = {
        Cue.DEPTH: _median(depths(witness, witness.turned)),
        Cue.PLANE: _median(misfits(witness)),
        Cue.LATENCY: min(latencies_s, default=None),
        Cue.BLINK: blink(witness.looks),
        Cue.MOTION: motion(witness.looks),
        Cue.INTEGRITY: integrity(witness),
        Cue.MOIRE: screen(witness.moire),
        Cue.BEZEL: screen(witness.bezel),
        Cue.CAST: screen(witness.cast),
    }
    scores = [(cue, SCALES[cue].score(value)) for cue, value in measured.items() if value is not None]
    if witness.passive and passive_threshold is not None:
        scores.append((Cue.PASSIVE, passive(witness.passive, passive_threshold)))
    taken = [cue for cue, _ in scores]
    return Finding(tuple(scores), tuple(cue for cue in ALWAYS if cue not in taken))


def flat(witness: Witness) -> bool:
    """Whether what was tilted, without a turn being seen, was a flat thing rather than a head that can't turn."""
    depth = _median(depths(witness, witness.tilted, TILTED_SIN))
    return depth is not None and SCALES[Cue.DEPTH].score(depth) < CONCLUSIVE


def blink(looks: Sequence[StraightLook]) -> float | None:
    """1.0 when open eyes closed and opened again; else the chance that living ones, watched as long, would not have."""
    if len(looks) < FRAMES_LEAST:
        return None
    openings = np.array([look.eye_open for look in looks])
    closed = openings < BLINK_DEPTH * float(np.median(openings))
    opened = np.flatnonzero(~closed)
    if len(opened) and closed[opened[0] : opened[-1]].any():
        return 1.0
    gaps_s = np.diff([look.captured_s for look in looks])
    return math.exp(-float(gaps_s[(gaps_s > 0) & (gaps_s <= WATCHED_GAP_S)].sum()) / BLINK_EVERY_S)


def motion(looks: Sequence[StraightLook]) -> float | None:
    """Standard deviation of the straight looks' parallax: a neck is never quite still."""
    return float(np.std([look.shift for look in looks])) if len(looks) >= FRAMES_LEAST else None


def integrity(witness: Witness) -> float | None:
    """Share of the frames that were new, in order, and not from the future. A loop fed in repeats itself."""
    return 1.0 - witness.faulty / witness.frames if witness.frames >= FRAMES_LEAST else None


def screen(traces: Sequence[float]) -> float | None:
    """1 minus the median of a screen cue's traces (0..1)."""
    return 1.0 - float(np.median(traces)) if len(traces) >= SCREEN_LOOKS_LEAST else None


def passive(scores: Sequence[float], threshold: float) -> float:
    """The passive model's median, scaled so that its own threshold is conclusive."""
    return float(np.interp(float(np.median(scores)), (0.0, threshold, 1.0), (0.0, CONCLUSIVE, 1.0)))


def _median(values: Sequence[float]) -> float | None:
    return float(np.median(values)) if values else None
