"""What can't be a NIK is refused without being repeated; what can be becomes an id that says nothing."""

from __future__ import annotations

import re

import pytest

from edge_agent.enrolment.cells import Cell, CellFault
from edge_agent.enrolment.national_number import office_subject_id, read_nik
from edge_agent.roster_schema import SubjectRecord

KEY = b"an id key of the tests, 32 bytes"
GOOD = "3204125506870001"


@pytest.mark.parametrize(
    "value", [GOOD, f" {GOOD} ", f"'{GOOD}", "3204.1255.0687.0001", "3204 1255 0687 0001", int(GOOD)]
)
def test_a_nik_however_typed(value: Cell) -> None:
    assert read_nik(value) == GOOD


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (None, "is empty"),
        ("", "is empty"),
        ("   ", "is empty"),
        (True, "is not a number"),
        (GOOD[:15], "has 15 digits"),
        (GOOD + "1", "has 17 digits"),
        ("32041255O6870001", "other than digits"),
        ("٣٢٠٤١٢٥٥٠٦٨٧٠٠٠١", "other than digits"),
        ("3,20412550687E+15", "shortened by the spreadsheet"),
        ("3.2E15", "shortened by the spreadsheet"),
        (float(GOOD[:15] + "0"), "16th may be lost"),
        (int(GOOD[:15] + "0"), "16th may be lost"),
        (9_171_015_506_870_001, "16th may be lost"),
        (3204.5, "not a whole number"),
        ("0004125506870001", "no province"),
        ("4104125506870001", "no province"),
        ("3200125506870001", "no regency"),
        ("3204005506870001", "no regency"),
        ("3204123506870001", "no birthday"),
        ("3204127206870001", "no birthday"),
        ("3204121513870001", "no birthday"),
        ("3204120006870001", "no birthday"),
        ("3204122902870001", "no birthday"),
        ("3204127002880001", "no birthday"),
        ("3204125506870000", "0000"),
    ],
)
def test_what_is_no_nik_is_told_and_not_repeated(value: Cell, what: str) -> None:
    with pytest.raises(CellFault) as caught:
        read_nik(value)
    assert what in str(caught.value)
    assert caught.value.remedy
    assert not re.search(r"\d{5}", str(caught.value))


@pytest.mark.parametrize("nik", ["3204122902880001", "3204126902880001", "3204123112990001", "9604120101000001"])
def test_leap_days_women_and_new_provinces(nik: str) -> None:
    assert read_nik(nik) == nik


def test_the_id_is_opaque_stable_and_of_one_key() -> None:
    found = office_subject_id(KEY, GOOD)
    assert re.fullmatch(r"n[a-z2-7]{16}", found)
    assert found == office_subject_id(KEY, GOOD)
    assert found != office_subject_id(KEY[::-1], GOOD)
    assert found != office_subject_id(KEY, GOOD[:-1] + "2")
    assert SubjectRecord(subject_id=found, templates=["AA=="])


def test_ids_of_before_stay_as_they_were() -> None:
    """Another id for the same number would make everybody a stranger to their own claims."""
    assert office_subject_id(KEY, GOOD) == "nmg7r7krpwbcydw6x"
