"""Readings from a made-up /proc and /sys, and from this very machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.uplink.host_health import HostHealth, parse_throttled


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def silent() -> str | None:
    return None


def test_a_raspberry_pi_tells_everything(tmp_path: Path) -> None:
    write(tmp_path, "proc/uptime", "350735.47 234388.90\n")
    write(tmp_path, "proc/meminfo", "MemTotal:        3885396 kB\nMemFree: 100 kB\nMemAvailable:    2920104 kB\n")
    write(tmp_path, "proc/self/statm", "70000 25000 9000 5 0 40000 0\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "61322\n")
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    read = HostHealth(disk=tmp_path, root=tmp_path, vcgencmd=silent).read()
    assert read.uptime_s == 350735.47
    assert read.temperature_c == 61.3
    assert (read.memory_total_mb, read.memory_available_mb) == (3978.6, 2990.2)
    assert read.process_memory_mb is not None
    assert read.process_memory_mb > 50
    assert read.disk_free_mb is not None
    assert read.throttling is not None
    assert read.throttling.model_dump() == {
        "under_voltage": True,
        "frequency_capped": False,
        "throttled": True,
        "soft_temperature_limit": False,
        "under_voltage_since_boot": True,
        "frequency_capped_since_boot": False,
        "throttled_since_boot": True,
        "soft_temperature_limit_since_boot": False,
    }


def test_vcgencmd_is_asked_where_the_kernel_has_no_file(tmp_path: Path) -> None:
    read = HostHealth(disk=tmp_path, root=tmp_path, vcgencmd=lambda: "throttled=0x20002\n").read()
    assert read.throttling is not None
    assert read.throttling.frequency_capped
    assert read.throttling.frequency_capped_since_boot
    assert not read.throttling.under_voltage


def test_the_cpu_of_a_jetson_is_found_among_its_zones_and_a_dead_sensor_does_not_hurt(tmp_path: Path) -> None:
    for number, (kind, temperature) in enumerate([("GPU-therm", "70000"), ("CPU-therm", "48500"), ("PMIC", "no")]):
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/type", kind)
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", temperature)
    assert HostHealth(disk=tmp_path, root=tmp_path, vcgencmd=silent).read().temperature_c == 48.5


def test_without_a_known_cpu_zone_the_hottest_counts(tmp_path: Path) -> None:
    for number, temperature in enumerate(["41000", "52000"]):
        write(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", temperature)
    assert HostHealth(disk=tmp_path, root=tmp_path, vcgencmd=silent).read().temperature_c == 52.0


def test_a_machine_that_tells_nothing_gives_nulls_and_no_made_up_values(tmp_path: Path) -> None:
    read = HostHealth(disk=tmp_path / "missing", root=tmp_path / "missing", vcgencmd=silent).read()
    assert set(read.model_dump().values()) == {None}


@pytest.mark.parametrize("said", ["", "error=1", "throttled=", "throttled=0xZZ"])
def test_nonsense_from_the_firmware_is_no_reading(said: str) -> None:
    assert parse_throttled(said) is None


def test_this_machine_has_an_uptime_memory_and_a_disk() -> None:
    read = HostHealth(disk=Path("/")).read()
    assert read.uptime_s is not None
    assert read.memory_available_mb is not None
    assert read.memory_total_mb is not None
    assert 0 < read.memory_available_mb <= read.memory_total_mb
    assert read.disk_free_mb is not None
