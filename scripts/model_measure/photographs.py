"""Labelled photographs -> embeddings, through the terminal's own vision code.

Rules: the subject is the face nearest the middle of the photograph (LFW is cropped around it). A photograph without a
face is counted as a failure to acquire and used no further.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge_agent.evaluation.rates import Labels, Rows
from edge_agent.ports import Image
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.landmarks import Landmarker, Mesh

FACES_MAX = 5


@dataclass(frozen=True, eq=False)
class Embedded:
    """All acquired photographs; a row each in `plain` (one look) and `mirrored` (averaged with the mirrored look)."""

    files: list[Path]
    labels: Labels
    plain: Rows
    mirrored: Rows
    failed: list[Path]


def embed_all(files: Sequence[Path], landmarker: Path, single: Embedder, averaging: Embedder) -> Embedded:
    """Embed every SUBJECT/PHOTOGRAPH of `files`; progress goes to standard error."""
    acquired: list[Path] = []
    failed: list[Path] = []
    plain: list[Rows] = []
    mirrored: list[Rows] = []
    with Landmarker(landmarker, max_faces=FACES_MAX, mode="image") as finder:
        for count, file in enumerate(files, start=1):
            image = _read_rgb(file)
            meshes = finder.detect(image)
            if meshes:
                mesh = _nearest_the_middle(meshes, image.shape[1], image.shape[0])
                plain.append(single.embed(image, mesh))
                mirrored.append(averaging.embed(image, mesh))
                acquired.append(file)
            else:
                failed.append(file)
            if count % 100 == 0 or count == len(files):
                print(f"\r{count}/{len(files)} photographs, {len(failed)} without a face", end="", file=sys.stderr)
    print(file=sys.stderr)
    names = np.array([file.parent.name for file in acquired])
    labels = np.unique(names, return_inverse=True)[1].astype(np.int64)
    return Embedded(acquired, labels, np.stack(plain), np.stack(mirrored), failed)


def _read_rgb(file: Path) -> Image:
    bgr = cv2.imread(str(file))
    if bgr is None:
        raise OSError(f"{file}: not a readable picture; fetch the data set again")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def _nearest_the_middle(meshes: list[Mesh], width_px: int, height_px: int) -> Mesh:
    middle = np.array([width_px / 2, height_px / 2])
    return min(meshes, key=lambda mesh: float(np.linalg.norm(mesh[:468, :2].mean(axis=0) - middle)))


def fuse(rows: Rows, labels: Labels, photographs: int, seed: int) -> tuple[Rows, Labels]:
    """Means of `photographs` different photographs of one subject, unit length; each photograph at most once."""
    return fuse_often(rows, labels, photographs, [seed])


def fuse_often(rows: Rows, labels: Labels, photographs: int, seeds: Sequence[int]) -> tuple[Rows, Labels]:
    """The means of several divisions of each subject's photographs, those that repeat another left out."""
    if photographs == 1:
        return rows, labels
    groups: dict[tuple[int, ...], int] = {}
    for seed in seeds:
        rng = np.random.default_rng(seed)
        for label in np.unique(labels):
            own = rng.permutation(np.flatnonzero(labels == label))
            for start in range(0, len(own) - photographs + 1, photographs):
                groups[tuple(sorted(int(row) for row in own[start : start + photographs]))] = int(label)
    means = np.stack([rows[list(group)].mean(axis=0) for group in groups])
    unit = means / np.linalg.norm(means, axis=1, keepdims=True)
    return unit.astype(np.float32), np.array(list(groups.values()), np.int64)
