"""The printer of one terminal under virtual time: the real driver's bytes into the simulated printer's mechanism.

A slip is printed on a clock of the printer's own, which runs ahead; its end is told when the day's time has come so
far. That does what the printer's thread does (`devices/printer_worker.py`): one thing at a time, slips in order, a look
every few seconds, and a failed part only for what no hand cures.

Rules: nothing between driver and device is short-cut; a paper roll has an end.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

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
from edge_agent.devices.printer_simulated import SimulatedPrinter
from edge_agent.devices.printer_simulated.device import SimulatedDevice
from edge_agent.devices.printer_simulated.script import Fault, FaultScript
from edge_agent.ports import PrinterError
from edge_agent.settings import PrinterSettings
from edge_agent.simulation.clock import VirtualTime

POLL_S = 5.0


@dataclass
class _PrinterClock:
    """Seconds of the day, as far as the printer has come."""

    s: float = 0.0

    def now(self) -> float:
        return self.s

    def sleep(self, for_s: float) -> None:
        self.s += for_s


@dataclass(order=True)
class _Told:
    """An event that becomes known at `at_s`."""

    at_s: float
    number: int
    event: Event = field(compare=False)


@dataclass(frozen=True)
class FinishedSlip:
    """out_s: second of the day at which somebody can take it. name: of the session, or of the act, it belongs to."""

    out_s: float
    name: str
    slip: Slip
    text: str


class PrinterDesk:
    """roll_mm: of the first roll; a new one has 30 m. Slips that came out whole are kept."""

    def __init__(self, time: VirtualTime, roll_mm: float) -> None:
        self._time = time
        self._clock = _PrinterClock()
        settings = PrinterSettings(driver="simulated", folder=Path("unused"))
        self._device = SimulatedDevice(self._clock.now, script=FaultScript(roll_mm=roll_mm))
        self._printer = SimulatedPrinter(self._device, settings, self._clock.now, self._clock.sleep)
        self._told: list[_Told] = []
        self._numbers = count()
        self._asked_s = 0.0
        self._failed = False
        self.out: list[FinishedSlip] = []
        """Every slip that came out whole, oldest first."""
        self.length_mm = 0.0

    def print_slip(self, session_id: str, slip: Slip) -> None:
        """As soon as the printer is free; `due` tells SlipPrinted or SlipFailed when it is done."""
        self._catch_up()
        try:
            self._printer.print_slip(slip)
        except PrinterError as error:
            self._tell(SlipFailed(session_id, str(error)))
            self._report()
        else:
            self.out.append(FinishedSlip(self._clock.s, session_id, slip, self._printer.last_text))
            self.length_mm += self._device.slips[-1].length_mm
            self._tell(SlipPrinted(session_id))

    def ask_status(self) -> None:
        """Look as soon as the printer is free."""
        self._catch_up()
        self._report()

    def due(self) -> list[Event]:
        """What has become known by now, and every few seconds how the printer is."""
        if self._time.s - self._asked_s >= POLL_S and self._clock.s <= self._time.s:
            self.ask_status()
        events: list[Event] = []
        while self._told and self._told[0].at_s <= self._time.s:
            events.append(heapq.heappop(self._told).event)
        return events

    def change_roll(self) -> None:
        """Somebody puts in a new one."""
        self._catch_up()
        self._device.repair(Fault.PAPER_OUT)

    def forget(self) -> None:
        """The terminal's process is gone: nobody hears what was still to be told."""
        self._told.clear()
        self._failed = False
        self._asked_s = -POLL_S

    def _catch_up(self) -> None:
        self._clock.s = max(self._clock.s, self._time.s)

    def _report(self) -> None:
        self._asked_s = self._time.s
        status = self._printer.status()
        self._tell(PrinterStatusReported(status))
        failed = _has_failed(status)
        if failed and not self._failed:
            self._tell(PartFailed(Part.PRINTER, status.detail))
        elif self._failed and not failed:
            self._tell(PartRecovered(Part.PRINTER))
        self._failed = failed

    def _tell(self, event: Event) -> None:
        heapq.heappush(self._told, _Told(self._clock.s, next(self._numbers), event))


def _has_failed(status: PrinterStatus) -> bool:
    """Paper and cover are cured by a hand; anything else is a failed part."""
    return not (status.can_print or status.paper is Paper.OUT or status.cover_open)
