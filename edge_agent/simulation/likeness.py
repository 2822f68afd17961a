"""Faces as numbers: unit vectors that are as like and as unlike each other as the embedder's were measured to be.

Faces of strangers are a common direction plus a direction of their own among `OWN_DIMENSIONS`; that many, because the
curve of measured impostor scores (models/manifest.yaml, two pictures averaged) falls as if there were about so many.
What changes between two looks at one person is noise in all dimensions: less of it between frames of one visit than
between visits. With the mean of six frames on each side the two speakers' clips, of one visit each, score 0.89 to 0.97
with themselves, and means of two photographs taken years apart 0.81 on average (models/README.md, *What several frames
bring*): a person here, who comes months later, scores 0.85.

Rules: pure but for the generator it is given; embeddings are float32 of unit length, shape (128,).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding

DIMENSIONS = 128
OWN_DIMENSIONS = 86
"""Of a face's own direction: gives the measured fall of the impostor scores from FMR 0.1 to 5e-5."""
SHARED = 0.147
"""Cosine of two strangers on average, but for the noise, which makes it 0.125 as measured."""
ENROLMENT_NOISE, VISIT_NOISE, FRAME_NOISE = 0.12, 0.2, 0.2
"""Power of each, against 1 for the face itself."""
VISIT_SPREAD = 0.5
"""Standard deviation of the logarithm of a visit's noise: light, glasses, a year more."""
TWIN, SIBLING = 0.97, 0.5
"""Cosine of the own directions of identical twins, and of siblings or of parent and child."""

_Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Face:
    """own: this face's direction among all faces, shape (OWN_DIMENSIONS,), unit length."""

    own: _Vector

    @property
    def ideal(self) -> _Vector:
        """The face without any noise, shape (128,), unit length."""
        vector = np.zeros(DIMENSIONS)
        vector[0] = math.sqrt(SHARED)
        vector[1 : OWN_DIMENSIONS + 1] = math.sqrt(1 - SHARED) * self.own
        return vector


def stranger(rng: np.random.Generator) -> Face:
    """Somebody related to nobody."""
    return Face(_direction(rng, OWN_DIMENSIONS))


def relative(of: Face, likeness: float, rng: np.random.Generator) -> Face:
    """Somebody whose own direction has this cosine with another's: `TWIN`, `SIBLING`."""
    other = _direction(rng, OWN_DIMENSIONS)
    other -= (other @ of.own) * of.own
    other /= np.linalg.norm(other)
    return Face(likeness * of.own + math.sqrt(1 - likeness**2) * other)


def enrolled(face: Face, rng: np.random.Generator) -> Embedding:
    """The template an office makes of several photographs."""
    return _unit(face.ideal + _noise(ENROLMENT_NOISE, rng))


class Look:
    """One visit of one face: what all its frames have in common. strain: factor on the visit's noise (1: usual)."""

    def __init__(self, face: Face, rng: np.random.Generator, strain: float = 1.0) -> None:
        power = VISIT_NOISE * strain * math.exp(rng.normal(0.0, VISIT_SPREAD))
        self._seen = face.ideal + _noise(power, rng)
        self._rng = rng

    def frame(self) -> Embedding:
        """The embedding of one more frame."""
        return _unit(self._seen + _noise(FRAME_NOISE, self._rng))


def _direction(rng: np.random.Generator, dimensions: int) -> _Vector:
    vector = rng.normal(size=dimensions)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


def _noise(power: float, rng: np.random.Generator) -> _Vector:
    return np.asarray(rng.normal(scale=math.sqrt(power / DIMENSIONS), size=DIMENSIONS), dtype=np.float64)


def _unit(vector: _Vector) -> Embedding:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
