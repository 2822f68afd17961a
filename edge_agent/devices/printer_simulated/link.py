"""A cable in memory between the real driver and the simulated device.

Rules: behaves like a port with flow control: a full printer makes the writer wait, an unplugged one is gone at once.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.devices.printer_simulated.device import SimulatedDevice
from edge_agent.devices.printer_transport import TransportError, TransportStalledError

_LOOK_EVERY_S = 0.005


class DirectLink:
    """printer_transport.Transport to a device in this process. sleep: lets the clock's time pass (seconds)."""

    def __init__(
        self,
        device: SimulatedDevice,
        timeout_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.where = "simulated printer"
        self._device = device
        self._timeout_s = timeout_s
        self._clock = clock
        self._sleep = sleep
        self._require_plugged()

    def write(self, data: bytes) -> None:
        """See Transport."""
        moved_s = self._clock()
        while data:
            self._require_plugged()
            taken = self._device.receive(data)
            data = data[taken:]
            if taken:
                moved_s = self._clock()
            elif self._clock() - moved_s > self._timeout_s:
                raise TransportStalledError(f"{self.where}: no data taken for {self._timeout_s:g} s")
            else:
                self._sleep(_LOOK_EVERY_S)

    def read(self, timeout_s: float) -> bytes:
        """See Transport."""
        until_s = self._clock() + timeout_s
        while True:
            self._require_plugged()
            data = self._device.transmit()
            left_s = until_s - self._clock()
            if data or left_s <= 0:
                return data
            self._sleep(min(_LOOK_EVERY_S, left_s))

    def discard_output(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """Nothing to give back."""

    def _require_plugged(self) -> None:
        if not self._device.plugged:
            raise TransportError(f"{self.where}: unplugged; the fault script or the test plugs it in again")
