"""What every camera must do, real or simulated."""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_agent.devices import camera_v4l2
from edge_agent.devices.camera_file import FileCamera
from edge_agent.devices.camera_picamera2 import Picamera2Camera
from edge_agent.devices.camera_v4l2 import V4l2Camera
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.puppet.camera import PuppetCamera
from edge_agent.devices.puppet.script import PuppetScript
from edge_agent.ports import Camera, CameraError, Frame
from edge_agent.settings import CameraSettings
from tests.devices.footage import write_pictures, write_video
from tests.stand_ins.picamera2 import StandInModule
from tests.stand_ins.video_capture import StandInBoard

SIZE = (320, 240)
KINDS = ["video", "pictures", "puppet", "v4l2", "picamera2"]


def _make(kind: str, folder: Path, patch: pytest.MonkeyPatch) -> Camera:
    size = {"width_px": SIZE[0], "height_px": SIZE[1]}
    if kind == "video":
        write_video(folder / "clip.mp4", frames=50, size=SIZE)
        return FileCamera(CameraSettings(driver="file", path=folder / "clip.mp4", loop=True))
    if kind == "pictures":
        write_pictures(folder, count=5, size=SIZE)
        return FileCamera(CameraSettings(driver="file", path=folder, loop=True))
    if kind == "puppet":
        settings = CameraSettings(driver="puppet", path=folder / "unused.yaml", **size)
        return PuppetCamera(PuppetScript.model_validate({"visits": [{}]}), SimulatedLeds(), settings)
    if kind == "v4l2":
        (folder / "video0").touch()
        patch.setattr(camera_v4l2, "_DEVICES", folder)
        patch.setattr(cv2, "VideoCapture", StandInBoard().capture)
        return V4l2Camera(CameraSettings(driver="v4l2", device="0", **size))
    patch.setitem(sys.modules, "picamera2", StandInModule())
    return Picamera2Camera(CameraSettings(driver="picamera2", **size))


@pytest.fixture(params=KINDS)
def camera(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    made = _make(request.param, tmp_path, monkeypatch)
    yield made
    made.close()


def frames(camera: Camera, count: int) -> list[Frame]:
    found: list[Frame] = []
    until_s = time.monotonic() + 20.0
    while len(found) < count:
        assert time.monotonic() < until_s, "the camera gives no frames"
        frame = camera.read(0.5)
        if frame is not None:
            found.append(frame)
    return found


def test_a_frame_is_contiguous_rgb_bytes_of_the_size_asked_for(camera: Camera) -> None:
    camera.open()
    (frame,) = frames(camera, 1)
    assert frame.image.shape == (SIZE[1], SIZE[0], 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.flags.c_contiguous


def test_frames_are_numbered_and_dated_upwards(camera: Camera) -> None:
    camera.open()
    seen = frames(camera, 5)
    assert all(later.sequence > earlier.sequence for earlier, later in itertools.pairwise(seen))
    assert all(later.captured_s > earlier.captured_s for earlier, later in itertools.pairwise(seen))


def test_a_frame_is_dated_by_the_monotonic_clock(camera: Camera) -> None:
    before_s = time.monotonic()
    camera.open()
    frame = frames(camera, 3)[-1]
    assert before_s <= frame.captured_s <= time.monotonic()


def test_a_frame_stays_as_it_was_when_the_next_comes(camera: Camera) -> None:
    camera.open()
    (first,) = frames(camera, 1)
    kept = first.image.copy()
    frames(camera, 3)
    np.testing.assert_array_equal(first.image, kept)


def test_reading_before_opening_is_an_error(camera: Camera) -> None:
    with pytest.raises(CameraError, match="before open"):
        camera.read(0.1)


def test_opening_twice_is_opening_once(camera: Camera) -> None:
    camera.open()
    camera.open()
    frames(camera, 1)
    camera.close()
    with pytest.raises(CameraError, match="before open"):
        camera.read(0.1)


def test_closing_twice_is_closing_once(camera: Camera) -> None:
    camera.close()
    camera.open()
    camera.close()
    camera.close()


def test_a_closed_camera_opens_again_and_goes_on_numbering_and_dating(camera: Camera) -> None:
    camera.open()
    earlier = frames(camera, 3)[-1]
    camera.close()
    camera.open()
    later = frames(camera, 1)[0]
    assert later.sequence > earlier.sequence
    assert later.captured_s > earlier.captured_s


def test_the_rate_may_be_changed_at_any_time(camera: Camera) -> None:
    camera.set_fps(4.0)
    camera.open()
    camera.set_fps(20.0)
    frames(camera, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_camera_has_a_name(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _make(kind, tmp_path, monkeypatch).name
