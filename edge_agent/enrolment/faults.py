"""What is wrong with an office's material, and how much of the roster it spoils.

Rules: a fault names file, line, column and remedy. It never repeats a name, a national number or a value that might be
one: whoever reads it has the list.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from edge_agent.settings_errors import Problem


class Scope(str, Enum):
    """What can't go into a roster because of a fault: everything, one person, or one row."""

    FILE = "file"
    PERSON = "person"
    ROW = "row"


@dataclass(frozen=True)
class Fault(Problem):
    """subject_id: whom it is about, where that is known. other_id, other_line, score: of the one it collides with."""

    scope: Scope = Scope.FILE
    subject_id: str = ""
    other_id: str = ""
    other_line: int = 0
    score: float | None = None


def file_fault(path: Path, what: str, remedy: str, line: int = 0, column: str = "") -> Fault:
    """A fault after which the file can't be used."""
    return Fault(path, line, (column,) if column else (), what, remedy)
