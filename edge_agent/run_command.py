"""`edge-agent run`: starts the terminal, or shows why it can't start where people look: log, LEDs, systemd, broker.

Rules: a terminal has no screen, so under systemd one that can't start lights OUT_OF_SERVICE, holds it for a while and
ends with status 2, to be started again. Started by hand it only says why and ends: a person reads that, and LEDs and
broker may at that moment belong to the service.
"""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import structlog

from edge_agent import __version__, logs
from edge_agent.core.model import Signal
from edge_agent.heap import give_back_large_blocks
from edge_agent.ports import LedError, LedPanel, StoreInUse, TerminalError
from edge_agent.settings import LoadedSettings, LogSettings, leds_alone, load
from edge_agent.settings_errors import SettingsError
from edge_agent.watchdog import SystemdNotifier

if TYPE_CHECKING:
    from edge_agent.wiring import Terminal

FAILURE_SHOWN_S = 45.0
"""Long enough to be seen by whoever stands there, and under the unit's TimeoutStartSec; with RestartSec the terminal
tries again every minute."""
BROKER_WITHIN_S = 10.0

_log = structlog.get_logger("run")


def run(config: Path) -> int:
    """Serve until SIGTERM or Ctrl-C. The exit status: 0, or 2 when it can't start."""
    stopping = threading.Event()
    serving: list[Terminal] = []

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()
        for terminal in serving:
            terminal.agent.request_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    give_back_large_blocks()
    logs.configure(LogSettings())
    notifier = SystemdNotifier.from_environment()
    loaded: LoadedSettings | None = None
    try:
        loaded = load(config)
        logs.configure(loaded.settings.log)
        # Only now: it loads the model libraries, and a mistake in the settings should be told at once.
        from edge_agent.wiring import build_terminal

        serving.append(build_terminal(loaded, notifier))
    except TerminalError as error:
        problems = [str(one) for one in error.problems] if isinstance(error, SettingsError) else [_one_line(error)]
        for problem in problems:
            _log.error("start_failed", problem=problem)
        notifier.status(f"can't start: {error}")
        if notifier.listening and not isinstance(error, StoreInUse):
            _show_failure(config, loaded, _one_line(error), stopping)
        return 2
    if stopping.is_set():
        serving[0].agent.request_stop()
    serving[0].run()
    return 0


def _show_failure(config: Path, loaded: LoadedSettings | None, problem: str, stopping: threading.Event) -> None:
    """Light OUT_OF_SERVICE, tell the broker, and stay so until told to stop or FAILURE_SHOWN_S have passed."""
    until_s = time.monotonic() + FAILURE_SHOWN_S
    leds = _light(config, loaded)
    if loaded is not None and loaded.settings.uplink.enabled:
        _tell_broker(loaded, problem, stopping)
    stopping.wait(max(0.0, until_s - time.monotonic()))
    # Not given back unless somebody wanted the end: most boards then keep the light on until the next start.
    if leds is not None and stopping.is_set():
        try:
            leds.close()
        except LedError as error:
            _log.warning("leds_not_closed", problem=str(error))


def _light(config: Path, loaded: LoadedSettings | None) -> LedPanel | None:
    from edge_agent.wiring import make_leds

    settings = loaded.settings.leds if loaded is not None else leds_alone(config)
    if settings is None:
        _log.warning("leds_unknown", remedy=f"correct the section leds in {config}")
        return None
    now_s = time.monotonic()
    try:
        leds = make_leds(settings)
        leds.show(Signal.OUT_OF_SERVICE, now_s)
        leds.tick(now_s)
    except LedError as error:
        _log.warning("leds_not_lit", problem=str(error))
        return None
    _log.info("signal", signal=Signal.OUT_OF_SERVICE.value)
    return leds


def _one_line(error: TerminalError) -> str:
    return " ".join(str(error).split())


def _tell_broker(loaded: LoadedSettings, problem: str, stopping: threading.Event) -> None:
    from edge_agent.uplink.last_words import say_failed
    from edge_agent.uplink.wire import TerminalSnapshot

    terminal = loaded.settings.terminal
    refused = say_failed(
        loaded.settings.uplink,
        terminal.id,
        terminal.site,
        TerminalSnapshot(__version__, config_hash=loaded.sha256),
        problem,
        within_s=BROKER_WITHIN_S,
        given_up=stopping.is_set,
    )
    if refused is None:
        _log.info("broker_told", state="failed")
    else:
        _log.warning("broker_not_told", problem=refused)
