"""The landmarker on the one portrait that ships, in both modes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.vision.landmarks import Landmarker, LandmarkerError

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "models" / "face_landmarker.task"
PORTRAIT = ROOT / "edge_agent" / "devices" / "assets" / "nasa_astronaut.png"
EYES_AND_NOSE = [33, 133, 362, 263, 1]
EXPECTED_PX = np.array([[194.6, 100.9], [213.8, 103.6], [237.4, 104.8], [256.7, 104.1], [224.1, 131.2]])
"""Read off the portrait by eye within 2 pixels."""


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    return np.asarray(cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB), np.uint8)


@pytest.fixture
def video() -> Iterator[Landmarker]:
    with Landmarker(BUNDLE) as landmarker:
        yield landmarker


@pytest.fixture(scope="module")
def still() -> Iterator[Landmarker]:
    with Landmarker(BUNDLE, mode="image") as landmarker:
        yield landmarker


def test_finds_the_eyes_and_nose(still: Landmarker, portrait: np.ndarray) -> None:
    (mesh,) = still.detect(portrait)
    assert mesh.shape == (478, 3)
    assert mesh.dtype == np.float32
    assert np.linalg.norm(mesh[EYES_AND_NOSE, :2] - EXPECTED_PX, axis=1).max() < 3
    assert mesh[1, 2] < mesh[[33, 263], 2].min()  # the nose is nearer than the eyes


def test_no_face_gives_an_empty_list(still: Landmarker) -> None:
    assert still.detect(np.full((240, 320, 3), 90, np.uint8)) == []


def test_larger_faces_come_first(still: Landmarker, portrait: np.ndarray) -> None:
    face = portrait[30:200, 130:310]
    for large_left in (True, False):
        scene = np.full((360, 640, 3), 128, np.uint8)
        large, small = cv2.resize(face, None, fx=2, fy=2), cv2.resize(face, None, fx=1.1, fy=1.1)
        left, right = (large, small) if large_left else (small, large)
        scene[: left.shape[0], : left.shape[1]] = left
        scene[: right.shape[0], 640 - right.shape[1] :] = right
        widths = [float(np.ptp(mesh[:468, 0])) for mesh in still.detect(scene)]
        assert len(widths) == 2
        assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("max_faces", [1, 2])
def test_following_a_still_face_stays_on_it(portrait: np.ndarray, max_faces: int) -> None:
    """The bundle's ten added points must not pull the tracked box away (with zeros it drifted by 22 pixels)."""
    with Landmarker(BUNDLE, max_faces=max_faces) as landmarker:
        for frame in range(15):
            (mesh,) = landmarker.detect(portrait, frame * 40)
    assert np.linalg.norm(mesh[EYES_AND_NOSE, :2] - EXPECTED_PX, axis=1).max() < 3
    box = mesh[:468, :2].min(axis=0), mesh[:468, :2].max(axis=0)
    assert (mesh[468:, :2] >= box[0]).all()
    assert (mesh[468:, :2] <= box[1]).all()


def test_follows_a_moving_face(video: Landmarker, portrait: np.ndarray) -> None:
    for frame in range(12):
        shift = 6 * frame
        moved = np.roll(portrait, shift, axis=1)
        meshes = video.detect(moved, frame * 66)
        assert len(meshes) == 1
        assert abs(float(meshes[0][1, 0]) - (EXPECTED_PX[4, 0] + shift)) < 4


def test_equal_timestamps_are_accepted_and_falling_ones_refused(video: Landmarker, portrait: np.ndarray) -> None:
    for timestamp_ms in (0, 0, 0, 1, 5, 5):
        assert len(video.detect(portrait, timestamp_ms)) == 1
    with pytest.raises(ValueError, match="4 ms comes after 5 ms"):
        video.detect(portrait, 4)
    assert len(video.detect(portrait, 5)) == 1


def test_single_photographs_need_no_time(still: Landmarker, portrait: np.ndarray) -> None:
    first, second = still.detect(portrait, 100)[0], still.detect(portrait, 3)[0]
    np.testing.assert_allclose(first, second, atol=1e-3)


@pytest.mark.parametrize(
    "image", [np.zeros((10, 10), np.uint8), np.zeros((10, 10, 4), np.uint8), np.zeros((10, 10, 3), np.float32)]
)
def test_an_image_of_another_kind_is_refused(still: Landmarker, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        still.detect(image)


def test_a_view_into_a_larger_image_is_read_right(still: Landmarker, portrait: np.ndarray) -> None:
    (mesh,) = still.detect(portrait[:, 100:400])
    assert np.linalg.norm(mesh[EYES_AND_NOSE, :2] + [100, 0] - EXPECTED_PX, axis=1).max() < 3


def test_a_broken_or_absent_bundle_is_named_with_the_remedy(tmp_path: Path) -> None:
    broken = tmp_path / "broken.task"
    broken.write_bytes(b"not a bundle")
    for path in (broken, tmp_path / "absent.task"):
        with pytest.raises(LandmarkerError, match=rf"{path.name}.*models verify"):
            Landmarker(path)


def test_closing_twice_is_safe_and_use_afterwards_is_refused(portrait: np.ndarray) -> None:
    landmarker = Landmarker(BUNDLE)
    landmarker.close()
    landmarker.close()
    with pytest.raises(LandmarkerError, match="closed"):
        landmarker.detect(portrait, 0)


QUIET = """
import numpy as np
from pathlib import Path
from edge_agent.vision.landmarks import Landmarker
with Landmarker(Path({bundle!r})) as landmarker:
    for t in range(3):
        landmarker.detect(np.zeros((480, 640, 3), np.uint8), t)
"""


def test_loading_is_silent_and_importing_is_cheap() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    code = QUIET.format(bundle=str(BUNDLE))
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lazy = "import sys, edge_agent.vision.landmarks; sys.exit('mediapipe' in sys.modules)"
    subprocess.run([sys.executable, "-c", lazy], env=environment, check=True)


def test_other_lines_on_standard_error_are_kept() -> None:
    code = (
        "import os, sys\nfrom edge_agent.vision.native_stderr import quiet_native_stderr as quiet\n"
        "with quiet():\n"
        " os.write(2, b'INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\\nE0000 real trouble\\n')\n"
        "try:\n with quiet():\n  os.write(2, b'INFO: what led to it\\n'); raise OSError('x')\nexcept OSError: pass\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["E0000 real trouble", "INFO: what led to it"]
