"""`edge-agent bench session`: how long people wait for the terminal, and what it costs while they do.

Rules: the whole terminal (session, vision, store, simulated printer and LEDs; no broker) in real time, with puppets
that take 0.35 to 0.9 s to answer each light, among 500 people. Seconds, unless a key says otherwise; a spread is
`median`, `p99`, `min`, `max`, `n`. The result's keys:

- `machine`: `cpu`, `cores`, `python`, `numpy`, `load`.
- `decision`: per number of turns asked (`"2"`, `"3"`) `visits`, `outcomes` (outcome: count), `first_try` (visits
  decided by their first challenge) and, over these, spreads of `seconds` (first good frame to decision) and of its
  parts: `acquire`, `pauses`, `turning`, `returning`, `watched`, `identify` (`visits.VisitTimes`). `all_tries`: over
  all visits. `person_alone`: spread of what the puppets' own reactions and movements take (`visits.person_alone_s`).
- `cold_start`: spread of seconds from exec to READY on the lights, of fresh processes; the files are in memory.
- `cpu`: per cent of one core, of the whole process, with the simulated camera's drawing: `idle_percent` over `idle_s`
  seconds with nobody there, `session_percent` from a session's first frame to its end, `puppet_ms` that the drawing of
  a frame takes by itself and `session_without_puppet_percent`, what is left without it.
- `memory`: `idle` and `served` (awake, after a session) as `process_costs.memory`; `bare_mb`: a process with only the
  libraries and models, step by step, the last being the limit; `puppet_mb`: what the simulated camera holds of it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from edge_agent import logs
from edge_agent.bench.machine import machine, spread
from edge_agent.bench.terminal_process import Costs, cold_start_s, costs
from edge_agent.bench.visits import VisitTimes, person_alone_s, serve
from edge_agent.demo.command import PORTRAIT
from edge_agent.demo.stage import Scene, set_stage
from edge_agent.ports import TerminalError
from edge_agent.progress import Progress
from edge_agent.settings import SHIPPED_MANIFEST, LogSettings
from edge_agent.vision.photo import load_photo

TURNS = (2, 3)
_PARTS = ("acquire", "pauses", "turning", "returning", "watched", "identify")
_NEVER_S = 86_400
_PEOPLE = 200
_UNUSED_PORT = 9
"""The uplink is off."""


class SessionBenchError(TerminalError):
    """The measurement can't be made as asked; the text says why."""


def add_arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--visits", type=int, default=6, help="visits for each number of turns, about 13 s each (6)")
    parser.add_argument("--turns", type=int, nargs="+", default=list(TURNS), help="turns asked in a challenge (2 3)")
    parser.add_argument("--seed", type=int, default=1, help="of the puppets' reactions and movements (1)")
    parser.add_argument("--starts", type=int, default=5, help="cold starts; 0: no cold start, CPU and memory (5)")
    parser.add_argument("--idle-s", type=float, default=15.0, help="seconds of the idle measurement (15)")
    parser.add_argument(
        "--json", action="store_true", help="the result as JSON, keys as in edge_agent/bench/session.py"
    )


def execute(options: Namespace) -> int:
    """Run as the command line says; 0, or 1 with the reason on standard error."""
    logs.configure(LogSettings(format="text", level="error"))
    try:
        result = run(tuple(options.turns), options.visits, options.seed, options.starts, options.idle_s)
    except TerminalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if options.json else describe(result))
    return 0


def run(turns: tuple[int, ...], visits: int, seed: int, starts: int, idle_s: float) -> dict[str, Any]:
    """Measure; keys as in the module's text. starts 0: decisions only. Raises TerminalError."""
    if visits < 0 or starts < 0 or (visits == 0 and starts == 0) or not all(1 <= one <= 8 for one in turns):
        raise SessionBenchError(
            f"visits {visits}, starts {starts}, turns {list(turns)}: give visits or starts of at least 1, turns 1 to 8"
        )
    result: dict[str, Any] = {"machine": machine(), "decision": {}}
    with tempfile.TemporaryDirectory(prefix="edge-agent-bench-") as name:
        house = _House(Path(name), seed)
        for asked in turns if visits else ():
            progress = Progress(f"visits with {asked} turns", visits)
            times = serve(house.settings(f"turns{asked}", visits=visits, turns=asked), visits, progress.done)
            if not times:
                raise SessionBenchError("nobody was decided about; run `edge-agent demo` to see what happens")
            alone = {"person_alone": spread(person_alone_s(asked, seed, _PEOPLE))}
            result["decision"][str(asked)] = _decisions(times) | alone
        if starts:
            empty, busy = house.settings("empty", visits=0), house.settings("busy", visits=2)
            result["cold_start"] = spread(cold_start_s(empty, starts, Progress("cold starts", starts).done))
            result |= _told(costs(empty, busy, idle_s))
    return result


