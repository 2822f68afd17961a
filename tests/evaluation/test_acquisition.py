"""The product's path on real pixels: the portrait is acquired, what shows no face is counted with its reason."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.core.model import Embedding
from edge_agent.evaluation.acquisition import LookedAt, Subject, acquire, open_sight
from edge_agent.ports import Image
from edge_agent.settings import SHIPPED_MANIFEST, VisionSettings
from edge_agent.vision.landmarks import Mesh
from tests.vision.faces import portrait


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """good; tiny: a face too small to enrol; grey: no face; broken: no picture."""
    folder = tmp_path_factory.mktemp("photographs")
    face = portrait()
    tiny = cv2.resize(face, (150, 150), interpolation=cv2.INTER_AREA)
    pictures = {"good": face, "tiny": tiny, "grey": np.full((200, 200, 3), 127, np.uint8)}
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / f"{name}.png"), picture[:, :, ::-1])
    (folder / "broken.png").write_bytes(b"no picture")
    return {path.stem: path for path in folder.iterdir()}


def test_gates_differ_in_what_they_let_through(photographs: dict[str, Path]) -> None:
    files = [photographs[name] for name in ("good", "tiny", "grey", "broken")]
    with open_sight(VisionSettings(manifest=SHIPPED_MANIFEST), "largest") as sight:
        acquired = acquire(files, sight, quiet=True)
    lenient, strict = acquired.by_gate["open"], acquired.by_gate["enrolment"]
    assert set(lenient.probes) == {photographs["good"], photographs["tiny"]}
    assert lenient.failures == {photographs["grey"]: "no_face", photographs["broken"]: "unreadable"}
    assert set(strict.probes) == {photographs["good"]}
    assert strict.failures[photographs["tiny"]] == "too_far"
    assert strict.fta() | {"ci95": None} == {
        "value": 0.75,
        "count": 3,
        "n": 4,
        "ci95": None,
        "by_reason": {"too_far": 1, "no_face": 1, "unreadable": 1},
    }
    good = photographs["good"]
    assert np.array_equal(lenient.probes[good], strict.probes[good])
    assert float(lenient.probes[good] @ lenient.probes[photographs["tiny"]]) > 0.7, (
        "far above every score measured for strangers"
    )
    assert acquired.presentation_ms["n"] == 3


class TwoFaces:
    """A finder and embedder that see a large face on the left and a small one in the middle of 300×200 pixels."""

    def __init__(self) -> None:
        self.looks = self.embeddings = 0
        points = np.random.default_rng(1).uniform(-1, 1, (478, 3)).astype(np.float32)
        self.left, self.middle = points * 60 + (60, 100, 0), points * 20 + (150, 100, 0)

    def detect(self, image_rgb: Image, timestamp_ms: int) -> list[Mesh]:
        self.looks += 1
        return [self.left, self.middle]

    def chip(self, image_rgb: Image, mesh_px: Mesh) -> Image:
        return image_rgb

    def embed_chip(self, chip: Image) -> Embedding:
        self.embeddings += 1
        return np.array([1, 0], np.float32)

    def close(self) -> None:
        self.looks = -1


@pytest.mark.parametrize(("subject", "first"), [("largest", 60), ("central", 150)])
def test_the_subject_is_the_largest_or_the_central_face(subject: Subject, first: int) -> None:
    faces = TwoFaces()
    found = LookedAt(faces, faces, subject).detect(np.zeros((200, 300, 3), np.uint8), 0)
    assert float(found[0][:, 0].mean()) == pytest.approx(first, abs=5)


def test_a_photograph_is_looked_at_once_for_all_gates_and_the_next_anew() -> None:
    faces = TwoFaces()
    looked = LookedAt(faces, faces, "largest")
    for image in (np.zeros((200, 300, 3), np.uint8), np.zeros((200, 300, 3), np.uint8)):
        for _gate in range(2):
            looked.embed_chip(looked.chip(image, looked.detect(image, 0)[0]))
    assert (faces.looks, faces.embeddings) == (2, 2)
