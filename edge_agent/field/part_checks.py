"""Checks of the terminal's parts: settings, models, keys, database, camera, printer, LEDs, card reader, broker.

Rules: a part comes in as a callable that makes or asks it; every part made here is closed here. What a part raises
becomes a finding in `examination`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

from edge_agent.core.model import Paper, PrinterStatus, Signal
from edge_agent.field.examination import Finding, fail, ok, warn
from edge_agent.ports import Camera, LedPanel, Printer, TerminalError
from edge_agent.settings import LoadedSettings, Settings

FRAME_WITHIN_S = 8.0
"""A Pi camera's first frame comes after one to three seconds."""
ROSTER_OLD = timedelta(days=45)
"""A roster serves a monthly cycle; half a cycle more without a new one is worth a warning."""
_EACH_SIGNAL_S = 1.0
_TICK_S = 0.1

LED_TEST = (
    Signal.TURN_LEFT,
    Signal.TURN_RIGHT,
    Signal.GIVEN,
    Signal.REFERRED,
    Signal.OUT_OF_SERVICE,
    Signal.PAPER_OUT,
    Signal.STARTING,
)
"""Signals that light every LED between them."""


@dataclass(frozen=True)
class StoreFacts:
    """What the opened database says. issued_at: of the roster in force, None without one. waiting: unsent records."""

    subjects: int
    roster_version: int
    issued_at: datetime | None
    size_mb: float
    waiting: int


def notices(settings: Settings) -> list[tuple[str, str]]:
    """What is allowed but unfit for serving people: (what, remedy)."""
    found = []
    if settings.pad.mode.value != "enforced":
        found.append((f"pad.mode is '{settings.pad.mode.value}': a photograph could pass", "set pad.mode: enforced"))
    simulated = [name for name in ("camera", "printer", "leds") if _is_simulated(getattr(settings, name).driver)]
    if simulated:
        found.append((f"simulated: {', '.join(simulated)}", "choose real drivers on a terminal"))
    if settings.uplink.enabled and settings.uplink.tls is None and settings.uplink.host not in _LOCAL_HOSTS:
        found.append(
            (f"uplink to {settings.uplink.host} without TLS: records can be read on the way", "set uplink.tls")
        )
    if not settings.uplink.enabled:
        found.append(("uplink is off: the centre learns nothing", "set uplink.enabled: true"))
    if settings.printer.driver != "simulated" and not settings.printer.status:
        found.append(("printer.status is off: an empty roll goes unseen", "set printer.status: true if it can answer"))
    return found


_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def _is_simulated(driver: str) -> bool:
    return driver in ("simulated", "puppet", "file")


def configuration(loaded: LoadedSettings) -> Finding:
    """The settings, already loaded; what is unfit in them."""
    found = notices(loaded.settings)
    if found:
        return warn("; ".join(what for what, _ in found), "; ".join(remedy for _, remedy in found))
    return ok(f"{loaded.path} (hash {loaded.sha256[:12]})")


def models(verify: Callable[[], Sequence[str]]) -> Finding:
    """Each model is the one the manifest names. verify: the names of the models verified; raises TerminalError."""
    return ok(", ".join(verify()))


def vision(load: Callable[[], object]) -> Finding:
    """The models can be loaded and run here. load: raises TerminalError, ImportError, OSError."""
    began_s = time.monotonic()
    try:
        load()
    except (ImportError, OSError) as error:
        return fail(f"can't be loaded: {error}", "run scripts/setup; it installs the system libraries too")
    return ok(f"loaded in {time.monotonic() - began_s:.1f} s")


def keys(load: Callable[[], object]) -> Finding:
    """The three keys are there, whole, and readable by their owner only. load: raises TerminalError."""
    load()
    return ok("template, signing and roster key present, permissions as they must be")


