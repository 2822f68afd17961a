"""Recordings: what is handed out when, where they end, and what is said of bad ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from edge_agent.devices.camera_file import FileCamera
from edge_agent.ports import CameraError, FootageEnded, Frame
from edge_agent.settings import CameraSettings
from tests.devices.clock import SteppedClock
from tests.devices.footage import number_of, write_pictures, write_video

SHARED = Path(os.environ.get("EDGE_AGENT_SHARED_DATA", Path(__file__).parents[2].parent / "shared" / "data"))


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(50.0)


def opened(path: Path, clock: SteppedClock, **changes: Any) -> FileCamera:
    settings = CameraSettings(driver="file", path=path, **changes)
    camera = FileCamera(settings, clock=clock, sleep=clock.sleep)
    camera.open()
    return camera


def read_all(path: Path, clock: SteppedClock, into: list[Frame] | None = None) -> None:
    camera = opened(path, clock, realtime=False)
    while (frame := camera.read(1.0)) is not None:
        if into is not None:
            into.append(frame)


def test_a_video_is_read_frame_by_frame_dated_by_its_own_clock(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=10, fps=25.0)
    camera = opened(tmp_path / "clip.mp4", clock, realtime=False)
    seen = [camera.read(1.0) for _ in range(10)]
    assert [number_of(frame.image) for frame in seen if frame] == list(range(10))
    assert [frame.captured_s for frame in seen if frame] == pytest.approx([50.0 + i / 25 for i in range(10)])
    assert clock() == 50.0


def test_a_colour_stays_the_colour_it_was(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=3)
    frame = opened(tmp_path / "clip.mp4", clock, realtime=False).read(1.0)
    assert frame is not None
    red, green, blue = frame.image[40, 48].tolist()
    assert red > green + 100
    assert red > blue + 100


def test_in_real_time_a_frame_comes_when_it_is_due(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=10, fps=10.0)
    camera = opened(tmp_path / "clip.mp4", clock)
    times = []
    for _ in range(4):
        assert camera.read(1.0) is not None
        times.append(clock())
    assert times == pytest.approx([50.0, 50.1, 50.2, 50.3])


def test_in_real_time_a_frame_that_is_not_due_yet_is_waited_for_no_longer_than_asked(
    tmp_path: Path, clock: SteppedClock
) -> None:
    write_video(tmp_path / "clip.mp4", frames=10, fps=2.0)
    camera = opened(tmp_path / "clip.mp4", clock)
    assert camera.read(0.1) is not None
    assert camera.read(0.1) is None
    assert clock() == pytest.approx(50.1)


def test_in_real_time_frames_missed_meanwhile_are_left_out(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=20, fps=10.0)
    camera = opened(tmp_path / "clip.mp4", clock)
    camera.read(1.0)
    clock.sleep(1.25)
    frame = camera.read(1.0)
    assert frame is not None
    assert number_of(frame.image) == frame.sequence == 12
    assert frame.captured_s == pytest.approx(51.2)


def test_a_recording_ends_and_says_how_to_repeat_it(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=3)
    camera = opened(tmp_path / "clip.mp4", clock, realtime=False)
    for _ in range(3):
        camera.read(1.0)
    with pytest.raises(FootageEnded, match=r"clip\.mp4: .* after 3 frames .*camera\.loop: true"):
        camera.read(1.0)


def test_a_recording_ends_in_real_time_too_when_its_reader_slept_past_the_end(
    tmp_path: Path, clock: SteppedClock
) -> None:
    write_video(tmp_path / "clip.mp4", frames=3)
    camera = opened(tmp_path / "clip.mp4", clock)
    camera.read(1.0)
    clock.sleep(60.0)
    with pytest.raises(FootageEnded):
        camera.read(1.0)


def test_a_loop_goes_on_counting_and_dating(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=3, fps=25.0)
    camera = opened(tmp_path / "clip.mp4", clock, realtime=False, loop=True)
    seen = [frame for frame in (camera.read(1.0) for _ in range(7)) if frame]
    assert [number_of(frame.image) for frame in seen] == [0, 1, 2, 0, 1, 2, 0]
    assert [frame.sequence for frame in seen] == list(range(7))
    assert seen[-1].captured_s == pytest.approx(50.0 + 6 / 25)


def test_the_beginning_can_be_left_out_each_time_round(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=5, fps=25.0)
    camera = opened(tmp_path / "clip.mp4", clock, realtime=False, loop=True, start_s=0.08)
    assert [number_of(frame.image) for frame in (camera.read(1.0) for _ in range(4)) if frame] == [2, 3, 4, 2]


def test_a_beginning_beyond_the_end_is_an_error(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=5, fps=25.0)
    with pytest.raises(CameraError, match=r"only 0\.2 s; lower camera\.start_s, which is 3"):
        opened(tmp_path / "clip.mp4", clock, start_s=3.0)


def test_pictures_come_in_the_order_of_their_names_and_other_files_are_ignored(
    tmp_path: Path, clock: SteppedClock
) -> None:
    write_pictures(tmp_path, count=12)
    (tmp_path / "005b.txt").write_text("no picture")
    camera = opened(tmp_path, clock, realtime=False, fps_awake=10.0)
    seen = [frame for frame in (camera.read(1.0) for _ in range(12)) if frame]
    assert [number_of(frame.image) for frame in seen] == list(range(12))
    assert seen[1].captured_s - seen[0].captured_s == pytest.approx(0.1)
    with pytest.raises(FootageEnded):
        camera.read(1.0)


def test_a_damaged_picture_is_named(tmp_path: Path, clock: SteppedClock) -> None:
    write_pictures(tmp_path, count=2)
    (tmp_path / "001.png").write_bytes(b"\x89PNG nothing more")
    camera = opened(tmp_path, clock, realtime=False)
    camera.read(1.0)
    with pytest.raises(CameraError, match=r"001\.png: no picture .*replace it, or remove it"):
        camera.read(1.0)


def test_an_empty_picture_file_is_named(tmp_path: Path, clock: SteppedClock) -> None:
    (tmp_path / "a.jpg").touch()
    with pytest.raises(CameraError, match=r"a\.jpg: no picture"):
        opened(tmp_path, clock).read(1.0)


def test_a_folder_without_pictures_is_named(tmp_path: Path, clock: SteppedClock) -> None:
    with pytest.raises(CameraError, match=rf"{tmp_path}: no pictures in it .*\.png.*camera\.path"):
        opened(tmp_path, clock)


def test_a_missing_file_is_named(tmp_path: Path, clock: SteppedClock) -> None:
    with pytest.raises(CameraError, match=r"gone\.mp4: No such file .*camera\.path"):
        opened(tmp_path / "gone.mp4", clock)


def test_a_file_that_is_no_video_is_named(tmp_path: Path, clock: SteppedClock) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(CameraError, match=r"text\.mp4: no video that OpenCV can decode; give an MP4"):
        opened(tmp_path / "text.mp4", clock)


def test_a_video_cut_off_half_way_is_an_error_or_ends(tmp_path: Path, clock: SteppedClock) -> None:
    write_video(tmp_path / "clip.mp4", frames=30)
    whole = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CameraError):
        read_all(tmp_path / "clip.mp4", clock)


def test_real_footage_is_read_whole(clock: SteppedClock) -> None:
    path = SHARED / "videos" / "speaker_a.mp4"
    if not path.is_file():
        pytest.skip("../shared/data/videos is absent")
    found: list[Frame] = []
    with pytest.raises(FootageEnded, match=r"8\.0 s"):
        read_all(path, clock, found)
    assert len(found) == 200
    assert {frame.image.shape for frame in found} == {(512, 512, 3)}
    assert found[0].image.mean() > 20
