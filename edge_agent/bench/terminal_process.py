"""The terminal as a process of its own, as the service runs it: how soon it is READY, and what it costs.

Rules: watched from outside only, by its log and /proc; every measurement starts a fresh one.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from edge_agent.bench.process_costs import bare_memory, cpu_mark, memory
from edge_agent.core.model import Signal
from edge_agent.core.state import Phase
from edge_agent.demo.daemon import Daemon
from edge_agent.devices.led_simulated import SimulatedLeds
from edge_agent.devices.puppet.camera import PuppetCamera
from edge_agent.devices.puppet.script import load_script
from edge_agent.ports import TerminalError
from edge_agent.settings import CameraSettings, load

WITHIN_S = 60.0
_SETTLE_S = 3.0
"""After READY, before idling is measured."""
_DRAWN = 60


class TerminalProcessError(TerminalError):
    """The process didn't do what was waited for."""


@dataclass(frozen=True)
class Costs:
    """CPU in per cent of one core; memory as `process_costs.memory`; the puppet's share measured by itself."""

    idle_percent: float
    idle_s: float
    session_percent: float
    puppet_ms: float
    puppet_mb: float
    fps_awake: float
    idle_memory: dict[str, object]
    served_memory: dict[str, object]
    bare_mb: dict[str, float]


def cold_start_s(config: Path, starts: int, tell: Callable[[int], None]) -> list[float]:
    """Seconds from exec to READY of so many fresh processes. Raises TerminalProcessError."""
    took_s: list[float] = []
    for start in range(starts):
        begun_s = time.monotonic()
        with Daemon(config, config.with_name("daemon.log")) as daemon:
            _await_ready(daemon)
            took_s.append(time.monotonic() - begun_s)
        tell(start + 1)
    return took_s


def costs(empty: Path, busy: Path, idle_s: float) -> Costs:
    """Of a terminal where nobody comes, and of one where somebody does at once. Raises TerminalProcessError."""
    with Daemon(empty, empty.with_name("daemon.log")) as daemon:
        _await_ready(daemon)
        time.sleep(_SETTLE_S)
        before = cpu_mark(daemon.pid)
        time.sleep(idle_s)
        idle_percent, idle_memory = before.percent_until(cpu_mark(daemon.pid)), memory(daemon.pid)
    with Daemon(busy, busy.with_name("daemon.log")) as daemon:
        _await(daemon, "a session", lambda record: record.get("phase") == Phase.ACQUIRING.value)
        before = cpu_mark(daemon.pid)
        _await(daemon, "a session's end", lambda record: record.get("event") == "session_ended")
        session_percent = before.percent_until(cpu_mark(daemon.pid))
        _await(daemon, "another session", lambda record: record.get("phase") == Phase.CHALLENGING.value)
        served_memory = memory(daemon.pid)
    camera = load(busy).settings.camera
    puppet_ms, puppet_mb = _puppet(camera)
    return Costs(
        idle_percent=idle_percent,
        idle_s=idle_s,
        session_percent=session_percent,
        puppet_ms=puppet_ms,
        puppet_mb=puppet_mb,
        fps_awake=camera.fps_awake,
        idle_memory=idle_memory,
        served_memory=served_memory,
        bare_mb=bare_memory(),
    )


def _puppet(settings: CameraSettings) -> tuple[float, float]:
    """CPU milliseconds that drawing a frame of a visitor takes, and the megabytes that the simulated camera holds."""
    if settings.path is None:
        raise AssertionError("the bench's camera is a puppet with a script")
    now_s = 0.0
    tracemalloc.start()
    try:
        camera = PuppetCamera(
            load_script(settings.path),
            SimulatedLeds(),
            settings,
            clock=lambda: now_s,
            sleep=lambda _: None,
            recognise=lambda _history, _now_s: Signal.READY,
        )
        camera.open()
        held_mb = tracemalloc.get_traced_memory()[0] / 1e6
    finally:
        tracemalloc.stop()
    drawn_s: list[float] = []
    while len(drawn_s) < _DRAWN and now_s < WITHIN_S:
        now_s += 1 / settings.fps_awake
        begun_s = time.process_time()
        camera.read(1.0)
        if camera.visit is not None:
            drawn_s.append(time.process_time() - begun_s)
    camera.close()
    return 1000 * sorted(drawn_s)[len(drawn_s) // 2], held_mb


def _await_ready(daemon: Daemon) -> None:
    _await(daemon, "READY", lambda record: record.get("signal") == Signal.READY.value)


def _await(daemon: Daemon, what: str, wanted: Callable[[dict[str, Any]], bool]) -> None:
    until_s = time.monotonic() + WITHIN_S
    last: dict[str, Any] = {}
    while time.monotonic() < until_s:
        try:
            last = daemon.records.get(timeout=0.2)
        except Empty:
            if not daemon.running:
                break
            continue
        if wanted(last):
            return
    raise TerminalProcessError(f"waited in vain for {what}; the terminal last said {last or 'nothing'}")
