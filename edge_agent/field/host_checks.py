"""Checks of the machine: Python packages, service, clock, disk, heat.

Rules: each takes what it asks as an argument, so that tests answer for the machine. Source of the limits:
raspberrypi.com documentation, "Temperature" (a Pi slows down at 80 °C, and says so as throttling).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from typing import Protocol

from packaging.requirements import InvalidRequirement, Requirement

from edge_agent.field.examination import Finding, fail, ok, warn

HOT_C = 75.0
"""Five degrees under the point at which a Pi slows down."""
_BYTES_PER_MB = 1_000_000
_PLENTY = 5
"""Free space under this many times the least is worth a warning."""
_SYSTEMCTL_TIMEOUT_S = 5.0
SERVICE = "edge-agent.service"


class Throttling(Protocol):
    """The Pi's firmware on power and heat."""

    @property
    def under_voltage(self) -> bool:
        """The supply is too weak now."""

    @property
    def throttled(self) -> bool:
        """The processor is slowed down now."""

    @property
    def under_voltage_since_boot(self) -> bool:
        """The supply was too weak at some time since the boot."""


class HostState(Protocol):
    """Readings of the machine; None where there is none."""

    @property
    def temperature_c(self) -> float | None:
        """Of the processor."""

    @property
    def throttling(self) -> Throttling | None:
        """Only on a Pi."""


def packages(distribution: str = "edge-agent") -> Finding:
    """Python and every package that setup.cfg asks for, with its version."""
    remedy = "run scripts/setup --force"
    try:
        wanted = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return fail(f"the package {distribution} is not installed in {sys.prefix}", remedy)
    wrong = [problem for line in wanted if (problem := _package_problem(line))]
    if wrong:
        return fail(", ".join(wrong), remedy)
    return ok(f"Python {sys.version.split()[0]}, {len(_needed(wanted))} packages as wanted")


def _needed(lines: Iterable[str]) -> list[Requirement]:
    """Requirements that count here: those of extras don't."""
    found = [Requirement(line) for line in lines]
    return [one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]


def _package_problem(line: str) -> str:
    try:
        needed = _needed([line])
    except InvalidRequirement:
        return f"{line} can't be understood"
    for one in needed:
        try:
            version = metadata.version(one.name)
        except metadata.PackageNotFoundError:
            return f"{one.name} is missing"
        if not one.specifier.contains(version, prereleases=True):
            return f"{one.name} is {version}, wanted {one.specifier}"
    return ""


def ask_systemctl(*arguments: str) -> str | None:
    """What systemctl prints; None where there is no systemd, or it doesn't answer."""
    program = shutil.which("systemctl")
    if program is None or not Path("/run/systemd/system").is_dir():
        return None
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, timeout=_SYSTEMCTL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout


def service_properties(ask: Callable[..., str | None] = ask_systemctl) -> dict[str, str] | None:
    """LoadState, ActiveState, UnitFileState, NRestarts and StatusText of the service; None without systemd."""
    said = ask("show", SERVICE, "--property=LoadState,ActiveState,UnitFileState,NRestarts,StatusText")
    if said is None:
        return None
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def service(properties: dict[str, str] | None) -> Finding:
    """Whether the terminal starts by itself, and how it is doing."""
    if properties is None:
        return warn("no systemd here, so nothing starts the terminal by itself", "on a terminal, boot with systemd")
    if properties.get("LoadState") != "loaded":
        return warn(
            f"{SERVICE} is not installed", "install it: docs/technician.md, section Install; not needed for a demo"
        )
    active, enabled = properties.get("ActiveState", "unknown"), properties.get("UnitFileState", "unknown")
    if active == "failed":
        return fail(
            f"{SERVICE} has failed", f"read why: journalctl -u {SERVICE} -n 50; then: systemctl restart {SERVICE}"
        )
    if enabled not in ("enabled", "enabled-runtime"):
        return warn(f"{SERVICE} is {active} but won't start after a power cut", f"run: sudo systemctl enable {SERVICE}")
    status = f": {properties['StatusText']}" if properties.get("StatusText") else ""
    return ok(f"{active}, {enabled}, {properties.get('NRestarts', '0')} restarts{status}")


def clock(synchronised: bool) -> Finding:
    """Whether wall time may be believed."""
    if synchronised:
        return ok("kept in step by NTP")
    return warn(
        "wall time is not confirmed by NTP; records are marked clock_trusted=false",
        "connect the network for a minute, check `timedatectl`, and run: sudo timedatectl set-ntp true",
    )


def disk(database: Path, least_mb: float) -> Finding:
    """Free space where the database lies or will lie."""
    folder = next(parent for parent in database.absolute().parents if parent.exists())
    free_mb = shutil.disk_usage(folder).free / _BYTES_PER_MB
    remedy = "free space: sudo journalctl --vacuum-size=50M; sudo apt-get clean"
    if free_mb < least_mb:
        return fail(f"{free_mb:.0f} MB free on {folder}, {least_mb:g} MB are the least", remedy)
    if free_mb < _PLENTY * least_mb:
        return warn(f"only {free_mb:.0f} MB free on {folder}", remedy)
    return ok(f"{free_mb:.0f} MB free on {folder}")


def heat_and_power(host: HostState) -> Finding:
    """Temperature, throttling and supply voltage."""
    throttling, heat = host.throttling, host.temperature_c
    if throttling is not None and throttling.under_voltage:
        return fail("the supply voltage is too low now", "use the board's own power supply and a short, thick cable")
    if throttling is not None and throttling.throttled:
        return warn("the processor is slowed down", "let the housing breathe: clear vents, keep it out of the sun")
    if heat is not None and heat >= HOT_C:
        return warn(f"{heat:g} °C", "let the housing breathe: clear vents, keep it out of the sun")
    if throttling is not None and throttling.under_voltage_since_boot:
        return warn("the supply voltage was too low since the last boot", "use the board's own power supply")
    return ok("no sensor here" if heat is None else f"{heat:g} °C")
