"""From landmarks to an upright face of fixed size (a chip): the similarity transform and the resampling.

Rules: the transform is closed-form least squares over rotation, one scale and translation, and never mirrors (Umeyama,
PAMI 1991, reduced to two dimensions). Pixel centres lie at whole numbers, as in OpenCV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Look:
    """One way to cut the chip: points of a face, each the mean of some mesh points, and where they belong on it.

    template_px: (n, 2) float64, chip pixels. points: the mesh points of all n in one row; starts: where each one's
    begin there; counts: how many they are, (n, 1).
    """

    template_px: npt.NDArray[np.float64]
    points: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    counts: npt.NDArray[np.intp]

    @classmethod
    def of(cls, template: Sequence[tuple[Sequence[int], tuple[float, float]]]) -> Look:
        """From (mesh points, place on the chip), at least two."""
        counts = [len(mesh) for mesh, _ in template]
        points = [index for mesh, _ in template for index in mesh]
        places = np.array([place for _, place in template], np.float64)
        starts = np.cumsum([0, *counts[:-1]])
        return cls(places, np.array(points, np.intp), np.asarray(starts, np.intp), np.array(counts, np.intp)[:, None])

    def source_px(self, mesh_px: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
        """The points in an image: mesh_px (478, 2 or more) in pixels -> (n, 2) float64."""
        sums = np.add.reduceat(mesh_px[self.points, :2], self.starts, axis=0)
        return np.asarray((sums / self.counts).astype(sums.dtype), np.float64)

    def cut(self, image_rgb: Image, mesh_px: npt.NDArray[np.floating[Any]], size_px: int) -> Image:
        """The chip, uint8 (size_px, size_px, 3). Raises ValueError when the mesh is degenerate."""
        return cut_chip(image_rgb, similarity_transform(self.source_px(mesh_px), self.template_px), size_px)


def similarity_transform(source_px: npt.NDArray[np.floating[Any]], target_px: npt.NDArray[np.floating[Any]]) -> Matrix:
    """The (2, 3) float64 matrix that takes `source_px` (n, 2) closest to `target_px` (n, 2), n >= 2.

    Raises ValueError if the shapes differ, a value is not finite or all source points coincide.
    """
    source, target = np.asarray(source_px, np.float64), np.asarray(target_px, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2 or len(source) < 2:
        raise ValueError(f"points are {source.shape} and {target.shape}, expected two (n, 2) with n >= 2")
    if not (np.isfinite(source).all() and np.isfinite(target).all()):
        raise ValueError("the points are not all finite; no transform follows from them")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    a, b = source - source_mean, target - target_mean
    spread = float((a * a).sum())
    if spread <= 1e-12:
        raise ValueError("the source points all coincide; no transform follows from them")
    # In the plane a rotation with scale is one complex number; its least-squares value is the normalised inner product.
    cosine = float((a * b).sum()) / spread
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    linear = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack((linear, target_mean - linear @ source_mean))


def cut_chip(image_rgb: Image, matrix: Matrix, size_px: int) -> Image:
    """The chip, uint8 (size_px, size_px, 3), black outside the image.

    image_rgb: uint8 (h, w, 3). matrix: (2, 3), image to chip pixels. Where the chip is at most half the face's size,
    the face is first averaged down by a whole factor, because two-by-two interpolation would skip pixels (aliasing).
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    factor = int(1.0 / scale) if scale > 0 else 1
    if factor >= 2:
        image_rgb, matrix = _averaged_down(image_rgb, matrix, size_px, factor)
    part, matrix = _needed(image_rgb, matrix, size_px)
    if part.size == 0:
        return np.zeros((size_px, size_px, 3), np.uint8)
    # OpenCV 5 warps four channels more than twice as fast as three (50 against 114 us), with the same arithmetic.
    padded = cv2.cvtColor(part, cv2.COLOR_RGB2RGBA)
    chip = cv2.warpAffine(padded, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(cv2.cvtColor(chip, cv2.COLOR_RGBA2RGB), np.uint8)


def _needed(image_rgb: Image, matrix: Matrix, size_px: int) -> tuple[Image, Matrix]:
    """The part of the image the chip is made of (may be empty), and the matrix from there to the chip."""
    corners = _chip_corners(matrix, size_px)
    height, width = image_rgb.shape[:2]
    left, top = (max(int(low) - 2, 0) for low in corners.min(axis=0))
    right, bottom = (max(int(high) + 3, 0) for high in corners.max(axis=0))
    adapted = np.column_stack((matrix[:, :2], matrix[:, :2] @ (left, top) + matrix[:, 2]))
    return image_rgb[top : min(bottom, height), left : min(right, width)], adapted


def _chip_corners(matrix: Matrix, size_px: int) -> npt.NDArray[np.float64]:
    """Where the chip's corners lie in the image, (4, 2), pixels."""
    inverse = cv2.invertAffineTransform(matrix)
    chip = np.array([[0, 0, 1], [size_px, 0, 1], [0, size_px, 1], [size_px, size_px, 1]], np.float64)
    return np.asarray(chip @ inverse.T, np.float64)


def _averaged_down(image_rgb: Image, matrix: Matrix, size_px: int, factor: int) -> tuple[Image, Matrix]:
    """The part of the image the chip comes from, `factor` times smaller, and the matrix from there to the chip."""
    corners = _chip_corners(matrix, size_px)
    height, width = image_rgb.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - factor, 0, [width, height])
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + factor, 0, [width, height])
    columns, rows = (right - left) // factor, (bottom - top) // factor
    if columns < 1 or rows < 1:
        return image_rgb, matrix
    part = image_rgb[top : top + rows * factor, left : left + columns * factor]
    small = cv2.resize(part, (int(columns), int(rows)), interpolation=cv2.INTER_AREA)
    # Small pixel k averages large pixels factor*k .. factor*k + factor-1, whose centre is factor*k + (factor-1)/2.
    offset = np.array([left, top], np.float64) + (factor - 1) / 2.0
    adapted = np.column_stack((matrix[:, :2] * factor, matrix[:, :2] @ offset + matrix[:, 2]))
    return np.asarray(small, np.uint8), adapted
