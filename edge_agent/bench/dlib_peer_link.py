"""Our end of the pipe to `dlib_peer.py`: starts it in a chosen Python, sends it frames, collects its times."""

from __future__ import annotations

import json
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_agent.ports import Image, TerminalError
from edge_agent.vision.timings import summarise

_SCRIPT = Path(__file__).with_name("dlib_peer.py")
_REMEDY = (
    "to compare, `pip install face_recognition face_recognition_models 'setuptools<81'` into some environment (it "
    "compiles dlib for about 10 minutes) and give its Python with --peer-python"
)


class PeerMissingError(TerminalError):
    """`face_recognition` can't be run there."""


class Peer:
    """A running peer process; `close` ends it."""

    def __init__(self, python: str) -> None:
        """Start it and wait until it has loaded its models. Raises PeerMissingError."""
        try:
            self._process = subprocess.Popen(
                [python, str(_SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError as error:
            raise PeerMissingError(f"{python}: can't be started ({error.strerror}); {_REMEDY}") from error
        self._faces = 0
        try:
            greeting = self._answer()
        except PeerMissingError:
            self.close()
            raise
        if "missing" in greeting:
            self.close()
            raise PeerMissingError(f"face_recognition isn't usable in {python} ({greeting['missing']}); {_REMEDY}")
        self._version = str(greeting["version"])

    def measure(self, image: Image) -> float:
        """Milliseconds it took to find and encode the faces of one RGB frame. Raises PeerMissingError if it died."""
        assert self._process.stdin is not None
        content = np.ascontiguousarray(image).tobytes()
        try:
            self._process.stdin.write(struct.pack("<III", image.shape[0], image.shape[1], len(content)) + content)
            self._process.stdin.flush()
        except OSError as error:
            raise PeerMissingError(f"the face_recognition process ended; {_REMEDY}") from error
        answer = self._answer()
        self._faces += bool(answer["faces"])
        return float(answer["ms"])

    def describe(self, peer_ms: Sequence[float], ours_ms: Sequence[float]) -> dict[str, Any]:
        """The bench's `peer` part. peer_ms, ours_ms: both of the same frames, in the same order."""
        if not peer_ms:
            return {"missing": "no frame gave a probe while the peer's turn came; give more frames"}
        ratio = float(np.median(peer_ms) / np.median(ours_ms))
        return {
            "name": "face_recognition",
            "version": self._version,
            **summarise(tuple(peer_ms)),
            "faces_found": self._faces,
            "ratio": round(ratio, 2),
        }

    def close(self) -> None:
        """End the process; safe to call twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerMissingError(f"the face_recognition process ended without an answer; {_REMEDY}")
        answer: dict[str, Any] = json.loads(line)
        return answer
