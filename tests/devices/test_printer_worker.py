from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.core.messages import (
    Event,
    PartFailed,
    PartRecovered,
    PrinterStatusReported,
    SlipFailed,
    SlipPrinted,
)
from edge_agent.core.model import Paper, Part, PrinterStatus
from edge_agent.core.slip import QrCode, Slip
from edge_agent.devices.printer_simulated import SimulatedPrinter, open_printer
from edge_agent.devices.printer_simulated.script import Fault
from edge_agent.devices.printer_worker import PrinterWorker
from edge_agent.ports import Printer
from tests.devices.printing import StandingClock, settings, short_slip

UNPRINTABLE = Slip("unprintable", "id", (QrCode("x" * 9000),))
"""Refused by the layout, whatever the printer's state."""


class Inbox:
    """Events as the agent would take them."""

    def __init__(self) -> None:
        self._events: queue.Queue[Event] = queue.Queue()
        self.post = self._events.put
        self.beats = 0

    def beat(self) -> None:
        self.beats += 1

    def next(self) -> Event:
        return self._events.get(timeout=10)

    def rest(self) -> list[Event]:
        return [self._events.get_nowait() for _ in range(self._events.qsize())]


class Rig:
    """A worker over a simulated printer whose time only the driver lets pass."""

    def __init__(self, folder: Path, poll_s: float = 3600) -> None:
        clock = StandingClock()
        self.inbox = Inbox()
        self.printer: SimulatedPrinter = open_printer(settings(folder=folder), clock, clock.sleep)
        self.worker = PrinterWorker(self.printer, self.inbox.post, self.inbox.beat, poll_s)

    def look(self) -> list[Event]:
        """Everything posted because of one status request: a slip printed after it marks the end."""
        self.worker.ask_status()
        events = [self.inbox.next()]
        self.worker.print_slip("mark", UNPRINTABLE)
        while not isinstance(event := self.inbox.next(), SlipFailed):
            events.append(event)
        assert isinstance(self.inbox.next(), PrinterStatusReported)
        return events


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(tmp_path)
    rig.worker.start()
    yield rig
    rig.worker.stop()
    assert rig.worker.join(10)


def well(event: Event) -> bool:
    return isinstance(event, PrinterStatusReported) and event.status.can_print


def test_the_status_is_known_from_the_start(rig: Rig) -> None:
    assert well(rig.inbox.next())


def test_slips_are_printed_in_order_and_confirmed(rig: Rig) -> None:
    rig.inbox.next()
    for number in range(3):
        rig.worker.print_slip(f"session-{number}", short_slip(f"slip-{number}"))
    assert [rig.inbox.next() for _ in range(3)] == [SlipPrinted(f"session-{number}") for number in range(3)]
    assert [slip.label for slip in rig.printer.device.slips] == ["slip-0", "slip-1", "slip-2"]


def test_a_status_asked_for_is_answered(rig: Rig) -> None:
    rig.inbox.next()
    rig.printer.device.fail(Fault.PAPER_OUT)
    rig.worker.ask_status()
    event = rig.inbox.next()
    assert isinstance(event, PrinterStatusReported)
    assert event.status.paper is Paper.OUT


def test_a_failed_slip_says_why_and_reports_the_status(rig: Rig) -> None:
    rig.inbox.next()
    rig.printer.device.fail(Fault.PAPER_OUT)
    rig.worker.print_slip("session", short_slip())
    failed = rig.inbox.next()
    assert isinstance(failed, SlipFailed)
    assert failed.session_id == "session"
    assert "new roll" in failed.problem
    assert isinstance(rig.inbox.next(), PrinterStatusReported)


@pytest.mark.parametrize("fault", [Fault.JAM, Fault.UNPLUGGED, Fault.OFFLINE])
def test_a_broken_printer_is_a_failed_part_once_and_recovers_once(rig: Rig, fault: Fault) -> None:
    rig.inbox.next()
    rig.printer.device.fail(fault)
    events = [*rig.look(), *rig.look()]
    rig.printer.device.repair(fault)
    events += [*rig.look(), *rig.look()]
    parts = [event for event in events if not isinstance(event, PrinterStatusReported)]
    assert [type(event) for event in parts] == [PartFailed, PartRecovered]
    assert isinstance(parts[0], PartFailed)
    assert parts[0].part is Part.PRINTER
    assert parts[0].problem


@pytest.mark.parametrize("fault", [Fault.PAPER_OUT, Fault.COVER_OPEN])
def test_what_a_hand_cures_is_a_status_and_no_failed_part(rig: Rig, fault: Fault) -> None:
    rig.inbox.next()
    rig.printer.device.fail(fault)
    events = [*rig.look(), *rig.look()]
    assert [type(event) for event in events] == [PrinterStatusReported] * 2


def test_an_idle_printer_is_looked_at_unasked(tmp_path: Path) -> None:
    rig = Rig(tmp_path, poll_s=0.05)
    rig.worker.start()
    assert well(rig.inbox.next())
    rig.printer.device.fail(Fault.PAPER_OUT)
    event = rig.inbox.next()
    while well(event):
        event = rig.inbox.next()
    assert isinstance(event, PrinterStatusReported)
    assert event.status.paper is Paper.OUT
    rig.worker.stop()
    assert rig.worker.join(10)
    assert rig.inbox.beats > 0


class HeldPrinter:
    """A printer that holds every slip until it is let go, and can break in an unforeseen way."""

    name = "held"

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.bug: Exception | None = None
        self.closed = 0

    def status(self) -> PrinterStatus:
        return PrinterStatus(online=True)

    def print_slip(self, slip: Slip) -> None:
        self.begun.set()
        assert self.go.wait(10)
        if self.bug:
            raise self.bug

    def close(self) -> None:
        self.closed += 1


def test_stopping_finishes_the_slip_in_hand_and_fails_those_waiting() -> None:
    printer, inbox = HeldPrinter(), Inbox()
    held: Printer = printer
    worker = PrinterWorker(held, inbox.post, inbox.beat)
    worker.start()
    worker.print_slip("in hand", short_slip())
    assert printer.begun.wait(10)
    worker.print_slip("waiting", short_slip())
    worker.stop()
    assert not worker.join(0.01)
    printer.go.set()
    assert worker.join(10)
    worker.print_slip("too late", short_slip())
    answers = [event for event in inbox.rest() if isinstance(event, (SlipPrinted, SlipFailed))]
    assert answers[0] == SlipPrinted("in hand")
    assert [(type(event), event.session_id) for event in answers[1:]] == [
        (SlipFailed, "waiting"),
        (SlipFailed, "too late"),
    ]
    assert printer.closed == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_unforeseen_error_ends_the_thread_and_answers_everybody() -> None:
    printer, inbox = HeldPrinter(), Inbox()
    printer.bug = RuntimeError("unforeseen")
    printer.go.set()
    worker = PrinterWorker(printer, inbox.post, inbox.beat)
    worker.start()
    worker.print_slip("one", short_slip())
    assert worker.join(10)
    assert not worker.alive
    worker.print_slip("two", short_slip())
    events = inbox.rest()
    assert [event.session_id for event in events if isinstance(event, SlipFailed)] == ["one", "two"]
    assert any(isinstance(event, PartFailed) and "unforeseen" in event.problem for event in events)
    assert printer.closed == 1
