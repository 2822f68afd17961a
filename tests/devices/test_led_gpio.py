"""LEDs on GPIO lines, against a stand-in that behaves as the three libraries do; and the stand-in itself."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest

from edge_agent.core.model import Signal
from edge_agent.devices.led_gpio import GpioLeds
from edge_agent.ports import LedError
from edge_agent.settings import LedSettings
from tests.stand_ins.gpio import StandInGpio

PINS = {"left": 17, "right": 27, "green": 22, "yellow": 23, "red": 24}
DARK = dict.fromkeys(PINS.values(), 0)


@pytest.fixture
def gpio(monkeypatch: pytest.MonkeyPatch) -> StandInGpio:
    module = StandInGpio()
    monkeypatch.setitem(sys.modules, "RPi.GPIO", module)
    return module


def leds(**changed: Any) -> GpioLeds:
    return GpioLeds(LedSettings.model_validate({"driver": "gpio", "pins": PINS, **changed}))


def test_lines_are_claimed_as_dark_outputs(gpio: StandInGpio) -> None:
    leds()
    assert gpio.mode == gpio.BCM
    assert gpio.directions == dict.fromkeys(PINS.values(), gpio.OUT)
    assert gpio.levels == DARK


def test_the_right_line_goes_up(gpio: StandInGpio) -> None:
    panel = leds()
    panel.show(Signal.TURN_LEFT, 0.0)
    panel.tick(0.0)
    assert gpio.levels == {**DARK, PINS["left"]: 1}
    panel.tick(0.2)
    assert gpio.levels == DARK


def test_active_low_leds_light_on_a_low_line_and_never_flash_at_start(gpio: StandInGpio) -> None:
    panel = leds(active_low=True)
    assert all(set(write.values()) == {1} for write in gpio.writes)
    panel.show(Signal.GIVEN, 0.0)
    panel.tick(0.0)
    assert gpio.levels == {pin: int(pin != PINS["green"]) for pin in PINS.values()}
    panel.close()
    assert set(gpio.writes[-1].values()) == {1}


def test_lines_are_written_only_when_they_change(gpio: StandInGpio) -> None:
    panel = leds()
    panel.show(Signal.GIVEN, 0.0)
    before = len(gpio.writes)
    for tick in range(100):
        panel.tick(tick * 0.1)
    assert len(gpio.writes) == before + 1


def test_close_darkens_and_gives_back_only_our_own_lines(gpio: StandInGpio) -> None:
    gpio.setmode(gpio.BCM)
    gpio.setup(5, gpio.OUT, initial=1)
    panel = leds()
    panel.show(Signal.GIVEN, 0.0)
    panel.tick(0.0)
    panel.close()
    assert gpio.writes[-1] == DARK
    assert gpio.directions == {5: gpio.OUT}
    assert gpio.levels == {5: 1}


def test_the_panel_may_be_opened_again_after_close(gpio: StandInGpio) -> None:
    leds().close()
    leds().close()
    assert gpio.directions == {}


def test_after_close_a_tick_is_an_error(gpio: StandInGpio) -> None:
    panel = leds()
    panel.close()
    with pytest.raises(LedError, match="given back"):
        panel.tick(0.0)


def test_lines_left_on_by_a_killed_run_are_taken_over_quietly(gpio: StandInGpio) -> None:
    gpio.functions = dict.fromkeys(PINS.values(), gpio.OUT)
    gpio.levels = dict.fromkeys(PINS.values(), 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        leds()
    assert gpio.levels == DARK


def test_a_line_of_another_function_is_refused_by_name(gpio: StandInGpio) -> None:
    gpio.functions[14] = gpio.SERIAL
    with pytest.raises(LedError, match=r"pin 14 for 'red' is in use as SERIAL; choose another pin in leds\.pins"):
        leds(pins={**PINS, "red": 14})
    assert gpio.directions == {}, "the lines claimed before it are given back"
    assert gpio.functions[14] == gpio.SERIAL


def test_a_line_held_by_another_program_is_refused_by_name(gpio: StandInGpio) -> None:
    gpio.busy = frozenset({PINS["green"]})
    with pytest.raises(LedError, match=r"claiming pin 22 for 'green' failed: 'GPIO busy'; another program"):
        leds()
    assert gpio.directions == {}


def test_another_numbering_already_set_is_told(gpio: StandInGpio) -> None:
    gpio.setmode(gpio.BOARD)
    with pytest.raises(LedError, match=r"BCM failed: A different mode has already been set; .*leds\.numbering"):
        leds()
    assert gpio.mode == gpio.BOARD


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("No access to /dev/mem.  Try running as root!", "group gpio"),
        ("Cannot determine SOC peripheral base address", "rpi-lgpio"),
        ("something nobody foresaw", "edge-agent doctor"),
    ],
)
def test_a_failed_setup_names_pin_cause_and_remedy(gpio: StandInGpio, said: str, remedy: str) -> None:
    gpio.setup_error = said
    with pytest.raises(LedError, match=f"claiming pin 17 for 'left' failed: {said[:20]}.*{remedy}"):
        leds()


def test_a_pin_the_board_does_not_have_is_named(gpio: StandInGpio) -> None:
    gpio.channels = range(28)
    with pytest.raises(LedError, match=r"pin 40 for 'red' .*no such GPIO; check leds\.pins"):
        leds(pins={**PINS, "red": 40})


def test_a_missing_module_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi.GPIO", None)
    monkeypatch.setitem(sys.modules, "Jetson.GPIO", None)
    with pytest.raises(LedError, match=r"'RPi\.GPIO' can't be loaded .*python3-rpi-lgpio"):
        leds()
    with pytest.raises(LedError, match=r"'Jetson\.GPIO' can't be loaded .*pip install Jetson\.GPIO"):
        leds(module="Jetson.GPIO")


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("This module can only be run on a Raspberry Pi!", r"leds\.driver: simulated"),
        ("The current user does not have permissions set to access the library functionalites.", "group gpio"),
        ("Could not determine Jetson model", r"leds\.driver: simulated"),
    ],
)
def test_a_module_that_refuses_this_board_is_explained(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any, said: str, remedy: str
) -> None:
    package = tmp_path / "Jetson" / "GPIO.py"
    package.parent.mkdir()
    package.write_text(f"raise Exception({said!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "Jetson", raising=False)
    with pytest.raises(LedError, match=f"loading the module failed.*{remedy}"):
        leds(module="Jetson.GPIO")
    sys.modules.pop("Jetson", None)


def test_a_failed_write_is_told_and_tried_again_at_the_next_tick(gpio: StandInGpio) -> None:
    panel = leds()
    panel.show(Signal.GIVEN, 0.0)
    gpio.output_error = "bus fell off"
    with pytest.raises(LedError, match=r"driving the pins 17, 27, 22, 23, 24 failed: bus fell off"):
        panel.tick(0.0)
    gpio.output_error = ""
    panel.tick(0.1)
    assert gpio.levels[PINS["green"]] == 1


def test_after_a_failed_write_the_lines_are_written_again_whatever_comes_next(gpio: StandInGpio) -> None:
    panel = leds()
    panel.show(Signal.GIVEN, 0.0)
    panel.tick(0.0)
    gpio.output_error = "bus fell off"
    panel.show(Signal.REFERRED, 0.1)
    with pytest.raises(LedError):
        panel.tick(0.1)
    gpio.output_error = ""
    gpio.levels = dict.fromkeys(PINS.values(), 1)
    panel.show(Signal.GIVEN, 0.2)
    panel.tick(0.2)
    assert gpio.levels == {**DARK, PINS["green"]: 1}


def test_lines_are_given_back_even_when_they_can_not_be_darkened(gpio: StandInGpio) -> None:
    panel = leds()
    gpio.output_error = "bus fell off"
    with pytest.raises(LedError, match="bus fell off"):
        panel.close()
    assert gpio.directions == {}
    panel.close()


class TestStandIn:
    """The stand-in is only worth something while it refuses what the real library refuses."""

    def test_setmode_is_required(self, gpio: StandInGpio) -> None:
        with pytest.raises(RuntimeError, match="Please set pin numbering mode"):
            gpio.setup(17, gpio.OUT)

    def test_output_needs_setup(self, gpio: StandInGpio) -> None:
        gpio.setmode(gpio.BCM)
        with pytest.raises(RuntimeError, match="not been set up as an OUTPUT"):
            gpio.output(17, 1)

    def test_a_line_in_use_warns(self, gpio: StandInGpio) -> None:
        gpio.setmode(gpio.BCM)
        gpio.functions[17] = gpio.OUT
        with pytest.warns(RuntimeWarning, match="already in use"):
            gpio.setup(17, gpio.OUT)

    def test_cleanup_forgets_the_mode_and_warns_when_there_is_nothing(self, gpio: StandInGpio) -> None:
        gpio.setmode(gpio.BCM)
        with pytest.warns(RuntimeWarning, match="nothing to clean up"):
            gpio.cleanup()
        gpio.setmode(gpio.BOARD)
