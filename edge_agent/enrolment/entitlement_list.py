"""The list in the product's own columns, `entitlements.csv` -> people and entitlements, with every fault of the file.

Rules: UTF-8; comma, semicolon or tab. Amounts that could be read in two ways (`600.000`) are refused, never guessed.
An office's own list, with its own columns, is read by `mapped_list`.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge_agent.enrolment.cells import CellFault, text_of
from edge_agent.enrolment.faults import file_fault
from edge_agent.enrolment.listed_rows import OPTIONAL, REQUIRED, EntitlementList, Row, take_row
from edge_agent.enrolment.sheet import SheetRow, read_rows

_CELLS_REMEDY = "correct the row; a cell with a comma or a quotation mark needs quotation marks"


def read_list(path: Path) -> EntitlementList:
    """Read the whole file; nothing is raised for what it holds, everything is in `problems`."""
    found = EntitlementList()
    rows = read_rows(path, None, found.problems)
    if not rows:
        if not found.problems:
            _header_fits(path, 1, [], found)
        return found
    names = [str(cell or "").strip() for cell in rows[0].cells]
    if not _header_fits(path, rows[0].line, names, found):
        return found
    for row in rows[1:]:
        _take(path, row, names, found)
    return found


def _take(path: Path, row: SheetRow, names: list[str], found: EntitlementList) -> None:
    if len(row.cells) != len(names):
        fault = Row(path, row.line, {}).fault("", "has another number of cells than the header", remedy=_CELLS_REMEDY)
        found.problems.append(fault)
        return
    cells: dict[str, str] = {}
    for name, value in zip(names, row.cells, strict=True):
        try:
            cells[name] = text_of(value)
        except CellFault as fault:
            found.problems.append(Row(path, row.line, {}).fault(name, fault.what, remedy=fault.remedy))
            return
    photos = (part.strip() for part in re.split(r"[|;]", cells.get("photos", "")))
    files = [path.parent / photo for photo in photos if photo]
    called = tuple((file, f"{path}:{row.line}: photos {number}") for number, file in enumerate(files, 1))
    take_row(Row(path, row.line, cells, photos=called), found)


def _header_fits(path: Path, line: int, names: list[str], found: EntitlementList) -> bool:
    known = ", ".join((*REQUIRED, *OPTIONAL))
    before = len(found.problems)
    if not set(REQUIRED) & set(names):
        what = "has none of the product's columns" if names else "is empty"
        remedy = f"name your own columns in a file, --columns; the product's are: {known}"
        found.problems.append(file_fault(path, what, remedy, line))
        return False
    for name in REQUIRED:
        if name not in names:
            remedy = f"the columns are: {known}; an office's own columns are named in a file, --columns"
            found.problems.append(file_fault(path, "column is missing", remedy, line, name))
    for place, name in enumerate(names):
        if name not in (*REQUIRED, *OPTIONAL):
            remedy = f"remove or rename it; the columns are: {known}"
            found.problems.append(file_fault(path, "unknown column", remedy, line, name))
        elif name in names[:place]:
            found.problems.append(file_fault(path, "column appears twice", "remove one of them", line, name))
    return len(found.problems) == before
