"""What the libraries alone keep resident: loads them and both models as plainly as can be, one line of JSON each step.

Rules: started as a script, so that nothing of the terminal is in it; whatever it holds, a terminal that uses these
libraries holds as well. Arguments: the landmark bundle and the embedding network.
"""

import json
import sys
from pathlib import Path


def main(bundle: str, network: str) -> None:
    """Load step by step, then look at one empty frame."""
    _tell("python")
    import numpy as np

    _tell("numpy")
    import cv2

    _tell("opencv")
    import mediapipe
    from mediapipe.tasks.python.core.base_options import BaseOptions
    from mediapipe.tasks.python.vision import FaceLandmarker, FaceLandmarkerOptions, RunningMode

    _tell("mediapipe")
    options = FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=bundle), running_mode=RunningMode.VIDEO, num_faces=2
    )
    with FaceLandmarker.create_from_options(options) as landmarker:
        frame = cv2.cvtColor(np.full((480, 640, 3), 90, np.uint8), cv2.COLOR_BGR2RGB)
        landmarker.detect_for_video(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=frame), 1)
        _tell("landmarker")
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=network, num_threads=1)
        interpreter.allocate_tensors()
        interpreter.invoke()
        _tell("network")


def _tell(step: str) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    import resource

    sys.stdout.write(json.dumps({"step": step, "rss_mb": round(pages * resource.getpagesize() / 1e6, 1)}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
