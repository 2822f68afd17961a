"""What each part says becomes a finding, and every part that a check made is closed again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from edge_agent.core.model import Paper, PrinterStatus, Signal
from edge_agent.core.slip import Slip
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.field import part_checks
from edge_agent.field.examination import Check, State, examine
from edge_agent.field.part_checks import StoreFacts
from edge_agent.ports import CameraError, Frame, UplinkError
from edge_agent.settings import load
from tests.test_settings import GOOD

NOW = datetime(2026, 6, 1, 8, 0, tzinfo=timezone.utc)


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@dataclass
class StubCamera:
    brightness: int | None = 128
    clock: Clock = field(default_factory=Clock)
    name: str = "stub camera"
    opened: int = 0
    closed: int = 0

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout_s: float) -> Frame | None:
        self.clock.now_s += timeout_s
        if self.brightness is None:
            return None
        return Frame(np.full((480, 640, 3), self.brightness, np.uint8), self.clock.now_s, 0)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize(
    ("brightness", "state", "words"),
    [
        (128, State.OK, "640x480"),
        (3, State.WARN, "all black"),
        (None, State.FAIL, "no frame within 8 s"),
    ],
)
def test_camera(brightness: int | None, state: State, words: str) -> None:
    camera = StubCamera(brightness)
    finding = part_checks.camera(lambda: camera, camera.clock)
    assert (finding.state, words in finding.seen) == (state, True)
    assert (camera.opened, camera.closed) == (1, 1)


def test_a_camera_that_breaks_is_closed_and_told() -> None:
    class Broken(StubCamera):
        def read(self, timeout_s: float) -> Frame | None:
            raise CameraError("stub camera: stopped; plug it in again")

    camera = Broken()
    (result,) = examine([Check("camera", lambda: part_checks.camera(lambda: camera, camera.clock))])
    assert (result.finding.seen, result.finding.remedy) == ("stub camera: stopped", "plug it in again")
    assert camera.closed == 1


@dataclass
class StubPrinter:
    answer: PrinterStatus
    name: str = "stub printer"
    printed: int = 0
    closed: int = 0

    def status(self) -> PrinterStatus:
        return self.answer

    def print_slip(self, slip: Slip) -> None:
        self.printed += 1

    def close(self) -> None:
        self.closed += 1


READY = PrinterStatus(online=True)


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        (READY, State.OK, "ready"),
        (PrinterStatus(online=False, detail="no such port"), State.FAIL, "no such port"),
        (PrinterStatus(online=False), State.FAIL, "does not answer"),
        (replace(READY, cover_open=True, paper=Paper.OUT), State.FAIL, "cover is open"),
        (replace(READY, paper=Paper.OUT), State.FAIL, "no paper"),
        (replace(READY, error=True, detail="cutter jam"), State.FAIL, "cutter jam"),
        (replace(READY, paper=Paper.NEAR_END), State.WARN, "near its end"),
    ],
)
def test_printer(status: PrinterStatus, state: State, words: str) -> None:
    printer = StubPrinter(status)
    finding = part_checks.printer(lambda: printer)
    assert (finding.state, words in finding.seen) == (state, True)
    assert bool(finding.remedy) is (state is not State.OK)
    assert (printer.printed, printer.closed) == (0, 1)


def test_the_led_test_lights_every_led() -> None:
    clock, panel = Clock(), SimulatedLeds()
    finding = part_checks.leds(lambda: panel, clock, clock.sleep)
    assert finding.state is State.OK, finding.seen
    assert not panel.lit(), "off again at the end"


def test_an_led_that_is_never_lit_is_named() -> None:
    class Partial(SimulatedLeds):
        def lit(self) -> frozenset[str]:
            return super().lit() - {"yellow"}

    clock = Clock()
    finding = part_checks.leds(Partial, clock, clock.sleep)
    assert finding.state is State.FAIL
    assert "yellow" in finding.seen


def test_the_led_test_shows_no_signal_twice() -> None:
    assert len(set(part_checks.LED_TEST)) == len(part_checks.LED_TEST)
    assert Signal.READY not in part_checks.LED_TEST, "nobody must think that they are invited"


FACTS = StoreFacts(subjects=500, roster_version=7, issued_at=NOW - timedelta(days=3), size_mb=2.5, waiting=12)


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        (FACTS, State.OK, "2.5 MB, 12 records waiting for the centre; roster 7 of 2026-05-29, 500 subjects"),
        (replace(FACTS, issued_at=NOW - timedelta(days=46)), State.WARN, "old"),
        (replace(FACTS, issued_at=None), State.WARN, "no roster"),
    ],
)
def test_database(tmp_path: Path, facts: StoreFacts, state: State, words: str) -> None:
    (tmp_path / "terminal.sqlite").touch()
    finding = part_checks.database(tmp_path / "terminal.sqlite", lambda: facts, NOW)
    assert (finding.state, words in finding.seen) == (state, True)


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    def inspect() -> StoreFacts:
        raise AssertionError("must not be opened")

    assert part_checks.database(tmp_path / "terminal.sqlite", inspect, NOW).state is State.WARN


def test_vision_that_lacks_a_system_library_is_told() -> None:
    def load_vision() -> object:
        raise OSError("libEGL.so.1: cannot open shared object file")

    finding = part_checks.vision(load_vision)
    assert finding.state is State.FAIL
    assert "libEGL.so.1" in finding.seen
    assert "scripts/setup" in finding.remedy


def test_a_broker_that_is_away_is_no_failure_since_aid_goes_on(tmp_path: Path) -> None:
    (tmp_path / "terminal.yaml").write_text(GOOD)
    settings = load(tmp_path / "terminal.yaml").settings

    def refuses() -> str:
        raise UplinkError("broker.example:8883 refused the connection; check uplink.port")

    finding = part_checks.broker(settings, refuses)
    assert (finding.state, finding.remedy) == (State.WARN, "check uplink.port")
    assert part_checks.broker(settings, lambda: "accepted").seen == "broker.example:8883: accepted"


def test_settings_unfit_for_serving_are_pointed_out(tmp_path: Path) -> None:
    path = tmp_path / "terminal.yaml"
    path.write_text(GOOD + "pad: {mode: recorded}\n")
    finding = part_checks.configuration(load(path))
    assert finding.state is State.WARN
    assert "a photograph could pass" in finding.seen
    assert "without TLS" in finding.seen
    path.write_text(GOOD + "  tls: {ca: ca.pem}\n")
    assert part_checks.configuration(load(path)).state is State.OK
