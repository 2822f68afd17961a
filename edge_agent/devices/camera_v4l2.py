"""A V4L2 camera (webcam, Jetson's CSI camera as a video device) through OpenCV.

Rules: one thread owns the capture from opening to release and takes every frame off the driver's queue, because frames
left there are handed out later as if they were new; it decodes a frame only when one is wanted, which keeps an idle
terminal cool. Errors name the device, what was seen and what to do.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

import cv2
import numpy as np

from edge_agent.ports import CameraError, Frame, Image
from edge_agent.settings import CameraSettings

_DEVICES = Path("/dev")
_OPEN_S = 10.0
"""Longest wait for a camera to open: some webcams take 3 to 5 s after being plugged in."""
_CLOSE_S = 5.0
_FAILED_GRAB_S = 0.05
"""Pause after a failed grab; without it a camera that was unplugged keeps a core busy."""

# OpenCV waits 10 s for a frame by default and offers no other way to change that; an unplugged camera could not be
# closed, nor opened again, in all that time. It reads this before its first capture.
os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")


class V4l2Camera:
    """A `ports.Camera` on /dev/videoN, a link to one (/dev/v4l/by-id/…), or an index."""

    def __init__(self, settings: CameraSettings) -> None:
        self.name = f"v4l2 {settings.device}"
        self._settings = settings
        self._grabber: _Grabber | None = None
        self._sequence_base = 0
        self._fresh_s = 0.0

    def open(self) -> None:
        """Claim the device; does nothing when it is open. Raises CameraError."""
        if self._grabber is not None:
            return
        index = _index_of(self._settings.device)
        grabber = _Grabber(index, self._settings)
        problem = grabber.start()
        if problem:
            raise CameraError(f"camera {self.name}: {problem}")
        self._grabber = grabber
        self._fresh_s = time.monotonic()

    def set_fps(self, fps: float) -> None:
        """Nothing to do: the camera keeps its rate, and frames not asked for are not decoded."""

    def read(self, timeout_s: float) -> Frame | None:
        """The first frame that arrives from now on. Raises CameraError, also after stalled_after_s without one."""
        if self._grabber is None:
            raise CameraError(f"camera {self.name}: read before open; open it first")
        grabbed = self._grabber.next_frame(timeout_s)
        now_s = time.monotonic()
        if grabbed is None:
            self._check_alive(now_s)
            return None
        image, captured_s, sequence = grabbed
        self._fresh_s = now_s
        return Frame(image, captured_s, self._sequence_base + sequence)

    def close(self) -> None:
        """Give the device back; safe to call twice."""
        grabber, self._grabber = self._grabber, None
        if grabber is not None:
            self._sequence_base += grabber.stop()

    def _check_alive(self, now_s: float) -> None:
        if now_s - self._fresh_s < self._settings.stalled_after_s:
            return
        if not _node(self._settings.device).exists():
            raise CameraError(f"camera {self.name}: unplugged; plug it in again ({_present()})")
        raise CameraError(
            f"camera {self.name}: no frame for {self._settings.stalled_after_s:g} s; check its cable and its power, "
            "and that nothing else uses it"
        )


class _Grabber:
    """The thread that owns the capture."""

    def __init__(self, index: int, settings: CameraSettings) -> None:
        self._index = index
        self._settings = settings
        self._changed = threading.Condition()
        self._opened: bool | None = None
        self._problem = ""
        self._wanted = False
        self._frame: tuple[Image, float, int] | None = None
        self._count = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"v4l2-{index}", daemon=True)

    def start(self) -> str:
        """Open the capture; what was wrong, or ""."""
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._opened is not None, _OPEN_S)
            if self._opened is None:
                self._stop.set()
                return f"did not open within {_OPEN_S:g} s; unplug it and plug it in again"
            return self._problem

    def next_frame(self, timeout_s: float) -> tuple[Image, float, int] | None:
        """A frame that arrives after this call: image, monotonic seconds, number. None when none does in time."""
        with self._changed:
            self._frame = None
            self._wanted = True
            self._changed.wait_for(lambda: self._frame is not None, timeout_s)
            self._wanted = False
            return self._frame

    def stop(self) -> int:
        """Release the capture, waiting for it a while; how many frames arrived."""
        self._stop.set()
        self._thread.join(_CLOSE_S)
        return self._count

    def _run(self) -> None:
        capture = self._open()
        if capture is None:
            return
        try:
            while not self._stop.is_set():
                self._take(capture)
        finally:
            capture.release()

    def _open(self) -> cv2.VideoCapture | None:
        settings = self._settings
        capture = cv2.VideoCapture(self._index, cv2.CAP_V4L2)
        problem = ""
        if capture.isOpened():
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width_px)
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height_px)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        else:
            problem = _why_closed(self._index, settings.device)
            capture.release()
        with self._changed:
            self._opened, self._problem = not problem, problem
            self._changed.notify_all()
        return None if problem else capture

    def _take(self, capture: cv2.VideoCapture) -> None:
        """Take one frame off the queue; decode it when it is wanted."""
        if not capture.grab():
            self._stop.wait(_FAILED_GRAB_S)
            return
        captured_s = time.monotonic()
        self._count += 1
        # Nobody waits: by the time somebody does, this frame shows the past.
        if not self._wanted:
            return
        found, bgr = capture.retrieve()
        if not found:
            return
        image = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
        with self._changed:
            if self._wanted:
                self._frame = (image, captured_s, self._count - 1)
                self._changed.notify_all()


def _index_of(device: str) -> int:
    """N of /dev/videoN. Raises CameraError."""
    path = _node(device)
    if not path.exists():
        raise CameraError(f"camera v4l2 {device}: no such device ({_present()}); plug it in, or correct camera.device")
    resolved = Path(os.path.realpath(path))
    match = re.fullmatch(r"video(\d+)", resolved.name) if resolved.parent == _DEVICES else None
    if match is None:
        raise CameraError(
            f"camera v4l2 {device}: is no video device ({_present()}); set camera.device to one of these or to a link "
            "under /dev/v4l/by-id"
        )
    return int(match.group(1))


def _node(device: str) -> Path:
    return _DEVICES / f"video{device}" if device.isdigit() else Path(device)


def _present() -> str:
    """The video devices there are, for an error's text."""
    found = sorted(_DEVICES.glob("video*"), key=lambda path: (len(path.name), path.name))
    return "present: " + ", ".join(map(str, found)) if found else f"no {_DEVICES}/video* is present"


def _why_closed(index: int, device: str) -> str:
    """Why OpenCV could not open it, as far as can be told."""
    path = str(_DEVICES / f"video{index}")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
    except PermissionError:
        return f"permission denied on {path}; add the user to group video: usermod -aG video USER, then log in again"
    except OSError as error:
        return f"{path} can't be opened ({error.strerror}); close the program that uses it (fuser -v {path})"
    named = "" if path == device else f" ({path})"
    return (
        f"opens{named}, but gives no pictures: it may be a metadata or decoder node, or in use; try another of those "
        f"({_present()}), and see who uses it with: fuser -v {path}"
    )
