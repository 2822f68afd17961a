"""Looks for QR codes in the frames that the vision thread has anyway.

Rules: only a code's text leaves this file, the image never does. Looking costs time that faces need, so it is done
seldom, and only while it can still matter to somebody (`wanted`). A frame that the decoder chokes on is a frame without
a code.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

import cv2
import numpy as np

from edge_agent.ports import Frame, Image

INTERVAL_S = 0.25
"""Between two looks: four chances a second while a card is held up."""
LONGEST_SIDE_PX = 960
"""Larger frames are scaled down to it; 640 × 480 is looked at as it is, since a code needs 5 pixels a module."""


class CodeReader(Protocol):
    """Finds the codes in one image."""

    def read(self, image_rgb: Image) -> Sequence[str]:
        """The texts of all codes that could be read."""


class QrReader:
    """OpenCV's QR decoder with the ArUco finder: it reads smaller codes than the older one, in half the time
    (docs/tokens.md, *Measured*). Belongs to one thread."""

    def __init__(self) -> None:
        self._detector = cv2.QRCodeDetectorAruco()

    def read(self, image_rgb: Image) -> Sequence[str]:
        """See CodeReader."""
        try:
            _, texts, _, _ = self._detector.detectAndDecodeMulti(_luma(image_rgb))
        except (cv2.error, UnicodeDecodeError):
            # Neither is of use to anybody: the next frame is another try.
            return ()
        return tuple(text for text in texts if text)


class CodeWatch:
    """Looks at frames now and then and hands on what it reads.

    wanted: whether a code could still matter; asked from the vision thread. present: takes the texts that were seen
    together, must not block.
    """

    def __init__(
        self,
        reader: CodeReader,
        wanted: Callable[[], bool],
        present: Callable[..., None],
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reader = reader
        self._wanted = wanted
        self._present = present
        self._interval_s = interval_s
        self._clock = clock
        self._next_s = float("-inf")

    def look(self, frame: Frame) -> None:
        """Look at this frame if it is time to."""
        now_s = self._clock()
        if now_s < self._next_s or not self._wanted():
            return
        self._next_s = now_s + self._interval_s
        texts = self._reader.read(frame.image)
        if texts:
            self._present(*texts)


def _luma(image_rgb: Image) -> Image:
    """Grey, (h, w) uint8, at most LONGEST_SIDE_PX a side."""
    grey = cv2.cvtColor(image_rgb, cv2.COLOR_RGB2GRAY)
    scale = LONGEST_SIDE_PX / max(grey.shape)
    if scale < 1:
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(grey, np.uint8)
