"""What every buzzer must do, real or simulated."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.buzzer_gpio import GpioBuzzer
from edge_agent.devices.buzzer_simulated import SimulatedBuzzer
from edge_agent.devices.buzzes import BUZZES, on_at
from edge_agent.devices.sound_log import SoundLog
from edge_agent.ports import Buzzer
from edge_agent.settings import LedSettings, SoundSettings
from tests.stand_ins.gpio import StandInGpio

PIN = 25


@pytest.fixture(params=["simulated", "gpio", "gpio, active low"])
def buzzer(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Buzzer, Callable[[], bool]]]:
    """A buzzer, and whether it is to be heard now."""
    if request.param == "simulated":
        simulated = SimulatedBuzzer(SoundLog(None))
        yield simulated, lambda: bool(simulated.changes) and simulated.changes[-1][1]
        simulated.close()
        return
    board, low = StandInGpio(), "low" in request.param
    monkeypatch.setitem(sys.modules, "RPi.GPIO", board)
    sound = SoundSettings(buzzer="gpio", buzzer_pin=PIN, buzzer_active_low=low)
    real = GpioBuzzer(sound, LedSettings(driver="gpio"))
    yield real, lambda: board.levels.get(PIN, int(low)) == int(not low)
    real.close()


def test_it_is_silent_at_first(buzzer: tuple[Buzzer, Callable[[], bool]]) -> None:
    device, heard = buzzer
    device.tick(0.0)
    assert not heard()


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_sounds_once_and_is_over_for_good(signal: Signal, buzzer: tuple[Buzzer, Callable[[], bool]]) -> None:
    device, heard = buzzer
    device.show(signal, 100.0)
    for tick in range(80):
        device.show(signal, 100.0 + tick * 0.1)
        device.tick(100.0 + tick * 0.1)
        assert heard() == on_at(BUZZES[signal], tick * 0.1)
    assert not heard()


def test_another_signal_ends_a_sound_and_begins_its_own(buzzer: tuple[Buzzer, Callable[[], bool]]) -> None:
    device, heard = buzzer
    device.show(Signal.GIVEN, 0.0)
    device.tick(0.0)
    assert heard()
    device.show(Signal.READY, 0.1)
    device.tick(0.1)
    assert not heard()
    device.show(Signal.GIVEN, 0.2)
    device.tick(0.2)
    assert heard()


def test_close_silences_and_may_be_repeated(buzzer: tuple[Buzzer, Callable[[], bool]]) -> None:
    device, heard = buzzer
    device.show(Signal.GIVEN, 0.0)
    device.tick(0.0)
    device.close()
    assert not heard()
    device.close()
