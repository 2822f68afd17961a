"""What every LED panel must do, real or simulated."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.led_gpio import GpioLeds
from edge_agent.devices.led_patterns import PATTERNS, lit_at, recognise
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.ports import LedPanel
from edge_agent.settings import LedSettings
from tests.stand_ins.gpio import StandInGpio


@pytest.fixture(params=["simulated", "gpio", "gpio, active low"])
def leds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LedPanel]:
    panel: LedPanel
    if request.param == "simulated":
        panel = SimulatedLeds()
    else:
        monkeypatch.setitem(sys.modules, "RPi.GPIO", StandInGpio())
        panel = GpioLeds(LedSettings(driver="gpio", active_low="low" in request.param))
    yield panel
    panel.close()


def test_everything_is_dark_at_first(leds: LedPanel) -> None:
    assert leds.lit() == frozenset()
    leds.tick(0.0)
    assert leds.lit() == frozenset()


@pytest.mark.parametrize("signal", Signal)
def test_a_signal_plays_its_pattern(leds: LedPanel, signal: Signal) -> None:
    leds.show(signal, 100.0)
    for tick in range(70):
        leds.tick(100.0 + tick * 0.1)
        assert leds.lit() == lit_at(PATTERNS[signal], tick * 0.1)


def test_a_signal_is_seen_at_the_tick_after_it_is_shown(leds: LedPanel) -> None:
    leds.show(Signal.GIVEN, 1.0)
    leds.tick(1.0)
    leds.show(Signal.REFERRED, 1.05)
    assert leds.lit() == {"green"}
    leds.tick(1.1)
    assert leds.lit() == {"yellow"}


def test_showing_the_same_signal_again_does_not_restart_it(leds: LedPanel) -> None:
    leds.show(Signal.PAPER_OUT, 0.0)
    leds.tick(0.0)
    leds.show(Signal.PAPER_OUT, 0.3)
    leds.tick(0.5)
    assert leds.lit() == frozenset()


def test_showing_another_signal_and_back_restarts_it(leds: LedPanel) -> None:
    leds.show(Signal.PAPER_OUT, 0.0)
    leds.show(Signal.GIVEN, 0.3)
    leds.show(Signal.PAPER_OUT, 0.5)
    leds.tick(0.8)
    assert leds.lit() == {"red"}


def test_what_is_lit_can_be_read_back(leds: LedPanel) -> None:
    history = []
    leds.show(Signal.TURN_RIGHT, 0.0)
    for tick in range(20):
        leds.tick(tick * 0.1)
        if not history or history[-1][1] != leds.lit():
            history.append((tick * 0.1, leds.lit()))
    assert recognise(history, 2.0) is Signal.TURN_RIGHT


def test_close_turns_everything_off_and_may_be_repeated(leds: LedPanel) -> None:
    leds.show(Signal.MORE_LIGHT, 0.0)
    leds.tick(0.0)
    assert len(leds.lit()) == 5
    leds.close()
    assert leds.lit() == frozenset()
    leds.close()
