"""What the frames of a session have shown of a presentation attack so far: a `Witness`, one frame after another.

Rules: pure; a witness belongs to one track of one session and is forgotten with it. Of a frame only the few numbers are
kept that `cues.py` judges. Turned looks are compared with the straight look that the challenge began with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from edge_agent.core.model import FaceObservation, Shape

TILTED_SIN = 0.24
"""Sine of the tilt (14°) from which a face that shows no parallax is tilted without having turned."""
LEAST_SIN = 0.05
"""Below 3° the mesh's noise is larger than the tilt."""
STRAIGHT_SHIFT = 0.07
"""Parallax shift up to which a look counts as straight; eyes are foreshortened beyond it."""


@dataclass(frozen=True)
class StraightLook:
    """A frame that looks ahead: when (monotonic seconds), how open the eyes, the parallax against the neutral one."""

    captured_s: float
    eye_open: float
    shift: float


@dataclass(frozen=True, eq=False)
class Witness:
    """neutral, straight: shape and parallax of the straight look; None until a challenge has begun.

    depths, misfits: of every frame turned far enough (`depth`, `plane_misfit`). tilted: the depths of frames tilted
    without a turn. frames: how many there were; faulty: how many of them were a repetition of an earlier one, stamped
    earlier than the one before, or stamped later than they came. moire, bezel, cast, passive: where looked for.
    """

    neutral: Shape | None = None
    straight: float = 0.0
    depths: tuple[float, ...] = ()
    misfits: tuple[float, ...] = ()
    tilted: tuple[float, ...] = ()
    looks: tuple[StraightLook, ...] = ()
    frames: int = 0
    faulty: int = 0
    last_s: float = -math.inf
    fingerprints: frozenset[int] = frozenset()
    moire: tuple[float, ...] = ()
    bezel: tuple[float, ...] = ()
    cast: tuple[float, ...] = ()
    passive: tuple[float, ...] = ()


NOTHING_SEEN = Witness()
FUTURE_S = 0.1
"""A frame stamped more than this later than it came was not taken by this camera."""


def compare_with(witness: Witness, shapes: tuple[Shape, ...], parallax: float) -> Witness:
    """A challenge begins: its turns, and no earlier ones, are compared with these straight shapes and their parallax.

    A head that turned in the try before must not vouch for a sheet that turns in this one.
    """
    neutral = np.stack(shapes).mean(axis=0) if shapes else None
    return replace(witness, neutral=neutral, straight=parallax, depths=(), misfits=(), tilted=())


def see(witness: Witness, seen: FaceObservation, now_s: float, turn_parallax: float) -> Witness:
    """One more frame of the same face. now_s: when it came; turn_parallax: the shift from which a turn counts."""
    cues = seen.cues
    if cues is None or seen.parallax is None:
        return witness
    wrong = cues.fingerprint in witness.fingerprints or not witness.last_s < seen.captured_s <= now_s + FUTURE_S
    witness = replace(
        witness,
        frames=witness.frames + 1,
        faulty=witness.faulty + wrong,
        last_s=seen.captured_s,
        fingerprints=witness.fingerprints | {cues.fingerprint},
        moire=_and(witness.moire, cues.moire),
        bezel=_and(witness.bezel, cues.bezel),
        cast=_and(witness.cast, cues.cast),
        passive=_and(witness.passive, cues.passive),
    )
    return witness if witness.neutral is None else _compare(witness, witness.neutral, seen, turn_parallax)


def _compare(witness: Witness, neutral: Shape, seen: FaceObservation, turn_parallax: float) -> Witness:
    if seen.cues is None or seen.parallax is None:
        raise AssertionError("compared without a shape")
    shift = seen.parallax - witness.straight
    if abs(shift) <= STRAIGHT_SHIFT:
        look = StraightLook(seen.captured_s, seen.cues.eye_open, shift)
        witness = replace(witness, looks=(*witness.looks, look))
    sine = tilt_sine(neutral, seen.cues.shape)
    if abs(shift) >= turn_parallax:
        depth = abs(shift) / max(sine, LEAST_SIN)
        misfit = plane_misfit(neutral, seen.cues.shape)
        return replace(witness, depths=(*witness.depths, depth), misfits=(*witness.misfits, misfit))
    if sine >= TILTED_SIN:
        return replace(witness, tilted=(*witness.tilted, abs(shift) / sine))
    return witness


def tilt_sine(neutral: Shape, shape: Shape) -> float:
    """How far a face is tilted against its straight look, about whatever axis: sine of the angle, 0..1.

    A tilted plane is seen foreshortened across its axis by the cosine, whatever it carries, so the smaller over the
    larger singular value of the best affine map from one shape to the other is that cosine. 0.0 for degenerate shapes.
    """
    if not _finite(neutral, shape):
        return 0.0
    before = neutral.astype(np.float64) - neutral.mean(axis=0)
    after = shape.astype(np.float64) - shape.mean(axis=0)
    gram = before.T @ before
    if np.linalg.det(gram) < 1e-9:
        return 0.0
    values = np.linalg.svd(np.linalg.solve(gram, before.T @ after), compute_uv=False)
    cosine = float(values[1] / values[0]) if values[0] > 0 else 1.0
    return math.sqrt(max(0.0, 1.0 - cosine * cosine))


def plane_misfit(neutral: Shape, shape: Shape) -> float:
    """How badly a moved plane explains the points' motion: RMS distance after the best homography, eye distances.

    The homography is the least-squares solution of the linear equations (DLT); shapes are already well scaled for it.
    0.0 for degenerate shapes.
    """
    if not _finite(neutral, shape):
        return 0.0
    x, y = neutral.astype(np.float64).T
    u, v = shape.astype(np.float64).T
    zero, one = np.zeros_like(x), np.ones_like(x)
    rows = np.concatenate(
        [
            np.stack([x, y, one, zero, zero, zero, -u * x, -u * y, -u], axis=1),
            np.stack([zero, zero, zero, x, y, one, -v * x, -v * y, -v], axis=1),
        ]
    )
    matrix = np.linalg.eigh(rows.T @ rows)[1][:, 0].reshape(3, 3)
    moved = np.stack([x, y, one], axis=1) @ matrix.T
    if float(np.abs(moved[:, 2]).min()) < 1e-9:
        return 0.0
    away = moved[:, :2] / moved[:, 2:] - np.stack([u, v], axis=1)
    return float(np.sqrt((away**2).sum(axis=1).mean()))


def _finite(*shapes: Shape) -> bool:
    return all(bool(np.isfinite(shape).all()) for shape in shapes)


def _and(values: tuple[float, ...], value: float | None) -> tuple[float, ...]:
    return values if value is None else (*values, value)
