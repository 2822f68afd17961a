"""Enrolment photographs: files as people have them, examined by the real models."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from edge_agent.core.model import QualityProblem
from edge_agent.ports import EmbedderId
from edge_agent.ports import PhotoExaminer as PhotoExaminerPort
from edge_agent.settings import QualitySettings, VisionSettings
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.loading import load_examiner, load_observer
from edge_agent.vision.manifest import ModelHashMismatchError, load
from edge_agent.vision.photo import LONGER_SIDE_MAX_PX, PhotoError, PhotoExaminer, load_photo
from tests.vision.faces import LANDMARKER_FILE, PORTRAIT_FILE, REPOSITORY, portrait, portrait_mesh, shared

MANIFEST = REPOSITORY / "models" / "manifest.yaml"


@pytest.fixture(scope="module")
def examiner() -> Iterator[PhotoExaminer]:
    spec = load(MANIFEST).active_embedder
    embedder = Embedder(spec, MANIFEST.parent, mirrored_average=True)
    landmarker = Landmarker(LANDMARKER_FILE, mode="image")
    examiner = PhotoExaminer(landmarker, embedder, EmbedderId(spec.name, spec.sha256), QualitySettings())
    yield examiner
    examiner.close()


def test_a_portrait_gives_a_probe(examiner: PhotoExaminer) -> None:
    port: PhotoExaminerPort = examiner
    seen = port.examine(load_photo(PORTRAIT_FILE))
    assert seen.problems == ()
    assert seen.probe is not None
    assert (seen.captured_s, seen.track_id) == (0.0, 1)
    assert port.embedder.name == load(MANIFEST).active_embedder.name


def test_the_same_photograph_gives_the_same_probe_whatever_was_examined_between(examiner: PhotoExaminer) -> None:
    first = examiner.examine(portrait()).probe
    examiner.examine(np.ascontiguousarray(portrait()[:, ::-1]))
    examiner.examine(np.zeros((300, 300, 3), np.uint8))
    second = examiner.examine(portrait()).probe
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)


def test_a_huge_photograph_is_reduced_and_recognised_as_the_same(examiner: PhotoExaminer) -> None:
    huge = np.asarray(cv2.resize(portrait(), None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert huge.shape[0] > LONGER_SIDE_MAX_PX
    seen, plain = examiner.examine(huge), examiner.examine(portrait())
    assert seen.problems == ()
    assert seen.eye_distance_px == pytest.approx(8 * 62, abs=24)
    assert seen.probe is not None
    assert plain.probe is not None
    assert float(seen.probe @ plain.probe) > 0.97


def test_a_face_that_fills_the_photograph_is_not_too_near(examiner: PhotoExaminer) -> None:
    x, y = portrait_mesh()[1, :2].astype(int)
    close = np.ascontiguousarray(portrait()[y - 68 : y + 68, x - 68 : x + 68])
    close = np.asarray(cv2.resize(close, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC), np.uint8)
    assert QualityProblem.TOO_NEAR not in examiner.examine(close).problems


def test_a_half_turned_pose_may_be_enrolled_but_is_turned_for_a_live_frame(examiner: PhotoExaminer) -> None:
    seen = examiner.examine(load_photo(shared("portraits/person_1_b.jpg")))
    assert seen.parallax is not None
    assert QualitySettings().parallax_max < abs(seen.parallax)
    assert seen.problems == ()


@pytest.mark.parametrize("who", ["person_1", "person_2"])
def test_two_photographs_of_one_person_are_alike_and_of_two_are_not(examiner: PhotoExaminer, who: str) -> None:
    other = {"person_1": "person_2", "person_2": "person_1"}[who]
    files = [shared(f"portraits/{name}.jpg") for name in (f"{who}_a", f"{who}_b", f"{other}_a")]
    probes = [examiner.examine(load_photo(file)).probe for file in files]
    assert all(probe is not None for probe in probes)
    assert float(probes[0] @ probes[1]) > float(probes[0] @ probes[2]) + 0.05


def test_no_face_and_blur_are_refused_with_their_reason(examiner: PhotoExaminer) -> None:
    assert examiner.examine(np.full((600, 400, 3), 200, np.uint8)).problems == (QualityProblem.NO_FACE,)
    seen = examiner.examine(np.ascontiguousarray(cv2.GaussianBlur(portrait(), (0, 0), 3)))
    assert seen.problems == (QualityProblem.BLURRED,)
    assert seen.probe is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path: Path, orientation: int) -> None:
    upright = Pillow.fromarray(portrait())
    undo = {
        2: [Pillow.Transpose.FLIP_LEFT_RIGHT],
        3: [Pillow.Transpose.ROTATE_180],
        4: [Pillow.Transpose.FLIP_TOP_BOTTOM],
        5: [Pillow.Transpose.TRANSPOSE],
        6: [Pillow.Transpose.ROTATE_90],
        7: [Pillow.Transpose.TRANSVERSE],
        8: [Pillow.Transpose.ROTATE_270],
    }.get(orientation, [])
    stored = upright
    for step in undo:
        stored = stored.transpose(step)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    assert np.array_equal(load_photo(tmp_path / "photo.png"), portrait())


@pytest.mark.parametrize(
    ("size", "read"), [((3000, 4000), (1500, 2000)), ((4000, 3000), (2000, 1500)), ((1599, 900),) * 2]
)
def test_a_telephones_jpeg_is_decoded_no_larger_than_needed(
    tmp_path: Path, size: tuple[int, int], read: tuple[int, int]
) -> None:
    path = tmp_path / "a.jpg"
    Pillow.new("RGB", size, "grey").save(path)
    assert load_photo(path).shape == (read[1], read[0], 3)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "LA", "1"])
def test_any_common_kind_of_picture_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tiff" if mode == "CMYK" else "png"
    Pillow.fromarray(portrait()).convert(mode).save(tmp_path / f"photo.{suffix}")
    image = load_photo(tmp_path / f"photo.{suffix}")
    assert image.shape == (512, 512, 3)
    assert image.dtype == np.uint8


def test_transparency_becomes_white(tmp_path: Path) -> None:
    Pillow.new("RGBA", (40, 40), (0, 0, 0, 0)).save(tmp_path / "photo.png")
    assert load_photo(tmp_path / "photo.png").min() == 255


def _truncated(path: Path) -> None:
    content = io.BytesIO()
    Pillow.fromarray(portrait()).save(content, "JPEG")
    path.write_bytes(content.getvalue()[:4000])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: None, "can't be read"),
        (lambda path: path.mkdir(), "can't be read"),
        (lambda path: path.write_text("hello"), "isn't a whole photograph"),
        (lambda path: path.write_bytes(b""), "isn't a whole photograph"),
        (_truncated, "isn't a whole photograph"),
        (lambda path: Pillow.new("I;16", (20, 20)).save(path, "PNG"), "8 bits"),
    ],
    ids=["absent", "folder", "text", "empty", "truncated", "sixteen bits"],
)
def test_a_file_that_is_no_photograph_is_named_with_the_remedy(tmp_path: Path, make, said: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "photo.jpg"
    make(path)
    with pytest.raises(PhotoError, match=said) as caught:
        load_photo(path)
    assert str(path) in str(caught.value)


def test_models_that_differ_from_the_manifest_are_not_loaded(tmp_path: Path) -> None:
    models = load(MANIFEST)
    for name in ("manifest.yaml", models.active_embedder.file, models.active_landmarker.file):
        (tmp_path / name).write_bytes((MANIFEST.parent / name).read_bytes())
    settings = VisionSettings(manifest=tmp_path / "manifest.yaml")
    damaged = tmp_path / models.active_embedder.file
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"\0\0")
    for loader in (load_examiner, load_observer):
        with pytest.raises(ModelHashMismatchError):
            loader(settings)


def test_the_committed_models_load_as_the_settings_say() -> None:
    examiner = load_examiner(VisionSettings(manifest=MANIFEST))
    assert examiner.examine(portrait()).problems == ()
    examiner.close()
