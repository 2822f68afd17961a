from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from PIL import Image

from edge_agent.core.model import Paper
from edge_agent.devices.printer_simulated import open_printer
from edge_agent.devices.printer_simulated.commands import Command, UnknownCommand, take
from edge_agent.devices.printer_simulated.device import SimulatedDevice
from edge_agent.devices.printer_simulated.script import Fault, FaultScript, load_script
from edge_agent.ports import PrinterError
from tests.devices.printing import QR_TEXT, StandingClock, given_slip, settings, short_slip

EXAMPLES = Path(__file__).parents[2] / "config" / "printer_faults"


@pytest.mark.parametrize("paper_mm", [58, 80])
@pytest.mark.parametrize("qr", ["native", "raster"])
def test_the_picture_is_as_wide_as_the_paper_and_its_qr_code_reads(paper_mm: int, qr: str, tmp_path: Path) -> None:
    clock = StandingClock()
    seen: list[tuple[Path, str]] = []
    printer = open_printer(
        settings(paper_mm=paper_mm, qr=qr, folder=tmp_path), clock, clock.sleep, lambda *slip: seen.append(slip)
    )
    printer.print_slip(given_slip())
    ((picture, text),) = seen
    assert picture == tmp_path / "K7Q4-0012.png"
    assert picture.with_suffix(".txt").read_text(encoding="utf-8") == text == printer.last_text
    with Image.open(picture) as image:
        assert image.width == (paper_mm - (10 if paper_mm == 58 else 8) + 10) * 8
    decoded, *_ = cv2.QRCodeDetector().detectAndDecode(cv2.imread(str(picture)))
    assert decoded == QR_TEXT


def test_printing_takes_the_time_the_paper_takes(tmp_path: Path) -> None:
    clock = StandingClock()
    printer = open_printer(settings(folder=tmp_path), clock, clock.sleep)
    began_s = clock.now_s
    printer.print_slip(given_slip())
    length_mm = printer.device.slips[0].length_mm
    assert clock.now_s - began_s == pytest.approx(length_mm / 60, abs=0.1)


def test_a_torn_slip_is_kept_beside_its_reprint(tmp_path: Path) -> None:
    script = tmp_path / "faults.yaml"
    script.write_text("faults: [{fault: jam, slip: 1, after_mm: 20, clears_after_s: 3}]\n", encoding="utf-8")
    clock = StandingClock()
    printer = open_printer(settings(folder=tmp_path / "out", script=script), clock, clock.sleep)
    with pytest.raises(PrinterError, match="jam"):
        printer.print_slip(given_slip("a/b 1"))
    clock.sleep(3)
    printer.print_slip(given_slip("a/b 1"))
    printer.print_slip(given_slip("a/b 1"))
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [f"a_b_1{end}" for end in ("-2.png", "-2.txt", "-torn.png", "-torn.txt", ".png", ".txt")]


@pytest.mark.parametrize("fault", ["paper_out", "cover_open", "jam"])
def test_a_fault_with_a_cause_is_told_at_once(fault: str, tmp_path: Path) -> None:
    script = tmp_path / "faults.yaml"
    script.write_text(f"faults: [{{fault: {fault}, slip: 1, after_mm: 30}}]\n", encoding="utf-8")
    clock = StandingClock()
    printer = open_printer(settings(folder=tmp_path, script=script, timeout_s=60), clock, clock.sleep)
    began_s = clock.now_s
    with pytest.raises(PrinterError):
        printer.print_slip(given_slip())
    assert clock.now_s - began_s < 2


def test_58_mm_slips_are_torn_off_by_hand(tmp_path: Path) -> None:
    clock = StandingClock()
    printer = open_printer(settings(paper_mm=58, folder=tmp_path), clock, clock.sleep)
    printer.print_slip(short_slip("one"))
    printer.print_slip(short_slip("two"))
    assert [slip.label for slip in printer.device.slips] == ["one", "two"]
    assert not any(slip.torn for slip in printer.device.slips)


def test_faults_between_slips_are_known_before_anybody_stands_there(tmp_path: Path) -> None:
    script = tmp_path / "faults.yaml"
    script.write_text("faults: [{fault: paper_out, after_slip: 1, clears_after_s: 60}]\n", encoding="utf-8")
    clock = StandingClock()
    printer = open_printer(settings(folder=tmp_path, script=script), clock, clock.sleep)
    assert printer.status().paper is Paper.OK
    printer.print_slip(short_slip())
    clock.sleep(1)
    assert printer.status().paper is Paper.OUT
    clock.sleep(61)
    assert printer.status().paper is Paper.OK


