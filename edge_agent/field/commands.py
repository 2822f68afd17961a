"""The technician's commands as functions: arguments in, text out, exit code back.

Rules: text goes to `out`, nothing to the log; exit code 2 means that the settings file can't be used.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from edge_agent.field.doctor import doctor
from edge_agent.field.part_checks import notices
from edge_agent.settings import LoadedSettings, load
from edge_agent.settings_errors import Problem, SettingsError

__all__ = ["check_config", "doctor"]


def check_config(path: Path, as_json: bool, out: TextIO) -> int:
    """Check a settings file: every problem, or a summary. Returns 0 or 2."""
    try:
        loaded = load(path)
    except SettingsError as error:
        out.write(_problems_json(path, error) if as_json else _problems_text(error))
        return 2
    out.write(_summary_json(loaded) if as_json else _summary_text(loaded))
    return 0


def _problems_text(error: SettingsError) -> str:
    count = len(error.problems)
    return f"{error}\n{count} problem{'s' if count > 1 else ''}; the meaning of each setting is in docs/settings.md\n"


def _problems_json(path: Path, error: SettingsError) -> str:
    return _json({"ok": False, "path": str(path), "problems": [_as_data(problem) for problem in error.problems]})


def _as_data(problem: Problem) -> dict[str, object]:
    return {
        "line": problem.line,
        "field": problem.field,
        "value": problem.value,
        "what": problem.what,
        "remedy": problem.remedy,
    }


def _summary_text(loaded: LoadedSettings) -> str:
    settings = loaded.settings
    uplink = f"{settings.uplink.host}:{settings.uplink.port}" if settings.uplink.enabled else "off"
    tls = " with TLS" if settings.uplink.enabled and settings.uplink.tls else ""
    lines = [
        f"{loaded.path}: good (hash {loaded.sha256[:12]})",
        f"  terminal  {settings.terminal.id} at {settings.terminal.place}, site {settings.terminal.site}",
        f"  camera    {settings.camera.driver}",
        f"  printer   {settings.printer.driver}, {settings.printer.paper_mm} mm paper",
        f"  LEDs      {settings.leds.driver}",
        f"  liveness  {settings.pad.mode.value}",
        f"  database  {settings.store.path}",
        f"  uplink    {uplink}{tls}",
    ]
    lines += [f"  mind: {what}; {remedy}" for what, remedy in notices(settings)]
    return "\n".join(lines) + "\n"


def _summary_json(loaded: LoadedSettings) -> str:
    return _json(
        {
            "ok": True,
            "path": str(loaded.path),
            "sha256": loaded.sha256,
            "notices": [{"what": what, "remedy": remedy} for what, remedy in notices(loaded.settings)],
            "settings": loaded.settings.model_dump(mode="json"),
        }
    )


def _json(data: dict[str, object]) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
