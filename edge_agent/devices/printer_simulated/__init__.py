"""A printer that ships as a driver: the real driver's very bytes, interpreted into pictures and text, with faults.

Rules: nothing between driver and device is short-cut: layout, status parsing and confirmation are the real driver's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from edge_agent.core.slip import Slip
from edge_agent.devices.printer_escpos import EscposPrinter, layout_for
from edge_agent.devices.printer_simulated.device import SimulatedDevice
from edge_agent.devices.printer_simulated.link import DirectLink
from edge_agent.devices.printer_simulated.script import FaultScript, load_script
from edge_agent.devices.printer_simulated.slips import OnSlip
from edge_agent.ports import PrinterError
from edge_agent.settings import PrinterSettings


class SimulatedPrinter(EscposPrinter):
    """The real driver wired to a simulated device. last_text: the last slip as text, whole or torn."""

    def __init__(
        self,
        device: SimulatedDevice,
        settings: PrinterSettings,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        def connect() -> DirectLink:
            return DirectLink(device, settings.timeout_s, clock, sleep)

        super().__init__(connect, layout_for(settings), settings, "simulated", clock)
        self.device = device

    @property
    def last_text(self) -> str:
        """The last slip as rows of text; empty before the first."""
        return self.device.slips[-1].text if self.device.slips else ""

    def print_slip(self, slip: Slip) -> None:
        """See ports.Printer; the slip's files are named by slip_id. A full disk is a PrinterError like any other."""
        self.device.label = slip.slip_id
        try:
            self._print_and_tear_off(slip)
        except OSError as error:
            raise PrinterError(f"simulated printer: slip {slip.slip_id} can't be kept: {error}") from error
        finally:
            self.device.label = ""

    def _print_and_tear_off(self, slip: Slip) -> None:
        try:
            super().print_slip(slip)
        except PrinterError as error:
            self.device.tear_off(whole=False)
            if self.device.problems:
                raise PrinterError(f"{error}; {'; '.join(self.device.problems)}") from error
            raise
        self.device.tear_off()


def open_printer(
    settings: PrinterSettings,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    on_slip: OnSlip | None = None,
) -> SimulatedPrinter:
    """The simulated printer the settings describe. Raises PrinterError on a bad script or layout setting."""
    script = load_script(settings.script) if settings.script else FaultScript()
    device = SimulatedDevice(
        clock,
        paper_mm=settings.paper_mm,
        script=script,
        folder=settings.folder,
        on_slip=on_slip,
        cutter=settings.cutter,
    )
    return SimulatedPrinter(device, settings, clock, sleep)
