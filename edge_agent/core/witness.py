"""What the frames of a session have shown of a presentation attack so far: a `Witness`, one frame after another.

Rules: pure; a witness belongs to one track of one session and is forgotten with it. Of a frame only the few numbers are
kept that `cues.py` judges. Turned faces are compared with the most frontal one of the track, not with the look that the
challenge began with: a print held askew from the start would seem to turn less than it does.
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
class View:
    """A face from one side: when (monotonic seconds), its parallax (not against anything) and its shape."""

    captured_s: float
    parallax: float
    shape: Shape


@dataclass(frozen=True, eq=False)
class Witness:
    """straight: parallax of the straight look that the challenge began with; None before one.

    frontal: the view of the least parallax. turned: views of the challenge turned far enough; tilted: the others.
    frames: how many there were; faulty: how many of them were a repetition of an earlier one, stamped earlier than the
    one before, or stamped later than they came. moire, bezel, cast, passive: where looked for.
    """

    straight: float | None = None
    frontal: View | None = None
    turned: tuple[View, ...] = ()
    tilted: tuple[View, ...] = ()
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
VIEW_SPACING_S = 0.15
"""Views closer than this show the same moment; comparing shapes is the dearest thing the core does (0.1 ms on a PC)."""
FUTURE_S = 0.1
"""A frame stamped more than this later than it came was not taken by this camera."""


def begin_try(witness: Witness, parallax: float) -> Witness:
    """A challenge begins from this straight parallax; only its own turns count.

    A head that turned in the try before must not vouch for a sheet that turns in this one.
    """
    return replace(witness, straight=parallax, turned=(), tilted=())


def see(witness: Witness, seen: FaceObservation, now_s: float, turn_parallax: float) -> Witness:
    """One more frame of the same face. now_s: when it came; turn_parallax: the shift from which a turn counts."""
    cues = seen.cues
    if cues is None or seen.parallax is None:
        return witness
    wrong = cues.fingerprint in witness.fingerprints or not witness.last_s < seen.captured_s <= now_s + FUTURE_S
    view = View(seen.captured_s, seen.parallax, cues.shape)
    least = witness.frontal is None or abs(view.parallax) < abs(witness.frontal.parallax)
    witness = replace(
        witness,
        frontal=view if least else witness.frontal,
        frames=witness.frames + 1,
        faulty=witness.faulty + wrong,
        last_s=seen.captured_s,
        fingerprints=witness.fingerprints | {cues.fingerprint},
        moire=_and(witness.moire, cues.moire),
        bezel=_and(witness.bezel, cues.bezel),
        cast=_and(witness.cast, cues.cast),
        passive=_and(witness.passive, cues.passive),
    )
    if witness.straight is None:
        return witness
    shift = view.parallax - witness.straight
    if abs(shift) >= turn_parallax:
        return replace(witness, turned=_and_view(witness.turned, view))
    witness = replace(witness, tilted=_and_view(witness.tilted, view))
    if abs(shift) > STRAIGHT_SHIFT:
        return witness
    return replace(witness, looks=(*witness.looks, StraightLook(seen.captured_s, cues.eye_open, shift)))


def depths(witness: Witness, views: tuple[View, ...], least_sine: float = 0.0) -> tuple[float, ...]:
    """Of each view tilted at least so far: parallax against the frontal view over the sine of the tilt.

    About the height of the nose tip over the plane of the eyes, in eye distances.
    """
    if witness.frontal is None:
        return ()
    frontal = witness.frontal
    sines = ((view, tilt_sine(frontal.shape, view.shape)) for view in views)
    return tuple(
        abs(view.parallax - frontal.parallax) / max(sine, LEAST_SIN) for view, sine in sines if sine >= least_sine
    )


def misfits(witness: Witness) -> tuple[float, ...]:
    """`plane_misfit` of each turned view against the frontal one."""
    if witness.frontal is None:
        return ()
    return tuple(plane_misfit(witness.frontal.shape, view.shape) for view in witness.turned)


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


def _and_view(views: tuple[View, ...], view: View) -> tuple[View, ...]:
    if views and abs(view.captured_s - views[-1].captured_s) < VIEW_SPACING_S:
        return views
    return (*views, view)


def _finite(*shapes: Shape) -> bool:
    return all(bool(np.isfinite(shape).all()) for shape in shapes)


def _and(values: tuple[float, ...], value: float | None) -> tuple[float, ...]:
    return values if value is None else (*values, value)
