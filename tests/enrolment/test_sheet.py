"""Tables as spreadsheet programs write them."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import openpyxl
import pytest

from edge_agent.enrolment.faults import Fault
from edge_agent.enrolment.sheet import SheetRow, read_rows
from edge_agent.enrolment.sheet_header import find_header


def rows_of(path: Path, worksheet: str | None = None) -> list[SheetRow]:
    problems: list[Fault] = []
    rows = read_rows(path, worksheet, problems)
    assert not problems
    return rows


def fault_of(path: Path, worksheet: str | None = None) -> str:
    problems: list[Fault] = []
    read_rows(path, worksheet, problems)
    (problem,) = problems
    return str(problem)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\n",
        b"a;b\r\n1;2\r\n;\r\n\r\n",
        b"\xef\xbb\xbfa;b\r\n1;2",
        b"sep=;\r\na;b\r\n1;2\r\n",
        "a\tb\n1\t2\n".encode("utf-16"),
    ],
)
def test_csv_of_any_program(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    assert [row.cells for row in rows_of(path)] == [("a", "b"), ("1", "2")]


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text('a,b\n\n"two\nlines",1\nlast,2\n')
    assert [(row.line, row.cells[1]) for row in rows_of(path)] == [(1, "b"), (3, "1"), (5, "2")]


def test_numbers_dates_merged_cells_and_empty_rows_of_a_spreadsheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["DAFTAR PENERIMA"])
    sheet.merge_cells("A1:D1")
    sheet.append(["Nama", "Bantuan", None, "Waktu"])
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("B2:C2")
    sheet.append([None, "Jumlah", "Satuan", None])
    sheet.append(["(1)", "(2)", "(3)", "(4)"])
    sheet.append(["Desa A", 10.5, "kg", datetime(2026, 3, 1)])
    sheet.append([None, 3, "kg", time(8, 30)])
    sheet.merge_cells("A5:A6")
    sheet["A40"] = None
    sheet["B50"] = "  "
    book.save(tmp_path / "list.xlsx")
    rows = rows_of(tmp_path / "list.xlsx")
    assert rows[-1] == SheetRow(6, ("Desa A", 3, "kg", "08:30:00"))
    header = find_header(rows, ["Nama", "jumlah", "SATUAN"])
    assert header is not None
    assert (header.line, header.column_of["satuan"]) == (3, 2)
    assert [row.line for row in header.data] == [5, 6]
    assert rows_of(tmp_path / "list.xlsx")[4].cells[3] == datetime(2026, 3, 1)


def test_a_row_that_looks_like_numbers_of_columns_is_data_when_it_is_not(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("a,b,c\n5,5,5\n1,2,3\n")
    header = find_header(rows_of(path), ["a", "b"])
    assert header is not None
    assert [row.line for row in header.data] == [2, 3]


def test_worksheets_are_chosen_or_asked_for(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for title in ("Maret", "April"):
        sheet = book.create_sheet(title)
        sheet.append(["a"])
        sheet.append([title])
    path = tmp_path / "list.xlsx"
    book.save(path)
    assert rows_of(path, "April")[1].cells == ("April",)
    assert "has several worksheets; name one" in fault_of(path)
    assert "'Maret', 'April'" in fault_of(path, "Mei")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\xd0\xcf\x11\xe0 old", "old Excel file (.xls) or protected by a password; save it as .xlsx"),
        (b"PK\x03\x04 torn", "is no whole .xlsx file"),
        (b"a,b\nB\xe9,1\n", "list:2: is not UTF-8 text"),
        (b'a,b\n"open,1\n', "is not CSV from here on"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "list"
    path.write_bytes(content)
    assert what in fault_of(path)


def test_a_spreadsheet_of_something_else(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "is no whole .xlsx file" in fault_of(path)


def test_a_missing_file(tmp_path: Path) -> None:
    assert "can't be read (No such file or directory)" in fault_of(tmp_path / "none.xlsx")
