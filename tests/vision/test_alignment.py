"""The similarity transform and the chip cut with it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.vision.alignment import cut_chip, similarity_transform

FACE_PX = np.array([[30.0, 40.0], [50.0, 41.0], [80.0, 41.0], [100.0, 40.0], [65.0, 80.0]])


def moved(points: np.ndarray, scale: float, angle: float, shift: tuple[float, float]) -> np.ndarray:
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return points @ turn.T + np.array(shift)


@given(st.floats(0.05, 20), st.floats(-3.1, 3.1), st.floats(-500, 500), st.floats(-500, 500))
def test_recovers_every_similarity(scale: float, angle: float, x: float, y: float) -> None:
    target = moved(FACE_PX, scale, angle, (x, y))
    matrix = similarity_transform(FACE_PX, target)
    assert matrix.shape == (2, 3)
    assert matrix.dtype == np.float64
    np.testing.assert_allclose(FACE_PX @ matrix[:, :2].T + matrix[:, 2], target, atol=1e-6 * max(1.0, scale))


def test_never_mirrors() -> None:
    mirrored = FACE_PX * [-1.0, 1.0]
    assert np.linalg.det(similarity_transform(FACE_PX, mirrored)[:, :2]) > 0


def test_is_the_least_squares_solution() -> None:
    rng = np.random.default_rng(3)
    target = moved(FACE_PX, 1.3, 0.2, (4.0, -7.0)) + rng.normal(0, 3, FACE_PX.shape)
    matrix = similarity_transform(FACE_PX, target)

    def error(m: np.ndarray) -> float:
        return float(((FACE_PX @ m[:, :2].T + m[:, 2] - target) ** 2).sum())

    least = error(matrix)
    for a, b, x, y in rng.normal(0, 0.01, (50, 4)):
        other = matrix + np.array([[a, -b, 100 * x], [b, a, 100 * y]])
        assert error(other) >= least


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (FACE_PX, FACE_PX[:4]),
        (FACE_PX[:1], FACE_PX[:1]),
        (np.ones((5, 2)), FACE_PX),
        (np.full((5, 2), np.nan), FACE_PX),
        (FACE_PX, np.full((5, 2), np.inf)),
    ],
)
def test_refuses_points_without_a_transform(source: np.ndarray, target: np.ndarray) -> None:
    with pytest.raises(ValueError, match="points"):
        similarity_transform(source, target)


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.34, 0.5, 0.7, 1.0, 2.0])
def test_a_dot_lands_where_the_matrix_says(scale: float) -> None:
    image = np.zeros((1200, 1200, 3), np.uint8)
    spot = np.array([523.0, 431.0])
    cv2.circle(image, (523, 431), max(2, round(3 / scale)), (255, 255, 255), -1)
    matrix = np.array([[scale, 0.0, 60.0 - scale * spot[0]], [0.0, scale, 90.0 - scale * spot[1]]])
    chip = cut_chip(image, matrix, 150).astype(float)[:, :, 0]
    rows, columns = np.mgrid[:150, :150]
    centre = np.array([(columns * chip).sum(), (rows * chip).sum()]) / chip.sum()
    np.testing.assert_allclose(centre, [60.0, 90.0], atol=0.12)


def test_a_large_face_is_averaged_not_skipped() -> None:
    stripes = np.zeros((900, 900, 3), np.uint8)
    stripes[:, ::2] = 255  # one pixel wide: a tenth of the size must be even grey
    chip = cut_chip(stripes, np.array([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0]]), 80)
    inside = chip[2:, 2:]  # the chip's first row and column lie half outside the image
    assert abs(float(inside.mean()) - 127.5) < 2
    assert float(inside.std()) < 2


def test_a_chip_partly_or_wholly_outside_is_black_there() -> None:
    image = np.full((100, 100, 3), 200, np.uint8)
    half = cut_chip(image, np.array([[1.0, 0.0, 75.0], [0.0, 1.0, 0.0]]), 100)
    assert (half[:, :74] == 0).all()
    assert (half[:, 76:] == 200).all()
    for scale in (0.2, 1.0):
        far = cut_chip(image, np.array([[scale, 0.0, 5000.0], [0.0, scale, 5000.0]]), 100)
        assert far.shape == (100, 100, 3)
        assert not far.any()


@given(st.floats(0.6, 4), st.floats(-3.1, 3.1), st.floats(-60, 260), st.floats(-60, 200))
def test_the_chip_is_opencvs_own_warp_of_the_whole_image(scale: float, angle: float, x: float, y: float) -> None:
    image = np.random.default_rng(3).integers(0, 256, (140, 200, 3)).astype(np.uint8)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack((turn, np.array([32.0, 32.0]) - turn @ np.array([x, y])))
    difference = cut_chip(image, matrix, 64).astype(int) - cv2.warpAffine(image, matrix, (64, 64))
    assert np.abs(difference).max() <= 1  # where the chip's place is rounded otherwise
