"""The puppet as a driver: the same day again from the same seed, paced by its clock, watching the LEDs' history."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.puppet.camera import PuppetCamera
from edge_agent.devices.puppet.script import PuppetScript
from edge_agent.ports import CameraError, FootageEnded
from edge_agent.settings import CameraSettings
from tests.devices.footage import write_video
from tests.devices.puppet.theatre import Theatre

SMALL = (320, 240)


def day(seed: int) -> list[bytes]:
    theatre = Theatre({"pause_s": 0.5}, {"attack": "photo"}, {"attack": "replay"}, size=SMALL, seed=seed)
    pictures = []
    for signal, seconds in (
        (Signal.READY, 6.0),
        (Signal.TURN_LEFT, 2.0),
        (Signal.GIVEN, 7.0),
        (Signal.READY, 7.0),
        (Signal.TURN_RIGHT, 2.0),
        (Signal.REFERRED, 7.0),
        (Signal.READY, 7.0),
    ):
        theatre.show(signal)
        pictures += [frame.image.tobytes() for frame in theatre.frames(seconds)]
    assert theatre.camera.visit == (2, "")
    return pictures


def test_the_same_seed_gives_the_same_day_to_the_last_bit_and_another_another() -> None:
    first, again, other = day(4), day(4), day(5)
    assert first == again
    assert len(other) == len(first)
    assert not set(other) & set(first)


def test_frames_come_at_the_rate_set() -> None:
    theatre = Theatre(size=SMALL)
    began_s = theatre.clock()
    for _ in range(31):
        theatre.frame()
    assert theatre.clock() - began_s == pytest.approx(30 / 15, abs=0.01)
    theatre.camera.set_fps(4.0)
    theatre.frame()
    began_s = theatre.clock()
    for _ in range(8):
        theatre.frame()
    assert theatre.clock() - began_s == pytest.approx(2.0, abs=0.01)


def test_a_frame_not_due_yet_is_waited_for_no_longer_than_asked() -> None:
    theatre = Theatre(size=SMALL)
    theatre.camera.set_fps(0.5)
    theatre.frame()
    began_s = theatre.clock()
    assert theatre.camera.read(0.3) is None
    assert theatre.clock() - began_s == pytest.approx(0.3)


@pytest.mark.parametrize("fps", [0.5, 4.0])
def test_ready_is_seen_at_an_idle_terminals_rate_though_it_flashes_between_frames(fps: float) -> None:
    theatre = Theatre({"pause_s": 0.0}, size=SMALL)
    theatre.camera.set_fps(fps)
    theatre.show(Signal.READY)
    assert theatre.wait_for(lambda: theatre.camera.visit is not None) <= 12.0


def test_a_visit_is_named_while_it_lasts() -> None:
    theatre = Theatre({"who": "Ibu Sari", "stay_after_s": 1.0}, size=SMALL)
    assert theatre.camera.visit is None
    theatre.visitor_comes()
    assert theatre.camera.visit == (0, "Ibu Sari")
    theatre.show(Signal.GIVEN)
    theatre.wait_for(lambda: theatre.camera.visit is None, at_most_s=10.0)


def test_the_picture_is_empty_before_and_after_a_visit() -> None:
    theatre = Theatre({"stay_after_s": 0.5}, size=SMALL)
    before = theatre.frame().image.astype(int)
    theatre.visitor_comes()
    during = theatre.frame().image.astype(int)
    theatre.show(Signal.GIVEN)
    theatre.wait_for(lambda: theatre.camera.visit is None, at_most_s=10.0)
    after = theatre.frame().image.astype(int)
    # The light drifts between them; an orange suit is another matter.
    assert np.abs(after - before).mean() < 15
    assert np.abs(during - before).mean() > 22


def test_two_pictures_of_nothing_differ_by_noise_only() -> None:
    theatre = Theatre(size=SMALL)
    first, second = (theatre.frame().image.astype(int) for _ in range(2))
    difference = first - second
    assert 1.0 < difference.std() < 6.0
    assert abs(difference.mean()) < 2.0


def test_a_script_that_ends_ends_the_footage() -> None:
    theatre = Theatre({"stay_after_s": 0.5}, size=SMALL, then="end")
    theatre.visitor_comes()
    theatre.show(Signal.GIVEN)
    with pytest.raises(FootageEnded, match="last visit is over"):
        theatre.pass_time(20.0)


def test_a_camera_opened_again_goes_on_with_the_same_visitor() -> None:
    theatre = Theatre({}, size=SMALL)
    theatre.visitor_comes()
    theatre.camera.close()
    theatre.camera.open()
    theatre.frame()
    assert theatre.camera.visit == (0, "")


def test_signals_may_be_read_by_another_reader() -> None:
    leds = SimulatedLeds()
    camera = PuppetCamera(
        PuppetScript.model_validate({"visits": [{"pause_s": 0.0}]}),
        leds,
        CameraSettings(driver="puppet", path=Path("unused.yaml"), width_px=320, height_px=240),
        recognise=lambda history, now_s: Signal.READY,
    )
    camera.open()
    camera.read(1.0)
    assert camera.visit == (0, "")


def test_a_clip_is_replayed_over_and_over(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", frames=10, size=(320, 240))
    theatre = Theatre({"attack": "replay", "clip": tmp_path / "clip.mp4"}, size=SMALL)
    theatre.visitor_comes()
    theatre.pass_time(3.0)
    # The clip's lower half is red; so is the middle of the screen that shows it.
    red, green, blue = theatre.frame().image[150, 160].tolist()
    assert red > green + 60
    assert red > blue + 60


@pytest.mark.parametrize(
    ("visit", "said"),
    [
        ({"face": "nobody"}, r"nobody\.json: No such file"),
        ({"attack": "replay", "clip": "gone.mp4"}, r"gone\.mp4: No such file"),
    ],
)
def test_what_a_script_names_is_checked_at_opening(visit: dict[str, str], said: str) -> None:
    with pytest.raises(CameraError, match=said):
        Theatre(visit, size=SMALL)
