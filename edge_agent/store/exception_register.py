"""`edge-agent officer register`: every act of every officer at this terminal, in the order in which they happened.

Rules: reads only, beside the service. Opaque ids only. Acts that were not done are in it too. Assisted claims stand
with the acts, because they are what an officer decided: they have no evidence of a face.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from edge_agent.command_line import Subparsers, add_config
from edge_agent.store.database import connect, told
from edge_agent.store.record_arguments import day_of, path_of


@dataclass(frozen=True)
class RegisterEntry:
    """sequence: of the ledger record that proves it. act: of `core.officer_acts`. reason: of an assisted claim.
    problem: why it was not done. Empty: none."""

    sequence: int
    recorded_at: str
    day: str
    act: str
    officer: str
    second_officer: str
    case_number: str
    reason: str
    problem: str


_ENTRIES = """
SELECT seq, recorded_at, day, act, officer_id, second_officer_id, case_number, NULL, problem FROM officer_act
UNION ALL
SELECT DISTINCT session.seq, recorded_at, day, 'assist', assisted_by, NULL, case_number, assist_reason, NULL
FROM claim JOIN session USING (session_id) WHERE assisted_by IS NOT NULL
ORDER BY 1
"""


def entries_of(path: Path, day: str | None = None) -> Iterator[RegisterEntry]:
    """The register of a database. day: only this local day, ISO 8601. Raises StoreError."""
    with closing(connect(path, "FULL", read_only=True)) as connection, told(path):
        for sequence, *texts in connection.execute(_ENTRIES):
            entry = RegisterEntry(sequence, *(text or "" for text in texts))
            if day is None or entry.day == day:
                yield entry


def add_command(officer_subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `register` to `edge-agent officer`."""
    parser = officer_subparsers.add_parser("register", help="what officers did at this terminal, as CSV")
    add_config(parser)
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="a terminal's database (default: store.path of --config)"
    )
    parser.add_argument("--day", metavar="DAY", help="only this local day, YYYY-MM-DD")
    parser.set_defaults(run=_register)


def _register(arguments: argparse.Namespace) -> int:
    path, day = path_of(arguments), day_of(arguments.day, "--day")
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(field.name for field in fields(RegisterEntry))
    writer.writerows(astuple(entry) for entry in entries_of(path, day.isoformat() if day else None))
    return 0
