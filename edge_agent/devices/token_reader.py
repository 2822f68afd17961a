"""A barcode reader on a serial line (USB readers in their "serial" or "CDC" mode: /dev/ttyACM0): a thread of its own.

Rules: nobody depends on it, since aid goes on without cards; so whatever happens to the device is told once, and it is
opened again for ever, ever more slowly. One with a loose contact has recovered only when it stays. Read with the
operating system's own means: no library is needed for lines of text. What was scanned never stands in a log.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import termios
import threading
import time
import tty
from collections.abc import Callable

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part
from edge_agent.ports import TokenReaderError
from edge_agent.settings import TokenSettings

LINE_MAX_BYTES = 4096
"""More without an end is no code; a QR code holds at most 2,953 bytes."""
QUIET_S = 0.3
"""A reader set to send no line end is heard too: a pause so long ends the text."""
RETRY_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
STEADY_S = 10.0
"""So long without a fault, or one text heard, and a reader that had failed has recovered."""
_WAIT_S = 0.5

_CABLE = "check the cable; `ls /dev/serial/by-id`, put that name into tokens.device"
_REMEDIES = {
    errno.ENOENT: f"{_CABLE}; if it isn't listed, set the reader to USB serial (CDC) mode by the code in its booklet",
    errno.EACCES: "let the service's user use it: sudo usermod -aG dialout edge-agent, then restart",
}


def open_reader(settings: TokenSettings) -> int:
    """The device's descriptor, ready for reading. Raises TokenReaderError naming device, fault and remedy."""
    try:
        descriptor = os.open(settings.device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if os.isatty(descriptor):
                _make_raw(descriptor, settings.baud)
        except BaseException:
            os.close(descriptor)
            raise
    except (OSError, termios.error) as error:
        raise _told(settings, error) from error
    return descriptor


def _make_raw(descriptor: int, baud: int) -> None:
    """Bytes as they come, at the speed set; what was scanned before anybody listened is thrown away."""
    tty.setraw(descriptor, termios.TCSANOW)
    attributes = termios.tcgetattr(descriptor)
    attributes[4] = attributes[5] = getattr(termios, f"B{baud}")
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
    termios.tcflush(descriptor, termios.TCIFLUSH)


def _told(settings: TokenSettings, error: Exception) -> TokenReaderError:
    number, *words = error.args
    remedy = _REMEDIES.get(number, _CABLE)
    meanwhile = "; cards still work at the camera" if settings.camera else ""
    return TokenReaderError(f"{settings.device}: {words[0] if words else number}; {remedy}{meanwhile}")


class TokenReader:
    """Owns the device from `start` to `join`.

    present: called in its thread with each text. report: gets PartFailed and PartRecovered. Neither may block.
    """

    def __init__(
        self,
        settings: TokenSettings,
        present: Callable[[str], None],
        report: Callable[[PartFailed | PartRecovered], None],
    ) -> None:
        self._settings = settings
        self._present = present
        self._report = report
        self._stopping = threading.Event()
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name="token-reader", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

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
            except TokenReaderError as error:
                self._failures += 1
                if self._failures == 1:
                    self._report(PartFailed(Part.TOKEN_READER, str(error)))
                self._stopping.wait(RETRY_S[min(self._failures, len(RETRY_S)) - 1])

    def _recovered(self) -> None:
        if self._failures:
            self._failures = 0
            self._report(PartRecovered(Part.TOKEN_READER))

    def _listen(self) -> None:
        """Take texts until told to stop. Raises TokenReaderError when the device fails or is gone."""
        descriptor = open_reader(self._settings)
        try:
            self._take_lines(descriptor)
        except OSError as error:
            raise _told(self._settings, error) from error
        finally:
            os.close(descriptor)

    def _take_lines(self, descriptor: int) -> None:
        waiting, opened_s, heard_s = b"", time.monotonic(), 0.0
        while not self._stopping.is_set():
            if time.monotonic() - opened_s >= STEADY_S:
                self._recovered()
            ready, _, _ = select.select([descriptor], [], [], QUIET_S if waiting else _WAIT_S)
            if ready:
                heard = b""
                with contextlib.suppress(BlockingIOError):
                    heard = os.read(descriptor, LINE_MAX_BYTES)
                    if not heard:
                        raise OSError(errno.ENODEV, "the device was unplugged")
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
            self._recovered()
            self._present(line.decode("ascii", "replace"))
