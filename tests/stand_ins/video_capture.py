"""A stand-in for cv2.VideoCapture on a V4L2 camera, with the behaviour read from OpenCV's cap_v4l.cpp.

Opening what can't be opened doesn't raise; frames not taken wait in a queue of buffers and are handed out oldest first,
however old; grab takes one off the queue or waits for the next, and gives False after a time without one; retrieve
gives the frame grabbed last, in BGR. A frame tells its own number: see `number_of`.
"""

from __future__ import annotations

import threading
import time
from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

BUFFERS = 4
FPS = 60.0
RED = 200


class StandInBoard:
    """The camera behind the captures. faults: unplugged: no more frames; busy: opens, but not for this program."""

    def __init__(self) -> None:
        self.unplugged = False
        self.busy = False
        self.open_captures = 0
        self.opened_in: list[int] = []
        self.decoded = 0

    def capture(self, index: int, backend: int) -> StandInCapture:
        assert backend == cv2.CAP_V4L2
        assert isinstance(index, int)
        return StandInCapture(self)


class StandInCapture:
    def __init__(self, board: StandInBoard) -> None:
        self._board = board
        self._opened = not board.busy and board.open_captures == 0
        if self._opened:
            board.open_captures += 1
            board.opened_in.append(threading.get_ident())
        self._began_s = time.monotonic()
        self._taken = 0
        self._grabbed = -1
        self._size = (640, 480)
        self._queue: deque[int] = deque()

    def isOpened(self) -> bool:  # noqa: N802
        return self._opened

    def set(self, prop: int, value: float) -> bool:
        if prop == cv2.CAP_PROP_FRAME_WIDTH:
            self._size = (int(value), self._size[1])
        elif prop == cv2.CAP_PROP_FRAME_HEIGHT:
            self._size = (self._size[0], int(value))
        elif prop == cv2.CAP_PROP_BUFFERSIZE:
            return False  # Many drivers refuse.
        return True

    def grab(self) -> bool:
        assert self._opened, "grab after release"
        assert threading.get_ident() == self._board.opened_in[-1], "a capture belongs to one thread"
        if self._board.unplugged:
            time.sleep(0.01)
            return False
        self._fill()
        if not self._queue:
            time.sleep(max(0.0, self._began_s + (self._taken + 1) / FPS - time.monotonic()))
            self._fill()
        self._grabbed = self._queue.popleft() if self._queue else self._taken
        return True

    def retrieve(self) -> tuple[bool, npt.NDArray[np.uint8] | None]:
        if self._grabbed < 0:
            return False, None
        self._board.decoded += 1
        frame = np.zeros((self._size[1], self._size[0], 3), np.uint8)
        frame[:, :, 0] = self._grabbed % 256
        frame[:, :, 1] = self._grabbed // 256
        frame[:, :, 2] = RED
        return True, frame

    def release(self) -> None:
        if self._opened:
            self._opened = False
            self._board.open_captures -= 1

    def _fill(self) -> None:
        """Frames of the time since the last call; when all buffers are full, new ones are lost."""
        there = int((time.monotonic() - self._began_s) * FPS)
        while self._taken < there:
            self._taken += 1
            if len(self._queue) < BUFFERS:
                self._queue.append(self._taken)


def number_of(image_rgb: npt.NDArray[np.uint8]) -> int:
    """The frame's number, from its pixels."""
    return int(image_rgb[0, 0, 2]) + 256 * int(image_rgb[0, 0, 1])
