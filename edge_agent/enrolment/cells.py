"""One cell of an office's list -> the plain text the roster's schema reads.

Rules: what could be read in two ways is refused, never guessed. A cell may hold what CSV gives (text) or what a
spreadsheet gives (text, number, date). The text of a fault doesn't repeat the cell.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

Cell = str | int | float | bool | date | None
"""datetime is a date."""

SPREADSHEET_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"})

_SPACE = re.compile(r"\s+")
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?")
_NUMERIC_DAY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})")
_WORDY_DAY = re.compile(r"(\d{1,2}) ([A-Za-z]+) (\d{4})")
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "januari january jan",
            "februari february feb",
            "maret march mar",
            "april apr",
            "mei may",
            "juni june jun",
            "juli july jul",
            "agustus august agu aug",
            "september sep",
            "oktober october okt oct",
            "november nov",
            "desember december des dec",
        ),
        1,
    )
    for word in words.split()
}
_INDONESIAN_NUMBER = re.compile(r"(?:Rp\.? ?)?(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d+))?", re.IGNORECASE)
_DAY_REMEDY = "write the day as 31/12/2026 or 2026-12-31, or format the column as a date"


class CellFault(Exception):  # noqa: N818 - a fault in the list, not in the program
    """What is wrong with a cell, and the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(f"{what}; {remedy}")


def text_of(value: Cell) -> str:
    """The cell as text, runs of white space as one space. Raises CellFault for a spreadsheet's error value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _plain_number(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == value.min.time() else value.isoformat()
    if isinstance(value, int | date):
        return str(value)
    text = _SPACE.sub(" ", value).strip()
    if text in SPREADSHEET_ERRORS:
        raise CellFault("is an error of the spreadsheet", "correct its formula, or paste the value in its place")
    return text


def day_text(value: Cell, *, month_first: bool = False) -> str:
    """A day as YYYY-MM-DD, or "" for an empty cell. Raises CellFault."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bool | int | float):
        raise CellFault("is a number, not a day", "format the column as a date, or write the day as 31/12/2026")
    text = text_of(value)
    if not text:
        return ""
    try:
        return _day(text, month_first).isoformat()
    except ValueError as error:
        order = "month/day/year" if month_first else "day/month/year"
        raise CellFault(f"is no day of the calendar, read as {order}", _DAY_REMEDY) from error


def amount_text(value: Cell, *, indonesian: bool = False) -> str:
    """An amount as plain decimal text, or as it stands where it isn't one. indonesian: 1.500,50 is meant, with or
    without Rp before it."""
    if isinstance(value, bool):
        raise CellFault("is true or false, not an amount", "write a number")
    if isinstance(value, date):
        raise CellFault("is a day, not an amount", "format the column as a number and type the amount again")
    text = text_of(value)
    if indonesian and isinstance(value, str) and (found := _INDONESIAN_NUMBER.fullmatch(text)):
        whole, fraction = found.group(1).replace(".", ""), found.group(2)
        return f"{whole}.{fraction}" if fraction else whole
    return text


def _plain_number(value: float) -> str:
    if value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    # Spreadsheets compute in binary: 0.1 * 3 is shown as 0.3, and 15 digits are what they keep.
    return format(Decimal(f"{value:.15g}"), "f")


def _day(text: str, month_first: bool) -> date:
    if found := _ISO_DAY.fullmatch(text):
        return date(int(found.group(1)), int(found.group(2)), int(found.group(3)))
    if found := _NUMERIC_DAY.fullmatch(text):
        first, second, year = (int(part) for part in found.groups())
        return date(year, first, second) if month_first else date(year, second, first)
    if (found := _WORDY_DAY.fullmatch(text)) and (month := _MONTHS.get(found.group(2).lower())):
        return date(int(found.group(3)), month, int(found.group(1)))
    raise ValueError(text)
