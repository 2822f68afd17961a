"""check-config and doctor as a technician runs them."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.field import doctor as doctors
from edge_agent.field import part_checks
from edge_agent.field.commands import check_config, doctor
from edge_agent.field.doctor import Parts
from edge_agent.ports import StoreError
from edge_agent.settings import LoadedSettings
from tests.field.test_host_checks import Host
from tests.field.test_part_checks import FACTS, READY, StubCamera, StubPrinter
from tests.test_settings import GOOD


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "terminal.yaml"
    path.write_text(GOOD)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "terminal.sqlite").touch()
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.yaml"
    path.write_text(GOOD.replace("t-0001", "3204").replace("v4l2", "v4l"))
    return path


def test_check_config_summarises_a_good_file(good: Path) -> None:
    out = io.StringIO()
    assert check_config(good, False, out) == 0
    text = out.getvalue()
    assert text.startswith(f"{good}: good (hash ")
    assert "t-0001 at Balai Desa Contoh" in text
    assert "mind: uplink to broker.example without TLS" in text


def test_check_config_tells_every_problem(bad: Path) -> None:
    out = io.StringIO()
    assert check_config(bad, False, out) == 2
    assert [line.split(": ")[0:2] for line in out.getvalue().splitlines()[:2]] == [
        [f"{bad}:2", "terminal.id"],
        [f"{bad}:7", "camera.driver"],
    ]
    assert "2 problems" in out.getvalue()


def test_check_config_for_machines(good: Path, bad: Path) -> None:
    out = io.StringIO()
    assert check_config(good, True, out) == 0
    data = json.loads(out.getvalue())
    assert (data["ok"], data["settings"]["terminal"]["id"], len(data["sha256"])) == (True, "t-0001", 64)
    out = io.StringIO()
    assert check_config(bad, True, out) == 2
    data = json.loads(out.getvalue())
    assert [(problem["line"], problem["field"], problem["value"]) for problem in data["problems"]] == [
        (2, "terminal.id", "3204"),
        (7, "camera.driver", "v4l"),
    ]


def healthy(_: LoadedSettings) -> Parts:
    return Parts(
        verify_models=lambda: ["embedder", "landmarker"],
        load_vision=lambda: None,
        load_keys=lambda: None,
        inspect_store=lambda: FACTS,
        make_camera=StubCamera,
        make_printer=lambda: StubPrinter(READY),
        make_leds=SimulatedLeds,
        test_token_reader=lambda: None,
        ask_broker=lambda: "accepted",
        read_host=Host,
    )


@pytest.fixture(autouse=True)
def quick_leds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pattern is watched by people; here it may pass quickly."""
    monkeypatch.setattr(part_checks, "_EACH_SIGNAL_S", 0.01)


def states(out: io.StringIO) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(out.getvalue())["checks"]}


def test_doctor_examines_every_part_of_a_healthy_terminal(good: Path) -> None:
    out = io.StringIO()
    assert doctor(good, healthy, True, out) == 0
    assert list(states(out)) == [
        "packages",
        "service",
        "clock",
        "settings",
        "disk",
        "heat and power",
        "models",
        "vision",
        "keys",
        "database",
        "camera",
        "printer",
        "LEDs",
        "broker",
    ]
    assert "fail" not in states(out).values()


def test_doctor_goes_on_past_a_broken_part(good: Path) -> None:
    def damaged(loaded: LoadedSettings) -> Parts:
        def inspect() -> part_checks.StoreFacts:
            raise StoreError("terminal.sqlite: damaged; restore the last backup")

        parts = healthy(loaded)
        return Parts(**{**vars(parts), "inspect_store": inspect})

    out = io.StringIO()
    assert doctor(good, damaged, True, out) == 1
    assert {name for name, state in states(out).items() if state == "fail"} == {"database"}
    assert states(out)["broker"] == "ok"


def test_doctor_tells_broken_settings_and_still_examines_the_machine(bad: Path) -> None:
    def never(_: LoadedSettings) -> Parts:
        raise AssertionError("there are no settings to make parts from")

    out = io.StringIO()
    assert doctor(bad, never, False, out) == 1
    assert f"{bad}:7: camera.driver: v4l" in out.getvalue()
    assert "packages" in out.getvalue()


def test_doctor_leaves_the_devices_of_a_running_service_alone(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    running = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "NRestarts": "0"}
    monkeypatch.setattr(doctors.host_checks, "service_properties", lambda: running)

    def untouchable(loaded: LoadedSettings) -> Parts:
        def touched() -> StubCamera:
            raise AssertionError("the service uses it")

        return Parts(**{**vars(healthy(loaded)), "make_camera": touched, "make_printer": touched, "make_leds": touched})

    out = io.StringIO()
    assert doctor(good, untouchable, True, out) == 0
    assert [states(out)[name] for name in ("database", "camera", "printer", "LEDs")] == ["warn"] * 4
    assert "systemctl stop edge-agent" in out.getvalue()
