"""An office's own list: what is right becomes people and entitlements, what is wrong is told by row and column."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from edge_agent.core.model import Benefit
from edge_agent.enrolment.columns import ColumnMap, read_columns
from edge_agent.enrolment.listed_rows import EntitlementList
from edge_agent.enrolment.mapped_list import MappedList
from edge_agent.enrolment.national_number import office_subject_id
from tests.enrolment.office_list import (
    COLUMNS_FILE,
    ERRORS,
    TITLES,
    OfficeList,
    good_row,
    make_list,
    name,
    nik,
    write_list,
)

KEY = b"an id key of the tests, 32 bytes"


def read(path: Path, key: bytes | None = KEY, home_column: str | None = None, **changes: Any) -> EntitlementList:
    columns = read_columns(COLUMNS_FILE)
    return MappedList(path, ColumnMap.model_validate({**columns.model_dump(), **changes}), key, home_column).read()


def listed(tmp_path: Path, *rows: list[Any], suffix: str = "xlsx") -> Path:
    office = OfficeList(tmp_path / f"kpm.{suffix}", list(rows))
    write_list(office)
    return office.path


def changed(number: int, **cells: Any) -> list[Any]:
    row = good_row(number)
    for title, value in cells.items():
        row[TITLES.index(title.replace("_", " "))] = value
    return row


def told(found: EntitlementList) -> str:
    return "\n".join(str(problem) for problem in found.problems)


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_rows_become_people_and_entitlements(tmp_path: Path, suffix: str) -> None:
    office = make_list(tmp_path / f"kpm.{suffix}", 3)
    found = read(office.path)
    assert told(found) == ""
    people = list(found.people.values())
    assert [person.subject_id for person in people] == [office_subject_id(KEY, nik(n)) for n in (1, 2, 3)]
    assert [person.display_name for person in people] == [name(n) for n in (1, 2, 3)]
    assert [person.photos for person in people] == [[tmp_path / "foto" / f"{n}.png"] for n in (1, 2, 3)]
    assert people[0].where == {tmp_path / "foto" / "1.png": f"{office.path}:2: Foto 1"}
    first = found.entitlements[0]
    assert (first.programme, first.cycle, first.valid_until) == ("BPNT", "2026-03", date(2026, 3, 31))
    assert first.benefit == Benefit("goods", Decimal("10"), "kg", "beras")
    assert [one.home for one in found.entitlements] == ["kiosk-2", None, "kiosk-1"]


def test_several_rows_of_a_person_are_several_entitlements(tmp_path: Path) -> None:
    money = changed(1, Program="PKH", Jenis="tunai", Jumlah="Rp 600.000", Satuan="Rp", Barang=None)
    found = read(listed(tmp_path, good_row(1), money))
    assert told(found) == ""
    assert len(found.people) == 1
    assert found.entitlements[1].benefit == Benefit("money", Decimal(600000), "IDR")


@pytest.mark.parametrize(
    ("cells", "column", "what"),
    [
        ({"NIK": 3204125506870010.0}, "NIK", "16th may be lost"),
        ({"NIK": None}, "NIK", "is empty"),
        ({"Nama Penerima": "x" * 81}, "Nama Penerima", "at most 80"),
        ({"Jumlah": "1.60.000"}, "Jumlah", "is not a plain number"),
        ({"Jumlah": -3}, "Jumlah", "greater than 0"),
        ({"Jumlah": None}, "Jumlah", "is missing"),
        ({"Jumlah": datetime(2026, 10, 5)}, "Jumlah", "is a day, not an amount"),
        ({"Jumlah": "#REF!"}, "Jumlah", "is an error of the spreadsheet"),
        ({"Mulai": "31/02/2026"}, "Mulai", "is no day of the calendar"),
        ({"Mulai": 46082}, "Mulai", "is a number, not a day"),
        ({"Sampai": datetime(2026, 2, 1)}, "Sampai", "is before valid_from"),
        ({"Program": "Semboko"}, "Program", "is not in this field's map"),
        ({"Satuan": "karung"}, "Satuan", "is not in this field's map"),
        ({"Satuan": "Rp", "Jenis": "Barang", "Barang": None}, "Barang", "goods need one"),
        ({"Desa": "Suka Makmur"}, "Desa", "is not under `villages:`"),
        ({"Desa": None}, "Desa", "there is no home"),
    ],
)
def test_one_wrong_cell(tmp_path: Path, cells: dict[str, Any], column: str, what: str) -> None:
    path = listed(tmp_path, good_row(1), changed(2, **cells))
    found = read(path)
    (problem,) = found.problems
    assert (problem.line, problem.field) == (3, column)
    assert what in problem.what
    assert problem.remedy
    assert len(found.entitlements) == 1


def test_every_fault_of_a_row_is_told(tmp_path: Path) -> None:
    found = read(listed(tmp_path, changed(1, Jumlah="x", Sampai="y", Program="z")))
    assert {problem.field for problem in found.problems} == {"Jumlah", "Sampai", "Program"}


def test_one_number_with_two_names_is_nobody(tmp_path: Path) -> None:
    path = listed(
        tmp_path, good_row(1), changed(2, NIK=nik(1), Program="PKH"), changed(3, Nama_Penerima="siti  SUTRISNO")
    )
    (problem,) = read(path).problems
    assert (problem.line, problem.field, problem.scope.value) == (3, "Nama Penerima", "person")
    assert "is not the one in line 2" in problem.what


def test_the_same_entitlement_twice(tmp_path: Path) -> None:
    found = read(listed(tmp_path, good_row(1), good_row(1)))
    assert "is the same entitlement as in line 2" in told(found)
    assert len(found.entitlements) == 1


def test_two_numbers_with_one_id_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_agent.enrolment.mapped_list.office_subject_id", lambda _key, _nik: "nsame")
    assert "kpm.xlsx:3: NIK: gets the same id as another number, by chance" in told(
        read(listed(tmp_path, good_row(1), good_row(2)))
    )


def test_titles_above_footers_below_and_numbered_columns_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "kpm.csv"
    row = (
        ";".join(str(cell) for cell in good_row(1)).replace("2026-03-01", "1/3/2026").replace("2026-03-31", "31/3/2026")
    )
    numbers = ";".join(str(n) for n in range(1, 14))
    path.write_text(
        f"DAFTAR KPM;{';' * 11}\n\n{';'.join(TITLES).upper()}\n{numbers}\n{row}\n;;;;;;;;;;;;\n;;;;;;;;;;;;\n"
    )
    found = read(path)
    assert told(found) == ""
    assert found.line_of[found.entitlements[0].entitlement_id] == 5


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"header_row": 2}, "no row has at least half of the titles NIK"),
        ({"worksheet": "Mei"}, "has no worksheet 'Mei'"),
    ],
)
def test_the_columns_file_names_what_is_not_there(tmp_path: Path, changes: dict[str, Any], what: str) -> None:
    assert what in told(read(listed(tmp_path, good_row(1)), **changes))


def test_missing_and_doubled_columns(tmp_path: Path) -> None:
    path = tmp_path / "kpm.csv"
    path.write_text(";".join(TITLES).replace("Jumlah", "Jumlha").replace("No;", "Desa;") + "\n")
    said = told(read(path))
    assert "kpm.csv:1: Jumlah: column is missing; did you mean 'Jumlha'?" in said
    assert "kpm.csv:1: Desa: column appears twice" in said


def test_national_numbers_need_the_key(tmp_path: Path) -> None:
    assert "has national numbers, and there is no key to hide them; make a key" in told(
        read(listed(tmp_path, good_row(1)), None)
    )


def test_a_home_column_of_the_command_line(tmp_path: Path) -> None:
    found = read(
        listed(tmp_path, changed(1, Foto="kiosk-9"), changed(2, Foto="Centre"), changed(3, Foto="")), home_column="Foto"
    )
    assert [one.home for one in found.entitlements] == ["kiosk-9", None, "kiosk-1"]


def test_photographs_by_name_stem_folder_and_id(tmp_path: Path) -> None:
    office = make_list(tmp_path / "kpm.xlsx", 1)
    for extra in ("1_2.png", "1-side.png", "10.png", "1/a.png"):
        (office.photo_folder / extra).parent.mkdir(exist_ok=True)
        (office.photo_folder / extra).write_bytes((office.photo_folder / "1.png").read_bytes())
    names = [path.name for path in next(iter(read(office.path).people.values())).photos]
    assert names == ["a.png"]
    (office.photo_folder / "1" / "a.png").unlink()
    (office.photo_folder / "1").rmdir()
    names = [path.name for path in next(iter(read(office.path).people.values())).photos]
    assert names == ["1-side.png", "1.png", "1_2.png"]
    office.rows[0][-1] = "../secret.png | 1.PNG"
    write_list(office)
    names = [path.name for path in next(iter(read(office.path).people.values())).photos]
    assert names == ["secret.png", "1.png"]
    columns = read_columns(COLUMNS_FILE).columns.model_copy(update={"photos": None})
    named = office.photo_folder / f"{office_subject_id(KEY, nik(1))}.png"
    named.write_bytes((office.photo_folder / "1.png").read_bytes())
    assert next(iter(read(office.path, columns=columns.model_dump()).people.values())).photos == [named]


def test_a_column_mapped_wrongly_tells_no_name(tmp_path: Path) -> None:
    columns = read_columns(COLUMNS_FILE).columns.model_dump()
    for field, title in (
        ("amount", "Nama Penerima"),
        ("item", "NIK"),
        ("village", "Nama Penerima"),
        ("valid_from", "NIK"),
    ):
        columns[field] = {"column": title}
    columns["name"] = None
    path = listed(tmp_path, good_row(1), good_row(2))
    said = told(read(path, columns=columns))
    assert said
    for number in (1, 2):
        assert nik(number) not in said
        assert not [word for word in name(number).split() if word in said]


@pytest.mark.parametrize("value", [nik(2), "3204.1255.0687.0001", name(1), f"milik {name(1).split()[0]}"])
def test_a_number_or_a_name_in_another_cell_is_not_repeated(tmp_path: Path, value: str) -> None:
    (problem,) = read(listed(tmp_path, changed(1, Jumlah=value))).problems
    assert (problem.field, problem.value) == ("Jumlah", "")
    assert not [word for word in value.split() if word in str(problem).replace(str(tmp_path), "")]


@pytest.mark.parametrize("text", [nik(2), "3204.1255.0687.0001", f"kpm-{nik(2)}", "KK 3204 1255 0687 0001"])
@pytest.mark.parametrize("field", ["entitlement_id", "cycle", "item"])
def test_no_national_number_gets_into_what_leaves_the_office(tmp_path: Path, field: str, text: str) -> None:
    columns = read_columns(COLUMNS_FILE).columns.model_dump()
    columns[field] = {"column": "No"}
    found = read(listed(tmp_path, changed(1, No=text)), columns=columns)
    assert "kpm.xlsx:2: No: looks like a national number (16 digits)" in told(found)
    assert not found.entitlements


@pytest.mark.parametrize("text", [nik(2), "3204.1255.0687.0001", "3204-1255-0687-0001"])
def test_a_national_number_is_no_subject_id(tmp_path: Path, text: str) -> None:
    columns = {**read_columns(COLUMNS_FILE).columns.model_dump(), "nik": None, "subject_id": {"column": "No"}}
    found = read(listed(tmp_path, changed(1, No=text)), columns=columns)
    (problem,) = found.problems
    assert (problem.field, problem.value, problem.subject_id) == ("No", "", "")
    assert not found.people


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_each_seeded_error_is_found_in_its_row_and_column(tmp_path: Path, suffix: str) -> None:
    office = make_list(tmp_path / f"kpm.{suffix}", 60, len(ERRORS) * 2, seed=5)
    found = read(office.path)
    by_faces = {"Foto", "alike"}
    expected = {(line, column) for line, column in office.faults.items() if column not in by_faces}
    expected = {(line, "entitlement_id" if column == "again" else column) for line, column in expected}
    assert {(problem.line, problem.field) for problem in found.problems} == expected
    assert not [text for text in office.private if text in told(found)]
