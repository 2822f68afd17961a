"""A stand-in for the modules RPi.GPIO, rpi-lgpio and Jetson.GPIO, with the behaviour read from their sources.

From RPi.GPIO 0.7.1 (`source/py_gpio.c`, `common.c`): setmode is required (RuntimeError), another mode is ValueError,
set-up before output (RuntimeError), a line already driven by something else only warns, cleanup of everything
forgets the mode, cleanup of a list does not, cleanup with nothing set up warns, `initial` takes one integer, lines go
back to inputs. From rpi-lgpio 0.6: a line held by another process is an `lgpio.error` "GPIO busy".
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

IN_USE = "This channel is already in use, continuing anyway.  Use GPIO.setwarnings(False) to disable warnings."
NOTHING = "No channels have been set up yet - nothing to clean up!  Try cleaning up at the end of your program instead!"


class LgpioError(Exception):
    """As `lgpio.error`: derived from nothing but Exception."""


class StandInGpio:
    """The module and the board behind it. levels: what each line carries; writes: every output, in order."""

    BOARD, BCM, UNKNOWN = 10, 11, -1
    OUT, IN = 0, 1
    LOW, HIGH = 0, 1
    SERIAL, SPI, I2C, HARD_PWM = 40, 41, 42, 43

    def __init__(self) -> None:
        self.levels: dict[int, int] = {}
        self.writes: list[dict[int, int]] = []
        self.functions: dict[int, int] = {}
        self.busy: frozenset[int] = frozenset()
        self.channels = range(54)
        self.setup_error = ""
        self.output_error = ""
        self.mode = self.UNKNOWN
        self.directions: dict[int, int] = {}
        self._warnings = True

    def setwarnings(self, state: bool) -> None:
        self._warnings = bool(state)

    def setmode(self, mode: int) -> None:
        if self.mode not in (self.UNKNOWN, mode):
            raise ValueError("A different mode has already been set!")
        if mode not in (self.BOARD, self.BCM):
            raise ValueError("An invalid mode was passed to setmode()")
        self.mode = mode

    def gpio_function(self, channel: int) -> int:
        self._check_channel(channel)
        return self.functions.get(channel, self.IN)

    def setup(self, channel: int, direction: int, initial: int = -1) -> None:
        if not isinstance(initial, int):
            raise TypeError("an integer is required")
        if self.setup_error:
            raise RuntimeError(self.setup_error)
        self._check_channel(channel)
        if channel in self.busy:
            raise LgpioError("'GPIO busy'")
        function = self.functions.get(channel, self.IN)
        ours = channel in self.directions
        if self._warnings and (function not in (self.IN, self.OUT) or (not ours and function == self.OUT)):
            warnings.warn(IN_USE, RuntimeWarning, stacklevel=2)
        if direction == self.OUT and initial in (self.LOW, self.HIGH):
            self._drive({channel: initial})
        self.directions[channel] = direction
        self.functions[channel] = direction

    def output(self, channels: int | Sequence[int], values: int | Sequence[int]) -> None:
        if isinstance(channels, int):
            channels = [channels]
        if isinstance(values, int):
            values = [values] * len(channels)
        if len(channels) != len(values):
            raise RuntimeError("Number of channels != number of values")
        if self.output_error:
            raise RuntimeError(self.output_error)
        for channel in channels:
            self._check_channel(channel)
            if self.directions.get(channel) != self.OUT:
                raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self._drive(dict(zip(channels, values, strict=True)))

    def cleanup(self, channels: int | Sequence[int] | None = None) -> None:
        everything = channels is None
        wanted = list(self.directions) if channels is None else [channels] if isinstance(channels, int) else channels
        found = False
        for channel in wanted:
            if not everything:
                self._check_channel(channel)
            if self.directions.pop(channel, None) is not None:
                self.functions[channel] = self.IN
                self.levels.pop(channel, None)
                found = True
        if everything:
            self.mode = self.UNKNOWN
        if not found and self._warnings:
            warnings.warn(NOTHING, RuntimeWarning, stacklevel=2)

    def _drive(self, levels: dict[int, int]) -> None:
        self.levels.update(levels)
        self.writes.append(levels)

    def _check_channel(self, channel: int) -> None:
        if self.mode == self.UNKNOWN:
            raise RuntimeError("Please set pin numbering mode using GPIO.setmode(GPIO.BOARD) or GPIO.setmode(GPIO.BCM)")
        if channel not in self.channels:
            raise ValueError("The channel sent is invalid on a Raspberry Pi")
