"""A table of the office, CSV or XLSX, as rows of cells with the line numbers the clerk sees.

Rules: only this file knows of spreadsheets. What a merged cell holds, holds for every cell merged into it. Nothing is
raised for what a file holds: a fault goes into the list passed in.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from edge_agent.enrolment.cells import Cell
from edge_agent.enrolment.faults import Fault, file_fault

LARGEST_FILE_BYTES = 64 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 1024 * 1024 * 1024
MOST_ROWS = 1_048_576

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_DELIMITERS = ",;\t"


@dataclass(frozen=True)
class SheetRow:
    """line: as an editor or spreadsheet counts it, from 1. hidden: by the clerk or by a filter."""

    line: int
    cells: tuple[Cell, ...]
    hidden: bool = False


def read_rows(path: Path, worksheet: str | None, problems: list[Fault]) -> list[SheetRow]:
    """Every row that isn't empty. worksheet: of a spreadsheet with several; None: its only one."""
    content = read_content(path, problems)
    if content is None:
        return []
    if content[:4] == _OLD_EXCEL:
        what = "is an old Excel file (.xls) or protected by a password"
        problems.append(file_fault(path, what, "save it as .xlsx without a password"))
        return []
    if content[:2] == b"PK":
        return _spreadsheet(path, content, worksheet, problems)
    text = decode(path, content, problems)
    return _csv(path, text, problems) if text is not None else []


def read_content(path: Path, problems: list[Fault]) -> bytes | None:
    """The file's bytes, or a fault."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        problems.append(file_fault(path, f"can't be read ({error.strerror})", "give the list under this name"))
        return None
    if len(content) > LARGEST_FILE_BYTES:
        problems.append(file_fault(path, f"is larger than {LARGEST_FILE_BYTES} bytes", "split the list by site"))
        return None
    return content


def decode(path: Path, content: bytes, problems: list[Fault]) -> str | None:
    """UTF-8 with or without its mark, or UTF-16 with it ('Unicode text' of Excel); else a fault."""
    try:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problems.append(file_fault(path, "is not UTF-8 text", "save the list as 'CSV UTF-8'", line))
        return None


def _csv(path: Path, text: str, problems: list[Fault]) -> list[SheetRow]:
    head = text.split("\n", 20)[:20]
    delimiter = max(_DELIMITERS, key=lambda sign: sum(line.count(sign) for line in head))
    if head[0].strip().lower().startswith("sep=") and len(head[0].strip()) == len("sep=,"):
        delimiter = head[0].strip()[-1]
    # strict: a quotation mark that is never closed would swallow the rest of the file.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[SheetRow] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (line == 1 and cells[0].lower().startswith("sep=")):
                rows.append(SheetRow(line, tuple(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        remedy = "close the quotation mark, or save the list again as 'CSV UTF-8'"
        problems.append(file_fault(path, f"is not CSV from here on ({error})", remedy, line))
    return rows


def _spreadsheet(path: Path, content: bytes, worksheet: str | None, problems: list[Fault]) -> list[SheetRow]:
    again = "open it in the spreadsheet program and save it again as .xlsx"
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > LARGEST_UNPACKED_BYTES:
                problems.append(file_fault(path, "unpacks to more than a list can be", "split the list by site"))
                return []
        book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    # What openpyxl's readers raise for damaged or foreign files.
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError) as error:
        problems.append(file_fault(path, f"is no whole .xlsx file ({type(error).__name__})", again))
        return []
    sheet = _chosen(path, book, worksheet, problems)
    if sheet is None:
        return []
    merged = _merged(sheet)
    hidden = {line for line, look in sheet.row_dimensions.items() if look.hidden}
    rows: list[SheetRow] = []
    for line, cells in enumerate(sheet.iter_rows(max_row=min(sheet.max_row, MOST_ROWS), values_only=True), 1):
        values = tuple(
            merged.get((line, column), value if isinstance(value, Cell) else str(value))
            for column, value in enumerate(cells, 1)
        )
        if any(value is not None and str(value).strip() for value in values):
            rows.append(SheetRow(line, values, line in hidden))
    return rows


def _chosen(path: Path, book: openpyxl.Workbook, worksheet: str | None, problems: list[Fault]) -> Worksheet | None:
    """The worksheet that was named, or the only one that holds anything."""
    names = ", ".join(f"'{sheet.title}'" for sheet in book.worksheets)
    if worksheet is not None:
        named = [sheet for sheet in book.worksheets if sheet.title == worksheet]
        if not named:
            problems.append(file_fault(path, f"has no worksheet '{worksheet}'", f"its worksheets are {names}"))
        return named[0] if named else None
    filled = [sheet for sheet in book.worksheets if sheet.max_row > 1]
    if len(filled) != 1:
        what = "has several worksheets" if filled else "has no worksheet with rows"
        problems.append(file_fault(path, what, f"name one in the columns file, `worksheet: …`; they are {names}"))
        return None
    return filled[0]


def _merged(sheet: Worksheet) -> dict[tuple[int, int], Cell]:
    """(row, column) -> what the merged cell over it holds."""
    found: dict[tuple[int, int], Cell] = {}
    for area in sheet.merged_cells.ranges:
        value = sheet.cell(area.min_row, area.min_col).value
        for row in range(area.min_row, area.max_row + 1):
            for column in range(area.min_col, area.max_col + 1):
                found[row, column] = value if isinstance(value, Cell) else str(value)
    return found
