"""Slips that came out of the simulated printer, kept as picture and text.

Rules: every piece of paper is kept, the torn ones too (`-torn`); an earlier file is never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from edge_agent.devices.printer_simulated.mechanism import DOTS_PER_MM, Strip

_SIDE_MARGIN_MM = 5
_EDGE_MM = 3
_PAPER, _INK, _TEAR = 250, 20, 170

OnSlip = Callable[[Path, str], None]
"""Called with the picture's path and the slip as text."""


@dataclass(frozen=True)
class FinishedSlip:
    """label: the slip's name; text: as rows; torn: it did not come out whole; picture: None without a folder."""

    label: str
    text: str
    torn: bool
    length_mm: float
    picture: Path | None


def keep(strip: Strip, label: str, folder: Path | None) -> FinishedSlip:
    """Write LABEL.png and LABEL.txt (LABEL-torn; LABEL-2 … where taken). Raises OSError when they can't be written."""
    text = "\n".join(strip.text).rstrip() + "\n"
    length_mm = strip.dots / DOTS_PER_MM
    if folder is None:
        return FinishedSlip(label, text, strip.torn, length_mm, None)
    folder.mkdir(parents=True, exist_ok=True)
    stem = re.sub(r"[^A-Za-z0-9._-]", "_", label) + ("-torn" if strip.torn else "")
    taken = 1
    name = stem
    while (folder / f"{name}.png").exists():
        taken += 1
        name = f"{stem}-{taken}"
    picture = folder / f"{name}.png"
    _draw(strip).save(picture, optimize=True, dpi=(25.4 * DOTS_PER_MM,) * 2)
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")
    return FinishedSlip(label, text, strip.torn, length_mm, picture)


def _draw(strip: Strip) -> Image.Image:
    ink = np.concatenate(strip.rows, axis=0)
    edge, side = _EDGE_MM * DOTS_PER_MM, _SIDE_MARGIN_MM * DOTS_PER_MM
    ink = np.pad(ink, ((edge, edge), (side, side)))
    pixels = np.where(ink, _INK, _PAPER).astype(np.uint8)
    if strip.torn:
        columns = np.arange(pixels.shape[1])
        tooth = edge - np.abs(columns % edge - edge // 2)
        rows = np.arange(edge)[:, None]
        pixels[-edge:][rows >= tooth[None, :] - edge // 4] = _TEAR
    return Image.fromarray(pixels)
