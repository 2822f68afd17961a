"""An office for tests: pictures of one colour each, and an examiner that knows people by their colour."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from edge_agent.core.model import FaceObservation, QualityProblem
from edge_agent.enrolment.photos import PhotoTools
from edge_agent.ports import EmbedderId, Image, TerminalError

EMBEDDER = EmbedderId("colour-net", "12" * 32)
RED, PINK, GREEN, BLUE = (250, 40, 40), (250, 60, 70), (40, 250, 40), (40, 40, 250)
BLACK = (10, 10, 10)
HEADER = "subject_id,programme,cycle,kind,amount,unit,item,valid_from,valid_until"


class ColourExaminer:
    """Takes a picture's mean colour for a face; a dark picture is too dark."""

    def __init__(self) -> None:
        self.examined = 0

    @property
    def embedder(self) -> EmbedderId:
        return EMBEDDER

    def examine(self, image: Image) -> FaceObservation:
        self.examined += 1
        colour = image.reshape(-1, 3).mean(axis=0)
        if colour.max() < 60:
            return FaceObservation(0.0, 1, (QualityProblem.DARK, QualityProblem.BLURRED))
        probe = np.asarray(colour / np.linalg.norm(colour), np.float32)
        return FaceObservation(0.0, 1, (), quality=1.0, probe=probe)


def load(path: Path) -> Image:
    """What the photo loader of vision does, in short."""
    try:
        with Pillow.open(path) as photo:
            return np.asarray(photo.convert("RGB"), np.uint8)
    except OSError as error:
        raise TerminalError(f"{path}: isn't a whole photograph; give a JPEG or PNG") from error


def tools() -> PhotoTools:
    return PhotoTools(load, ColourExaminer())


def picture(path: Path, colour: tuple[int, int, int]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Pillow.new("RGB", (8, 8), colour).save(path)
    return path


def row(subject: str, programme: str = "BPNT", amount: str = "10", **changes: str) -> str:
    cells = {
        "subject_id": subject,
        "programme": programme,
        "cycle": "2026-03",
        "kind": "goods",
        "amount": amount,
        "unit": "kg",
        "item": "beras",
        "valid_from": "2026-03-01",
        "valid_until": "2026-03-31",
    }
    return ",".join({**cells, **changes}.values())
