"""What every printer driver promises, tried with one device reached in four ways: in memory, on a serial port, as a raw
device file (both on a pseudo-terminal) and over TCP."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edge_agent.core.model import Paper
from edge_agent.devices.printer_escpos import layout_for
from edge_agent.devices.printer_simulated.script import Fault, FaultScript
from edge_agent.ports import PrinterError
from tests.devices.printing import QR_TEXT, Bench, bench, given_slip, settings, short_slip

OpenBench = Callable[..., AbstractContextManager[Bench]]


@pytest.fixture(params=["simulated", "serial", "file", "network"])
def open_bench(request: pytest.FixtureRequest, tmp_path: Path) -> OpenBench:
    return partial(bench, request.param, tmp_path)


def script(**changes: Any) -> FaultScript:
    return FaultScript.model_validate({"speed_mm_s": 400, **changes})


def during_slip(fault: Fault, **changes: Any) -> FaultScript:
    return script(faults=[{"fault": fault, "slip": 1, "after_mm": 30, **changes}])


def test_a_slip_comes_out_whole_and_byte_for_byte(open_bench: OpenBench) -> None:
    with open_bench() as at:
        at.printer.print_slip(given_slip())
        (slip,) = at.device.slips
        expected = b"".join(layout_for(settings()).lay_out(given_slip()).chunks)
        assert expected in bytes(at.device.received)
        assert not slip.torn
        assert "Diterima                              Rp 300.000" in slip.text
        assert QR_TEXT in slip.text
        assert at.device.problems == []
        assert at.device.wrapped_rows == 0


def test_two_slips_stay_apart(open_bench: OpenBench) -> None:
    with open_bench() as at:
        at.printer.print_slip(short_slip("one"))
        at.printer.print_slip(given_slip("two"))
        first, second = at.device.slips
        assert "baris 9" in first.text
        assert "baris" not in second.text


def test_a_well_printer_says_so(open_bench: OpenBench) -> None:
    with open_bench() as at:
        status = at.printer.status()
        assert status.can_print
        assert status.paper is Paper.OK
        assert not status.cover_open
        assert not status.error


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        (Fault.PAPER_OUT, "new roll"),
        (Fault.COVER_OPEN, "close it"),
        (Fault.JAM, "clear the paper"),
        (Fault.OFFLINE, "offline"),
    ],
)
def test_no_byte_is_sent_to_a_printer_that_cannot_print(open_bench: OpenBench, fault: Fault, remedy: str) -> None:
    with open_bench() as at:
        at.device.fail(fault)
        status = at.printer.status()
        assert not status.can_print
        assert remedy in status.detail
        assert (status.paper is Paper.OUT) == (fault is Fault.PAPER_OUT)
        assert status.cover_open == (fault is Fault.COVER_OPEN)
        assert status.error == (fault is Fault.JAM)
        with pytest.raises(PrinterError, match=remedy):
            at.printer.print_slip(given_slip())
        assert b"\x1b@" not in at.device.received
        at.device.repair(fault)
        at.printer.print_slip(given_slip())
        assert [slip.torn for slip in at.device.slips] == [False]


@pytest.mark.parametrize("fault", [Fault.PAPER_OUT, Fault.COVER_OPEN, Fault.JAM, Fault.UNPLUGGED])
def test_a_fault_mid_slip_is_an_error_and_nothing_of_it_comes_out_later(open_bench: OpenBench, fault: Fault) -> None:
    with open_bench(during_slip(fault)) as at:
        with pytest.raises(PrinterError, match="did not come out whole"):
            at.printer.print_slip(given_slip("first"))
        status = at.printer.status()
        assert not status.can_print
        assert (status.paper is Paper.OUT) == (fault is Fault.PAPER_OUT)
        at.device.repair(fault)
        assert eventually(lambda: at.printer.status().can_print, expected=True)
        at.printer.print_slip(short_slip("second"))
        torn, whole = at.device.slips
        assert (torn.torn, whole.torn) == (True, False)
        assert "Terima kasih" not in torn.text + whole.text
        assert whole.text.count("baris") == 10
        assert at.device.problems == []


def test_offline_mid_slip_for_good_is_an_error(open_bench: OpenBench) -> None:
    with open_bench(during_slip(Fault.OFFLINE)) as at:
        with pytest.raises(PrinterError, match="offline"):
            at.printer.print_slip(given_slip())
        assert not at.printer.status().online


def test_offline_for_a_moment_is_waited_out(open_bench: OpenBench) -> None:
    with open_bench(during_slip(Fault.OFFLINE, clears_after_s=0.4)) as at:
        at.printer.print_slip(given_slip())
        assert [slip.torn for slip in at.device.slips] == [False]


def test_unplugged_is_offline_and_comes_back_by_itself(open_bench: OpenBench) -> None:
    with open_bench() as at:
        at.printer.print_slip(short_slip())
        at.device.fail(Fault.UNPLUGGED)
        assert eventually(lambda: not at.printer.status().online, expected=True)
        with pytest.raises(PrinterError, match=r"check|unplugged"):
            at.printer.print_slip(short_slip())
        at.device.repair(Fault.UNPLUGGED)
        assert eventually(lambda: at.printer.status().online, expected=True)
        at.printer.print_slip(short_slip("again"))
        assert len(at.device.slips) == 2


def test_replugged_while_nobody_looked_is_not_noticed_by_the_next_slip(open_bench: OpenBench) -> None:
    with open_bench() as at:
        at.printer.print_slip(short_slip("before"))
        at.device.fail(Fault.UNPLUGGED)
        time.sleep(0.1)
        at.device.repair(Fault.UNPLUGGED)
        time.sleep(0.1)
        at.printer.print_slip(short_slip("after"))
        assert [slip.torn for slip in at.device.slips] == [False, False]


def test_closing_twice_is_safe_and_the_next_call_opens_again(open_bench: OpenBench) -> None:
    with open_bench() as at:
        at.printer.close()
        assert at.printer.status().online
        at.printer.close()
        at.printer.close()
        at.printer.print_slip(short_slip())
        assert len(at.device.slips) == 1


def test_a_roll_near_its_end_still_prints(open_bench: OpenBench) -> None:
    with open_bench(script(roll_mm=400, near_end_mm=500)) as at:
        assert at.printer.status().paper is Paper.NEAR_END
        at.printer.print_slip(given_slip())
        assert [slip.torn for slip in at.device.slips] == [False]


def test_a_roll_that_ends_mid_slip_is_known(open_bench: OpenBench) -> None:
    with open_bench(script(roll_mm=50)) as at:
        with pytest.raises(PrinterError, match="new roll"):
            at.printer.print_slip(given_slip())
        assert at.printer.status().paper is Paper.OUT


def test_a_slow_printer_is_waited_for(open_bench: OpenBench) -> None:
    """50 mm at 25 mm/s: twice the timeout of one answer."""
    with open_bench(script(speed_mm_s=25)) as at:
        at.printer.print_slip(short_slip())
        assert [slip.torn for slip in at.device.slips] == [False]


def test_noise_on_the_line_is_not_taken_for_an_answer(open_bench: OpenBench) -> None:
    with open_bench() as at:
        at.device.noise = b"\xff\x93A\x80"
        assert at.printer.status().can_print
        at.printer.print_slip(given_slip())
        at.device.fail(Fault.PAPER_OUT)
        assert at.printer.status().paper is Paper.OUT


def test_a_printer_without_queued_status_is_given_time_and_then_believed(open_bench: OpenBench) -> None:
    with open_bench(script(answers_queued=False)) as at:
        at.printer.print_slip(short_slip())
        assert [slip.torn for slip in at.device.slips] == [False]


def test_a_small_buffer_that_stays_full_is_an_error(open_bench: OpenBench) -> None:
    with open_bench(during_slip(Fault.JAM).model_copy(update={"buffer_bytes": 64})) as at:
        with pytest.raises(PrinterError, match="did not come out whole"):
            at.printer.print_slip(given_slip())
        at.device.repair(Fault.JAM)
        at.printer.print_slip(short_slip("next"))
        assert "Diterima" not in at.device.slips[-1].text
        assert "baris 9" in at.device.slips[-1].text
        assert not at.device.slips[-1].torn


def test_without_status_a_slip_is_sent_and_believed(open_bench: OpenBench) -> None:
    with open_bench(status=False) as at:
        assert at.printer.status().online
        at.printer.print_slip(short_slip())
        assert b"\x10\x04" not in at.device.received
        assert eventually(lambda: len(at.device.slips) == 1, expected=True)


def eventually(ask: Callable[[], bool], expected: bool) -> bool:
    """The answer as soon as it is the expected one: a served device takes a moment to notice its cable."""
    until_s = time.monotonic() + 5
    while ask() != expected and time.monotonic() < until_s:
        time.sleep(0.02)
    return ask()
