"""Moiré: the pixel grid of a screen beating against the camera's, as sharp peaks in the spectrum of the face.

Rules: a pure function of one frame; only the inside of the face is looked at, where no cloth is; a peak counts against
the spectrum beside it, so that brightness, contrast and skin colour cancel. A screen's grid lies over the whole face:
the upper and the lower half must both show it, so that a patterned mask or headscarf alone doesn't.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image
from edge_agent.vision.parallax import LEFT_EYE_OUTER, RIGHT_EYE_OUTER, Mesh

TILE_PX = 32
"""Side of a tile: small, because a tilted grid's beat changes its frequency across the face."""
EYES_MIN_PX = 40.0
"""Outer eye corner distance below which the tiles would reach beyond the face."""

_HALVES = ((-0.35, 0.117), (0.583, 1.05))
"""Rows of tile centres, upper and lower half of the face: below the eye line, in eye distances."""
_BESIDE = 0.42
_BESIDE_CHIN = 0.28
_CHIN_ROW = 1.05
_FEWEST_TILES = 3
_NTH_TILE = 3
"""Of a half's tiles the third highest counts: eyes, brows and beards alone don't make a grid."""
_SLOWEST = 0.12
"""Cycles a pixel; what is slower than that is the face's own relief."""
_RING, _CORE = 9, 5
"""Sides, in bins, of the spectrum a peak is compared with, and of what is left out around it (Hann's main lobe)."""
_FLOOR = 2.0
"""Noise variance added to what a peak is compared with: below it a ratio is one of rounding and JPEG, not of light."""
_SUBSAMPLED = 0.27
"""Cycles a pixel across or down that colour at half the resolution (4:2:0) carries, 0.25, and a bin's width."""
_FASTEST = 0.42
"""Nearer to half a cycle a pixel lie mirror images of the face's own relief, where a picture, or its colour alone, was
doubled in size."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_BOUNDS = ((0.80, 1.40), (0.90, 1.50), (0.80, 1.40))
"""log10 of the peak's ratio that scores 0 and the most: luma, slow colour, fast colour. See docs/pad-cues.md."""
_MOST = (0.7, 1.0, 1.0)
"""Grey lines alone are a doubt and no more: a camera that enlarges its picture by repeating pixels draws them too, over
everybody (docs/pad-cues.md)."""

Floats = npt.NDArray[np.float32]


def _hann() -> Floats:
    side = np.hanning(TILE_PX + 1)[:TILE_PX]
    return np.asarray(side[:, None] * side[None, :], np.float32)


def _bins() -> tuple[npt.NDArray[np.bool_], ...]:
    """Which bins (32, 32) are looked at: in luma, in slow colour (subsampled colour carries it too), in fast colour."""
    cycles = np.abs(np.fft.fftfreq(TILE_PX))
    most = np.maximum(cycles[:, None], cycles[None, :])
    luma = (np.hypot(cycles[:, None], cycles[None, :]) >= _SLOWEST) & (most <= _FASTEST)
    slow = luma & (most < _SUBSAMPLED)
    fast = luma & ~slow
    return tuple(np.asarray(bins, np.bool_) for bins in (luma, slow, fast))


_WINDOW = _hann()
_IN_LUMA, _IN_SLOW, _IN_FAST = _bins()


def moire(image_rgb: Image, mesh_px: Mesh) -> float:
    """How surely a screen's grid lies over the face, 0..1.

    image_rgb: uint8 (h, w, 3); mesh_px: (478, 2+). 0.0 also where too little of the face is in the frame to tell.
    """
    peaks = moire_peaks(image_rgb, mesh_px)
    if peaks is None:
        return 0.0
    low, high = np.array(_BOUNDS).T
    return float((np.clip((peaks - low) / (high - low), 0.0, 1.0) * _MOST).max())


