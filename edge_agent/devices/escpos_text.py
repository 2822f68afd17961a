"""Text as a receipt printer can take it: only characters it has, in rows it has room for.

Rules: pure. Control characters never pass (a name can't carry a printer command), and a character the code page lacks
is written with letters that read the same, never as a question mark.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Callable

from anyascii import anyascii

NO_BREAK_SPACE = "\u00a0"
_NO_BREAK_SPACES = "\u00a0\u202f\u2007"


def printable(text: str, has: Callable[[str], bool]) -> str:
    """The text in characters for which `has` is true, ASCII, "\\n" and no-break space; Javanese and other scripts in
    Latin letters."""
    return "".join(_one(char, has) for char in unicodedata.normalize("NFC", text))


def _one(char: str, has: Callable[[str], bool]) -> str:
    if char in _NO_BREAK_SPACES:
        return NO_BREAK_SPACE
    if char == "\n" or " " <= char <= "~":
        return char
    if unicodedata.category(char) in ("Cc", "Cf"):
        return " " if char == "\t" else ""
    if has(char):
        return char
    without_marks = unicodedata.normalize("NFD", char)[0]
    if without_marks != char and (without_marks <= "~" or has(without_marks)):
        return without_marks
    return str(anyascii(char))


def rows(text: str, right: str, columns: int) -> list[str]:
    """The paragraph in rows of at most `columns`; `right` flush right beside the last row where it fits, else below."""
    wrapped = [row for paragraph in text.split("\n") for row in _wrap(paragraph, columns)]
    if right:
        last = wrapped[-1]
        tail = _wrap(right, columns)
        if len(tail) == 1 and (not last or len(last) + 1 + len(right) <= columns):
            wrapped[-1] = last + right.rjust(columns - len(last))
        else:
            wrapped += [row.rjust(columns) for row in tail]
    return [row.replace(NO_BREAK_SPACE, " ") for row in wrapped]


def _wrap(paragraph: str, columns: int) -> list[str]:
    return textwrap.wrap(paragraph, columns, break_on_hyphens=False) or [""]
