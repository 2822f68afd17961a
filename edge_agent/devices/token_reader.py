"""A barcode reader on a serial line (USB readers in their "serial" or "CDC" mode: /dev/ttyACM0): a thread of its own.

Rules: nobody depends on it, since aid goes on without cards; so whatever happens to the device is logged once, and it
is opened again for ever, ever more slowly. Read with the operating system's own means: no library is needed for lines
of text. What was scanned never stands in a log.
"""

from __future__ import annotations

import contextlib
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable

import structlog

from edge_agent.settings import TokenSettings

LINE_MAX_BYTES = 4096
"""More without an end is no code; a QR code holds at most 2,953 bytes."""
QUIET_S = 0.3
"""A reader set to send no line end is heard too: a pause so long ends the text."""
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_WAIT_S = 0.5

_log = structlog.get_logger(__name__)


class TokenReader:
    """Owns the device from `start` to `join`. present: called in its thread with each text; must not block."""

    def __init__(self, settings: TokenSettings, present: Callable[[str], None]) -> None:
        self._device = settings.device
        self._baud = settings.baud
        self._present = present
        self._stopping = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="token-reader", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the thread to end; returns at once."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; whether it ended in time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except (OSError, termios.error) as error:
                self._failed(error)
                self._stopping.wait(RETRY_S[min(self._failures, len(RETRY_S)) - 1])

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            _log.warning(
                "token_reader_failed",
                problem=f"{self._device}: {error}",
                remedy="check the reader's cable and that it is in serial (CDC) mode; cards still work at the camera",
            )

    def _listen(self) -> None:
        """Take texts until told to stop. Raises OSError, termios.error when the device fails or is gone."""
        descriptor = os.open(self._device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if os.isatty(descriptor):
                self._make_raw(descriptor)
            if self._failures:
                _log.info("token_reader_recovered", device=self._device)
            self._failures = 0
            self._take_lines(descriptor)
        finally:
            os.close(descriptor)

    def _make_raw(self, descriptor: int) -> None:
        """Bytes as they come, at the speed set; what was scanned before anybody listened is thrown away."""
        tty.setraw(descriptor, termios.TCSANOW)
        attributes = termios.tcgetattr(descriptor)
        attributes[4] = attributes[5] = getattr(termios, f"B{self._baud}")
        termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
        termios.tcflush(descriptor, termios.TCIFLUSH)

    def _take_lines(self, descriptor: int) -> None:
        waiting, heard_s = b"", 0.0
        while not self._stopping.is_set():
            ready, _, _ = select.select([descriptor], [], [], QUIET_S if waiting else _WAIT_S)
            if ready:
                heard = b""
                with contextlib.suppress(BlockingIOError):
                    heard = os.read(descriptor, LINE_MAX_BYTES)
                    if not heard:
                        raise OSError("the device was unplugged")
                *lines, waiting = (waiting + heard).replace(b"\r", b"\n").split(b"\n")
                heard_s = time.monotonic()
                for line in lines:
                    self._hand_on(line)
            elif waiting and time.monotonic() - heard_s >= QUIET_S:
                self._hand_on(waiting)
                waiting = b""
            if len(waiting) > LINE_MAX_BYTES:
                waiting = b""

    def _hand_on(self, line: bytes) -> None:
        if line:
            self._present(line.decode("ascii", "replace"))
