"""The driver of ESC/POS printers on a serial port, a raw device file or the network.

Rules: no byte of a slip is sent to a printer that says it can't print; a slip counts as printed only when the printer
says so after the last byte; a connection that failed once is thrown away and opened anew on the next call; what is left
of a torn slip in the printer is cleared, and parted from the next one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from edge_agent.core.model import Paper, PrinterStatus
from edge_agent.core.slip import Slip
from edge_agent.devices import printer_status as escpos
from edge_agent.devices.escpos_layout import EscposLayout, PrintJob
from edge_agent.devices.printer_dialogue import Dialogue
from edge_agent.devices.printer_transport import (
    Connect,
    FileTransport,
    NetworkTransport,
    Transport,
    TransportError,
    TransportStalledError,
)
from edge_agent.ports import PrinterError
from edge_agent.settings import PrinterSettings

POLL_S = 0.25
"""How often a printing printer is looked at: a torn slip is known within this and an answer's time."""
PROBE_S = 1.0
SLOWEST_MM_S = 40.0
"""The slowest common 58 mm printers print 50 mm/s; this is how long a printer may be busy without saying a word."""

_log = structlog.get_logger(__name__)


class EscposPrinter:
    """ports.Printer over any transport. clock: monotonic seconds, matching the transport's idea of time."""

    def __init__(
        self,
        connect: Connect,
        layout: EscposLayout,
        settings: PrinterSettings,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._connect = connect
        self._layout = layout
        self._settings = settings
        self._clock = clock
        self._dialogue: Dialogue | None = None
        self._answers_queued: bool | None = None
        self._left_torn = False

    def status(self) -> PrinterStatus:
        """See ports.Printer."""
        try:
            return self._look()
        except TransportError as error:
            self._drop()
            return PrinterStatus(online=False, detail=str(error))

    def print_slip(self, slip: Slip) -> None:
        """See ports.Printer. May block for printer.slip_timeout_s and a few answers' time more."""
        job = self._layout.lay_out(slip)
        before = self.status()
        if not before.can_print:
            raise PrinterError(f"printer {self.name}: slip {slip.slip_id} not begun: {before.detail}")
        try:
            problem = self._send_and_confirm(job)
        except TransportError as error:
            problem = str(error)
        if problem is None:
            return
        self._abandon_slip()
        raise PrinterError(f"printer {self.name}: slip {slip.slip_id} did not come out whole: {problem}")

    def close(self) -> None:
        """See ports.Printer."""
        self._drop()

    def _look(self) -> PrinterStatus:
        """The status, over a new connection where the old one turns out to be dead. Raises TransportError."""
        was_open = self._dialogue is not None
        try:
            status = self._ask_status()
        except TransportError:
            if not was_open:
                raise
            self._drop()
            status = self._ask_status()
        if status is None:
            self._drop()
            return PrinterStatus(online=False, detail=self._silence())
        return status

    def _ask_status(self) -> PrinterStatus | None:
        dialogue = self._open()
        if not self._settings.status:
            return PrinterStatus(online=True, detail="not asked: printer.status is false")
        status = dialogue.status()
        if dialogue.noise:
            _log.warning("printer_noise", printer=self.name, bytes_dropped=dialogue.noise)
            dialogue.noise = 0
        return status

    def _open(self) -> Dialogue:
        if self._dialogue is None:
            self._dialogue = Dialogue(self._connect(), self._settings.timeout_s, self._clock)
            self._answers_queued = None
        return self._dialogue

    def _drop(self) -> None:
        dialogue, self._dialogue = self._dialogue, None
        if dialogue is not None:
            dialogue.transport.close()

    def _send_and_confirm(self, job: PrintJob) -> str | None:
        """None when the printer confirmed the slip, else what stopped it. Raises TransportError."""
        dialogue = self._open()
        if self._settings.status and self._answers_queued is None:
            self._answers_queued = self._probe_queued(dialogue)
        if self._left_torn:
            dialogue.transport.write(self._layout.separator())
        try:
            for chunk in job.chunks:
                dialogue.transport.write(chunk)
        except TransportStalledError as error:
            dialogue.transport.discard_output()
            status = dialogue.status()
            return str(error) if status is None or status.can_print else status.detail
        self._left_torn = False
        return self._confirm(dialogue, job) if self._settings.status else None

    def _probe_queued(self, dialogue: Dialogue) -> bool:
        """Whether this printer answers `GS r 1`; asked once a connection, when its buffer is empty."""
        if not self._settings.queued_status:
            return False
        dialogue.queue_question()
        answers = dialogue.queued_answer(PROBE_S) is not None
        if not answers:
            _log.warning("printer_without_queued_status", printer=self.name)
        return answers

    def _confirm(self, dialogue: Dialogue, job: PrintJob) -> str | None:
        """Wait until the slip is out: by the queued answer, else by the time it takes at the slowest."""
        busy_s = job.length_mm / SLOWEST_MM_S
        watch = _Watch(self._clock(), self._settings, busy_s)
        if self._answers_queued:
            dialogue.queue_question()
        while True:
            if not self._answers_queued:
                dialogue.listen(POLL_S)
            elif (answer := dialogue.queued_answer(POLL_S)) is not None:
                return self._confirmed(dialogue, answer)
            now_s = self._clock()
            status = self._glance(dialogue)
            problem = self._silence() if watch.too_quiet(status, now_s) else watch.problem(status, now_s)
            if problem is not None:
                return problem
            if not self._answers_queued and status is not None and status.online and watch.time_for_slip_is_over(now_s):
                return None

    def _glance(self, dialogue: Dialogue) -> PrinterStatus | None:
        """The status while printing, cheap while all is well; None when the printer did not answer."""
        answer = dialogue.ask(escpos.PRINTER, POLL_S)
        if answer is None:
            return None
        if escpos.is_offline(answer):
            return dialogue.status()
        return PrinterStatus(online=True, detail="still printing")

    def _confirmed(self, dialogue: Dialogue, answer: int) -> str | None:
        if escpos.queued_paper_out(answer):
            return "the paper ended while printing: put in a new roll"
        # a stray byte may look like the queued answer: a printer that is well also answers this
        status = dialogue.status()
        if status is None:
            return self._silence()
        return status.detail if status.error else None

    def _abandon_slip(self) -> None:
        """Forget the rest of a torn slip, here and in the printer, and start anew at the next call."""
        self._left_torn = True
        dialogue = self._dialogue
        if dialogue is None:
            return
        try:
            dialogue.transport.discard_output()
            if self._settings.status:
                dialogue.transport.write(escpos.CLEAR_BUFFERS)
        except TransportError as error:
            _log.info("printer_buffer_not_cleared", printer=self.name, problem=str(error))
        self._drop()

    def _silence(self) -> str:
        return (
            f"{self.name} does not answer status requests; check power, cable, baud rate and that its BUSY condition "
            "is 'receive buffer full'; a printer that can't answer needs `printer.status: false`"
        )


class _Watch:
    """How long to believe in a slip that is being printed. busy_s: the longest the slip itself can take."""

    def __init__(self, started_s: float, settings: PrinterSettings, busy_s: float) -> None:
        self._started_s = self._heard_s = started_s
        self._offline_since_s: float | None = None
        self._settings = settings
        self._busy_s = busy_s

    def too_quiet(self, status: PrinterStatus | None, now_s: float) -> bool:
        """Whether a printer that gave this status (None: no answer) has been silent for too long."""
        if status is not None:
            self._heard_s = now_s
        return now_s - self._heard_s > self._settings.timeout_s + self._busy_s

    def problem(self, status: PrinterStatus | None, now_s: float) -> str | None:
        """What stopped the slip, by this status; None while it may still come out."""
        if now_s - self._started_s > self._settings.slip_timeout_s:
            seen = status.detail if status else "no answer"
            return f"not confirmed within {self._settings.slip_timeout_s:g} s ({seen}); look whether the slip came out"
        if status is None:
            return None
        if status.paper is Paper.OUT or status.cover_open or status.error:
            return status.detail
        if status.online:
            self._offline_since_s = None
        elif self._offline_since_s is None:
            self._offline_since_s = now_s
        elif now_s - self._offline_since_s > self._settings.timeout_s:
            return status.detail
        return None

    def time_for_slip_is_over(self, now_s: float) -> bool:
        """For printers that can't say when they are done."""
        return now_s - self._started_s >= self._busy_s


def open_printer(settings: PrinterSettings, clock: Callable[[], float] = time.monotonic) -> EscposPrinter:
    """The printer the settings name; its port is opened at the first call. Raises PrinterError on bad settings."""
    timeout_s = settings.timeout_s

    def connect() -> Transport:
        if settings.driver == "serial":
            from edge_agent.devices.printer_transport_serial import SerialTransport

            return SerialTransport(settings.device, settings.baud, settings.flow_control, timeout_s)
        if settings.driver == "network":
            return NetworkTransport(settings.host, settings.port, timeout_s)
        return FileTransport(settings.device, timeout_s)

    where = f"{settings.host}:{settings.port}" if settings.driver == "network" else settings.device
    return EscposPrinter(connect, layout_for(settings), settings, where, clock)


def layout_for(settings: PrinterSettings) -> EscposLayout:
    """The layout the settings ask for. Raises PrinterError on an unknown profile or code page."""
    return EscposLayout(
        paper_mm=settings.paper_mm,
        code_page=settings.code_page,
        profile=settings.profile,
        qr=settings.qr,
        cutter=settings.paper_mm == 80 if settings.cutter is None else settings.cutter,
        tear_feed_mm=settings.tear_feed_mm,
    )
