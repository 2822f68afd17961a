"""What the machine says becomes a finding with a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest

from edge_agent.field import host_checks
from edge_agent.field.examination import State


@dataclass
class Throttling:
    under_voltage: bool = False
    throttled: bool = False
    under_voltage_since_boot: bool = False


@dataclass
class Host:
    temperature_c: float | None = 50.0
    throttling: Throttling | None = None


def test_every_package_that_setup_cfg_asks_for_is_here() -> None:
    finding = host_checks.packages()
    assert finding.state is State.OK, finding.seen


def test_missing_and_old_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=999", "no-such-package-at-all>=1", "pydantic>=1", 'absent-extra>=1; extra == "dev"']
    monkeypatch.setattr(metadata, "requires", lambda name: wanted)
    finding = host_checks.packages()
    assert finding.state is State.FAIL
    assert "numpy is " in finding.seen
    assert "wanted >=999" in finding.seen
    assert "no-such-package-at-all is missing" in finding.seen
    assert "pydantic" not in finding.seen
    assert "extra" not in finding.seen
    assert "scripts/setup" in finding.remedy


def test_an_installation_that_is_gone_is_told() -> None:
    assert host_checks.packages("no-such-distribution").state is State.FAIL


ENABLED = {"LoadState": "loaded", "ActiveState": "active", "UnitFileState": "enabled", "NRestarts": "2"}


@pytest.mark.parametrize(
    ("properties", "state", "words"),
    [
        (None, State.WARN, "no systemd here"),
        ({"LoadState": "not-found", "ActiveState": "inactive"}, State.WARN, "not installed"),
        ({**ENABLED, "ActiveState": "failed"}, State.FAIL, "has failed"),
        ({**ENABLED, "UnitFileState": "disabled"}, State.WARN, "won't start after a power cut"),
        ({**ENABLED, "StatusText": "idle"}, State.OK, "active, enabled, 2 restarts: idle"),
    ],
)
def test_service(properties: dict[str, str] | None, state: State, words: str) -> None:
    finding = host_checks.service(properties)
    assert (finding.state, words in finding.seen) == (state, True)
    assert bool(finding.remedy) is (state is not State.OK)


def test_systemctl_is_understood_and_its_absence_too() -> None:
    asked: list[tuple[str, ...]] = []

    def ask(*arguments: str) -> str:
        asked.append(arguments)
        return "LoadState=loaded\nStatusText=READY=1 a=b\n\n"

    assert host_checks.service_properties(ask) == {"LoadState": "loaded", "StatusText": "READY=1 a=b"}
    assert asked[0][:2] == ("show", "edge-agent.service")
    assert host_checks.service_properties(lambda *_: None) is None


def test_clock() -> None:
    assert host_checks.clock(True).state is State.OK
    assert host_checks.clock(False).state is State.WARN
    assert "timedatectl" in host_checks.clock(False).remedy


@pytest.mark.parametrize(("least_mb", "state"), [(1e9, State.FAIL), (1e-6, State.OK)])
def test_disk_is_measured_where_the_database_will_lie(tmp_path: Path, least_mb: float, state: State) -> None:
    finding = host_checks.disk(tmp_path / "not" / "yet" / "terminal.sqlite", least_mb)
    assert finding.state is state
    assert str(tmp_path) in finding.seen


def test_little_disk_is_worth_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_checks.shutil, "disk_usage", lambda folder: type("Usage", (), {"free": 150_000_000}))
    assert host_checks.disk(tmp_path / "x", 50.0).state is State.WARN
    assert host_checks.disk(tmp_path / "x", 20.0).state is State.OK


@pytest.mark.parametrize(
    ("host", "state", "words"),
    [
        (Host(), State.OK, "50 °C"),
        (Host(temperature_c=None), State.OK, "no sensor"),
        (Host(temperature_c=75.0), State.WARN, "75 °C"),
        (Host(throttling=Throttling(under_voltage=True)), State.FAIL, "too low now"),
        (Host(throttling=Throttling(throttled=True)), State.WARN, "slowed down"),
        (Host(throttling=Throttling(under_voltage_since_boot=True)), State.WARN, "since the last boot"),
    ],
)
def test_heat_and_power(host: Host, state: State, words: str) -> None:
    finding = host_checks.heat_and_power(host)
    assert (finding.state, words in finding.seen) == (state, True)
