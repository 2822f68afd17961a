"""The simulated device on a pseudo-terminal or a TCP port, so that the real transports are tried against it.

Rules: one thread a server, which only carries bytes; unplugging takes the terminal or the connection away as pulling
the cable does, plugging in brings it back under the same name.
"""

from __future__ import annotations

import contextlib
import os
import pty
import select
import socket
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from edge_agent.devices.printer_simulated.device import SimulatedDevice

_LOOK_EVERY_S = 0.005
_PULL_BYTES = 16
"""Taken off the cable at a time: what waits here is out of the host's reach, so it is little."""


class _Line(Protocol):
    """The device's end of a cable."""

    def plug(self) -> None:
        """Be there for a host to open."""

    def unplug(self) -> None:
        """Be gone."""

    def pull(self, room: int) -> bytes:
        """Up to `room` bytes from the host; b"" when there are none."""

    def push(self, data: bytes) -> None:
        """Bytes to the host."""


@contextlib.contextmanager
def serve_on_pty(device: SimulatedDevice, link: Path) -> Iterator[Path]:
    """Serve on a pseudo-terminal; `link` is kept pointing at it, as udev does with /dev/serial/by-id."""
    with _serving(device, _PtyLine(link)):
        yield link


@contextlib.contextmanager
def serve_on_tcp(device: SimulatedDevice) -> Iterator[int]:
    """Serve on a free TCP port of localhost, one host at a time; gives the port."""
    line = _TcpLine()
    with _serving(device, line):
        yield line.port


@contextlib.contextmanager
def _serving(device: SimulatedDevice, line: _Line) -> Iterator[None]:
    stop = threading.Event()
    line.plug()
    thread = threading.Thread(target=_carry, args=(device, line, stop), name="simulated-printer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)
        line.unplug()


def _carry(device: SimulatedDevice, line: _Line, stop: threading.Event) -> None:
    plugged = True
    left = b""
    while not stop.wait(_LOOK_EVERY_S):
        if device.plugged != plugged:
            plugged = not plugged
            left = b""
            if plugged:
                line.plug()
            else:
                line.unplug()
        if plugged:
            left = left or line.pull(_PULL_BYTES)
            left = left[device.receive(left) :]
            line.push(device.transmit())


class _PtyLine:
    def __init__(self, link: Path) -> None:
        self._link = link
        self._ends: tuple[int, ...] = ()

    def plug(self) -> None:
        device_end, host_end = pty.openpty()
        tty.setraw(host_end)
        os.set_blocking(device_end, False)
        self._ends = (device_end, host_end)
        fresh = self._link.with_suffix(".new")
        fresh.symlink_to(os.ttyname(host_end))
        fresh.replace(self._link)

    def unplug(self) -> None:
        ends, self._ends = self._ends, ()
        for end in ends:
            os.close(end)
        self._link.unlink(missing_ok=True)

    def pull(self, room: int) -> bytes:
        ready, _, _ = select.select([self._ends[0]], [], [], 0)
        return os.read(self._ends[0], room) if ready else b""

    def push(self, data: bytes) -> None:
        if data:
            os.write(self._ends[0], data)


class _TcpLine:
    def __init__(self) -> None:
        self.port = 0
        self._listener: socket.socket | None = None
        self._host: socket.socket | None = None

    def plug(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]

    def unplug(self) -> None:
        for end in (self._host, self._listener):
            if end is not None:
                end.close()
        self._host = self._listener = None

    def pull(self, room: int) -> bytes:
        if self._host is None:
            if self._listener is None or not select.select([self._listener], [], [], 0)[0]:
                return b""
            self._host, _ = self._listener.accept()
        if not select.select([self._host], [], [], 0)[0]:
            return b""
        try:
            data = self._host.recv(room)
        except ConnectionError:
            data = b""
        if not data:
            self._host.close()
            self._host = None
        return data

    def push(self, data: bytes) -> None:
        if self._host is not None and data:
            with contextlib.suppress(ConnectionError):  # the host went away; the next pull notices
                self._host.sendall(data)
