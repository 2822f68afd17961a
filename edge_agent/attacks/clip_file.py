"""A clip on disk: frames into an MP4, all or nothing.

Rules: written beside its place and moved there when whole, so that an interrupted run leaves no half a clip.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from edge_agent.attacks.species import AttackError
from edge_agent.ports import Image


def write_clip(path: Path, frames: Iterator[Image], fps: float, progress: Callable[[int], None]) -> str:
    """Write them all; the SHA-256 (hex) of the frames' pixels before compression. progress: frames written so far.

    Raises AttackError.
    """
    if path.suffix.lower() != ".mp4":
        raise AttackError(f"{path}: clips are written as MP4; give a name that ends in .mp4")
    if not path.parent.is_dir():
        raise AttackError(f"{path}: there is no folder {path.parent}; make it first")
    digest = hashlib.sha256()
    partial = path.with_name(f".{path.stem}.part.mp4")
    writer: cv2.VideoWriter | None = None
    try:
        for done, frame in enumerate(frames, 1):
            if writer is None:
                size = (frame.shape[1], frame.shape[0])
                writer = cv2.VideoWriter(str(partial), cv2.VideoWriter.fourcc(*"mp4v"), fps, size)
                if not writer.isOpened():
                    raise AttackError(f"{path}: can't be written; check the folder's permissions and free space")
            digest.update(frame.tobytes())
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            progress(done)
        if writer is not None:
            writer.release()
            partial.replace(path)
    finally:
        if writer is not None:
            writer.release()
        partial.unlink(missing_ok=True)
    return digest.hexdigest()
