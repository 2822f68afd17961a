"""Slips, a clock and benches for the printer tests: one device, reached in four ways."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_agent.core.slip import Line, QrCode, Slip, Style
from edge_agent.devices import printer_escpos, printer_simulated
from edge_agent.devices.printer_simulated.device import SimulatedDevice
from edge_agent.devices.printer_simulated.script import FaultScript
from edge_agent.devices.printer_simulated.serve import serve_on_pty, serve_on_tcp
from edge_agent.ports import Printer
from edge_agent.settings import PrinterSettings

QR_TEXT = "AID1:K7Q4-0012:9f86d081884c7d659a2feaa0c55ad015"


@dataclass
class StandingClock:
    """Monotonic seconds that pass only by sleeping."""

    now_s: float = 100.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


def given_slip(slip_id: str = "K7Q4-0012") -> Slip:
    return Slip(
        slip_id,
        "id",
        (
            Line("BANTUAN DISERAHKAN", Style.TITLE, centred=True),
            Line("Balai Desa Karang Tengah, Kecamatan Ngluwar, Kabupaten Magelang", centred=True),
            Line("", Style.RULE),
            Line("Program", right="Program Keluarga Harapan"),
            Line("Diterima", Style.STRONG, right="Rp\u00a0300.000"),
            Line("Sisa hak setelah penyerahan ini: tidak ada. Berikutnya \u2013 Januari 2027\u2026"),
            Line("", Style.RULE),
            Line("Nomor klaim", right=slip_id),
            Line("Keberatan? Hubungi 0800-1-234567 atau kantor desa. Simpan struk ini.", Style.SMALL),
            QrCode(QR_TEXT),
            Line("Terima kasih", centred=True),
        ),
    )


def short_slip(slip_id: str = "short") -> Slip:
    return Slip(slip_id, "id", tuple(Line(f"baris {n}") for n in range(10)))


def settings(driver: str = "simulated", **changes: Any) -> PrinterSettings:
    return PrinterSettings.model_validate(
        {"driver": driver, "paper_mm": 80, "timeout_s": 1.0, "folder": "/nowhere", "host": "localhost", **changes}
    )


@dataclass
class Bench:
    """A printer (the driver under test) and the device at the other end of its cable."""

    printer: Printer
    device: SimulatedDevice


@contextlib.contextmanager
def bench(way: str, folder: Path, script: FaultScript | None = None, **changes: Any) -> Iterator[Bench]:
    """way: simulated, serial, file or network. Time is real except for `simulated`."""
    script = script or FaultScript(speed_mm_s=400)
    if way == "simulated":
        clock = StandingClock()
        device = SimulatedDevice(clock, paper_mm=80, script=script, folder=folder)
        wanted = settings(folder=folder, **changes)
        yield Bench(printer_simulated.SimulatedPrinter(device, wanted, clock, clock.sleep), device)
        return
    device = SimulatedDevice(time.monotonic, paper_mm=80, script=script, folder=folder)
    with contextlib.ExitStack() as stack:
        if way == "network":
            port = stack.enter_context(serve_on_tcp(device))
            wanted = settings("network", host="127.0.0.1", port=port, **changes)
        else:
            link = stack.enter_context(serve_on_pty(device, folder / "ttyPrinter"))
            wanted = settings(way, device=str(link), **changes)
        printer = printer_escpos.open_printer(wanted)
        stack.callback(printer.close)
        yield Bench(printer, device)
