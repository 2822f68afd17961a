"""A recording as a camera: a video file, or a folder of pictures in the order of their names.

Rules: `realtime` hands out the frame that the recording's clock has come to, leaving out those missed meanwhile, as a
live camera would; otherwise every frame in turn, as fast as it is read. Frames keep the recording's size. An unreadable
recording is a CameraError; its end, unless it loops, a FootageEnded.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from edge_agent.ports import CameraError, FootageEnded, Frame, Image
from edge_agent.settings import CameraSettings

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})

_LIKELIEST_FPS = (0.1, 1000.0)
"""Frame rates outside this are damaged headers."""


class Footage(Protocol):
    """Frames one after another. fps: of the recording's clock."""

    fps: float

    def next_frame(self) -> Image | None:
        """RGB uint8 (h, w, 3), contiguous; None at the end. Raises CameraError."""

    def skip(self, count: int) -> int:
        """Leave out up to `count` frames; how many there were. Raises CameraError."""

    def rewind(self) -> None:
        """Begin again. Raises CameraError."""

    def close(self) -> None:
        """Give the files back; safe to call twice."""


class VideoFootage:
    """A video file, decoded by OpenCV."""

    def __init__(self, path: Path) -> None:
        """Raises CameraError when it can't be opened as a video."""
        self._path = path
        self._capture = self._begin()
        fps = float(self._capture.get(cv2.CAP_PROP_FPS))
        self.fps = fps if _LIKELIEST_FPS[0] <= fps <= _LIKELIEST_FPS[1] else 25.0

    def next_frame(self) -> Image | None:
        """The next frame."""
        found, bgr = self._capture.read()
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8) if found else None

    def skip(self, count: int) -> int:
        """Without decoding to pixels."""
        return next((done for done in range(count) if not self._capture.grab()), count)

    def rewind(self) -> None:
        """By opening again: seeking is not exact in every container."""
        self.close()
        self._capture = self._begin()

    def close(self) -> None:
        """Give the file back."""
        self._capture.release()

    def _begin(self) -> cv2.VideoCapture:
        _require_readable(self._path)
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            capture.release()
            raise CameraError(
                f"camera file {self._path}: no video that OpenCV can decode; give an MP4 (H.264), AVI or MKV, "
                "or a folder of pictures"
            )
        return capture


