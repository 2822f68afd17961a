"""The national number (NIK): read from a cell, checked, and turned into the opaque id that leaves the office.

Rules: a NIK never leaves this package and never stands in a fault. The id is "n" and 16 letters or digits: the first 80
bits of HMAC-SHA-256 under the office's id key, base32. Two of a million people share an id with a probability of
4·10⁻¹³, two of 300 million with 4·10⁻⁸ (n²/2⁸¹); a build refuses a list in which it happens. Without the key an id
can't be turned back by trying all numbers.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from edge_agent.enrolment.cells import Cell, CellFault
from edge_agent.key_files import derive

DIGITS = 16
ID_BYTES = 10

_SEPARATORS = re.compile(r"[\s.\-'’`]+")
_SHORTENED = re.compile(r"\d([.,]\d+)?[eE]\+?\d+")
_EXACT_BELOW = 2**53
"""Excel and CSV programs keep numbers as binary64: whole numbers are exact up to here."""
_AS_TEXT = "format the column as text, type the number again (or import it as text)"
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WOMEN_DAY_OFFSET = 40


def read_nik(value: Cell) -> str:
    """16 digits that can be a NIK. Raises CellFault, which repeats none of them."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise CellFault("is empty" if value is None else "is not a number", "write the 16 digits of the NIK as text")
    if isinstance(value, str):
        text = _SEPARATORS.sub("", value)
        if _SHORTENED.fullmatch(value.strip()):
            raise CellFault("was shortened by the spreadsheet (as in 3.2E+15), so its last digits are lost", _AS_TEXT)
    else:
        text = _number(value)
    if not text:
        raise CellFault("is empty", "write the 16 digits of the NIK as text")
    if not (text.isascii() and text.isdigit()):
        raise CellFault("holds something other than digits", "write the 16 digits of the NIK")
    if len(text) != DIGITS:
        raise CellFault(f"has {len(text)} digits, a NIK has {DIGITS}", "compare with the identity card")
    _check_parts(text)
    return text


def office_subject_id(id_key: bytes, nik: str) -> str:
    """The opaque id of this NIK: the same in every list of an office with this key."""
    digest = hmac.new(derive(id_key, "subject id"), nik.encode("ascii"), hashlib.sha256).digest()
    return "n" + base64.b32encode(digest[:ID_BYTES]).decode("ascii").lower()


def _number(value: int | float) -> str:
    """Digits of a NIK kept as a number, where they can be trusted: a spreadsheet keeps 15 and writes 0 for the 16th."""
    if isinstance(value, float) and not value.is_integer():
        raise CellFault("is not a whole number", _AS_TEXT)
    whole = int(value)
    text = str(whole)
    if len(text) == DIGITS and (whole % 10 == 0 or whole >= _EXACT_BELOW):
        raise CellFault("is kept as a number: a spreadsheet keeps 15 digits, so the 16th may be lost", _AS_TEXT)
    return text


def _check_parts(nik: str) -> None:
    """Province, regency, district; birthday (day + 40 for women); serial. The provinces of tomorrow are let through."""
    remedy = "compare with the identity card"
    if nik[0] in "04" or nik[1] == "0":
        raise CellFault("digits 1 and 2 are no province", remedy)
    if nik[2:4] == "00" or nik[4:6] == "00":
        raise CellFault("digits 3 to 6 are no regency and district", remedy)
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    if day > _WOMEN_DAY_OFFSET:
        day -= _WOMEN_DAY_OFFSET
    if not 1 <= month <= len(_DAYS) or not 1 <= day <= _DAYS[month - 1] or (month == 2 and day == 29 and year % 4):
        raise CellFault("digits 7 to 12 are no birthday (for women the day is 40 more)", remedy)
    if nik[12:] == "0000":
        raise CellFault("digits 13 to 16 are 0000, serials begin at 0001", remedy)
