"""Where a slip's code comes from: typed or scanned text, a picture, or a camera.

Rules: a picture may be a whole photograph with a small code on it, turned, slanted and soft. It is looked at whole and
in overlapping squares, because the reader shrinks what is large and a code needs some three pixels a module.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from edge_agent.ports import Camera, FootageEnded, Image
from edge_agent.proof.errors import ProofError
from edge_agent.vision.codes import CodeReader, QrReader
from edge_agent.vision.photo import load_photo

SQUARES = (1.0, 0.7, 0.5, 0.35)
"""Sides of the squares looked at, over the picture's shorter side."""
ENLARGED_UP_TO_PX = 480
_SQUARE_MIN_PX = 120


def text_of_picture(path: Path, prefix: str, reader: CodeReader | None = None) -> str:
    """The code in a picture that begins with this prefix, or else any other. Raises PhotoError, ProofError."""
    return _text_of(load_photo(path), str(path), prefix, reader or QrReader())


def text_of_camera(camera: Camera, prefix: str, wait_s: float, clock: Callable[[], float] = time.monotonic) -> str:
    """The first code with this prefix that is held up. Raises CameraError, ProofError: none came in time."""
    reader, until_s = QrReader(), clock() + wait_s
    camera.open()
    try:
        with suppress(FootageEnded):  # a recording's end: no code came, as when the time is up
            while clock() < until_s:
                frame = camera.read(1.0)
                for text in reader.read(frame.image) if frame is not None else ():
                    if text.startswith(prefix):
                        return text
    finally:
        camera.close()
    raise ProofError(
        f"no slip's code was seen within {wait_s:g} s; hold it flat, filling half of the picture, in light"
    )


def _text_of(image: Image, name: str, prefix: str, reader: CodeReader) -> str:
    others: list[str] = []
    for piece in _pieces(image):
        texts = reader.read(piece)
        for text in texts:
            if text.startswith(prefix):
                return text
        others += texts
    if others:
        return others[0]
    raise ProofError(
        f"{name}: no QR code can be read on it; photograph the code alone, flat, sharp and without shadow, "
        "or type its text from a phone's reader"
    )


def _pieces(image: Image) -> Iterator[Image]:
    """The whole; then squares over all of it, from as wide as its shorter side down, each halfway into the next one;
    small ones enlarged, so that a fine code has pixels enough."""
    yield image
    height, width = image.shape[:2]
    for share in SQUARES:
        side = round(min(height, width) * share)
        if side < _SQUARE_MIN_PX:
            return
        for top in _starts(height, side):
            for left in _starts(width, side):
                square = np.ascontiguousarray(image[top : top + side, left : left + side])
                yield square if side > ENLARGED_UP_TO_PX else _doubled(square)


def _starts(length: int, side: int) -> list[int]:
    """Where squares begin along one side, evenly, at most half a square apart."""
    steps = math.ceil((length - side) / (side / 2))
    return sorted({round(step * (length - side) / max(steps, 1)) for step in range(steps + 1)})


def _doubled(image: Image) -> Image:
    height, width = image.shape[:2]
    return np.asarray(Pillow.fromarray(image).resize((2 * width, 2 * height), Pillow.Resampling.BICUBIC), np.uint8)
