"""A puppet, simulated LEDs and a clock that moves only when somebody waits: minutes in seconds, no sleeping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_agent.core.model import Signal
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.puppet.camera import PuppetCamera
from edge_agent.devices.puppet.script import PuppetScript
from edge_agent.ports import Frame
from edge_agent.settings import CameraSettings
from tests.devices.clock import SteppedClock

ROOT = Path(__file__).parents[3]
LANDMARKER = ROOT / "models" / "face_landmarker.task"


class Theatre:
    """visits: as in a script; other keywords: of the script. The LEDs are ticked as the agent does, every 0.1 s."""

    def __init__(self, *visits: dict[str, Any], size: tuple[int, int] = (640, 480), **script: Any) -> None:
        self.leds = SimulatedLeds()
        self.clock = SteppedClock(1000.0, step_s=0.1, every=self.leds.tick)
        self.camera = PuppetCamera(
            PuppetScript.model_validate({"visits": visits or ({},), **script}),
            self.leds,
            CameraSettings(driver="puppet", path=Path("unused.yaml"), width_px=size[0], height_px=size[1]),
            clock=self.clock,
            sleep=self.clock.sleep,
        )
        self.camera.open()

    def show(self, signal: Signal) -> None:
        """Show a signal from now on."""
        self.leds.show(signal, self.clock())
        self.leds.tick(self.clock())

    def frame(self) -> Frame:
        """The next frame."""
        frame = self.camera.read(5.0)
        assert frame is not None
        return frame

    def frames(self, seconds: float) -> Iterator[Frame]:
        """Frames of so much time."""
        until_s = self.clock() + seconds
        while self.clock() < until_s:
            yield self.frame()

    def pass_time(self, seconds: float) -> None:
        """Let frames go by unseen."""
        for _ in self.frames(seconds):
            pass

    def wait_for(self, condition: Callable[[], bool], at_most_s: float = 60.0) -> float:
        """Let frames go by until it holds; how long that took."""
        began_s = self.clock()
        while not condition():
            assert self.clock() - began_s < at_most_s, "it never came"
            self.frame()
        return self.clock() - began_s

    def visitor_comes(self) -> None:
        """READY, until somebody stands before the camera."""
        self.show(Signal.READY)
        self.wait_for(lambda: self.camera.visit is not None)
        self.pass_time(3.0)
