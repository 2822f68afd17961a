"""Face files: the shipped one fits its portrait, bad ones are refused with a remedy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_agent.devices.puppet.face import load_face
from edge_agent.devices.puppet.script import ASSETS
from edge_agent.ports import CameraError
from tests.devices.puppet.theatre import LANDMARKER, ROOT

SHIPPED = ASSETS / "nasa_astronaut.json"


def changed(folder: Path, **changes: Any) -> Path:
    """The shipped face with some keys changed, beside a copy of its portrait."""
    content = {**json.loads(SHIPPED.read_text()), **changes}
    (folder / "nasa_astronaut.png").write_bytes((ASSETS / "nasa_astronaut.png").read_bytes())
    path = folder / "face.json"
    path.write_text(json.dumps(content))
    return path


def test_the_shipped_face_lies_inside_its_outline() -> None:
    face = load_face(SHIPPED)
    assert face.image.shape == (512, 512, 3)
    inside = [cv2.pointPolygonTest(face.outline, (float(x), float(y)), False) >= 0 for x, y in face.mesh[:, :2]]
    assert np.mean(inside) > 0.98


def test_the_shipped_face_is_in_colour_and_not_bluish() -> None:
    face = load_face(SHIPPED)
    x, y = face.mesh[1, :2].astype(int)
    red, _, blue = face.image[y, x].tolist()
    assert red > blue + 20


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"portrait": "gone.png"}, r"gone\.png: No such file"),
        ({"sha256": "0" * 64}, r"is not the picture that .*face\.json was made from"),
        ({"mesh": [[0.0, 0.0, 0.0]]}, r"mesh: .*make-puppet-face"),
        ({"mesh": [[1.0, 1.0, 0.0]] * 468}, r"eyes are less than 8 px apart"),
        ({"outline": []}, "outline"),
        ({"colour": "red"}, "colour"),
        ({"size": [100, 100]}, "512×512"),
    ],
)
def test_a_bad_face_file_is_refused(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(CameraError, match=said):
        load_face(changed(tmp_path, **changes))


def test_a_missing_or_broken_face_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CameraError, match=r"gone\.json: No such file .*correct `face:`"):
        load_face(tmp_path / "gone.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(CameraError, match=r"broken\.json: not JSON"):
        load_face(tmp_path / "broken.json")


def test_the_script_makes_a_face_file_that_loads(tmp_path: Path) -> None:
    if not LANDMARKER.is_file():
        pytest.skip("models/face_landmarker.task is absent")
    made = tmp_path / "made.json"
    script = ROOT / "scripts" / "make-puppet-face"
    subprocess.run([sys.executable, script, ASSETS / "nasa_astronaut.png", made], check=True, capture_output=True)
    face, shipped = load_face(made), load_face(SHIPPED)
    np.testing.assert_allclose(face.mesh, shipped.mesh, atol=2.0)
