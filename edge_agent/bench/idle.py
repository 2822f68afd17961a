"""The bench's idle part: what a terminal costs while nobody stands at it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from edge_agent.core.model import FaceObservation
from edge_agent.ports import Frame
from edge_agent.settings import CameraSettings
from edge_agent.vision.observer import Observer
from edge_agent.vision.worker import VisionWorker

_HEIGHT_PX, _WIDTH_PX = 480, 640


def measure_idle(build_observer: Callable[[], Observer], seconds: float) -> dict[str, float]:
    """CPU of the whole process while a worker looks at an empty scene at idle pace: `cpu_percent`, `fps`, `seconds`."""
    camera = CameraSettings(driver="v4l2")
    seen: list[FaceObservation] = []
    worker = VisionWorker(
        _EmptyScene(), build_observer, camera, offer=seen.append, report=lambda _: None, beat=lambda: None
    )
    worker.start()
    deadline_s = time.monotonic() + 30.0
    while len(seen) < 2 and time.monotonic() < deadline_s:
        time.sleep(0.05)
    looked = len(seen)
    began_s, began_cpu_s = time.monotonic(), time.process_time()
    time.sleep(seconds)
    wall_s, cpu_s = time.monotonic() - began_s, time.process_time() - began_cpu_s
    looked = len(seen) - looked
    worker.stop()
    worker.join(10.0)
    return {
        "cpu_percent": round(100 * cpu_s / wall_s, 2),
        "fps": round(looked / wall_s, 2),
        "seconds": round(wall_s, 2),
    }


class _EmptyScene:
    """A camera that shows an empty, slightly noisy wall."""

    name = "empty scene"

    def __init__(self) -> None:
        noise = np.random.default_rng(0).normal(110, 6, (_HEIGHT_PX, _WIDTH_PX, 3))
        self._image = noise.clip(0, 255).astype(np.uint8)
        self._sequence = 0

    def open(self) -> None:
        """Nothing to claim."""

    def set_fps(self, fps: float) -> None:
        """The worker's pace is the only one."""

    def read(self, timeout_s: float) -> Frame:  # noqa: ARG002 - a frame is always there
        self._sequence += 1
        return Frame(self._image, time.monotonic(), self._sequence)

    def close(self) -> None:
        """Nothing to give back."""
