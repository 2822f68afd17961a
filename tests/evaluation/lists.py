"""Pair lists, files and probes made up so that every result can be worked out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from edge_agent.core.model import Embedding
from edge_agent.evaluation.acquisition import Acquisition
from edge_agent.vision.manifest import EmbedderSpec, load

REPOSITORY = Path(__file__).resolve().parents[2]


def at(cosine: float) -> Embedding:
    """A unit vector whose cosine with `at(1.0)` is `cosine`."""
    return np.array([cosine, math.sqrt(max(0.0, 1 - cosine * cosine))], np.float32)


def touch(images: Path, *names: str) -> None:
    """Empty files NAME/NAME_0001.jpg for names like 'Ann 1'."""
    for name in names:
        who, number = name.split()
        file = images / who / f"{who}_{int(number):04d}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def acquisition(probes: dict[Path, Embedding], failures: dict[Path, str] | None = None) -> Acquisition:
    return Acquisition("open", {}, probes, failures or {})


def shipped_embedder() -> EmbedderSpec:
    return load(REPOSITORY / "models" / "manifest.yaml").active_embedder
