"""One cell becomes plain text, or a fault."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from edge_agent.enrolment.cells import Cell, CellFault, amount_text, day_text, text_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("  Budi \u00a0 Santoso\n", "Budi Santoso"),
        (10, "10"),
        (10.0, "10"),
        (0.1 * 3, "0.3"),
        (1e15, "1000000000000000"),
        (datetime(2026, 3, 1), "2026-03-01"),
        (date(2026, 3, 1), "2026-03-01"),
    ],
)
def test_text(value: Cell, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("", ""),
        (None, ""),
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01 00:00:00", "2026-03-01"),
        ("1/3/2026", "2026-03-01"),
        ("01-03-2026", "2026-03-01"),
        ("01.03.2026", "2026-03-01"),
        ("1 Maret 2026", "2026-03-01"),
        ("17 Agustus 2026", "2026-08-17"),
        (datetime(2026, 3, 1, 0, 0), "2026-03-01"),
    ],
)
def test_days(value: Cell, day: str) -> None:
    assert day_text(value) == day


@pytest.mark.parametrize("value", ["31/02/2026", "3/13/2026", "1/3/26", "soon", 46082, 46082.0, True, "#REF!"])
def test_what_is_no_day(value: Cell) -> None:
    with pytest.raises(CellFault) as caught:
        day_text(value)
    assert caught.value.remedy


def test_american_days_are_read_when_said_so() -> None:
    assert day_text("3/13/2026", month_first=True) == "2026-03-13"


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("600.000", "600000"),
        ("Rp 1.600.000,50", "1600000.50"),
        ("10,5", "10.5"),
        ("600000", "600000"),
        (600000, "600000"),
        (10.5, "10.5"),
        ("1.60.000", "1.60.000"),
        ("sepuluh", "sepuluh"),
    ],
)
def test_indonesian_amounts(value: Cell, amount: str) -> None:
    assert amount_text(value, indonesian=True) == amount


@pytest.mark.parametrize("value", [True, date(2026, 3, 1), "#DIV/0!"])
def test_what_is_no_amount(value: Cell) -> None:
    with pytest.raises(CellFault):
        amount_text(value)


def test_plain_amounts_stay_as_they_are_typed() -> None:
    assert amount_text("600.000") == "600.000"