def test_an_unwritable_folder_is_a_printer_error(tmp_path: Path) -> None:
    folder = tmp_path / "file"
    folder.write_text("in the way", encoding="utf-8")
    clock = StandingClock()
    printer = open_printer(settings(folder=folder), clock, clock.sleep)
    with pytest.raises(PrinterError, match="can't be kept"):
        printer.print_slip(short_slip())


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_valid(example: Path) -> None:
    assert load_script(example).speed_mm_s > 0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("speed_mm_s: 0", r"speed_mm_s: .*greater than 0 \(got 0\)"),
        ("faults: [{fault: fire, slip: 1}]", r"faults\.0\.fault: .*'fire'"),
        ("faults: [{fault: jam}]", "either `slip: N`"),
        ("papre_mm: 3", "papre_mm: Extra inputs"),
        ("faults: [", "not YAML"),
        ("- a", "script: "),
    ],
)
def test_a_bad_script_names_file_and_field(content: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "faults.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PrinterError, match=f"(?s)faults.yaml: .*{says}"):
        load_script(path)


def test_a_missing_script_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(PrinterError, match=r"No such file.*printer\.script"):
        load_script(tmp_path / "none.yaml")


@pytest.mark.parametrize("stream", [b"\x1bZ1", b"\x1d\x99", b"\x1cp01", b"\x07", b"\x1d(L\x02\x00", b"\x10\x01"])
def test_an_unknown_command_is_named_with_its_place(stream: bytes) -> None:
    with pytest.raises(UnknownCommand, match=f"{stream[:2].hex(' ')}.* at byte 7 of"):
        take(stream, 7)


@pytest.mark.parametrize(
    "stream", [b"\x1b", b"\x1d(k", b"\x1d(k\x03\x001C", b"\x1dv0\x00\x01\x00\x02\x00\xff", b"\x1dVB", b"\x1b!", b""]
)
def test_half_a_command_waits_for_the_rest(stream: bytes) -> None:
    assert take(stream, 0) is None


def test_text_runs_to_the_next_command() -> None:
    assert take(b"Beras 10 kg\nx", 0) == (Command(b"", b"Beras 10 kg"), 11)


def test_the_device_stops_at_an_unknown_command_and_says_which() -> None:
    clock = StandingClock()
    device = SimulatedDevice(clock)
    device.receive(b"\x1b@abc\n\x1bZ1 more\n")
    clock.sleep(1)
    device.receive(b"\x10\x04\x03")
    assert device.problems == ["unknown command 1b 5a 31 20 at byte 6 of the stream"]
    assert device.transmit() == b"\x32"


def test_parameters_out_of_range_are_named_too() -> None:
    device = SimulatedDevice(StandingClock())
    device.receive(b"\x1b@\x1ba\x09")
    assert device.problems == ["command 1b 61 has no parameter 9, at byte 2 of the stream"]


def test_real_time_overtakes_the_buffer_and_queued_waits_its_turn() -> None:
    clock = StandingClock()
    device = SimulatedDevice(clock, script=FaultScript(speed_mm_s=10))
    device.receive(b"\x1b@one\ntwo\n\x1dr\x01\x10\x04\x01")
    assert device.transmit() == b"\x12"
    clock.sleep(2)
    assert device.transmit() == b"\x00"


def test_a_full_buffer_takes_no_more() -> None:
    device = SimulatedDevice(StandingClock(), script=FaultScript(buffer_bytes=64, speed_mm_s=1))
    taken = [device.receive(b"a\n" * 100) for _ in range(3)]
    assert taken == [64, 2, 0]


def test_clearing_forgets_what_waits() -> None:
    clock = StandingClock()
    device = SimulatedDevice(clock, paper_mm=80)
    device.fail(Fault.COVER_OPEN)
    device.receive(b"\x1b@never printed\n\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08")
    device.repair(Fault.COVER_OPEN)
    device.receive(b"\x1b@printed\n\x1dV\x00")
    clock.sleep(10)
    device.transmit()
    assert [slip.text for slip in device.slips] == ["printed\n"]


def test_a_row_too_long_is_wrapped_and_counted() -> None:
    device = SimulatedDevice(StandingClock())
    device.receive(b"x" * 33 + b"\n")
    assert device.wrapped_rows == 1
