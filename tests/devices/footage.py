"""Recordings made for tests: a red picture, with the frame's number in six bars, dark for 0 and light for 1."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

BARS = 6
"""Numbers up to 63: bars survive a codec that changes colours a little."""


def numbered(number: int, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """RGB picture of frame `number`: bars in the upper half, plain red in the lower."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    picture[:] = (200, 40, 20)
    for bar in range(BARS):
        columns = slice(bar * width // BARS, (bar + 1) * width // BARS)
        picture[: height // 2, columns] = 230 if number >> bar & 1 else 20
    return picture


def number_of(image_rgb: npt.NDArray[np.uint8]) -> int:
    """Which frame this is."""
    height, width = image_rgb.shape[:2]
    middles = [(2 * bar + 1) * width // (2 * BARS) for bar in range(BARS)]
    return sum((int(image_rgb[height // 4, x].mean()) > 125) << bar for bar, x in enumerate(middles))


def write_video(path: Path, frames: int, size: tuple[int, int] = (96, 48), fps: float = 25.0) -> None:
    """An MP4, encoded by OpenCV."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(cv2.cvtColor(numbered(number, size), cv2.COLOR_RGB2BGR))
    writer.release()


def write_pictures(folder: Path, count: int, size: tuple[int, int] = (96, 48)) -> None:
    """PNG files whose order by name is their order; written in the opposite order."""
    for number in reversed(range(count)):
        cv2.imwrite(str(folder / f"{number:03d}.png"), cv2.cvtColor(numbered(number, size), cv2.COLOR_RGB2BGR))
