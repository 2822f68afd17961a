"""A small table of the office with columns of the product's own names, CSV or XLSX.

Rules: an unknown or missing column is a fault, and then no row is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge_agent.enrolment.cells import Cell, CellFault, text_of
from edge_agent.enrolment.faults import Fault, file_fault
from edge_agent.enrolment.sheet import read_rows
from edge_agent.enrolment.sheet_header import plain_title


@dataclass(frozen=True)
class TableRow:
    """cells: every known column, "" where it is empty or the table lacks it; raw: as the file holds them."""

    line: int
    cells: dict[str, str]
    raw: dict[str, Cell]


def read_table(
    path: Path, required: Sequence[str], optional: Sequence[str], problems: list[Fault]
) -> Iterator[TableRow]:
    """The rows; what is wrong goes into problems."""
    rows = read_rows(path, None, problems)
    if problems:
        return
    known = (*required, *optional)
    titles = [plain_title(cell) for cell in rows[0].cells] if rows else []
    line = rows[0].line if rows else 1
    for name in required:
        if name not in titles:
            remedy = f"the first line names the columns: {', '.join(known)}"
            problems.append(file_fault(path, "column is missing", remedy, line, name))
    if problems:
        return
    for place, title in enumerate(titles, 1):
        if title and title not in known:
            remedy = f"remove or rename it; the columns are: {', '.join(known)}"
            problems.append(file_fault(path, "unknown column", remedy, line, title))
        elif title in titles[: place - 1] and title:
            problems.append(file_fault(path, "column appears twice", "remove one of them", line, title))
    if problems:
        return
    for row in rows[1:]:
        raw = {title: cell for title, cell in zip(titles, row.cells, strict=False) if title}
        try:
            cells = {name: text_of(raw.get(name)) for name in known}
        except CellFault as fault:
            problems.append(file_fault(path, fault.what, fault.remedy, row.line))
            continue
        yield TableRow(row.line, cells, raw)