def database(path: Path, inspect: Callable[[], StoreFacts], now: datetime) -> Finding:
    """Opens, is whole, and has a roster that isn't old. inspect: raises TerminalError."""
    if not path.exists():
        return warn(f"{path}: not there yet", "it is made at the first start; then import a roster")
    facts = inspect()
    size = f"{facts.size_mb:.1f} MB, {facts.waiting} records waiting for the centre"
    if facts.issued_at is None:
        return warn(f"whole, {size}, but no roster", "import one: edge-agent roster import FILE")
    issued = facts.issued_at.astimezone(timezone.utc)
    roster = f"roster {facts.roster_version} of {issued:%Y-%m-%d}, {facts.subjects} subjects"
    if now - facts.issued_at > ROSTER_OLD:
        return warn(f"whole, {size}; {roster}: old", "fetch the new roster from the office and import it")
    return ok(f"whole, {size}; {roster}")


def camera(make: Callable[[], Camera], clock: Callable[[], float] = time.monotonic) -> Finding:
    """Opens and delivers a frame that isn't black. make: raises TerminalError."""
    began_s = clock()
    device = make()
    try:
        device.open()
        while (left_s := began_s + FRAME_WITHIN_S - clock()) > 0:
            frame = device.read(min(left_s, 1.0))
            if frame is None:
                continue
            height, width = frame.image.shape[:2]
            seen = f"{device.name}: {width}x{height} after {clock() - began_s:.1f} s"
            if int(frame.image.max()) < 16:
                return warn(f"{seen}, but all black", "take the cap off, clean the lens, switch the light on")
            return ok(seen)
        return fail(
            f"{device.name}: no frame within {FRAME_WITHIN_S:g} s",
            "check the ribbon or USB cable at both ends, then restart",
        )
    finally:
        device.close()


def printer(make: Callable[[], Printer]) -> Finding:
    """Answers when asked, and could print. Nothing is printed. make: raises TerminalError."""
    device = make()
    try:
        status = device.status()
    finally:
        device.close()
    return _printer_finding(device.name, status)


def _printer_finding(name: str, status: PrinterStatus) -> Finding:
    if not status.online:
        return fail(f"{name}: {status.detail or 'does not answer'}", "check power, cable and printer.device")
    if status.cover_open:
        return fail(f"{name}: the cover is open", "close it until it clicks")
    if status.paper is Paper.OUT:
        return fail(f"{name}: no paper", "put a new roll in, thermal side up")
    if status.error:
        return fail(f"{name}: {status.detail or 'reports an error'}", "clear a jam, then switch it off and on")
    if status.paper is Paper.NEAR_END:
        return warn(f"{name}: paper near its end", "put a new roll in before the next people come")
    return ok(f"{name}: ready")


def leds(
    make: Callable[[], LedPanel],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Finding:
    """Claims the lines and lights every LED, for the technician to watch. make: raises TerminalError."""
    panel = make()
    seen: set[str] = set()
    try:
        for signal in LED_TEST:
            began_s = clock()
            panel.show(signal, began_s)
            while (now_s := clock()) < began_s + _EACH_SIGNAL_S:
                panel.tick(now_s)
                seen |= panel.lit()
                sleep(_TICK_S)
    finally:
        panel.close()
    dark = {"left", "right", "green", "yellow", "red"} - seen
    if dark:
        return fail(f"never lit: {', '.join(sorted(dark))}", "this is a fault of the software: report it")
    return ok("left, right, green, yellow and red were lit in turn; if one stayed dark, check its wire and leds.pins")


def card_reader(test: Callable[[], object]) -> Finding:
    """Can be opened; no card is asked for. test: raises TerminalError."""
    try:
        test()
    except TerminalError as error:
        # Aid goes on without cards, so this is no reason to keep a terminal from serving.
        seen, _, remedy = str(error).partition("; ")
        return warn(seen, remedy or "check cable and tokens.device")
    return ok("can be opened; hold a card under it while the terminal is ready: the lamps tell that it was read")


def broker(settings: Settings, ask: Callable[[], str]) -> Finding:
    """Reachable, and lets this terminal in. ask: what the broker said; raises TerminalError."""
    if not settings.uplink.enabled:
        return warn("not asked: uplink.enabled is false", "set uplink.enabled: true when there is a broker")
    try:
        return ok(f"{settings.uplink.host}:{settings.uplink.port}: {ask()}")
    except TerminalError as error:
        # Aid goes on without a network, so this is no reason to keep a terminal from serving.
        seen, _, remedy = str(error).partition("; ")
        return warn(seen, remedy or "check network, uplink.host and uplink.port; records wait meanwhile")
