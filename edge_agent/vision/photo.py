"""A still photograph for enrolment: read it, look at it as at a live frame, and say why it won't do.

Rules: photographs are unrelated, so nothing is carried from one to the next (landmarker in `image` mode, no track). The
bounds are the live ones but for two: a face may fill a portrait, so 'too near' doesn't apply; and the head may be
turned up to `PARALLAX_MAX`, because templates of several poses match better and a photograph answers no cue.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageOps

from edge_agent.core.model import FaceObservation, QualityProblem
from edge_agent.ports import EmbedderId, Image, TerminalError
from edge_agent.settings import QualitySettings
from edge_agent.vision import quality
from edge_agent.vision.observer import FaceEmbedder, FaceFinder

PARALLAX_MAX: Final = 0.25
"""False non-matches rise only beyond it (docs/vision.md, 'Quality bounds')."""
LONGER_SIDE_MAX_PX: Final = 1600
"""Larger photographs are reduced to this: the face detector looks at 128 px anyway, and the chip has 112."""
PIXELS_MAX: Final = 120_000_000
_TRACK_ID: Final = 1


class PhotoError(TerminalError):
    """A file can't be read as a photograph; the text names the file and what to do."""


def load_photo(path: Path) -> Image:
    """A photograph as uint8 RGB (h, w, 3), upright as its EXIF orientation says; transparency becomes white.

    Reads what Pillow reads (JPEG, PNG, WebP, TIFF, BMP…). Raises PhotoError.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PhotoError(f"{path}: can't be read ({error.strerror}); check the path and its permissions") from error
    try:
        with Pillow.open(io.BytesIO(content)) as photo:
            return _upright_rgb(path, photo)
    # Pillow's decoders raise these, and SyntaxError for some broken PNGs.
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise PhotoError(
            f"{path}: isn't a whole photograph ({type(error).__name__}); "
            "give a JPEG or PNG that opens in a picture viewer"
        ) from error


class PhotoExaminer:
    """Examines photographs. Belongs to one thread; raises whatever the models raise."""

    def __init__(
        self, landmarker: FaceFinder, embedder: FaceEmbedder, embedder_id: EmbedderId, bounds: QualitySettings
    ) -> None:
        """landmarker: made for single images, not video. bounds: the live ones; the two exceptions are made here."""
        self._landmarker = landmarker
        self._embedder = embedder
        self._embedder_id = embedder_id
        self._bounds = bounds.model_copy(update={"parallax_max": max(PARALLAX_MAX, bounds.parallax_max)})

    @property
    def embedder(self) -> EmbedderId:
        """The embedder that makes the probes."""
        return self._embedder_id

    def examine(self, image: Image) -> FaceObservation:
        """What a photograph of any size shows: problems, or a probe when there are none.

        image: uint8 RGB (h, w, 3). captured_s is 0.0; track_id is 1 where there is a face. eye_distance_px is counted
        in the image given, but 'too far' is judged at LONGER_SIDE_MAX_PX.
        """
        shrink = max(1.0, max(image.shape[:2]) / LONGER_SIDE_MAX_PX)
        if shrink > 1:
            height, width = (max(1, round(side / shrink)) for side in image.shape[:2])
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        meshes = self._landmarker.detect(image, 0)
        if not meshes:
            return FaceObservation(0.0, None, (QualityProblem.NO_FACE,))
        mesh = meshes[0]
        face = quality.measure(image, mesh)
        found = quality.assess(face, quality.second_face_ratio(meshes), self._bounds)
        problems = tuple(problem for problem in found if problem is not QualityProblem.TOO_NEAR)
        return FaceObservation(
            captured_s=0.0,
            track_id=_TRACK_ID,
            problems=problems,
            parallax=face.parallax,
            eye_distance_px=face.eye_distance_px * shrink,
            quality=quality.score(face, self._bounds),
            probe=None if problems else self._embedder.embed_chip(self._embedder.chip(image, mesh)),
        )

    def close(self) -> None:
        """Free the landmarker; safe to call twice."""
        self._landmarker.close()


def _upright_rgb(path: Path, photo: Pillow.Image) -> Image:
    if photo.width * photo.height > PIXELS_MAX:
        raise PhotoError(f"{path}: has {photo.width}×{photo.height} pixels, more than {PIXELS_MAX:,}; save it smaller")
    if photo.mode.startswith(("I", "F")):
        raise PhotoError(f"{path}: has pixels of mode {photo.mode}; save it with 8 bits a channel")
    # A JPEG is decoded at a half, a quarter or an eighth where that leaves as much as is looked at: three times faster
    # for a telephone's twelve megapixels.
    shrink = max(1, max(photo.size) // LONGER_SIDE_MAX_PX)
    photo.draft("RGB", (photo.width // shrink, photo.height // shrink))
    upright = ImageOps.exif_transpose(photo)
    if upright.has_transparency_data:
        layer = upright.convert("RGBA")
        upright = Pillow.alpha_composite(Pillow.new("RGBA", layer.size, "white"), layer)
    return np.asarray(upright.convert("RGB"), np.uint8)
