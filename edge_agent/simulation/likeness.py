"""Faces as numbers: unit vectors that are as like and as unlike each other as the embedder in use was measured to be.

Faces of strangers are a common direction plus a direction of their own among some more; how much is common and how many
there are follows from the curve of measured impostor scores (models/manifest.yaml, two pictures averaged), taken as
normal. What changes between two looks at one person is noise in all dimensions: less of it between frames of one visit
than between visits. One person lies `SELF` of the way from strangers to the same picture, as the two speakers' clips
did with both embedders (models/README.md, *What several frames bring*: 0.84 to 0.91 of it, mean of six frames on each
side).

Rules: pure but for the generator it is given; embeddings are float32 of unit length, shape (128,).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from edge_agent.core.model import Embedding

DIMENSIONS = 128
SELF = 0.86
TAIL = 1.1
"""Directions among finitely many dimensions are rarely very alike: so much wider they must lie for as many false
matches as were measured."""
RARE = 0.02
"""Rates of the curve up to this are met; among more frequent ones no threshold lies."""
ENROLMENT, VISIT, FRAME = 0.375, 0.47, 0.93
"""How the noise divides: of a template, of a visit, and of a single frame, of which six are averaged."""
FUSED_FRAMES = 6
VISIT_SPREAD = 0.4
"""Standard deviation of the logarithm of a visit's noise: light, glasses, a year more."""
TWIN, SIBLING, CHANGED = 0.97, 0.5, 0.3
"""Cosine of the own directions of identical twins, of siblings or of parent and child, and of a face with what it was
before an illness or many years."""

_Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Face:
    """own: this face's direction among all faces, shape (DIMENSIONS - 1,), unit length."""

    own: _Vector


@dataclass(frozen=True)
class FaceModel:
    """shared: cosine of two strangers without noise, on average. own: dimensions in which faces differ.

    enrolment, visit, frame: power of each noise, against 1 for the face itself.
    """

    shared: float
    own: int
    enrolment: float
    visit: float
    frame: float

    @classmethod
    def of_curve(cls, curve: Sequence[tuple[float, float]]) -> FaceModel:
        """From the impostor curve: (false match rate, threshold) of averages of two pictures."""
        rare = [(NormalDist().inv_cdf(1 - fmr), threshold) for fmr, threshold in curve if fmr <= RARE]
        fitted, mean = (float(value) for value in np.polyfit([at for at, _ in rare], [score for _, score in rare], 1))
        spread = TAIL * fitted
        mean -= (spread - fitted) * rare[0][0]
        same = mean + SELF * (1 - mean)
        power = _noise_power(same)
        shared = mean / same
        # Noise along the common direction only makes a vector longer, and vectors are brought to unit length.
        random_part = (1 - same**2) * (1 - shared**2) / DIMENSIONS
        own = round(((1 - shared) * same) ** 2 / max(spread**2 - random_part, 1e-9))
        return cls(shared, min(max(own, 2), DIMENSIONS - 1), ENROLMENT * power, VISIT * power, FRAME * power)

    def stranger(self, rng: np.random.Generator) -> Face:
        """Somebody related to nobody."""
        return Face(self._direction(rng))

    def relative(self, of: Face, likeness: float, rng: np.random.Generator) -> Face:
        """Somebody whose own direction has this cosine with another's: `TWIN`, `SIBLING`, `CHANGED`."""
        other = self._direction(rng)
        other -= (other @ of.own) * of.own
        other /= np.linalg.norm(other)
        return Face(likeness * of.own + math.sqrt(1 - likeness**2) * other)

    def photographs(self, rng: np.random.Generator) -> _Vector:
        """What is particular to the photographs that an office took of somebody, or of twins on one day."""
        return _noise(self.enrolment, rng)

    def template(self, face: Face, photographs: _Vector) -> Embedding:
        """The template an office makes of them."""
        return _unit(self.ideal(face) + photographs)

    def ideal(self, face: Face) -> _Vector:
        """The face without any noise, shape (128,), unit length."""
        return np.concatenate(([math.sqrt(self.shared)], math.sqrt(1 - self.shared) * face.own))

    def _direction(self, rng: np.random.Generator) -> _Vector:
        vector = np.zeros(DIMENSIONS - 1)
        vector[: self.own] = rng.normal(size=self.own)
        return np.asarray(vector / np.linalg.norm(vector), dtype=np.float64)


class Look:
    """One visit of one face: what all its frames have in common."""

    def __init__(self, model: FaceModel, face: Face, rng: np.random.Generator) -> None:
        power = model.visit * math.exp(rng.normal(0.0, VISIT_SPREAD))
        self._seen = model.ideal(face) + _noise(power, rng)
        self._frame = model.frame
        self._rng = rng

    def frame(self) -> Embedding:
        """The embedding of one more frame."""
        return _unit(self._seen + _noise(self._frame, self._rng))


def _noise_power(same: float) -> float:
    """The power that brings one person's score down to `same`: (1 + template) (1 + visit + frame / 6) = 1 / same²."""
    template, probe = ENROLMENT, VISIT + FRAME / FUSED_FRAMES
    both, sum_of = template * probe, template + probe
    return (math.sqrt(sum_of**2 + 4 * both * (1 / same**2 - 1)) - sum_of) / (2 * both)


def _noise(power: float, rng: np.random.Generator) -> _Vector:
    return np.asarray(rng.normal(scale=math.sqrt(power / DIMENSIONS), size=DIMENSIONS), dtype=np.float64)


def _unit(vector: _Vector) -> Embedding:
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)