def moire_peaks(image_rgb: Image, mesh_px: Mesh) -> npt.NDArray[np.float64] | None:
    """log10 of peak over surroundings, (3,): luma, slow and fast colour; of the half that shows less of it.

    Of each half the third highest tile counts. None where fewer than three tiles of a half lie in the frame.
    """
    halves = [_tiles(image_rgb, mesh_px, rows) for rows in _HALVES]
    if min(len(tiles) for tiles in halves) < _FEWEST_TILES:
        return None
    ratios = _peak_ratios(np.concatenate([np.stack(tiles) for tiles in halves]).astype(np.float32))
    upper, lower = np.split(ratios, [len(halves[0])])
    seen = np.minimum(*(np.sort(half, axis=0)[-_NTH_TILE] for half in (upper, lower)))
    return np.asarray(np.log10(np.maximum(seen, 1e-3)), np.float64)


def _tiles(image: Image, mesh_px: Mesh, rows: tuple[float, ...]) -> list[Image]:
    """Those of three tiles a row that lie in the frame, (TILE_PX, TILE_PX, 3) each."""
    right, left = (mesh_px[point, :2].astype(np.float64) for point in (RIGHT_EYE_OUTER, LEFT_EYE_OUTER))
    across = left - right
    if not float(np.hypot(*across)) >= EYES_MIN_PX:
        return []
    down = np.array((-across[1], across[0]))
    height, width = image.shape[:2]
    found: list[Image] = []
    for row in rows:
        beside = _BESIDE_CHIN if row == _CHIN_ROW else _BESIDE
        for aside in (-beside, 0.0, beside):
            x, y = np.rint((right + left) / 2 + aside * across + row * down - TILE_PX / 2).astype(int).tolist()
            if 0 <= x <= width - TILE_PX and 0 <= y <= height - TILE_PX:
                found.append(image[y : y + TILE_PX, x : x + TILE_PX])
    return found


def _peak_ratios(tiles: Floats) -> Floats:
    """Highest peak of each tile (n, 32, 32, 3) over the spectrum beside it, (n, 3): luma, slow and fast colour.

    Colour is red − green and blue − green, whichever shows more. Green is scaled to the tile's mean of the other, so
    that what is lighter and darker without a change of colour cancels, whatever the colour of the skin.
    """
    red_green_blue = tiles.mean(axis=(1, 2), keepdims=True) + 1.0
    alike = tiles[..., 1:2] * (red_green_blue / red_green_blue[..., 1:2])
    planes = np.stack([tiles @ _LUMA, tiles[..., 0] - alike[..., 0], tiles[..., 2] - alike[..., 2]])
    mean = (planes * _WINDOW).sum(axis=(2, 3), keepdims=True) / _WINDOW.sum()
    # Scaled so that white noise of variance v has a mean power of v.
    power = np.abs(np.fft.fft2((planes - mean) * _WINDOW)) ** 2 / float((_WINDOW**2).sum())
    channels, count = power.shape[:2]
    # Bins first: one box filter then serves all tiles and channels.
    bins = np.ascontiguousarray(power.reshape(channels * count, TILE_PX, TILE_PX).transpose(1, 2, 0), np.float32)
    edge = _RING // 2
    wrapped = np.pad(bins, ((edge, edge), (edge, edge), (0, 0)), mode="wrap")
    ring, core = (
        cv2.boxFilter(wrapped, -1, (side, side), normalize=False)[edge:-edge, edge:-edge] for side in (_RING, _CORE)
    )
    beside = np.maximum(ring - core, 0.0) / (_RING**2 - _CORE**2)
    ratios = (bins / (beside + _FLOOR)).reshape(TILE_PX, TILE_PX, channels, count)
    luma = ratios[:, :, 0][_IN_LUMA].max(axis=0)
    slow, fast = (ratios[:, :, 1:][seen].max(axis=(0, 1)) for seen in (_IN_SLOW, _IN_FAST))
    return np.asarray(np.stack([luma, slow, fast], axis=1), np.float32)
