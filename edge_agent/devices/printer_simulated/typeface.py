"""The simulated printer's characters: one bitmap a character, each in its cell like a real print head's.

Rules: pure; drawn from Pillow's bundled font, so that a slip looks the same on every machine.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Dots = npt.NDArray[np.bool_]
"""Shape (height, width): True is black."""

CELLS = {"a": (12, 24), "b": (9, 17)}
"""Width and height in dots of font A and B at 203 dpi."""

_MARKS = {
    "\u0300": ((-2, 0), (2, 3)),
    "\u0301": ((-2, 3), (2, 0)),
    "\u0302": ((-3, 3), (0, 0), (3, 3)),
    "\u0303": ((-3, 3), (-1, 1), (1, 2), (3, 0)),
    "\u0308": ((-3, 1), (-2, 1)),
    "\u030a": ((-2, 2), (0, 0), (2, 2), (0, 4), (-2, 2)),
    "\u0327": ((0, 20), (1, 22), (-1, 23)),
}
"""Combining marks as strokes in a cell of 24 rows, x from its middle: the bundled font has no accented letters."""
_MIRRORED_MARKS = ("\u0308",)

_INK_THRESHOLD = 110
_OVERSAMPLING = 3


@lru_cache(maxsize=2048)
def glyph(char: str, font: str, bold: bool, width_times: int, height_times: int) -> Dots:
    """One character in its cell, enlarged as `GS !` says."""
    width, height = CELLS[font]
    face = _face(height)
    scale = _OVERSAMPLING
    parts = unicodedata.normalize("NFD", char)
    char, marks = parts[0], parts[1:]
    natural = max(int(face.getlength(char) + 0.999), 1)
    canvas = Image.new("L", (natural + 2 * scale, height * scale), 0)
    ImageDraw.Draw(canvas).text((scale, int(height * scale * 0.02)), char, fill=255, font=face)
    room = (width - 1) * scale
    if canvas.width > room:
        canvas = canvas.resize((room, canvas.height), Image.Resampling.LANCZOS)
    cell = Image.new("L", (width * scale, height * scale), 0)
    cell.paste(canvas, ((cell.width - canvas.width) // 2, 0))
    for mark in marks:
        _stroke(cell, mark)
    small = cell.resize((width, height), Image.Resampling.BOX)
    dots: Dots = np.asarray(small) > _INK_THRESHOLD
    if bold:
        dots = dots | np.pad(dots, ((0, 0), (1, 0)))[:, :-1]
    return dots.repeat(height_times, axis=0).repeat(width_times, axis=1)


def _stroke(cell: Image.Image, mark: str) -> None:
    unit = cell.height / 24
    pen = ImageDraw.Draw(cell)
    for side in (1, -1) if mark in _MIRRORED_MARKS else (1,):
        points = [(cell.width / 2 + side * x * unit, (y + 1) * unit) for x, y in _MARKS.get(mark, ())]
        pen.line(points, fill=255, width=int(2 * unit))


@lru_cache(maxsize=4)
def _face(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(height * 0.82 * _OVERSAMPLING)
