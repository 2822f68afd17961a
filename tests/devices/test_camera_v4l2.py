"""The V4L2 driver against a stand-in with OpenCV's semantics, and against a real camera where there is one."""

from __future__ import annotations

import os
import time
from pathlib import Path

import cv2
import pytest

from edge_agent.devices import camera_v4l2
from edge_agent.devices.camera_v4l2 import V4l2Camera
from edge_agent.ports import CameraError, Frame
from edge_agent.settings import CameraSettings
from tests.stand_ins.video_capture import FPS, RED, StandInBoard, number_of


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandInBoard:
    made = StandInBoard()
    (tmp_path / "video0").touch()
    monkeypatch.setattr(camera_v4l2, "_DEVICES", tmp_path)
    monkeypatch.setattr(cv2, "VideoCapture", made.capture)
    return made


def camera_on(device: str = "0", **changes: float) -> V4l2Camera:
    return V4l2Camera(CameraSettings(driver="v4l2", device=device, **changes))


def frame_of(camera: V4l2Camera) -> Frame:
    for _ in range(50):
        frame = camera.read(0.2)
        if frame is not None:
            return frame
    raise AssertionError("no frame")


def read_until_it_fails(camera: V4l2Camera) -> None:
    while True:
        camera.read(0.1)


def test_a_reader_that_slept_gets_the_present_and_not_what_the_driver_kept(board: StandInBoard) -> None:
    camera = camera_on()
    camera.open()
    began_s = time.monotonic()
    first = number_of(frame_of(camera).image)
    time.sleep(0.5)
    later = number_of(frame_of(camera).image)
    passed_s = time.monotonic() - began_s
    camera.close()
    # The stand-in keeps four frames: without draining, the second read would show frame `first` + 1.
    assert later - first >= 0.5 * FPS
    assert later - first <= passed_s * FPS + 2


def test_red_comes_first(board: StandInBoard) -> None:
    camera = camera_on()
    camera.open()
    assert frame_of(camera).image[0, 0, 0] == RED
    camera.close()


def test_frames_that_nobody_reads_are_not_decoded(board: StandInBoard) -> None:
    camera = camera_on()
    camera.open()
    frame_of(camera)
    time.sleep(0.3)
    camera.close()
    assert board.decoded <= 2


def test_the_capture_is_released_by_close_and_the_device_free_again(board: StandInBoard) -> None:
    camera = camera_on()
    camera.open()
    assert board.open_captures == 1
    camera.close()
    assert board.open_captures == 0
    camera.open()
    frame_of(camera)
    camera.close()


def test_a_camera_that_stops_delivering_is_an_error_with_a_remedy(board: StandInBoard) -> None:
    camera = camera_on(stalled_after_s=0.3)
    camera.open()
    frame_of(camera)
    board.unplugged = True
    with pytest.raises(CameraError, match=r"no frame for 0\.3 s; check its cable"):
        read_until_it_fails(camera)
    camera.close()


def test_an_unplugged_camera_says_so_and_works_again_when_plugged_in(board: StandInBoard, tmp_path: Path) -> None:
    camera = camera_on(stalled_after_s=0.3)
    camera.open()
    board.unplugged = True
    (tmp_path / "video0").unlink()
    with pytest.raises(CameraError, match="unplugged; plug it in again"):
        read_until_it_fails(camera)
    camera.close()
    board.unplugged = False
    (tmp_path / "video0").touch()
    camera.open()
    frame_of(camera)
    camera.close()


def test_a_missing_device_is_named_with_those_that_are_there(board: StandInBoard, tmp_path: Path) -> None:
    (tmp_path / "video10").touch()
    (tmp_path / "video2").touch()
    with pytest.raises(CameraError, match=r"v4l2 7: no such device \(present: .*video0, .*video2, .*video10\)"):
        camera_on("7").open()


def test_where_no_device_is_present_it_says_so(board: StandInBoard, tmp_path: Path) -> None:
    (tmp_path / "video0").unlink()
    with pytest.raises(CameraError, match=r"no .*/video\* is present\); plug it in"):
        camera_on().open()


def test_a_stable_link_names_the_device(board: StandInBoard, tmp_path: Path) -> None:
    link = tmp_path / "usb-Webcam-index0"
    link.symlink_to(tmp_path / "video0")
    camera = camera_on(str(link))
    camera.open()
    frame_of(camera)
    camera.close()


def test_a_path_that_is_no_camera_is_refused(board: StandInBoard, tmp_path: Path) -> None:
    (tmp_path / "ttyUSB0").touch()
    with pytest.raises(CameraError, match=r"ttyUSB0: is no video device .*by-id"):
        camera_on(str(tmp_path / "ttyUSB0")).open()


def test_a_camera_that_is_in_use_is_told_with_how_to_find_by_whom(board: StandInBoard) -> None:
    board.busy = True
    camera = camera_on()
    with pytest.raises(CameraError, match=r"gives no pictures.*in use.*fuser -v"):
        camera.open()
    board.busy = False
    camera.open()
    camera.close()


def test_missing_permission_names_the_group(board: StandInBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        raise PermissionError(13, "Permission denied", path)

    board.busy = True
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CameraError, match=r"permission denied .*usermod -aG video"):
        camera_on().open()


def test_a_real_camera_delivers() -> None:
    present = sorted(Path("/dev").glob("video*"))
    if not present:
        pytest.skip("no /dev/video* is present")
    for path in present:
        camera = camera_on(str(path), stalled_after_s=5.0)
        try:
            camera.open()
        except CameraError:
            continue
        frame = frame_of(camera)
        camera.close()
        assert frame.image.shape[2] == 3
        return
    pytest.skip("no /dev/video* is a camera that can be opened")
