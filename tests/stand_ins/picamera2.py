"""A stand-in for the module picamera2, with the behaviour read from its sources (picamera2.py, request.py, job.py).

One program claims the camera; configure comes before start, and not while it runs; capture_array of an unstarted camera
never finishes; `wait=False` gives a Job; formats are named the wrong way round: "RGB888" is blue first in memory,
"BGR888" red first; with `queue=True` a frame kept from earlier is handed out; rows are padded to 64 bytes; unknown
controls are refused. The scene is plain red.
"""

from __future__ import annotations

import concurrent.futures
import threading
from typing import Any

import numpy as np

RED, GREEN, BLUE = 210, 90, 30
CONTROLS = frozenset({"FrameRate", "ExposureTime", "AnalogueGain"})


class Job:
    def __init__(self) -> None:
        self.future: concurrent.futures.Future[Any] = concurrent.futures.Future()

    def get_result(self, timeout: float | None = None) -> Any:
        return self.future.result(timeout=timeout)


class StandInModule:
    """The module and the camera behind it. cameras: how many there are; stalled: no more frames; calls: what was
    done; jobs_waiting: captures asked for and not delivered."""

    def __init__(self) -> None:
        self.cameras = 1
        self.stalled = False
        self.claimed: StandInPicamera2 | None = None
        self.controls: dict[str, Any] = {}
        self.jobs_waiting = 0
        self.calls: list[str] = []
        self.start_error = ""
        module = self

        class Picamera2(StandInPicamera2):
            def __init__(self) -> None:
                super().__init__(module)

        self.Picamera2 = Picamera2


class StandInPicamera2:
    def __init__(self, module: StandInModule) -> None:
        self._module = module
        if module.cameras == 0:
            raise RuntimeError("Camera(s) not found (Do not forget to disable legacy camera with raspi-config).")
        if module.claimed is not None:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        module.claimed = self
        self._configuration: dict[str, Any] | None = None
        self._started = False
        self._closed = False
        self._first = True
        self._lock = threading.Lock()
        self._timers: list[threading.Timer] = []

    def create_video_configuration(
        self, main: dict[str, Any] | None = None, controls: dict[str, Any] | None = None, queue: bool = True
    ) -> dict[str, Any]:
        for key in main or {}:
            if key not in ("format", "size"):
                raise ValueError(f"Bad key {key!r}")
        return {
            "main": {"format": "XBGR8888", "size": (640, 480), **(main or {})},
            "controls": controls,
            "queue": queue,
        }

    def configure(self, configuration: dict[str, Any]) -> None:
        if self._started:
            raise RuntimeError("Camera must be stopped before configuring")
        self._configuration = configuration
        self.set_controls(configuration["controls"] or {})
        self._module.calls.append("configure")

    def start(self) -> None:
        assert self._configuration is not None, "started with picamera2's own default configuration"
        if self._module.start_error:
            raise RuntimeError(self._module.start_error)
        self._started = True
        self._module.calls.append("start")

    def set_controls(self, controls: dict[str, Any]) -> None:
        for name in controls:
            if name not in CONTROLS:
                raise RuntimeError(f"Control {name} is not advertised by libcamera")
        self._module.controls.update(controls)

    def capture_array(self, name: str = "main", wait: bool | None = None) -> Any:
        job = Job()
        self._module.jobs_waiting += 1
        if self._started and not self._module.stalled:
            timer = threading.Timer(0.01, self._finish, [job])
            timer.daemon = True
            self._timers.append(timer)
            timer.start()
        return job.get_result() if wait else job

    def stop(self) -> None:
        self._started = False
        self._module.calls.append("stop")

    def close(self) -> None:
        for timer in self._timers:
            timer.join()
        if not self._closed:
            self._closed = True
            self._module.claimed = None
            self._module.calls.append("close")

    def _finish(self, job: Job) -> None:
        assert self._configuration is not None
        width, height = self._configuration["main"]["size"]
        colours = {"BGR888": (RED, GREEN, BLUE), "RGB888": (BLUE, GREEN, RED), "XBGR8888": (RED, GREEN, BLUE, 255)}
        colour = colours[self._configuration["main"]["format"]]
        stride = -(-width * len(colour) // 64) * 64
        padded = np.zeros((height, stride), np.uint8)
        rows = padded[:, : width * len(colour)].reshape(height, width, len(colour)) if stride == width * 3 else None
        if rows is None:
            rows = np.lib.stride_tricks.as_strided(padded, (height, width, len(colour)), (stride, len(colour), 1))
        # A frame kept from earlier shows an earlier, dark scene.
        kept, self._first = self._configuration["queue"] and self._first, False
        rows[:] = 0 if kept else colour
        self._module.jobs_waiting -= 1
        job.future.set_result(rows)
