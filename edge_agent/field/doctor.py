"""The examination of a whole terminal, in the order in which a technician would mend it, and its report.

Rules: a running service owns camera, printer, LEDs and database, so these aren't touched while it runs; the report says
so. Exit code 0: nothing failed; 1: something failed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TextIO

from edge_agent.clock import kernel_clock_synchronised
from edge_agent.field import host_checks, part_checks
from edge_agent.field.examination import Check, Finding, Result, State, examine, fail, warn
from edge_agent.field.host_checks import HostState
from edge_agent.field.part_checks import StoreFacts
from edge_agent.ports import Camera, LedPanel, Printer
from edge_agent.settings import LoadedSettings, load
from edge_agent.settings_errors import SettingsError


@dataclass(frozen=True)
class Parts:
    """How to reach each part; every callable may raise TerminalError.

    verify_models: names of the models whose files are the manifest's. load_vision: loads them. load_keys: reads the
    keys. inspect_store: opens and checks the database. test_token_reader: opens the barcode reader; only called where
    the settings name one. ask_broker: connects as a client of its own and returns what it said.
    """

    verify_models: Callable[[], Sequence[str]]
    load_vision: Callable[[], object]
    load_keys: Callable[[], object]
    inspect_store: Callable[[], StoreFacts]
    make_camera: Callable[[], Camera]
    make_printer: Callable[[], Printer]
    make_leds: Callable[[], LedPanel]
    test_token_reader: Callable[[], object]
    ask_broker: Callable[[], str]
    read_host: Callable[[], HostState]


def checks_of_host(properties: dict[str, str] | None) -> list[Check]:
    """What can be asked without settings. properties: `host_checks.service_properties()`."""
    return [
        Check("packages", host_checks.packages),
        Check("service", lambda: host_checks.service(properties)),
        Check("clock", lambda: host_checks.clock(kernel_clock_synchronised())),
    ]


def checks_of_parts(loaded: LoadedSettings, parts: Parts, in_use: bool) -> list[Check]:
    """Everything the settings name. in_use: the service runs and holds the devices."""
    settings, store = loaded.settings, loaded.settings.store

    def device(name: str, run: Callable[[], Finding], timeout_s: float) -> Check:
        return Check(name, _not_tested if in_use else run, timeout_s)

    reader = device("card reader", lambda: part_checks.card_reader(parts.test_token_reader), 20.0)
    return [
        Check("settings", lambda: part_checks.configuration(loaded)),
        Check("disk", lambda: host_checks.disk(store.path, store.disk_free_min_mb)),
        Check("heat and power", lambda: host_checks.heat_and_power(parts.read_host())),
        Check("models", lambda: part_checks.models(parts.verify_models)),
        Check("vision", lambda: part_checks.vision(parts.load_vision), 60.0),
        Check("keys", lambda: part_checks.keys(parts.load_keys)),
        device(
            "database", lambda: part_checks.database(store.path, parts.inspect_store, datetime.now(timezone.utc)), 60.0
        ),
        device("camera", lambda: part_checks.camera(parts.make_camera), 20.0),
        device("printer", lambda: part_checks.printer(parts.make_printer), 20.0),
        device("LEDs", lambda: part_checks.leds(parts.make_leds), 20.0),
        *([reader] if settings.tokens.reader == "serial" else []),
        Check("broker", lambda: part_checks.broker(settings, parts.ask_broker), 45.0),
    ]


def doctor(path: Path, parts_of: Callable[[LoadedSettings], Parts], as_json: bool, out: TextIO) -> int:
    """Examine the terminal of a settings file and report. Returns the exit code."""
    properties = host_checks.service_properties()
    in_use = properties is not None and properties.get("ActiveState") in ("active", "activating", "deactivating")
    checks = checks_of_host(properties)
    try:
        loaded = load(path)
        checks += checks_of_parts(loaded, parts_of(loaded), in_use)
    except SettingsError as error:
        checks.append(_broken_settings(path, error))
    return report(examine(checks), as_json, out)


def report(results: Iterator[Result], as_json: bool, out: TextIO) -> int:
    """Write each result as it comes, or all as one JSON object. Returns the exit code."""
    seen: list[Result] = []
    for result in results:
        seen.append(result)
        if not as_json:
            out.write(_lines(result))
            out.flush()
    worst = _worst(result.finding.state for result in seen)
    if as_json:
        out.write(json.dumps(_as_data(seen, worst), ensure_ascii=False, indent=2) + "\n")
    else:
        counts = {state: sum(result.finding.state is state for result in seen) for state in State}
        out.write(f"{counts[State.OK]} ok, {counts[State.WARN]} to mind, {counts[State.FAIL]} failed\n")
    return 1 if worst is State.FAIL else 0


def _not_tested() -> Finding:
    return warn(
        "not tested: the running service uses it",
        "to test it: sudo systemctl stop edge-agent, examine again, then sudo systemctl start edge-agent",
    )


def _broken_settings(path: Path, error: SettingsError) -> Check:
    count = len(error.problems)
    return Check(
        "settings",
        lambda: fail(
            str(error),
            f"mend the {count} lines named above; the parts are examined after that: edge-agent check-config {path}",
        ),
    )


def _lines(result: Result) -> str:
    finding = result.finding
    indent = " " * 22
    seen = finding.seen.replace("\n", f"\n{indent}")
    text = f"{finding.state.value:<5} {result.name:<15} {seen}\n"
    return text + (f"{indent}-> {finding.remedy}\n" if finding.remedy else "")


def _worst(states: Iterable[State]) -> State:
    return max(states, key=list(State).index, default=State.OK)


def _as_data(results: Sequence[Result], worst: State) -> dict[str, object]:
    return {
        "state": worst.value,
        "checks": [
            {
                "name": result.name,
                "state": result.finding.state.value,
                "seen": result.finding.seen,
                "remedy": result.finding.remedy,
                "took_s": round(result.took_s, 3),
            }
            for result in results
        ],
    }