class PictureFootage:
    """A folder of pictures, each shown for 1/fps seconds."""

    def __init__(self, folder: Path, fps: float) -> None:
        """Raises CameraError when there is no picture in it."""
        self.fps = fps
        self._folder = folder
        self._paths = self._list()
        self._next = 0

    def next_frame(self) -> Image | None:
        """The next picture."""
        if self._next == len(self._paths):
            return None
        path = self._paths[self._next]
        self._next += 1
        try:
            encoded = np.fromfile(path, np.uint8)
        except OSError as error:
            raise CameraError(f"camera picture {path}: {error.strerror}; make it readable, or remove it") from error
        bgr = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
        if bgr is None:
            raise CameraError(f"camera picture {path}: no picture that OpenCV can decode; replace it, or remove it")
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)

    def skip(self, count: int) -> int:
        """Without reading them."""
        skipped = min(count, len(self._paths) - self._next)
        self._next += skipped
        return skipped

    def rewind(self) -> None:
        """With the pictures that are there now."""
        self._paths = self._list()
        self._next = 0

    def close(self) -> None:
        """Nothing is held open between pictures."""

    def _list(self) -> list[Path]:
        try:
            paths = [path for path in self._folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
        except OSError as error:
            raise CameraError(f"camera folder {self._folder}: {error.strerror}; correct camera.path") from error
        if not paths:
            kinds = ", ".join(sorted(PICTURE_SUFFIXES))
            raise CameraError(f"camera folder {self._folder}: no pictures in it ({kinds}); correct camera.path")
        return sorted(paths, key=lambda path: path.name)


class FileCamera:
    """A `ports.Camera` that plays a recording.

    captured_s is the recording's clock: the monotonic time of its start plus the frame's place over its rate. A camera
    that was closed begins again at the recording's first frame. clock, sleep: monotonic seconds, and waiting by them.
    """

    def __init__(
        self,
        settings: CameraSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"file {settings.path}"
        self._settings = settings
        self._clock, self._sleep = clock, sleep
        self._footage: Footage | None = None
        self._began_s = 0.0
        self._position = 0
        self._since_rewind = 0
        self._base_sequence = 0
        self._last_captured_s = float("-inf")

    def open(self) -> None:
        """Open the recording at its start; does nothing when it is open. Raises CameraError."""
        if self._footage is not None:
            return
        path = self._settings.path
        if path is None:
            raise CameraError("camera.path is not set; name a video or a folder of pictures")
        footage = PictureFootage(path, self._settings.fps_awake) if path.is_dir() else VideoFootage(path)
        self._skip_beginning(footage)
        self._footage = footage
        # A recording read faster than its clock was ahead of ours: what is read now must not seem older than that.
        self._began_s = max(self._clock(), self._last_captured_s + 1 / self._footage.fps)
        self._base_sequence += self._position
        self._position = self._since_rewind = 0

    def set_fps(self, fps: float) -> None:
        """Nothing to do: a recording has its own rate, and frames not asked for are left out."""

    def read(self, timeout_s: float) -> Frame | None:
        """The frame whose time has come. Raises CameraError, FootageEnded."""
        footage = self._footage
        if footage is None:
            raise CameraError(f"camera {self.name}: read before open; open it first")
        if self._settings.realtime and not self._wait(footage, timeout_s):
            return None
        image = self._next(footage)
        captured_s = self._began_s + self._position / footage.fps
        frame = Frame(image, captured_s, self._base_sequence + self._position)
        self._position += 1
        self._since_rewind += 1
        self._last_captured_s = captured_s
        return frame

    def close(self) -> None:
        """Give the recording back; safe to call twice."""
        if self._footage is not None:
            self._footage.close()
            self._footage = None

    def _wait(self, footage: Footage, timeout_s: float) -> bool:
        """Leave out what is past, wait for what is next; False when its time is further off than timeout_s."""
        now_s = self._clock()
        due = int((now_s - self._began_s) * footage.fps)
        if due > self._position:
            skipped = footage.skip(due - self._position)
            self._position += skipped
            self._since_rewind += skipped
            return True
        wait_s = self._began_s + self._position / footage.fps - now_s
        self._sleep(min(max(wait_s, 0.0), timeout_s))
        return wait_s <= timeout_s

    def _skip_beginning(self, footage: Footage) -> None:
        """Go to start_s. Raises CameraError when the recording is shorter."""
        count = round(self._settings.start_s * footage.fps)
        skipped = footage.skip(count)
        if skipped < count:
            footage.close()
            raise CameraError(
                f"camera {self.name}: has only {skipped / footage.fps:.1f} s; "
                f"lower camera.start_s, which is {self._settings.start_s:g}"
            )

    def _next(self, footage: Footage) -> Image:
        image = footage.next_frame()
        if image is None and self._since_rewind and self._settings.loop:
            footage.rewind()
            self._skip_beginning(footage)
            self._since_rewind = 0
            image = footage.next_frame()
        if image is not None:
            return image
        if not self._since_rewind:
            raise CameraError(f"camera {self.name}: no frame can be decoded; the file is damaged: replace it")
        length_s = self._since_rewind / footage.fps
        raise FootageEnded(
            f"camera {self.name}: the recording ended after {self._since_rewind} frames ({length_s:.1f} s); "
            "set camera.loop: true to repeat it"
        )


def _require_readable(path: Path) -> None:
    try:
        with path.open("rb"):
            return
    except OSError as error:
        raise CameraError(
            f"camera file {path}: {error.strerror}; correct camera.path or the file's permissions"
        ) from error
