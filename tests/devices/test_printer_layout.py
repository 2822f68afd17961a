from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from edge_agent.core.slip import Line, QrCode, Slip, Style
from edge_agent.devices.printer_escpos import layout_for
from edge_agent.devices.printer_simulated import open_printer
from edge_agent.ports import PrinterError
from tests.devices.printing import StandingClock, given_slip, settings


def job_bytes(slip: Slip, **changes: object) -> bytes:
    return b"".join(layout_for(settings(**changes)).lay_out(slip).chunks)


def one(line: Line) -> Slip:
    return Slip("one", "id", (line,))


def text_of(slip: Slip, folder: Path, **changes: object) -> str:
    clock = StandingClock()
    printer = open_printer(settings(folder=folder, **changes), clock, clock.sleep)
    printer.print_slip(slip)
    assert printer.device.wrapped_rows == 0
    return printer.last_text


def test_a_slip_begins_with_initialise_western_text_and_the_code_page() -> None:
    assert job_bytes(given_slip()).startswith(b"\x1b@\x1c.\x1bt\x00")
    assert job_bytes(given_slip(), code_page="cp858").startswith(b"\x1b@\x1c.\x1bt\x13")


def test_80_mm_is_cut_and_58_mm_is_fed_to_the_tear_bar() -> None:
    assert job_bytes(given_slip()).endswith(b"\x1dVB\x00")
    assert job_bytes(given_slip(), paper_mm=58, tear_feed_mm=15).endswith(b"\x1bd\x04")
    assert job_bytes(given_slip(), paper_mm=58, cutter=True).endswith(b"\x1dVB\x00")


def test_text_is_sent_in_the_code_page() -> None:
    assert b"D\x82sa" in job_bytes(one(Line("Désa")))
    assert b"D\xe9sa" in job_bytes(one(Line("Désa")), code_page="CP1252")


@pytest.mark.parametrize(("paper_mm", "columns"), [(58, 32), (80, 48)])
def test_rows_fill_the_paper_and_never_overflow(paper_mm: int, columns: int, tmp_path: Path) -> None:
    text = text_of(given_slip(), tmp_path, paper_mm=paper_mm)
    assert "-" * columns in text.splitlines()
    assert f"Diterima{'Rp 300.000':>{columns - 8}}" in text.splitlines()


def test_a_title_is_wide_only_where_it_fits(tmp_path: Path) -> None:
    title = one(Line("BANTUAN DISERAHKAN", Style.TITLE, centred=True))
    assert b"\x1b!0" in job_bytes(title, paper_mm=80)
    narrow = job_bytes(title, paper_mm=58)
    assert b"\x1b!0" not in narrow
    assert b"\x1b!\x10" in narrow


def test_a_wide_title_leaves_room_for_its_right_text(tmp_path: Path) -> None:
    slip = one(Line("SALINAN", Style.TITLE, right="K7Q4"))
    assert text_of(slip, tmp_path).startswith(f"SALINAN{'K7Q4':>17}\n")


@pytest.mark.parametrize(("length", "module_dots"), [(10, 8), (100, 5), (500, 3)])
def test_a_qr_code_is_as_large_as_thirty_millimetres_allow(length: int, module_dots: int) -> None:
    sent = job_bytes(Slip("qr", "id", (QrCode("x" * length),)))
    assert b"\x1d(k\x03\x001C" + bytes((module_dots,)) in sent


def test_a_printer_command_in_a_text_is_only_text(tmp_path: Path) -> None:
    evil = "Balai\x1b@\x10\x04\x01\x1dV\x00 Desa"
    sent = job_bytes(one(Line(evil)))
    assert sent.count(b"\x1b@") == 1
    assert b"\x10\x04" not in sent
    assert "Balai@V Desa" in text_of(one(Line(evil)), tmp_path)


def test_a_qr_code_too_long_for_the_paper_is_refused() -> None:
    slip = Slip("long", "id", (QrCode("x" * 2300),))
    with pytest.raises(PrinterError, match="2300 bytes does not fit on 58 mm"):
        job_bytes(slip, paper_mm=58)
    with pytest.raises(PrinterError, match="does not fit"):
        job_bytes(Slip("long", "id", (QrCode("x" * 5000),)))


def test_unknown_code_page_and_profile_name_what_there_is() -> None:
    with pytest.raises(PrinterError, match=r"printer\.code_page.*'CP999'.*CP437"):
        layout_for(settings(code_page="CP999"))
    with pytest.raises(PrinterError, match=r"printer\.profile.*'XY'.*TM-T88V"):
        layout_for(settings(profile="XY"))


def test_raster_qr_needs_no_symbol_command() -> None:
    sent = job_bytes(given_slip(), qr="raster")
    assert b"\x1d(k" not in sent
    assert b"\x1dv0" in sent


def test_laying_out_prints_nothing_and_leaves_logging_alone() -> None:
    """python-escpos calls logging.basicConfig when imported and prints remarks about unknown widths."""
    code = (
        "import logging; from tests.devices.printing import settings, given_slip\n"
        "from edge_agent.devices.printer_escpos import layout_for\n"
        "layout_for(settings(qr='raster')).lay_out(given_slip())\n"
        "assert logging.getLogger().handlers == [], logging.getLogger().handlers\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert logging.getLogger("escpos") is not None
