"""The vision thread: owns the camera and the interpreters, looks at the newest frame, tells what it saw.

Rules: nothing that happens to a camera or a model ends the thread before `stop`; it reports once, tries again, and
keeps beating meanwhile, because a terminal that knows its camera is gone is alive and must not be restarted by its
watchdog. A camera is retried for ever, ever more slowly (somebody may plug it in again after days); models only
within a budget.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import FaceObservation, Part
from edge_agent.ports import Camera, CameraError, FootageEnded, Frame
from edge_agent.settings import CameraSettings
from edge_agent.vision.codes import CodeWatch
from edge_agent.vision.observer import Observer

_BEAT_S = 0.5
"""Longest time between two heartbeats while waiting; a single model call takes far less."""


@dataclass(frozen=True)
class Retries:
    """camera_s: pause before each try to open the camera again, the last one repeating.

    Models may fail `models` times within `models_within_s`; one more and vision stays failed until a restart.
    """

    camera_s: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
    models: int = 3
    models_within_s: float = 60.0


class VisionWorker:
    """Runs an `Observer` over a `Camera` in a thread of its own.

    build_observer: loads the models; called in the thread, again after they failed.
    offer: takes an observation, may drop it, must not block. report: takes what must not be dropped.
    beat: heartbeat, several times a second at full pace and at least every second otherwise.
    codes: looks for tokens in the frames, after the faces; None: nobody does.
    """

    def __init__(
        self,
        camera: Camera,
        build_observer: Callable[[], Observer],
        settings: CameraSettings,
        *,
        offer: Callable[[FaceObservation], None],
        report: Callable[[PartFailed | PartRecovered], None],
        beat: Callable[[], None],
        codes: CodeWatch | None = None,
        retries: Retries = Retries(),
    ) -> None:
        self._camera = camera
        self._build_observer = build_observer
        self._settings = settings
        self._offer = offer
        self._report = report
        self._beat = beat
        self._codes = codes
        self._retries = retries
        self._observer: Observer | None = None
        self._awake = False
        self._paced_fps: float | None = None
        self._failed: set[Part] = set()
        self._model_failures: deque[float] = deque()
        self._models_pause_s: float | None = 0.0
        self._camera_failures = 0
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vision", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def set_pace(self, awake: bool) -> None:
        """awake: `fps_awake` and probes; else `fps_idle` and no embedding. From any thread; takes effect at once."""
        woken = awake and not self._awake
        self._awake = awake
        if woken:
            self._hurry.set()

    def timings(self) -> dict[str, dict[str, float]]:
        """Per stage `median_ms`, `p99_ms`, `frames` of the newest frames; empty before the first. From any thread."""
        observer = self._observer
        return observer.timings.summary() if observer is not None else {}

    def stop(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stop.set()
        self._hurry.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; True when camera and models were given back within timeout_s."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._beat()
                if self._observer is not None or self._load_models():
                    self._watch()
                if self._observer is None:
                    self._idle(self._models_pause_s)
        finally:
            self._discard_models()

    def _load_models(self) -> bool:
        try:
            self._observer = self._build_observer()
        except Exception as error:  # noqa: BLE001 - whatever a model library raises, the thread must live to tell it
            self._models_failed(error)
            return False
        return True

    def _watch(self) -> None:
        """Open the camera and look until it fails, the models fail, or the end; then wait before another try."""
        pause_s: float | None = 0.0
        try:
            self._camera.open()
            self._paced_fps = None
            self._look()
        except FootageEnded as error:
            self._fail(Part.CAMERA, str(error))
            pause_s = None
        except CameraError as error:
            self._fail(Part.CAMERA, str(error))
            pauses_s = self._retries.camera_s
            pause_s = pauses_s[min(self._camera_failures, len(pauses_s) - 1)]
            self._camera_failures += 1
        finally:
            self._camera.close()
        self._idle(pause_s)

    def _look(self) -> None:
        """Read, observe, offer, at the pace set. Returns when the models failed or on `stop`. Raises CameraError."""
        fresh_s = time.monotonic()
        while not self._stop.is_set():
            self._beat()
            began_s = time.monotonic()
            fps = self._pace()
            frame = self._camera.read(min(_BEAT_S, self._settings.stalled_after_s))
            if frame is None:
                if time.monotonic() - fresh_s > self._settings.stalled_after_s:
                    raise CameraError(
                        f"camera '{self._camera.name}' has given no frame for {self._settings.stalled_after_s:g} s; "
                        "check its cable and that no other program uses it"
                    )
                continue
            fresh_s = time.monotonic()
            self._camera_failures = 0
            self._recover(Part.CAMERA)
            if not self._observe(frame):
                return
            if self._settings.realtime:
                self._rest(began_s + 1 / fps)

    def _pace(self) -> float:
        fps = self._settings.fps_awake if self._awake else self._settings.fps_idle
        if fps != self._paced_fps:
            self._camera.set_fps(fps)
            self._paced_fps = fps
        return fps

    def _observe(self, frame: Frame) -> bool:
        """False when the models failed on this frame and were thrown away."""
        assert self._observer is not None
        try:
            observation = self._observer.observe(frame, embed=self._awake)
        except Exception as error:  # noqa: BLE001 - whatever a model library raises, the thread must live to tell it
            self._models_failed(error)
            return False
        self._recover(Part.VISION)
        self._offer(observation)
        if self._codes is not None:
            self._codes.look(frame)
        return True

    def _models_failed(self, error: Exception) -> None:
        self._discard_models()
        now_s = time.monotonic()
        self._model_failures.append(now_s)
        while now_s - self._model_failures[0] > self._retries.models_within_s:
            self._model_failures.popleft()
        count, within_s = len(self._model_failures), self._retries.models_within_s
        problem = f"vision stopped: {type(error).__name__}: {error}"
        if count <= self._retries.models:
            self._models_pause_s = min(0.1 * 2**count, 5.0)
            self._fail(Part.VISION, f"{problem}; the models are being loaded again")
            return
        self._models_pause_s = None
        self._failed.discard(Part.VISION)
        remedy = "run `edge-agent models verify`, then restart the terminal"
        self._fail(Part.VISION, f"{problem}; given up after {count} failures within {within_s:g} s: {remedy}")

    def _discard_models(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.close()

    def _fail(self, part: Part, problem: str) -> None:
        if part not in self._failed:
            self._failed.add(part)
            self._report(PartFailed(part, problem))

    def _recover(self, part: Part) -> None:
        if part in self._failed:
            self._failed.discard(part)
            self._report(PartRecovered(part))

    def _rest(self, until_s: float) -> None:
        """Wait, beating, until it is time for the next frame or `set_pace` wakes the terminal."""
        while (left_s := until_s - time.monotonic()) > 0 and not self._hurry.wait(min(left_s, _BEAT_S)):
            self._beat()
        if not self._stop.is_set():
            self._hurry.clear()

    def _idle(self, pause_s: float | None) -> None:
        """Wait, beating, for pause_s or (None) until `stop`."""
        until_s = None if pause_s is None else time.monotonic() + pause_s
        while not self._stop.is_set() and (until_s is None or time.monotonic() < until_s):
            self._beat()
            self._stop.wait(_BEAT_S if until_s is None else max(0.0, min(_BEAT_S, until_s - time.monotonic())))
