"""Eyelids: the portrait's eye band in steps from open to closed. The skin above the eye is drawn down over it.

Rules: only the band around the eyes changes; step 0 is the picture as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

STEPS = 6
"""Steps from open (0) to closed (STEPS - 1)."""

_EYES = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)
"""Upper and lower lid of each eye, in mesh points from left to right of the picture."""

_SKIN_ABOVE = 0.16
"""Height of the skin that stretches, in eye distances above the lid: up to about the brow."""


@dataclass(frozen=True, eq=False)
class EyeBand:
    """Part of a picture, with its place: steps[i] replaces picture[top:top+h, left:left+w]."""

    left: int
    top: int
    steps: tuple[npt.NDArray[np.uint8], ...]


def eye_band(picture: npt.NDArray[np.uint8], mesh: npt.NDArray[np.float64]) -> EyeBand:
    """The band of this picture (h, w, channels); mesh: (468, 2+) in its pixels."""
    lids = mesh[[point for eye in _EYES for lid in eye for point in lid], :2]
    unit = float(np.linalg.norm(mesh[263, :2] - mesh[33, :2]))
    height, width = picture.shape[:2]
    low = np.maximum(np.floor(lids.min(axis=0) - (0.05 * unit, (_SKIN_ABOVE + 0.04) * unit)), 0).astype(int)
    high = np.minimum(np.ceil(lids.max(axis=0) + 0.06 * unit), (width, height)).astype(int)
    xs, ys = np.meshgrid(np.arange(low[0], high[0], dtype=np.float32), np.arange(low[1], high[1], dtype=np.float32))
    steps = [picture[low[1] : high[1], low[0] : high[0]].copy()]
    for step in range(1, STEPS):
        seen_y = ys
        for upper, lower in _EYES:
            above_below = (mesh[list(upper), :2], mesh[list(lower), :2])
            seen_y = _drawn_down(xs, seen_y, *above_below, closed=step / (STEPS - 1), unit=unit)
        steps.append(np.asarray(cv2.remap(picture, xs, seen_y, cv2.INTER_LINEAR), np.uint8))
    return EyeBand(int(low[0]), int(low[1]), tuple(steps))


def _drawn_down(
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
    upper: npt.NDArray[np.float64],
    lower: npt.NDArray[np.float64],
    *,
    closed: float,
    unit: float,
) -> npt.NDArray[np.float32]:
    """Row of the picture seen at each pixel when this eye's lid has come down by the share `closed`."""
    lid = np.interp(xs, upper[:, 0], upper[:, 1])
    rim = np.maximum(np.interp(xs, lower[:, 0], lower[:, 1]), lid)
    inside = (xs >= upper[0, 0]) & (xs <= upper[-1, 0])
    brow = lid - _SKIN_ABOVE * unit
    edge = lid + closed * (rim - lid)
    stretched = brow + (ys - brow) * (lid - brow) / (edge - brow)
    return np.where(inside & (ys > brow) & (ys <= edge), stretched, ys).astype(np.float32)
