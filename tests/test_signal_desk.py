"""Lights and sounds together: lights that fail are told once each way, sounds never keep them from shining."""

from __future__ import annotations

from structlog.testing import capture_logs

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part, Signal
from edge_agent.devices.buzzer_simulated import SimulatedBuzzer
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.sound_log import SoundLog
from edge_agent.ports import LedError, SoundError
from edge_agent.signal_desk import SignalDesk
from edge_agent.sounds import Sounds


class FailingLeds(SimulatedLeds):
    """Lights that fail while `problem` is set."""

    problem = ""

    def tick(self, now_s: float) -> None:
        if self.problem:
            raise LedError(self.problem)
        super().tick(now_s)

    def close(self) -> None:
        raise LedError("line 17 is gone; look at the cable")


class FailingBuzzer(SimulatedBuzzer):
    def tick(self, now_s: float) -> None:
        raise SoundError("line 25 is gone; look at the cable")


def test_a_signal_is_seen_and_heard() -> None:
    leds, log = SimulatedLeds(), SoundLog(None)
    desk = SignalDesk(leds, Sounds(SimulatedBuzzer(log)), lambda _: None)
    desk.show(Signal.GIVEN, 1.0)
    desk.tick(1.0)
    assert leds.lit() == {"green"}
    assert log.heard == ["given"]


def test_lights_that_fail_and_come_back_are_told_once_each() -> None:
    leds, told = FailingLeds(), list[PartFailed | PartRecovered]()
    desk = SignalDesk(leds, Sounds(), told.append)
    for tick, problem in enumerate(("", "dead", "dead", "", "")):
        leds.problem = problem
        desk.tick(float(tick))
    assert told == [PartFailed(Part.LEDS, "dead"), PartRecovered(Part.LEDS)]


def test_a_buzzer_that_fails_darkens_nothing_and_fails_no_part() -> None:
    leds, told = SimulatedLeds(), list[PartFailed | PartRecovered]()
    desk = SignalDesk(leds, Sounds(FailingBuzzer(SoundLog(None))), told.append)
    desk.show(Signal.REFERRED, 1.0)
    desk.tick(1.0)
    assert leds.lit() == {"yellow"}
    assert told == []


def test_lights_that_can_not_be_closed_are_told_in_the_log() -> None:
    with capture_logs() as logs:
        SignalDesk(FailingLeds(), Sounds(), lambda _: None).close()
    assert [line["event"] for line in logs] == ["leds_not_closed"]
