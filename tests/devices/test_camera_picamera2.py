"""The Pi camera's driver against a stand-in with picamera2's semantics."""

from __future__ import annotations

import sys

import pytest

from edge_agent.devices.camera_picamera2 import Picamera2Camera
from edge_agent.ports import CameraError, Frame
from edge_agent.settings import CameraSettings
from tests.stand_ins.picamera2 import BLUE, GREEN, RED, StandInModule


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> StandInModule:
    made = StandInModule()
    monkeypatch.setitem(sys.modules, "picamera2", made)
    return made


def opened(**changes: float) -> Picamera2Camera:
    camera = Picamera2Camera(CameraSettings(driver="picamera2", **changes))
    camera.open()
    return camera


def frame_of(camera: Picamera2Camera) -> Frame:
    for _ in range(50):
        frame = camera.read(0.2)
        if frame is not None:
            return frame
    raise AssertionError("no frame")


def read_until_it_fails(camera: Picamera2Camera) -> None:
    while True:
        camera.read(0.05)


def test_red_comes_first_and_the_frame_is_a_new_one(module: StandInModule) -> None:
    camera = opened()
    assert frame_of(camera).image[5, 5].tolist() == [RED, GREEN, BLUE]
    camera.close()


def test_padded_rows_are_closed_up(module: StandInModule) -> None:
    camera = opened(width_px=300, height_px=200)
    image = frame_of(camera).image
    camera.close()
    assert image.shape == (200, 300, 3)
    assert image.flags.c_contiguous
    assert (image == (RED, GREEN, BLUE)).all()


def test_it_is_configured_before_it_is_started_and_given_back_in_order(module: StandInModule) -> None:
    camera = opened(fps_awake=12.0)
    camera.close()
    assert module.calls == ["configure", "start", "stop", "close"]
    assert module.controls == {"FrameRate": 12.0}
    assert module.claimed is None


def test_the_rate_goes_to_the_sensor_and_outlives_closing(module: StandInModule) -> None:
    camera = opened()
    camera.set_fps(4.0)
    assert module.controls["FrameRate"] == 4.0
    camera.close()
    module.controls.clear()
    camera.open()
    assert module.controls["FrameRate"] == 4.0
    camera.close()


def test_a_late_frame_is_waited_for_and_not_asked_for_twice(module: StandInModule) -> None:
    camera = opened()
    module.stalled = True
    assert camera.read(0.02) is None
    assert camera.read(0.02) is None
    assert module.jobs_waiting == 1
    camera.close()


def test_a_camera_that_stops_delivering_is_an_error_with_a_remedy(module: StandInModule) -> None:
    camera = opened(stalled_after_s=0.2)
    frame_of(camera)
    module.stalled = True
    with pytest.raises(CameraError, match=r"no frame for 0\.2 s; .*ribbon cable.*rpicam-hello"):
        read_until_it_fails(camera)
    camera.close()
    module.stalled = False
    camera.open()
    frame_of(camera)
    camera.close()


def test_no_camera_says_what_to_check(module: StandInModule) -> None:
    module.cameras = 0
    with pytest.raises(CameraError, match=r"no camera found; .*ribbon cable"):
        opened()


def test_a_camera_in_use_says_how_to_find_by_whom(module: StandInModule) -> None:
    first = opened()
    with pytest.raises(CameraError, match=r"can't be claimed .*fuser"):
        opened()
    first.close()
    opened().close()


def test_a_refused_configuration_names_the_settings_and_gives_the_camera_back(module: StandInModule) -> None:
    module.start_error = "Failed to start camera: Invalid argument"
    with pytest.raises(CameraError, match=r"640×480 at 15 .*Invalid argument.*camera\.width_px"):
        opened()
    assert module.claimed is None


def test_without_the_library_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match=r"apt install python3-picamera2.*--system-site-packages"):
        opened()
