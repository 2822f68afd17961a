"""A columns file is understood, or every mistake in it is told with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.enrolment.columns import read_columns
from edge_agent.settings_errors import SettingsError
from tests.enrolment.office_list import COLUMNS_FILE

MINIMAL = """columns:
  nik: NIK
  programme: {value: BPNT}
  cycle: {value: 2026-03}
  kind: {value: goods}
  amount: {value: 10}
  unit: {value: kg}
  item: {value: beras}
  valid_from: {value: 2026-03-01}
  valid_until: {value: 2026-03-31}
"""


def faults(tmp_path: Path, text: str) -> str:
    path = tmp_path / "columns.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_columns(path)
    return str(caught.value)


def test_the_shipped_example_is_right() -> None:
    columns = read_columns(COLUMNS_FILE)
    assert columns.columns.kind.map == {"Barang": "goods", "Uang": "money", "Tunai": "money"}
    assert columns.villages is not None
    assert columns.villages["Mekarwangi"] == "centre"


def test_numbers_and_days_stay_the_text_they_are(tmp_path: Path) -> None:
    path = tmp_path / "columns.yaml"
    path.write_text(MINIMAL.replace("item: {value: beras}", "item: {column: 7, map: {1: beras, 2: gula}}"))
    sources = read_columns(path).columns.sources()
    assert (sources["amount"].value, sources["valid_from"].value) == ("10", "2026-03-01")
    assert (sources["item"].column, sources["item"].map) == ("7", {"1": "beras", "2": "gula"})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("nik: NIK", "nkk: NIK"), ["columns.yaml:2: columns.nkk: unknown key; did you mean 'nik'?"]),
        (("nik: NIK", "nik: NIK\n  subject_id: ID"), ["needs `nik` or `subject_id`, one of the two"]),
        (("  amount: {value: 10}\n", ""), ["columns.amount: is required and missing"]),
        (("amount: {value: 10}", "amount:"), ["columns.yaml:6: columns.amount: has no value"]),
        (("{value: 10}", "{column: J, value: 10}"), ["needs `column` or `value`, one of the two"]),
        (("{value: 10}", "{value: 10, map: {a: b}}"), ["`map` and `otherwise` belong to a column"]),
        (("{value: 10}", "{colum: J}"), ["columns.amount.colum: unknown key; did you mean 'column'?"]),
        (("{value: 10}", "[J]"), ["columns.yaml:6: columns.amount:"]),
        (("nik: NIK", "nik: {value: 3204125506870001}"), ["nik: differs from row to row"]),
        (("columns:", "numbers: german\ncolumns:"), ["columns.yaml:1: numbers: german:"]),
        (("columns:", "villages: {A: kiosk-1}\ncolumns:"), ["villages: needs a village"]),
        (("columns:", "villages: {A: kiosk 1}\ncolumns:"), ["columns.yaml:1: villages.A:"]),
        (("columns:", "photos: foto\ncolumns:"), ["columns.yaml:1: photos: unknown key"]),
        (("columns:", "\tcolumns:"), ["is indented with a tab"]),
        (("columns:", "colums:"), ["columns: is required and missing", "colums: unknown key; did you mean 'columns'?"]),
    ],
)
def test_mistakes(tmp_path: Path, change: tuple[str, str], told: list[str]) -> None:
    said = faults(tmp_path, MINIMAL.replace(*change))
    for one in told:
        assert one in said
    assert all("; " in line for line in said.splitlines())


def test_no_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file; correct the path given with --columns"):
        read_columns(tmp_path / "none.yaml")
    assert "the file is empty; compare with config/roster-columns.yaml" in faults(tmp_path, "")
