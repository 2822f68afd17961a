"""How bytes reach a printer: what every transport promises, and the two that need only the standard library.

Rules: every write and read is bounded in time, nothing is buffered here, no error is swallowed: a transport that failed
says so at once and is thrown away by the driver, which opens a new one on its next call. python-escpos' own connectors
promise none of this (writes without a limit, `flush` on close, reads that wait for 16 bytes), so they aren't used.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import termios
import time
from collections.abc import Callable
from typing import Protocol

WRITE_SLICE_BYTES = 256
"""Each slice gets the whole timeout, so that the limit is on standing still, not on a long slip at a low baud rate."""


class TransportError(Exception):
    """The printer can't be reached this way; the text names the device, what was seen and the remedy."""


class TransportStalledError(TransportError):
    """The printer is there but takes no more data."""


class Transport(Protocol):
    """An open connection to a printer."""

    where: str

    def write(self, data: bytes) -> None:
        """Hand over all of it. Raises TransportStalledError when nothing moves for the timeout, else TransportError."""

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting up to timeout_s for the first byte; b"" when nothing did. Raises TransportError."""

    def discard_output(self) -> None:
        """Forget what was written and not yet sent, here and at the close that follows."""

    def close(self) -> None:
        """Give the connection back; safe to call twice."""


Connect = Callable[[], Transport]
"""Opens a transport. Raises TransportError."""


class FileTransport:
    """A raw device file such as /dev/usb/lp0. A device that can't be read is opened for writing only (no status)."""

    def __init__(self, path: str, timeout_s: float) -> None:
        self.where = path
        self._timeout_s = timeout_s
        flags = os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        try:
            try:
                self._fd = os.open(path, os.O_RDWR | flags)
                self._readable = True
            except PermissionError:
                self._fd = os.open(path, os.O_WRONLY | flags)
                self._readable = False
        except OSError as error:
            raise TransportError(
                f"printer file {path}: {error.strerror}; check cable and power, `ls -l {path}`, and that the service "
                "may write it (group lp)"
            ) from error

    def write(self, data: bytes) -> None:
        """See Transport."""
        rest = memoryview(data)
        while rest:
            _, writable, _ = select.select([], [self._fd], [], self._timeout_s)
            if not writable:
                raise TransportStalledError(f"printer file {self.where}: no data taken for {self._timeout_s:g} s")
            try:
                rest = rest[os.write(self._fd, rest[:WRITE_SLICE_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._gone(error) from error

    def read(self, timeout_s: float) -> bytes:
        """See Transport."""
        if not self._readable:
            time.sleep(timeout_s)
            return b""
        ready, _, _ = select.select([self._fd], [], [], timeout_s)
        if not ready:
            return b""
        try:
            data = os.read(self._fd, 64)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            # usblp answers a read with nothing when the printer has nothing to say; don't spin on it
            time.sleep(min(timeout_s, 0.02))
        return data

    def discard_output(self) -> None:
        """A terminal's queue can be emptied; other device files hold nothing back."""
        if os.isatty(self._fd):
            with contextlib.suppress(termios.error):  # already gone: nothing left to discard
                termios.tcflush(self._fd, termios.TCOFLUSH)

    def close(self) -> None:
        """See Transport."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _gone(self, error: OSError) -> TransportError:
        return TransportError(
            f"printer file {self.where}: {error.strerror}; check that the printer is plugged in and on"
        )


class NetworkTransport:
    """A printer's raw TCP port (usually 9100)."""

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self.where = f"{host}:{port}"
        self._timeout_s = timeout_s
        try:
            self._socket = socket.create_connection((host, port), timeout=timeout_s)
        except OSError as error:
            raise TransportError(
                f"network printer {self.where}: {error}; check its cable, power and address (hold FEED at power-on to "
                "print it), and that nothing else holds its port"
            ) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def write(self, data: bytes) -> None:
        """See Transport."""
        self._socket.settimeout(self._timeout_s)
        for start in range(0, len(data), WRITE_SLICE_BYTES):
            try:
                self._socket.sendall(data[start : start + WRITE_SLICE_BYTES])
            except TimeoutError as error:
                raise TransportStalledError(
                    f"network printer {self.where}: no data taken for {self._timeout_s:g} s"
                ) from error
            except OSError as error:
                raise self._gone(str(error)) from error

    def read(self, timeout_s: float) -> bytes:
        """See Transport."""
        ready, _, _ = select.select([self._socket], [], [], timeout_s)
        if not ready:
            return b""
        try:
            data = self._socket.recv(64)
        except OSError as error:
            raise self._gone(str(error)) from error
        if not data:
            raise self._gone("the printer closed the connection")
        return data

    def discard_output(self) -> None:
        """Make the close a reset, so that the kernel does not go on sending the rest of a torn slip."""
        with contextlib.suppress(OSError):  # already gone: nothing left to discard
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def close(self) -> None:
        """See Transport."""
        self._socket.close()

    def _gone(self, seen: str) -> TransportError:
        return TransportError(f"network printer {self.where}: {seen}; check its cable and power")
