"""The committed portrait and the shared data as real input: pictures, meshes, videos, and where they are missing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.ports import Image
from edge_agent.vision.landmarks import Landmarker, Mesh

REPOSITORY = Path(__file__).resolve().parents[2]
LANDMARKER_FILE = REPOSITORY / "models" / "face_landmarker.task"
PORTRAIT_FILE = REPOSITORY / "edge_agent" / "devices" / "assets" / "nasa_astronaut.png"


def shared(relative: str) -> Path:
    """A file of the shared data; skips the test where it is absent."""
    folder = Path(os.environ.get("EDGE_AGENT_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))
    path = folder / relative
    if not path.exists():
        pytest.skip(f"needs {relative} of the shared data (../shared/data or EDGE_AGENT_SHARED_DATA)")
    return path


@lru_cache(maxsize=1)
def portrait() -> Image:
    """The astronaut, 512×512: outer eye corners 62 px apart, looking straight, well lit. Copy before changing it."""
    return read(PORTRAIT_FILE)


def read(path: Path) -> Image:
    """A picture file as RGB."""
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


@lru_cache(maxsize=1)
def _still_landmarker() -> Landmarker:
    return Landmarker(LANDMARKER_FILE, mode="image")


def meshes(image: Image) -> list[Mesh]:
    """All faces the real landmarker finds in a single picture, the largest first."""
    return _still_landmarker().detect(np.ascontiguousarray(image), 0)


@lru_cache(maxsize=1)
def portrait_mesh() -> Mesh:
    """The portrait's face. Copy before changing it."""
    return meshes(portrait())[0]


def video(path: Path, every: int = 1) -> Iterator[tuple[float, Image]]:
    """Seconds from the start and RGB frame, of every so-many-th frame."""
    capture = cv2.VideoCapture(str(path))
    fps = capture.get(cv2.CAP_PROP_FPS)
    index = 0
    while True:
        found, frame = capture.read()
        if not found:
            capture.release()
            return
        if index % every == 0:
            yield index / fps, np.ascontiguousarray(frame[:, :, ::-1])
        index += 1
