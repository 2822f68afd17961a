"""Question and answer with an ESC/POS printer over an open transport.

Rules: whatever arrived before a question is dropped, whatever can't be an answer is counted and dropped, and no
question waits for ever. A real-time question is asked only between whole commands.
"""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.core.model import PrinterStatus
from edge_agent.devices import printer_status as escpos
from edge_agent.devices.printer_transport import Transport


class Dialogue:
    """One connection's questions. clock: monotonic seconds. Every method may raise TransportError."""

    def __init__(self, transport: Transport, timeout_s: float, clock: Callable[[], float]) -> None:
        self.transport = transport
        self.noise = 0
        self._timeout_s = timeout_s
        self._clock = clock
        self._realtime: list[int] = []
        self._queued: int | None = None
        self._owed = 0
        """Real-time answers not yet come: a late one must not be taken for the answer to another question."""

    def ask(self, n: int, within_s: float | None = None) -> int | None:
        """The answer to `DLE EOT n`; None when none came in time. An answer to `GS r` that comes meanwhile is kept."""
        within_s = self._timeout_s if within_s is None else within_s
        self._await_late_answers(within_s)
        self._realtime.clear()
        self.transport.write(escpos.realtime_request(n))
        self._owed = 1
        until_s = self._clock() + within_s
        while not self._realtime:
            left_s = until_s - self._clock()
            if left_s <= 0:
                return None
            self._take(left_s)
        return self._realtime[0]

    def _await_late_answers(self, within_s: float) -> None:
        until_s = self._clock() + within_s
        self._take(0.0)
        while self._owed and (left_s := until_s - self._clock()) > 0:
            self._take(left_s)

    def status(self) -> PrinterStatus | None:
        """All four real-time answers; None when the printer does not answer."""
        answers: list[int] = []
        for n in (escpos.PRINTER, escpos.OFFLINE_CAUSE, escpos.ERROR_CAUSE, escpos.PAPER_SENSOR):
            answer = self.ask(n)
            if answer is None:
                return None
            answers.append(answer)
        return escpos.interpret(*answers)

    def queue_question(self) -> None:
        """Put `GS r 1` in line behind the data sent so far."""
        self._take(0.0)
        self._queued = None
        self.transport.write(escpos.QUEUED_PAPER_REQUEST)

    def queued_answer(self, within_s: float) -> int | None:
        """The answer to `queue_question`; None when it has not come yet."""
        until_s = self._clock() + within_s
        while self._queued is None:
            left_s = until_s - self._clock()
            if left_s <= 0:
                return None
            self._take(left_s)
        return self._queued

    def listen(self, for_s: float) -> None:
        """Let time pass, taking in what comes."""
        self._take(for_s)

    def _take(self, timeout_s: float) -> None:
        for byte in self.transport.read(timeout_s):
            if escpos.is_realtime(byte):
                self._realtime.append(byte)
                self._owed = max(self._owed - 1, 0)
            elif escpos.is_queued(byte):
                self._queued = byte
            else:
                self.noise += 1
