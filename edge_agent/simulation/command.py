"""`edge-agent simulate day`: a whole distribution day in virtual time, and whether its books balance."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge_agent import logs
from edge_agent.ports import TerminalError
from edge_agent.progress import Progress
from edge_agent.settings import LogSettings
from edge_agent.simulation.audit import gather
from edge_agent.simulation.books import balance
from edge_agent.simulation.day import Day
from edge_agent.simulation.keeping import keep_day
from edge_agent.simulation.plan import Plan
from edge_agent.simulation.report import summary_of, summary_text
from edge_agent.simulation.village import SMALLEST

LARGEST = 5000
TERMINALS = (1, 2, 5)
DESCRIPTION = """A whole distribution day in virtual time, in about a minute for 300 people: the real session, store,
slips and printer driver, with people, officers, a network that comes for ten minutes, power cuts, a wrong clock and
paper that ends. Afterwards the books are held against what really happened, line by line. Exit status 1 when they don't
balance."""


class SimulationError(TerminalError):
    """The day can't be played as asked for."""


def add_commands(subparsers: Any) -> None:
    """Register `simulate`."""
    parser = subparsers.add_parser("simulate", help="play a whole distribution day in virtual time")
    days = parser.add_subparsers(required=True, metavar="day")
    day = days.add_parser("day", help="one day, and its books", description=DESCRIPTION)
    day.add_argument("--subjects", type=int, default=300, metavar="N", help=f"people enrolled, {SMALLEST} to {LARGEST}")
    day.add_argument("--seed", type=int, default=1, metavar="N", help="the same seed gives the same day")
    day.add_argument("--terminals", type=int, choices=TERMINALS, default=1, help="how many share the site's homes")
    day.add_argument("--out", type=Path, metavar="DIR", help="keep databases, roster, slips, exports and a plot here")
    day.add_argument("--json", action="store_true", help="print the summary as JSON on standard output")
    day.set_defaults(run=run_day)


def run_day(arguments: argparse.Namespace) -> int:
    """Play it and hold the books against it; 0 when they balance, else 1. Raises TerminalError."""
    if not SMALLEST <= arguments.subjects <= LARGEST:
        raise SimulationError(
            f"--subjects: is {arguments.subjects}; give {SMALLEST} to {LARGEST}, so that every kind of person is there"
        )
    logs.configure(LogSettings(level="error"))
    plan = Plan(arguments.subjects, arguments.terminals, arguments.seed)
    with _folder(arguments.out) as folder:
        progress = _People()
        played = Day(folder, plan, progress.tell).play()
        data = gather(played)
        found = balance(data)
        summary = summary_of(played, data, found)
        lines = "".join(f"{line.text}\n" for line in found.lines)
        text = f"{summary_text(summary)}\n{lines}"
        if arguments.out is not None:
            keep_day(folder, played, data, summary, text)
    sys.stdout.write(json.dumps(summary, indent=1) + "\n" if arguments.json else text)
    return 0 if found.ok else 1


class _People:
    """Progress by the people who have been at a terminal."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._last = 0

    def tell(self, served: int, coming: int) -> None:
        """served: people who have been at a terminal, of `coming`."""
        self._progress = self._progress or Progress("people", coming)
        if served != self._last:
            self._last = served
            self._progress.done(served)


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    """An empty folder for the day; a temporary one is gone afterwards. Raises SimulationError."""
    if wanted is None:
        with tempfile.TemporaryDirectory(prefix="aid-day-") as name:
            yield Path(name)
        return
    try:
        wanted.mkdir(parents=True, exist_ok=True)
        if any(wanted.iterdir()):
            raise SimulationError(f"{wanted}: is not empty; name another folder")
        yield wanted
    except OSError as error:
        raise SimulationError(f"{wanted}: can't be written ({error.strerror}); name another folder") from error
