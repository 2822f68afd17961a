"""What an attack is made from: a portrait, or a video of a face, with its face mesh.

Rules: read once, checked before the first frame is rendered; large pictures are reduced. A source in which no face is
found is an AttackError, because there would be nothing to attack with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.attacks.species import AttackError
from edge_agent.devices.camera_file import PICTURE_SUFFIXES, VideoFootage
from edge_agent.devices.puppet.face import LEFT_EYE_OUTER, MESH_POINTS, RIGHT_EYE_OUTER, PuppetFace
from edge_agent.devices.puppet.outline import find_outline
from edge_agent.ports import CameraError, Image
from edge_agent.vision.parallax import Mesh, parallax
from edge_agent.vision.photo import PhotoError, load_photo

LONGER_SIDE_MAX_PX: Final = 900
FRAMES_MAX: Final = 200
"""Of a video: 8 s at 25 frames a second; the rest is left out."""
EYES_MIN_PX: Final = 20.0
"""Distance of the outer eye corners below which a print of the face would be a blur."""


class FaceFinder(Protocol):
    """Finds face meshes in single pictures; `landmarks.Landmarker` in mode `image` is one."""

    def detect(self, image_rgb: Image, timestamp_ms: int = 0) -> list[Mesh]:
        """Meshes (478, 3) in pixels, the largest face first."""


@dataclass(frozen=True, eq=False)
class Material:
    """face: the straightest view with open eyes, ready to be moved.

    frames, meshes: of a video, those with a face; else one of each. fps: of the frames. name: the source's.
    """

    name: str
    face: PuppetFace
    frames: tuple[Image, ...]
    meshes: tuple[npt.NDArray[np.float64], ...]
    fps: float

    @property
    def moves(self) -> bool:
        """Whether it is a video."""
        return len(self.frames) > 1

    def index_at(self, since_s: float) -> int:
        """The frame shown at this time: forwards to the end, then backwards, so that it never jumps."""
        last = len(self.frames) - 1
        step = int(since_s * self.fps) % max(2 * last, 1)
        return step if step <= last else 2 * last - step


def read_material(path: Path, finder: FaceFinder) -> Material:
    """Read a portrait (JPEG, PNG, WebP, TIFF, BMP) or a video. Raises AttackError."""
    if path.suffix.lower() in PICTURE_SUFFIXES:
        try:
            pictures, fps = [load_photo(path)], 1.0
        except PhotoError as error:
            raise AttackError(str(error)) from error
    else:
        pictures, fps = _video(path)
    frames: list[Image] = []
    meshes: list[npt.NDArray[np.float64]] = []
    for picture in map(_reduced, pictures):
        found = finder.detect(picture)
        if found:
            frames.append(picture)
            meshes.append(found[0][:MESH_POINTS].astype(np.float64))
    if not frames:
        raise AttackError(f"{path}: no face found in it; give a picture or video that shows one face from the front")
    best = max(range(len(frames)), key=lambda index: _frontal(meshes[index]))
    eyes_px = float(np.linalg.norm(meshes[best][LEFT_EYE_OUTER, :2] - meshes[best][RIGHT_EYE_OUTER, :2]))
    if eyes_px < EYES_MIN_PX:
        raise AttackError(
            f"{path}: the outer eye corners are {eyes_px:.0f} px apart; give a picture with {EYES_MIN_PX:.0f} or more"
        )
    bgr = np.asarray(cv2.cvtColor(frames[best], cv2.COLOR_RGB2BGR), np.uint8)
    face = PuppetFace(frames[best], meshes[best], find_outline(bgr, meshes[best]))
    return Material(path.name, face, tuple(frames), tuple(meshes), fps)


def _frontal(mesh: npt.NDArray[np.float64]) -> float:
    """Higher for the frame that makes the better print: looking straight, eyes open."""
    lids = np.linalg.norm(mesh[[159, 386], :2] - mesh[[145, 374], :2], axis=1).mean()
    eyes_px = np.linalg.norm(mesh[LEFT_EYE_OUTER, :2] - mesh[RIGHT_EYE_OUTER, :2])
    return float(lids / max(eyes_px, 1.0)) - abs(parallax(mesh.astype(np.float32)))


def _video(path: Path) -> tuple[list[Image], float]:
    try:
        footage = VideoFootage(path)
    except CameraError as error:
        raise AttackError(
            f"{path}: not a portrait ({', '.join(sorted(PICTURE_SUFFIXES))}) and not a video OpenCV can read; "
            "check the path, or convert it to MP4"
        ) from error
    frames: list[Image] = []
    while len(frames) < FRAMES_MAX:
        frame = footage.next_frame()
        if frame is None:
            break
        frames.append(frame)
    footage.close()
    return frames, footage.fps


def _reduced(picture: Image) -> Image:
    scale = LONGER_SIDE_MAX_PX / max(picture.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(picture)
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
