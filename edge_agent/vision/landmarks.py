"""Face landmarks by MediaPipe's Tasks API; the only file that imports mediapipe.

Rules: only the first `real_points` of the 478 points mean anything (manifest); the rest is padding. Importing
mediapipe takes a part of a second even without what it imports for drawing and recording (`_UNUSED`), so it happens
when a landmarker is made, not when this module is imported.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image, TerminalError
from edge_agent.vision.deferred_imports import deferred_imports
from edge_agent.vision.native_stderr import quiet_native_stderr

Mesh = npt.NDArray[np.float32]
"""One face, (478, 3) float32: x and y in image pixels, z relative, in the same unit, smaller is nearer."""

MESH_POINTS = 478

_UNUSED = ("matplotlib", "matplotlib.pyplot", "sounddevice")
"""Imported by mediapipe 1.2.2 for its drawing and audio tools: three quarters of its import time and 28 MB."""


class LandmarkerError(TerminalError):
    """MediaPipe can't load the model or failed on a frame."""


class Landmarker:
    """Finds faces in the frames of one camera (mode `video`: follows them) or in single photographs (mode `image`).

    Belongs to one thread. Use as a context manager or call `close`: at interpreter exit MediaPipe can no longer stop
    its threads by itself and complains.
    """

    def __init__(
        self,
        path: Path,
        max_faces: int = 2,
        mode: Literal["video", "image"] = "video",
        confidence_min: float = 0.5,
    ) -> None:
        """path: the `.task` bundle; confidence_min: 0..1, for detection, presence and tracking.

        Raises LandmarkerError.
        """
        self._mode = mode
        self._last_ms = -1
        self._requested_ms = 0
        self._landmarker: Any = None
        try:
            with quiet_native_stderr():
                self._make(path, max_faces, confidence_min)
                # The first inference sets up the delegates and is as talkative as it is slow.
                self._infer(np.zeros((64, 64, 3), np.uint8), 0)
        except (ValueError, RuntimeError, OSError) as error:
            raise LandmarkerError(
                f"{path}: MediaPipe can't load it ({error}); run `edge-agent models verify` and restore the file; "
                "system libraries needed: libegl1 libgles2 libgl1 libglib2.0-0"
            ) from error

    def detect(self, image_rgb: Image, timestamp_ms: int = 0) -> list[Mesh]:
        """Faces in uint8 RGB (h, w, 3), the largest first; each (478, 3) float32.

        timestamp_ms: any origin, whole, at least 0, never falling; ignored in `image` mode. Equal ones (two frames
        within one millisecond) count as one millisecond apart, because MediaPipe accepts only rising ones. Raises
        ValueError when time falls or the image is not uint8 RGB, LandmarkerError when MediaPipe fails.
        """
        if image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or image_rgb.dtype != np.uint8:
            raise ValueError(f"image is {image_rgb.dtype} {image_rgb.shape}, expected uint8 (h, w, 3)")
        if self._landmarker is None:
            raise LandmarkerError("the landmarker is closed; make a new one")
        if self._mode == "video":
            if timestamp_ms < 0 or timestamp_ms < self._requested_ms:
                raise ValueError(f"timestamp {timestamp_ms} ms comes after {self._requested_ms} ms; time must not fall")
            self._requested_ms = timestamp_ms
        try:
            faces = self._infer(np.ascontiguousarray(image_rgb), timestamp_ms + 1)
        except RuntimeError as error:
            raise LandmarkerError(
                f"MediaPipe failed on a frame of {image_rgb.shape}: {error}; restart the vision worker"
            ) from error
        height, width = image_rgb.shape[:2]
        meshes = [_mesh(face, width, height) for face in faces]
        return sorted(meshes, key=_extent_px, reverse=True) if len(meshes) > 1 else meshes

    def close(self) -> None:
        """Free MediaPipe's threads and memory; safe to call twice."""
        if self._landmarker is not None:
            self._landmarker.close()
            self._landmarker = None

    def __enter__(self) -> Landmarker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _make(self, path: Path, max_faces: int, confidence_min: float) -> None:
        with deferred_imports(*_UNUSED):
            from mediapipe.tasks.python.core.base_options import BaseOptions
            from mediapipe.tasks.python.vision.core.image import Image as MediaPipeImage
            from mediapipe.tasks.python.vision.core.image import ImageFormat
            from mediapipe.tasks.python.vision.core.vision_task_running_mode import VisionTaskRunningMode
            from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker, FaceLandmarkerOptions

        if not path.is_file():
            raise FileNotFoundError(2, "no such file", str(path))
        self._image_class, self._image_format = MediaPipeImage, ImageFormat.SRGB
        options = FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path.resolve())),
            running_mode=VisionTaskRunningMode.VIDEO if self._mode == "video" else VisionTaskRunningMode.IMAGE,
            num_faces=max_faces,
            min_face_detection_confidence=confidence_min,
            min_face_presence_confidence=confidence_min,
            min_tracking_confidence=confidence_min,
        )
        self._landmarker = FaceLandmarker.create_from_options(options)

    def _infer(self, image_rgb: Image, timestamp_ms: int) -> list[Any]:
        image = self._image_class(image_format=self._image_format, data=image_rgb)
        if self._mode == "image":
            result = self._landmarker.detect(image)
        else:
            self._last_ms = max(self._last_ms + 1, timestamp_ms)
            result = self._landmarker.detect_for_video(image, self._last_ms)
        faces: list[Any] = result.face_landmarks
        return faces


def _mesh(face: list[Any], width_px: int, height_px: int) -> Mesh:
    """MediaPipe's points, relative to the image, in pixels; its z has the scale of x."""
    mesh = np.fromiter((value for point in face for value in (point.x, point.y, point.z)), np.float32, 3 * len(face))
    return mesh.reshape(-1, 3) * np.array([width_px, height_px, width_px], np.float32)


def _extent_px(mesh: Mesh) -> float:
    """Diagonal of the box around a face; point 468 onwards may be padding."""
    real = mesh[:468, :2]
    return float(np.linalg.norm(real.max(axis=0) - real.min(axis=0)))
