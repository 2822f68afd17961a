"""Pictures with transparency, and laying them over another picture.

Rules: a layer is RGBA uint8 with colour already multiplied by alpha, so that scaling and blurring need no care at
edges.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.ports import Image

Layer = npt.NDArray[np.uint8]
"""(h, w, 4) uint8: red, green, blue times alpha, alpha."""


def layer(colour: Image, alpha: npt.NDArray[np.uint8]) -> Layer:
    """A layer of this RGB picture (h, w, 3) where alpha (h, w) is 255."""
    share = alpha[:, :, None].astype(np.float32) / 255
    return np.dstack([np.rint(colour * share).astype(np.uint8), alpha])


def lay_over(picture: Image, above: Layer) -> None:
    """Change the picture (RGB, same size) to what it looks like with the layer above it."""
    alpha = above[:, :, 3]
    left, top, width, height = cv2.boundingRect(alpha)
    if width == 0:
        return
    box = (slice(top, top + height), slice(left, left + width))
    behind = cv2.cvtColor(cv2.bitwise_not(alpha[box]), cv2.COLOR_GRAY2RGB)
    shown = cv2.multiply(picture[box], behind, scale=1 / 255)
    picture[box] = cv2.add(shown, cv2.cvtColor(above[box], cv2.COLOR_RGBA2RGB))
