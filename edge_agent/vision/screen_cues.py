"""Traces of a screen in one frame: moiré, bezel and colour cast, three independent measures of their own.

Rules: pure functions of the frame; nothing is remembered. A session takes the median over its frontal frames.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.ports import Image
from edge_agent.vision.bezel import bezel
from edge_agent.vision.colour_cast import cast
from edge_agent.vision.moire import moire
from edge_agent.vision.parallax import Mesh

__all__ = ["ScreenScores", "bezel", "cast", "moire", "screen_scores"]


@dataclass(frozen=True)
class ScreenScores:
    """Each 0..1: 0 nothing of a screen, 1 surely a screen. From 0.5 in doubt, from 0.75 sure; cast is neither."""

    moire: float
    bezel: float
    cast: float


def screen_scores(image_rgb: Image, mesh_px: Mesh) -> ScreenScores:
    """Of one frontal frame. image_rgb: uint8 (h, w, 3); mesh_px: (478, 2+), pixels."""
    return ScreenScores(moire(image_rgb, mesh_px), bezel(image_rgb, mesh_px), cast(image_rgb, mesh_px))
