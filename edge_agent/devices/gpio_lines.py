"""GPIO lines that are switched on and off, by the interface of RPi.GPIO, rpi-lgpio and Jetson.GPIO.

Rules: the only file that imports a GPIO library, by the name from the settings and only when constructed. Lines are
written only when they change. A line that another function of the board drives is refused; one left as an output by a
killed run is taken over. Only our own lines are given back, so the numbering mode stays for other users of the library.
What the libraries raise (ValueError, RuntimeError, OSError, `lgpio.error`, plain Exception) becomes the error that the
user of the lines names.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from edge_agent.ports import TerminalError

_INSTALL = {
    "RPi.GPIO": "install it: `sudo apt install python3-rpi-lgpio`, or `pip install rpi-lgpio` in the venv",
    "Jetson.GPIO": "install it: `pip install Jetson.GPIO` in the venv",
}

_REMEDIES = (
    ("different mode", "another part of this program numbers pins differently; use the same leds.numbering everywhere"),
    ("permission", "add the service's user to the group gpio (`sudo usermod -aG gpio USER`) and start it again"),
    ("no access", "add the service's user to the group gpio (`sudo usermod -aG gpio USER`) and start it again"),
    ("open gpiochip", "add the service's user to the group gpio (`sudo usermod -aG gpio USER`) and start it again"),
    ("busy", "another program holds this line; stop it (`gpioinfo` names it) or choose another pin in {pins}"),
    ("invalid on a raspberry", "this board has no such GPIO; check {pins} and leds.numbering (BCM or BOARD)"),
    ("is invalid", "this board has no such GPIO; check {pins} and leds.numbering (BCM or BOARD)"),
    ("not applicable on compute", "use leds.numbering: BCM on a compute module"),
    ("peripheral base", "this board needs rpi-lgpio in RPi.GPIO's place: `sudo apt install python3-rpi-lgpio`"),
    (
        "on a raspberry pi",
        "this is no Raspberry Pi; set leds.driver: simulated, or leds.module: Jetson.GPIO",
    ),
    ("jetson model", "this is no Jetson; set leds.driver: simulated, or leds.module: RPi.GPIO"),
)
"""What the libraries' messages mean for a technician: lower-case piece of a message, remedy. The first fit counts."""


class GpioLines:
    """Named output lines, all off; claims them when constructed.

    what: "LEDs", for messages; setting: where their pins stand in the settings. module, numbering: as in the settings.
    Raises `error` when the library can't be loaded or a line can't be claimed; then none is held.
    """

    def __init__(
        self,
        what: str,
        *,
        module: str,
        numbering: str,
        pins: Mapping[str, int],
        active_low: bool,
        setting: str,
        error: type[TerminalError],
    ) -> None:
        self._name = f"{what} ({module}, {numbering})"
        self._setting = setting
        self._error = error
        self._pins = dict(pins)
        self._on, self._off = (0, 1) if active_low else (1, 0)
        self._lit: frozenset[str] | None = None
        self._claimed: list[int] = []
        self._gpio = self._load(module)
        self._claim(numbering)

    def on(self) -> frozenset[str]:
        """The lines that are on, as last written."""
        return self._lit or frozenset()

    def set(self, wanted: frozenset[str]) -> None:
        """Switch these lines on and the others off. Raises the error; the next call then writes them all again."""
        if not self._claimed:
            raise self._error(f"{self._name}: the lines were given back; open the {self._name.split()[0]} anew")
        if wanted != self._lit:
            self._write(wanted)

    def close(self) -> None:
        """Switch all off and give the lines back; safe to call twice. Raises the error if the library could not."""
        if not self._claimed:
            return
        try:
            self._write(frozenset())
        finally:
            self._release()

    def _load(self, module: str) -> Any:
        try:
            return importlib.import_module(module)
        except ImportError as problem:
            raise self._error(
                f"{self._name}: the Python module '{module}' can't be loaded ({problem}); {_INSTALL[module]}"
            ) from problem
        except Exception as problem:
            # The libraries look at the board while they are imported.
            raise self._failure("loading the module", problem) from problem

    def _claim(self, numbering: str) -> None:
        gpio = self._gpio
        doing = f"setting the numbering {numbering}"
        try:
            # "Already in use" of RPi.GPIO also comes after every killed run; _refuse_other_function looks closer.
            gpio.setwarnings(False)
            gpio.setmode({"BCM": gpio.BCM, "BOARD": gpio.BOARD}[numbering])
            for name, channel in self._pins.items():
                doing = f"claiming pin {channel} for '{name}'"
                self._refuse_other_function(name, channel)
                gpio.setup(channel, gpio.OUT, initial=self._off)
                self._claimed.append(channel)
        except self._error:
            self._release()
            raise
        except Exception as problem:
            self._release()
            raise self._failure(doing, problem) from problem
        self._lit = frozenset()

    def _refuse_other_function(self, name: str, channel: int) -> None:
        """See first what drives a line: RPi.GPIO would take it from a serial port or a bus, with a warning at most."""
        gpio = self._gpio
        names = {getattr(gpio, other): other for other in ("SERIAL", "SPI", "I2C", "HARD_PWM") if hasattr(gpio, other)}
        function = gpio.gpio_function(channel)
        if function in names:
            raise self._error(
                f"{self._name}: pin {channel} for '{name}' is in use as {names[function]}; "
                f"choose another pin in {self._setting}, or switch that function off "
                f"(`sudo raspi-config`, Interface Options)"
            )

    def _write(self, wanted: frozenset[str]) -> None:
        values = [self._on if name in wanted else self._off for name in self._pins]
        try:
            self._gpio.output(list(self._pins.values()), values)
        except Exception as problem:
            self._lit = None
            pins = ", ".join(map(str, self._pins.values()))
            raise self._failure(f"driving the pins {pins}", problem) from problem
        self._lit = wanted

    def _release(self) -> None:
        claimed, self._claimed, self._lit = self._claimed, [], None
        if not claimed:
            return
        try:
            self._gpio.cleanup(claimed)
        except Exception as problem:
            raise self._failure("giving the lines back", problem) from problem

    def _failure(self, doing: str, problem: Exception) -> TerminalError:
        said = str(problem) or type(problem).__name__
        remedy = next(
            (remedy for piece, remedy in _REMEDIES if piece in said.lower()),
            "check wiring, {pins} and leds.module, then run `edge-agent doctor`",
        )
        return self._error(f"{self._name}: {doing} failed: {said.rstrip('!.')}; {remedy.format(pins=self._setting)}")