def describe(result: dict[str, Any]) -> str:
    """The result for people."""
    known = result["machine"]
    lines = [f"{known['cpu']}, {known['cores']} cores; the whole terminal on simulated devices"]
    for turns, row in result["decision"].items():
        outcomes = ", ".join(f"{count} {outcome}" for outcome, count in row["outcomes"].items())
        lines.append(f"{turns} turns: {row['visits']} visits ({outcomes}), {row['first_try']} decided at the first try")
        if row["first_try"]:
            lines += [f"  {name:10}{_spread(row[name])}" for name in ("seconds", *_PARTS)]
        lines.append(f"  the person alone: {_spread(row['person_alone'])}")
    if "cold_start" in result:
        cpu, memory = result["cpu"], result["memory"]
        lines.append(f"cold start  {_spread(result['cold_start'])}")
        lines.append(
            f"CPU         idle {cpu['idle_percent']:.1f} % of a core, in session {cpu['session_percent']:.0f} %, "
            f"of which without drawing the puppet {cpu['session_without_puppet_percent']:.0f} %"
        )
        served, bare = memory["served"], list(memory["bare_mb"].values())[-1]
        lines.append(
            f"resident    {served['rss_mb']:.0f} MB after a session ({served['anonymous_mb']:.0f} its own, "
            f"{served['file_mb']:.0f} of mapped files; {memory['puppet_mb']:.0f} for the puppet), "
            f"idle {memory['idle']['rss_mb']:.0f} MB; the libraries and models alone {bare:.0f} MB"
        )
    return "\n".join(lines) + "\n"


def _spread(row: dict[str, float]) -> str:
    return f"median {row['median']:.2f} s, {row['min']:.2f} … {row['max']:.2f}, p99 {row['p99']:.2f}, n {row['n']}"


def _decisions(times: list[VisitTimes]) -> dict[str, Any]:
    first = [one for one in times if one.tries <= 1]
    row: dict[str, Any] = {
        "visits": len(times),
        "outcomes": dict(Counter(one.outcome for one in times)),
        "first_try": len(first),
        "all_tries": spread([one.decision for one in times]),
    }
    if first:
        row["seconds"] = spread([one.decision for one in first])
        row |= {part: spread([getattr(one, part) for one in first]) for part in _PARTS}
    return row


def _told(found: Costs) -> dict[str, Any]:
    drawing = found.puppet_ms * found.fps_awake / 10
    return {
        "cpu": {
            "idle_percent": round(found.idle_percent, 2),
            "idle_s": found.idle_s,
            "session_percent": round(found.session_percent, 1),
            "puppet_ms": round(found.puppet_ms, 2),
            "session_without_puppet_percent": round(found.session_percent - drawing, 1),
        },
        "memory": {
            "idle": found.idle_memory,
            "served": found.served_memory,
            "bare_mb": found.bare_mb,
            "puppet_mb": round(found.puppet_mb, 1),
        },
    }


@dataclass(frozen=True)
class _House:
    """A folder with a terminal in it for each measurement."""

    folder: Path
    seed: int

    def settings(self, name: str, *, visits: int, turns: int | None = None) -> Path:
        """A fresh terminal's settings file. visits: 0 for nobody; turns: None for the default."""
        folder = self.folder / name
        folder.mkdir()
        script = folder / "visits.yaml"
        visitor = {"who": "bench", "stay_after_s": 0.3, "pause_s": 0.3 if visits else _NEVER_S}
        script.write_text(yaml.safe_dump({"seed": self.seed, "visits": [visitor] * max(visits, 1)}), encoding="utf-8")
        scene = Scene({"driver": "puppet", "path": str(script)}, lambda: [load_photo(PORTRAIT)])
        stage = set_stage(folder, SHIPPED_MANIFEST, scene, _UNUSED_PORT, lambda _: None)
        settings = yaml.safe_load(stage.config.read_text(encoding="utf-8"))
        settings["uplink"] = {"enabled": False}
        if turns is not None:
            settings["pad"]["turns"] = turns
        stage.config.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        return stage.config
