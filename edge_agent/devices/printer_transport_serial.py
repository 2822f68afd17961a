"""A printer on a serial port or USB-serial adapter; the only file that imports pyserial.

Rules: as `printer_transport`. The port is taken exclusively, so that two programs never mix their bytes on one slip.
"""

from __future__ import annotations

import termios
from typing import Literal

import serial

from edge_agent.devices.printer_transport import WRITE_SLICE_BYTES, TransportError, TransportStalledError

FlowControl = Literal["none", "rts_cts", "xon_xoff"]


class SerialTransport:
    """8 data bits, no parity, 1 stop bit: what every receipt printer is delivered with."""

    def __init__(self, device: str, baud: int, flow_control: FlowControl, timeout_s: float) -> None:
        self.where = device
        self._timeout_s = timeout_s
        try:
            self._port = serial.Serial(
                device,
                baud,
                timeout=0,
                write_timeout=timeout_s,
                rtscts=flow_control == "rts_cts",
                xonxoff=flow_control == "xon_xoff",
                exclusive=True,
            )
        except (OSError, ValueError, termios.error) as error:
            raise TransportError(
                f"serial port {device}: {error}; check cable and power, `ls -l {device} /dev/serial/by-id`, that the "
                "service is in group dialout, and that no other program holds the port"
            ) from error

    def write(self, data: bytes) -> None:
        """See Transport."""
        try:
            for start in range(0, len(data), WRITE_SLICE_BYTES):
                self._port.write(data[start : start + WRITE_SLICE_BYTES])
        except serial.SerialTimeoutException as error:
            raise TransportStalledError(f"serial port {self.where}: no data taken for {self._timeout_s:g} s") from error
        except (OSError, termios.error) as error:
            raise self._gone(error) from error

    def read(self, timeout_s: float) -> bytes:
        """See Transport."""
        try:
            self._port.timeout = timeout_s
            first: bytes = self._port.read(1)
            if first and self._port.in_waiting:
                first += self._port.read(self._port.in_waiting)
        except (OSError, termios.error) as error:
            raise self._gone(error) from error
        return first

    def discard_output(self) -> None:
        """See Transport."""
        try:
            self._port.reset_output_buffer()
        except (OSError, termios.error) as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """See Transport. The output queue was confirmed or discarded before, so nothing is waited for."""
        self._port.close()

    def _gone(self, error: Exception) -> TransportError:
        return TransportError(f"serial port {self.where}: {error}; check that the printer is plugged in and on")
