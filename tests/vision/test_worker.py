"""The vision thread with scripted cameras: what it tells, what it survives, and that it gives everything back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import FaceObservation, Part, QualityProblem
from edge_agent.ports import CameraError, FootageEnded, Frame, Image
from edge_agent.settings import CameraSettings
from edge_agent.vision.codes import CodeWatch
from edge_agent.vision.timings import StageTimings
from edge_agent.vision.worker import Retries, VisionWorker

PATIENCE_S = 10.0
SETTINGS = CameraSettings(driver="v4l2", fps_awake=60, fps_idle=60, stalled_after_s=0.3)
QUICK = Retries(camera_s=(0.01, 0.02), models=3, models_within_s=60.0)
IMAGE = np.zeros((4, 4, 3), np.uint8)


class ScriptedCamera:
    """Plays a script: "frame", "nothing", or an error to raise; after its end, frames for ever."""

    name = "scripted"

    def __init__(self, script: Sequence[str | CameraError] = (), open_errors: int = 0) -> None:
        self.script = list(script)
        self.open_errors = open_errors
        self.opened = self.reads = 0
        self.is_open = False
        self.paces: list[float] = []

    def open(self) -> None:
        if self.open_errors:
            self.open_errors -= 1
            raise CameraError("scripted: can't be opened; check the cable")
        self.opened += 1
        self.is_open = True

    def set_fps(self, fps: float) -> None:
        self.paces.append(fps)

    def read(self, timeout_s: float) -> Frame | None:
        assert self.is_open
        step = self.script.pop(0) if self.script else "frame"
        if isinstance(step, CameraError):
            raise step
        if step == "nothing":
            time.sleep(min(timeout_s, 0.05))
            return None
        self.reads += 1
        return Frame(IMAGE, time.monotonic(), self.reads)

    def close(self) -> None:
        self.is_open = False


class ScriptedObserver:
    """Stands in for the models: raises where told to, else reports an empty scene."""

    def __init__(self, errors: list[Exception]) -> None:
        self.errors = errors
        self.timings = StageTimings()
        self.embeds: list[bool] = []
        self.closed = False

    def observe(self, frame: Frame, embed: bool = True) -> FaceObservation:
        self.embeds.append(embed)
        if self.errors:
            raise self.errors.pop(0)
        return FaceObservation(frame.captured_s, None, (QualityProblem.NO_FACE,))

    def close(self) -> None:
        self.closed = True


class Bench:
    """A worker with everything it talks to, recorded."""

    def __init__(
        self,
        camera: ScriptedCamera,
        model_errors: list[Exception] | None = None,
        settings: CameraSettings = SETTINGS,
        load_errors: int = 0,
        codes: CodeWatch | None = None,
    ) -> None:
        self.camera = camera
        self.model_errors = model_errors or []
        self.load_errors = load_errors
        self.observers: list[ScriptedObserver] = []
        self.observations: list[FaceObservation] = []
        self.reports: list[PartFailed | PartRecovered] = []
        self.beats = 0
        self.worker = VisionWorker(
            camera,
            self.build,
            settings,
            offer=self.observations.append,
            report=self.reports.append,
            beat=self.beat,
            codes=codes,
            retries=QUICK,
        )

    def build(self) -> ScriptedObserver:
        if self.load_errors:
            self.load_errors -= 1
            raise RuntimeError("no such model")
        self.observers.append(ScriptedObserver(self.model_errors))
        return self.observers[-1]

    def beat(self) -> None:
        self.beats += 1

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, (self.reports, len(self.observations))
            time.sleep(0.005)

    def failures(self, part: Part) -> list[str]:
        return [event.problem for event in self.reports if isinstance(event, PartFailed) and event.part is part]

    def recoveries(self, part: Part) -> int:
        return sum(isinstance(event, PartRecovered) and event.part is part for event in self.reports)


@contextmanager
def running(bench: Bench) -> Iterator[Bench]:
    bench.worker.start()
    try:
        yield bench
    finally:
        bench.worker.stop()
        assert bench.worker.join(PATIENCE_S)
        assert not bench.camera.is_open
        assert all(observer.closed for observer in bench.observers)


def test_frames_become_observations_and_everything_is_given_back() -> None:
    with running(Bench(ScriptedCamera())) as bench:
        bench.until(lambda: len(bench.observations) >= 3)
        assert bench.camera.is_open
    assert bench.reports == []
    assert bench.beats >= 3


def test_a_camera_that_cant_be_opened_is_told_once_and_recovers() -> None:
    with running(Bench(ScriptedCamera(open_errors=5))) as bench:
        bench.until(lambda: len(bench.observations) >= 2)
    assert bench.failures(Part.CAMERA) == ["scripted: can't be opened; check the cable"]
    assert bench.recoveries(Part.CAMERA) == 1
    assert isinstance(bench.reports[0], PartFailed)


def test_a_camera_that_fails_while_running_is_opened_again() -> None:
    script = ["frame", "frame", CameraError("scripted: unplugged; plug it in"), "frame"]
    with running(Bench(ScriptedCamera(script))) as bench:
        bench.until(lambda: bench.recoveries(Part.CAMERA) == 1)
        bench.until(lambda: len(bench.observations) >= 4)
    assert bench.failures(Part.CAMERA) == ["scripted: unplugged; plug it in"]
    assert bench.camera.opened == 2
    assert len(bench.observers) == 1


def test_a_camera_that_goes_silent_is_told_and_opened_again() -> None:
    with running(Bench(ScriptedCamera(["frame"] + ["nothing"] * 12 + ["frame"]))) as bench:
        bench.until(lambda: bench.recoveries(Part.CAMERA) == 1)
    assert len(bench.failures(Part.CAMERA)) == 1
    assert "no frame for 0.3 s" in bench.failures(Part.CAMERA)[0]
    assert bench.camera.opened >= 2


def test_the_end_of_footage_is_told_once_and_the_thread_lives_on() -> None:
    script = ["frame", FootageEnded("clip.mp4: the footage ended"), "frame"]
    with running(Bench(ScriptedCamera(script))) as bench:
        bench.until(lambda: len(bench.reports) == 1)
        beats = bench.beats
        bench.until(lambda: bench.beats > beats)
        assert not bench.camera.is_open
        assert bench.camera.opened == 1
    assert bench.failures(Part.CAMERA) == ["clip.mp4: the footage ended"]
    assert len(bench.observations) == 1


def test_a_model_that_fails_is_loaded_again_and_told_once() -> None:
    with running(Bench(ScriptedCamera(), model_errors=[RuntimeError("tensor"), ValueError("mesh")])) as bench:
        bench.until(lambda: bench.recoveries(Part.VISION) == 1)
    assert len(bench.failures(Part.VISION)) == 1
    assert "RuntimeError: tensor" in bench.failures(Part.VISION)[0]
    assert len(bench.observers) == 3
    assert bench.failures(Part.CAMERA) == []


def test_models_that_keep_failing_are_given_up_and_the_thread_still_beats() -> None:
    errors: list[Exception] = [RuntimeError("tensor")] * 50
    with running(Bench(ScriptedCamera(), model_errors=errors)) as bench:
        bench.until(lambda: len(bench.failures(Part.VISION)) == 2)
        beats = bench.beats
        bench.until(lambda: bench.beats > beats)
        assert not bench.camera.is_open
    assert len(bench.observers) == QUICK.models + 1
    assert "given up" in bench.failures(Part.VISION)[1]
    assert "edge-agent models verify" in bench.failures(Part.VISION)[1]
    assert bench.recoveries(Part.VISION) == 0


def test_models_that_cant_be_loaded_at_first_are_tried_again() -> None:
    with running(Bench(ScriptedCamera(), load_errors=2)) as bench:
        bench.until(lambda: len(bench.observations) >= 1)
    assert "no such model" in bench.failures(Part.VISION)[0]
    assert bench.recoveries(Part.VISION) == 1


def test_pace_sets_the_frame_rate_and_whether_to_embed() -> None:
    settings = CameraSettings(driver="v4l2", fps_awake=30, fps_idle=20)
    with running(Bench(ScriptedCamera(), settings=settings)) as bench:
        bench.until(lambda: len(bench.observations) >= 2)
        assert set(bench.observers[0].embeds) == {False}
        bench.worker.set_pace(awake=True)
        bench.until(lambda: True in bench.observers[0].embeds)
        bench.worker.set_pace(awake=False)
        bench.until(lambda: bench.observers[0].embeds[-1] is False)
    assert bench.camera.paces == [20, 30, 20]


def test_waking_cuts_the_idle_pause_short() -> None:
    settings = CameraSettings(driver="v4l2", fps_awake=60, fps_idle=0.5, stalled_after_s=5)
    with running(Bench(ScriptedCamera(), settings=settings)) as bench:
        bench.until(lambda: len(bench.observations) == 1)
        bench.worker.set_pace(awake=True)
        began_s = time.monotonic()
        bench.until(lambda: len(bench.observations) >= 2)
        # Without waking, the next frame would come 2 s after the first; this only tells the two apart.
        assert time.monotonic() - began_s < 1.5


def test_a_slow_pace_still_beats_and_stops_promptly() -> None:
    settings = CameraSettings(driver="v4l2", fps_awake=60, fps_idle=0.5, stalled_after_s=5)
    with running(Bench(ScriptedCamera(), settings=settings)) as bench:
        bench.until(lambda: len(bench.observations) == 1)
        beats = bench.beats
        bench.until(lambda: bench.beats >= beats + 2)
        assert len(bench.observations) <= 2


def test_frames_between_looks_are_left_to_the_camera() -> None:
    settings = CameraSettings(driver="file", path="clip.mp4", fps_awake=5, fps_idle=5, realtime=False)
    with running(Bench(ScriptedCamera(), settings=settings)) as bench:
        bench.until(lambda: len(bench.observations) >= 50)


def test_stop_before_start_of_reading_and_twice() -> None:
    bench = Bench(ScriptedCamera(open_errors=10_000))
    with running(bench):
        bench.until(lambda: len(bench.reports) == 1)
        bench.worker.stop()
        assert bench.worker.join(PATIENCE_S)
    assert threading.active_count() >= 1
    assert bench.observations == []


@pytest.mark.parametrize("text", ["scripted: unplugged; plug it in"])
def test_a_failure_is_told_again_after_a_recovery(text: str) -> None:
    script = [CameraError(text), "frame", CameraError(text), "frame"]
    with running(Bench(ScriptedCamera(script))) as bench:
        bench.until(lambda: bench.recoveries(Part.CAMERA) == 2)
    assert bench.failures(Part.CAMERA) == [text, text]


class OneCode:
    """A code reader that sees the same code in every frame."""

    def read(self, image_rgb: Image) -> Sequence[str]:
        assert image_rgb is IMAGE
        return ("code",)


def test_codes_are_looked_for_also_while_nobody_is_there_and_faces_are_told_all_the_same() -> None:
    heard: list[str] = []
    bench = Bench(ScriptedCamera(), codes=CodeWatch(OneCode(), lambda: True, heard.append, interval_s=0.0))
    with running(bench):
        bench.until(lambda: len(heard) >= 3)
    assert set(heard) == {"code"}
    assert bench.observers[0].embeds[0] is False
    assert len(bench.observations) >= len(heard)
