"""The printer thread: it alone talks to the printer.

Rules: slips before status requests, in the order given; every slip taken is answered by SlipPrinted or SlipFailed, also
when the thread stops or dies; between slips the printer is looked at every few seconds, so that an empty roll is known
before anybody stands there. An empty roll or an open cover is reported as a status: a hand cures it; anything else that
keeps the printer from printing is a failed part.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from edge_agent.core.messages import (
    Event,
    PartFailed,
    PartRecovered,
    PrinterStatusReported,
    SlipFailed,
    SlipPrinted,
)
from edge_agent.core.model import Paper, Part, PrinterStatus
from edge_agent.core.slip import Slip
from edge_agent.ports import Printer, PrinterError

POLL_S = 5.0
BEAT_S = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Job:
    session_id: str
    slip: Slip


class PrinterWorker:
    """Owns the printer from `start` to `join`. post: called from the printer thread with each event; beat: stamps the
    heartbeat at least every 0.5 s, except while the driver is printing (its printer.slip_timeout_s and a few answers'
    time). clock: monotonic seconds."""

    def __init__(
        self,
        printer: Printer,
        post: Callable[[Event], None],
        beat: Callable[[], None],
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._printer = printer
        self._post = post
        self._beat = beat
        self._poll_s = poll_s
        self._clock = clock
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()
        self._failed = False
        self._thread = threading.Thread(target=self._run, name="printer", daemon=True)

    def start(self) -> None:
        """Begin; the first status is posted at once."""
        self._thread.start()

    def print_slip(self, session_id: str, slip: Slip) -> None:
        """Print this slip. Answer: SlipPrinted | SlipFailed with this session_id."""
        self._jobs.put(_Job(session_id, slip))
        if self._ended.is_set():
            self._fail_waiting()

    def ask_status(self) -> None:
        """Look now. Answer: PrinterStatusReported; requests made while one waits are answered together."""
        self._asked.set()
        self._jobs.put(None)

    def stop(self) -> None:
        """Finish the slip in hand, fail those waiting, close the printer."""
        self._stopping.set()
        self._jobs.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; whether it ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._serve()
        except Exception as error:
            self._post(PartFailed(Part.PRINTER, f"printer thread: {type(error).__name__}: {error}"))
            raise
        finally:
            self._ended.set()
            self._fail_waiting()
            self._printer.close()

    def _serve(self) -> None:
        self._report_status()
        looked_s = self._clock()
        while not self._stopping.is_set():
            self._beat()
            try:
                job = self._jobs.get(timeout=BEAT_S)
            except queue.Empty:
                job = None
            if job is not None:
                self._print(job)
            if self._stopping.is_set():
                return
            if self._jobs.empty() and (self._asked.is_set() or self._clock() - looked_s >= self._poll_s):
                self._report_status()
                looked_s = self._clock()

    def _print(self, job: _Job) -> None:
        try:
            self._printer.print_slip(job.slip)
        except PrinterError as error:
            _log.warning("slip_failed", slip_id=job.slip.slip_id, problem=str(error))
            self._post(SlipFailed(job.session_id, str(error)))
            self._report_status()
        except Exception as error:
            self._post(SlipFailed(job.session_id, f"printer thread: {type(error).__name__}: {error}"))
            raise
        else:
            self._post(SlipPrinted(job.session_id))

    def _report_status(self) -> None:
        self._asked.clear()
        status = self._printer.status()
        self._post(PrinterStatusReported(status))
        failed = _has_failed(status)
        if failed and not self._failed:
            _log.error("printer_failed", problem=status.detail)
            self._post(PartFailed(Part.PRINTER, status.detail))
        elif self._failed and not failed:
            _log.info("printer_recovered", status=status.detail)
            self._post(PartRecovered(Part.PRINTER))
        self._failed = failed

    def _fail_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                job = self._jobs.get_nowait()
                if job is not None:
                    self._post(SlipFailed(job.session_id, "the printer thread ended before this slip was begun"))


def _has_failed(status: PrinterStatus) -> bool:
    return not (status.can_print or status.paper is Paper.OUT or status.cover_open)
