"""Milliseconds spent per stage of a frame, cheap enough to stay on in the field. Owns no clock beyond `perf_counter`.

Rules: written by the vision thread only; readers get copies. Keeps the newest samples, so medians follow the present.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from time import perf_counter

import numpy as np


class Stage(str, Enum):
    """What a frame goes through, in order. `TOTAL` is the whole of it, from frame to observation."""

    LANDMARKS = "landmarks"
    QUALITY = "quality"
    CUES = "cues"
    CHIP = "chip"
    EMBED = "embed"
    TOTAL = "total"


@dataclass
class StageTimings:
    """The newest `keep` durations of each stage, milliseconds."""

    keep: int = 256
    _samples_ms: dict[Stage, deque[float]] = field(init=False)

    def __post_init__(self) -> None:
        self._samples_ms = {stage: deque(maxlen=self.keep) for stage in Stage}

    def add(self, stage: Stage, began: float) -> float:
        """Note a stage that began at `perf_counter()` value `began` and ends now; returns now, for the next."""
        now = perf_counter()
        self._samples_ms[stage].append((now - began) * 1000.0)
        return now

    def samples_ms(self, stage: Stage) -> tuple[float, ...]:
        """The newest durations of a stage, oldest first."""
        return tuple(self._samples_ms[stage])

    def summary(self) -> dict[str, dict[str, float]]:
        """Per stage that ran: `median_ms`, `p99_ms` and `frames`, over the samples kept."""
        kept = {stage: self.samples_ms(stage) for stage in Stage}
        return {stage.value: summarise(values) for stage, values in kept.items() if values}


def summarise(samples_ms: tuple[float, ...]) -> dict[str, float]:
    """`median_ms`, `p99_ms`, `frames` of at least one duration."""
    return {
        "median_ms": round(float(np.median(samples_ms)), 3),
        "p99_ms": round(float(np.percentile(samples_ms, 99)), 3),
        "frames": len(samples_ms),
    }
