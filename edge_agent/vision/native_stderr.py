"""Keeps the chatter of native libraries (MediaPipe, XNNPACK, abseil) off standard error while they load.

Rules: only lines known to be harmless are dropped; everything else is written out afterwards, and all of it when an
error is raised meanwhile.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_HARMLESS = re.compile(
    "|".join(
        (
            r"^INFO: ",
            r"^[IW]\d{4} .*inference_feedback_manager\.cc",
            r"^[IW]\d{4} .*face_landmarker_graph\.cc",
            r"^I\d{4} ",
            r"^(WARNING|INFO): (All log messages before absl::InitializeLog|Logging before InitGoogle)",
        )
    )
)
_STDERR = 2


@contextmanager
def quiet_native_stderr() -> Iterator[None]:
    """Hold back what the process (any thread) writes to standard error inside the block, then filter it."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        saved = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(saved, _STDERR)
            os.close(saved)
            held.seek(0)
            _write_out(held.read(), everything=failed)


def _write_out(text: bytes, *, everything: bool) -> None:
    for line in text.decode(errors="replace").splitlines():
        if everything or not _HARMLESS.match(line):
            os.write(_STDERR, f"{line}\n".encode())
