"""The measures of light and blur against their definitions in plain NumPy: the same numbers, to the last bit."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from edge_agent.ports import Image
from edge_agent.vision import quality
from edge_agent.vision.landmarks import Mesh
from tests.vision.faces import portrait, portrait_mesh


def by_definition(image: Image, mesh_px: Mesh) -> tuple[float, float, float]:
    """bright_luma, glare_ratio, sharpness as `FaceMeasures` says what they are."""
    points = mesh_px[:468, :2]
    low = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(points.max(axis=0)) + 1, image.shape[1::-1]).astype(int)
    scale = quality.CROP_PX / max(high - low)
    size = [max(2, round(float(side) * scale)) for side in high - low]
    gray = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY)
    crop = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    mask = np.zeros(crop.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint((points - low) * scale).astype(np.int32)), (1,))
    inside = mask.astype(bool)
    luma = np.sort(crop[inside])
    bright = float(luma[int(0.95 * (luma.size - 1))])
    return bright, np.count_nonzero(luma >= 250) / luma.size, share_lost_to_blur(np.asarray(crop), inside)


def share_lost_to_blur(crop: npt.NDArray[Any], inside: npt.NDArray[np.bool_]) -> float:
    """Share of the gradients between neighbours inside the face that a 5 px box blur takes away."""
    luma, soft = crop.astype(np.int64), cv2.blur(crop, (5, 5)).astype(np.int64)
    lost = total = 0
    for axis in (0, 1):
        steps, left = np.abs(np.diff(luma, axis=axis)), np.abs(np.diff(soft, axis=axis))
        both = inside[1:] & inside[:-1] if axis == 0 else inside[:, 1:] & inside[:, :-1]
        total += int(steps[both].sum())
        lost += int(np.maximum(steps - left, 0)[both].sum())
    return lost / total if total else 0.0


def noisy(image: Image, seed: int) -> Image:
    """Exposed and blurred at random, with noise up to what saturates."""
    rng = np.random.default_rng(seed)
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 4))
    return np.asarray(
        (soft * rng.uniform(0.1, 3) + rng.normal(0, rng.uniform(0, 60), image.shape)).clip(0, 255), np.uint8
    )


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shift", [(0, 0), (-140, 60)])
def test_light_and_blur_are_what_their_definition_says(seed: int, shift: tuple[int, int]) -> None:
    image, mesh = noisy(portrait(), seed), portrait_mesh() + np.array((*shift, 0), np.float32)
    face = quality.measure(image, mesh)
    assert (face.bright_luma, face.glare_ratio, face.sharpness) == by_definition(image, mesh)


@pytest.mark.parametrize("value", [0, 249, 250, 255])
def test_one_flat_value_has_that_light_and_nothing_to_blur(value: int) -> None:
    face = quality.measure(np.full((512, 512, 3), value, np.uint8), portrait_mesh())
    assert (face.bright_luma, face.glare_ratio, face.sharpness) == (value, float(value >= 250), 0.0)


@pytest.mark.parametrize("shift", [(0, 0), (-140, 60), (250, 0), (0, 300), (-1000, 0)])
def test_the_share_outside_is_counted_point_by_point(shift: tuple[int, int]) -> None:
    mesh = portrait_mesh() + np.array((*shift, 0), np.float32)
    inside = sum(0 <= x < 512 and 0 <= y < 512 for x, y in mesh[:468, :2].tolist())
    assert quality.measure(portrait(), mesh).outside_ratio == pytest.approx(1 - inside / 468, abs=1e-12)
