"""The Raspberry Pi camera through picamera2; the only file that imports it.

Rules: picamera2 is imported when the camera is opened, so that this module imports anywhere. Its formats are named
by the order in a little-endian word: "BGR888" has red first in memory, which is what we want. `queue=False` makes each
capture wait for a new frame instead of handing out one that was kept. Errors say what was seen and what to do.
"""

from __future__ import annotations

import concurrent.futures
import time
from typing import Any

import numpy as np

from edge_agent.ports import CameraError, Frame
from edge_agent.settings import CameraSettings

_FORMAT = "BGR888"
_REMEDY = (
    "power the Pi off, check both ends of the camera's ribbon cable, and see whether "
    "`rpicam-hello --list-cameras` lists it"
)


class Picamera2Camera:
    """A `ports.Camera` on the first camera libcamera knows."""

    def __init__(self, settings: CameraSettings) -> None:
        self.name = "picamera2"
        self._settings = settings
        self._fps = settings.fps_awake
        self._device: Any = None
        self._job: Any = None
        self._sequence = -1
        self._fresh_s = 0.0

    def open(self) -> None:
        """Claim, configure and start the camera; does nothing when it is open. Raises CameraError."""
        if self._device is not None:
            return
        device = _claim()
        size = (self._settings.width_px, self._settings.height_px)
        try:
            configuration = device.create_video_configuration(
                main={"size": size, "format": _FORMAT}, controls={"FrameRate": self._fps}, queue=False
            )
            device.configure(configuration)
            device.start()
        except (RuntimeError, ValueError, OSError) as error:
            device.close()
            raise CameraError(
                f"camera picamera2: can't be set to {size[0]}×{size[1]} at {self._fps:g} frames a second ({error}); "
                "correct camera.width_px, camera.height_px and camera.fps_awake"
            ) from error
        self._device = device
        self._fresh_s = time.monotonic()

    def set_fps(self, fps: float) -> None:
        """Ask the sensor for so many frames per second. Raises CameraError."""
        self._fps = fps
        if self._device is not None:
            try:
                self._device.set_controls({"FrameRate": fps})
            except (RuntimeError, ValueError) as error:
                remedy = "correct camera.fps_idle and camera.fps_awake"
                raise CameraError(f"camera picamera2: refuses {fps:g} frames a second ({error}); {remedy}") from error

    def read(self, timeout_s: float) -> Frame | None:
        """The next frame. Raises CameraError, also after stalled_after_s without one."""
        if self._device is None:
            raise CameraError("camera picamera2: read before open; open it first")
        try:
            # A capture that has not come in time stays asked for: a second one would only queue behind it.
            if self._job is None:
                self._job = self._device.capture_array("main", wait=False)
            pixels = self._job.get_result(timeout=timeout_s)
        # Before Python 3.11 this is not the built-in TimeoutError.
        except (concurrent.futures.TimeoutError, TimeoutError):
            stalled_s = self._settings.stalled_after_s
            if time.monotonic() - self._fresh_s >= stalled_s:
                raise CameraError(f"camera picamera2: no frame for {stalled_s:g} s; {_REMEDY}") from None
            return None
        except (RuntimeError, OSError, concurrent.futures.CancelledError) as error:
            self._job = None
            raise CameraError(f"camera picamera2: capture failed ({error}); {_REMEDY}") from error
        self._job = None
        self._fresh_s = time.monotonic()
        self._sequence += 1
        # Rows of the sensor's buffers are padded; the models want them one after another.
        return Frame(np.ascontiguousarray(pixels, dtype=np.uint8), self._fresh_s, self._sequence)

    def close(self) -> None:
        """Give the camera back; safe to call twice."""
        device, self._device, self._job = self._device, None, None
        if device is not None:
            device.stop()
            device.close()


def _claim() -> Any:
    try:
        from picamera2 import Picamera2
    except ImportError as error:
        raise CameraError(
            f"camera picamera2: {error}; install it with `apt install python3-picamera2` and make the virtual "
            "environment with --system-site-packages, or choose another camera.driver"
        ) from error
    try:
        return Picamera2()
    except (RuntimeError, IndexError) as error:
        said = str(error)
        if "not found" in said or isinstance(error, IndexError):
            raise CameraError(f"camera picamera2: no camera found; {_REMEDY}") from error
        raise CameraError(
            f"camera picamera2: can't be claimed ({said}); close the program that uses it (fuser -v /dev/media*), "
            f"and {_REMEDY}"
        ) from error
