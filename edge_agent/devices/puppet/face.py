"""A face file and its portrait: where the face mesh lies in the picture, and the outline of the person.

Rules: read once, checked whole, never written; `scripts/make-puppet-face` makes face files. Faults are CameraErrors
that name the file and the remedy.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_agent.ports import CameraError, Image

MESH_POINTS = 468
RIGHT_EYE_OUTER, LEFT_EYE_OUTER, NOSE_TIP, CHIN, FOREHEAD = 33, 263, 1, 152, 10
"""Points of MediaPipe's face mesh; right and left are the person's own."""

_REMEDY = "make it with scripts/make-puppet-face"


class _FaceFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    portrait: str
    sha256: str
    size: tuple[int, int]
    mesh: Annotated[list[tuple[float, float, float]], Field(min_length=MESH_POINTS, max_length=MESH_POINTS)]
    outline: Annotated[list[tuple[int, int]], Field(min_length=3)]


@dataclass(frozen=True, eq=False)
class PuppetFace:
    """A portrait that can be moved.

    image: RGB uint8 (h, w, 3). mesh: (468, 3) float64, pixels of the image; z in the same unit, smaller is nearer.
    outline: (n, 2) int32, corners of the person's silhouette.
    """

    image: Image
    mesh: npt.NDArray[np.float64]
    outline: npt.NDArray[np.int32]

    @property
    def eyes(self) -> npt.NDArray[np.float64]:
        """Middle of the outer eye corners, (x, y) pixels."""
        middle: npt.NDArray[np.float64] = self.mesh[[RIGHT_EYE_OUTER, LEFT_EYE_OUTER], :2].mean(axis=0)
        return middle

    @property
    def unit_px(self) -> float:
        """Distance of the outer eye corners: the unit in which everything about this face is measured."""
        return float(np.linalg.norm(self.mesh[LEFT_EYE_OUTER, :2] - self.mesh[RIGHT_EYE_OUTER, :2]))


def load_face(path: Path) -> PuppetFace:
    """Read a face file and the portrait it names (relative to it). Raises CameraError."""
    try:
        content = _FaceFile.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CameraError(
            f"puppet face {path}: {error.strerror}; correct `face:` in the script, or {_REMEDY}"
        ) from error
    except ValueError as error:
        if isinstance(error, ValidationError):
            fault = error.errors()[0]
            what = f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {fault['msg']}"
        else:
            what = f"not JSON ({error})"
        raise CameraError(f"puppet face {path}: {what}; {_REMEDY}") from error
    image = _read_portrait(path, path.parent / content.portrait, content)
    mesh = np.array(content.mesh, np.float64)
    if np.linalg.norm(mesh[LEFT_EYE_OUTER, :2] - mesh[RIGHT_EYE_OUTER, :2]) < 8.0:
        raise CameraError(f"puppet face {path}: the eyes are less than 8 px apart; use a larger portrait and {_REMEDY}")
    return PuppetFace(image, mesh, np.array(content.outline, np.int32))


def _read_portrait(face_path: Path, path: Path, content: _FaceFile) -> Image:
    try:
        encoded = path.read_bytes()
    except OSError as error:
        raise CameraError(f"puppet portrait {path}: {error.strerror}; {face_path} names it: put it there") from error
    if hashlib.sha256(encoded).hexdigest() != content.sha256:
        raise CameraError(f"puppet portrait {path} is not the picture that {face_path} was made from; {_REMEDY} again")
    bgr = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise CameraError(f"puppet portrait {path}: no picture OpenCV can read; give a PNG or JPEG")
    if (bgr.shape[1], bgr.shape[0]) != content.size:
        raise CameraError(f"puppet portrait {path}: {bgr.shape[1]}×{bgr.shape[0]}, not {content.size}; {_REMEDY} again")
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
