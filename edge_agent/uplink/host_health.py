"""Reads the machine: uptime, heat, throttling, disk and memory, from /proc, /sys and the Pi's firmware.

Rules: a reading this machine doesn't have, or that can't be read or made sense of, is None; nothing is estimated and
nothing raises. Values are rounded to a tenth: what ops can act on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from edge_agent.uplink.wire import HostReadings, Throttling

_MB = 1_000_000
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_FIRMWARE_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_VCGENCMD_TIMEOUT_S = 2.0
_CPU_ZONES = ("cpu-thermal", "cpu-therm", "x86_pkg_temp")
"""Thermal zone types of the Pi, the Jetson (any case) and a PC; without one of them the hottest zone counts."""


class HostHealth:
    """Reads one machine. root: where /proc and /sys lie (a folder in tests). disk: any path on the disk that
    matters."""

    def __init__(
        self,
        disk: Path,
        root: Path = Path("/"),
        vcgencmd: Callable[[], str | None] | None = None,
    ) -> None:
        self._disk = disk
        self._root = root
        self._vcgencmd = vcgencmd or _ask_vcgencmd

    def read(self) -> HostReadings:
        """Everything, now. Takes milliseconds; up to 2 s where vcgencmd hangs."""
        memory = self._memory_mb()
        return HostReadings(
            uptime_s=self._uptime_s(),
            temperature_c=self._temperature_c(),
            throttling=self._throttling(),
            disk_free_mb=self._disk_free_mb(),
            memory_total_mb=memory.get("MemTotal"),
            memory_available_mb=memory.get("MemAvailable"),
            process_memory_mb=self._process_memory_mb(),
        )

    def _text(self, path: str) -> str | None:
        try:
            return (self._root / path).read_text(encoding="ascii", errors="replace").strip()
        except OSError:
            return None

    def _uptime_s(self) -> float | None:
        words = (self._text("proc/uptime") or "").split()
        return _number(words[0]) if words else None

    def _temperature_c(self) -> float | None:
        zones: dict[str, float] = {}
        for zone in sorted((self._root / "sys/class/thermal").glob("thermal_zone*")):
            millidegrees = _number(self._text(f"sys/class/thermal/{zone.name}/temp"))
            if millidegrees is not None:
                kind = self._text(f"sys/class/thermal/{zone.name}/type") or zone.name
                zones[kind.lower()] = round(millidegrees / 1000, 1)
        for kind in _CPU_ZONES:
            if kind in zones:
                return zones[kind]
        return max(zones.values(), default=None)

    def _throttling(self) -> Throttling | None:
        """The kernel's own file first: a hardened service may not open the firmware's device, which vcgencmd needs."""
        said = self._text(_FIRMWARE_THROTTLED) or self._vcgencmd()
        return parse_throttled(said) if said else None

    def _disk_free_mb(self) -> float | None:
        try:
            disk = os.statvfs(self._disk)
        except OSError:
            return None
        return round(disk.f_bavail * disk.f_frsize / _MB, 1)

    def _memory_mb(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for line in (self._text("proc/meminfo") or "").splitlines():
            name, _, rest = line.partition(":")
            words = rest.split()
            kibibytes = _number(words[0]) if words else None
            if kibibytes is not None:
                found[name] = round(kibibytes * 1024 / _MB, 1)
        return found

    def _process_memory_mb(self) -> float | None:
        words = (self._text("proc/self/statm") or "").split()
        pages = _number(words[1]) if len(words) > 1 else None
        return None if pages is None else round(pages * _PAGE_BYTES / _MB, 1)


def parse_throttled(said: str) -> Throttling | None:
    """The firmware's bit field, as `throttled=0x50005` (vcgencmd) or `50005` (sysfs); None if it is neither.

    Bits: raspberrypi.com documentation, "vcgencmd get_throttled".
    """
    try:
        bits = int(said.strip().removeprefix("throttled="), 16)
    except ValueError:
        return None
    return Throttling(
        under_voltage=bool(bits & 1 << 0),
        frequency_capped=bool(bits & 1 << 1),
        throttled=bool(bits & 1 << 2),
        soft_temperature_limit=bool(bits & 1 << 3),
        under_voltage_since_boot=bool(bits & 1 << 16),
        frequency_capped_since_boot=bool(bits & 1 << 17),
        throttled_since_boot=bool(bits & 1 << 18),
        soft_temperature_limit_since_boot=bool(bits & 1 << 19),
    )


def _ask_vcgencmd() -> str | None:
    program = shutil.which("vcgencmd")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "get_throttled"], capture_output=True, text=True, timeout=_VCGENCMD_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
