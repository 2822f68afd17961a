"""The other side of `edge-agent bench vision`: runs `face_recognition` (dlib) on frames from standard input.

Rules: started as a script by whatever Python has that package, so it imports nothing of this one. Protocol: first it
writes a JSON line, `{"version": …}` or `{"missing": …}`; then for each request (three little-endian uint32: height,
width, bytes; then RGB bytes) a JSON line `{"ms": …, "faces": …}`. Only the two calls a user of the package makes are
timed.
"""

import json
import struct
import sys
import time
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    try:
        from importlib.metadata import version

        import face_recognition
        import numpy as np
    # Its model package ends the process instead of raising, where pkg_resources is missing.
    except (ImportError, SystemExit) as error:
        _answer({"missing": f"{type(error).__name__}: {error}"})
        return
    _answer({"version": version("face_recognition")})
    header = struct.Struct("<III")
    while len(head := sys.stdin.buffer.read(header.size)) == header.size:
        height, width, size = header.unpack(head)
        image = np.frombuffer(sys.stdin.buffer.read(size), np.uint8).reshape(height, width, 3)
        began = time.perf_counter()
        places = face_recognition.face_locations(image, model="hog")
        encodings = face_recognition.face_encodings(image, known_face_locations=places)
        _answer({"ms": (time.perf_counter() - began) * 1000, "faces": len(encodings)})


def _answer(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
