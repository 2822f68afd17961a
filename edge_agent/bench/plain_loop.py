"""A plain MediaPipe and LiteRT loop, written without the terminal's own code: the limit that `bench vision` names.

Rules: imports the two libraries itself, because it is what the terminal's wrappers are measured against; everything a
terminal needs and a demonstration doesn't (quality, tracks, cues, errors in words) is left out on purpose.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import mediapipe
import numpy as np
from mediapipe.tasks.python.core.base_options import BaseOptions
from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions, RunningMode

from edge_agent.core.model import Embedding
from edge_agent.ports import Image
from edge_agent.vision.interpreter import interpreter_class
from edge_agent.vision.manifest import EmbedderSpec
from edge_agent.vision.native_stderr import quiet_native_stderr


class PlainLoop:
    """Landmarks, points, a warp, the network. faces: looked for; invocations: 1, or 2 with the mirrored look."""

    def __init__(self, bundle: Path, spec: EmbedderSpec, folder: Path, *, faces: int, invocations: int) -> None:
        with quiet_native_stderr():
            options = FaceLandmarkerOptions(
                base_options=BaseOptions(model_asset_path=str(bundle)),
                running_mode=RunningMode.VIDEO,
                num_faces=faces,
            )
            self._landmarker: Any = FaceLandmarker.create_from_options(options)
            self._network: Any = interpreter_class()(model_path=str(folder / spec.file), num_threads=1)
            self._network.allocate_tensors()
        self._spec, self._invocations = spec, invocations
        self._input = self._network.get_input_details()[0]
        self._output = self._network.get_output_details()[0]
        size = spec.input.size_px
        self._fixed = np.random.default_rng(0).integers(0, 128, (1, size, size, 3)).astype(self._input["dtype"])

    def find(self, image_rgb: Image, timestamp_ms: int) -> Any:
        """MediaPipe's own call and nothing else."""
        image = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image_rgb)
        return self._landmarker.detect_for_video(image, timestamp_ms)

    def invoke(self) -> None:
        """The interpreter's own calls on a fixed input and nothing else."""
        for _ in range(self._invocations):
            self._run(self._fixed)

    def look(self, image_rgb: Image, timestamp_ms: int) -> Embedding | None:
        """One frame -> the embedding (d,) of the first face, unit length; None without one."""
        faces = self.find(image_rgb, timestamp_ms).face_landmarks
        if not faces:
            return None
        height, width = image_rgb.shape[:2]
        size, looks = self._spec.input.size_px, []
        for template in (self._spec.alignment, self._spec.mirrored_alignment)[: self._invocations]:
            if template is None:
                continue
            points = []
            for point in template:
                of = [faces[0][index] for index in point.mesh]
                points.append((sum(p.x for p in of) / len(of) * width, sum(p.y for p in of) / len(of) * height))
            places = np.array([point.chip_px for point in template])
            matrix, _ = cv2.estimateAffinePartial2D(np.array(points), places, method=cv2.LMEDS)
            looks.append(np.asarray(cv2.warpAffine(image_rgb, matrix, (size, size))))
        chips: tuple[Any, ...] = (looks[0], looks[-1][:, ::-1])[: self._invocations]
        total = np.sum([self._run(self._prepared(one)) for one in chips], axis=0)
        return np.asarray(total / np.linalg.norm(total), np.float32)

    def close(self) -> None:
        """Free MediaPipe's threads."""
        self._landmarker.close()

    def _prepared(self, chip: Any) -> Any:
        values = (chip.astype(np.float32) - self._spec.input.mean) / self._spec.input.std
        scale, zero = self._input["quantization"]
        if scale:
            values = np.clip(np.rint(values / scale + zero), -128, 127)
        return values[None].astype(self._input["dtype"])

    def _run(self, values: Any) -> Any:
        self._network.set_tensor(self._input["index"], values)
        self._network.invoke()
        raw = self._network.get_tensor(self._output["index"])[0].astype(np.float32) - self._output["quantization"][1]
        return raw / np.linalg.norm(raw)
