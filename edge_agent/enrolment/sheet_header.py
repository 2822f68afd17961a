"""Where the header of a table is and which column has which title.

Rules: titles are compared without regard to case and white space. A header may be two rows high (a title merged over
several columns, and theirs below it); then the lower of the two counts where it has one. The row that only numbers the
columns, usual below the header of official forms, belongs to the header.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from edge_agent.enrolment.cells import Cell
from edge_agent.enrolment.sheet import SheetRow

WITHIN_ROWS = 25
_ORDINAL = re.compile(r"\(?(\d{1,3})\)?")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Header:
    """line: of the header; column_of: title as `plain_title` has it -> index; twice: titles that stand there again;
    titles: as written; data: the rows below."""

    line: int
    column_of: dict[str, int]
    twice: frozenset[str]
    titles: tuple[str, ...]
    data: Sequence[SheetRow]


def plain_title(value: Cell) -> str:
    """A title, or any value, as it is compared."""
    return _SPACE.sub(" ", str(value if value is not None else "")).strip().casefold()


def find_header(rows: Sequence[SheetRow], wanted: Collection[str], line: int | None = None) -> Header | None:
    """The header with the most of the titles wanted. line: where it is, when that is known.

    None: no row has half of them; one that has a few may be a person's, whose cells must not be taken for titles.
    """
    keys = {plain_title(title) for title in wanted}
    near = [place for place, row in enumerate(rows[:WITHIN_ROWS]) if line is None] + [
        place for place, row in enumerate(rows) if row.line == line
    ]
    candidates: list[tuple[int, tuple[SheetRow, ...]]] = [(place, (rows[place],)) for place in near]
    candidates += [(place + 1, (rows[place], rows[place + 1])) for place in near if place + 1 < len(rows)]
    best, most = None, (len(keys) - 1) // 2
    for last, high in candidates:
        titles = _titles(high)
        count = len(keys & {plain_title(title) for title in titles})
        if count > most:
            best, most = (last, titles), count
    if best is None:
        return None
    last, titles = best
    found: dict[str, int] = {}
    twice: set[str] = set()
    for index, title in enumerate(titles):
        key = plain_title(title)
        if key in found:
            twice.add(key)
        elif key:
            found[key] = index
    data = rows[last + 1 :]
    if data and _only_numbers_columns(data[0]):
        data = data[1:]
    return Header(rows[last].line, found, frozenset(twice), tuple(titles), data)


def _titles(high: Sequence[SheetRow]) -> list[str]:
    width = max(len(row.cells) for row in high)
    titles = [""] * width
    for row in high:
        for index, cell in enumerate(row.cells):
            if text := _SPACE.sub(" ", str(cell if cell is not None else "")).strip():
                titles[index] = text
    return titles


def _only_numbers_columns(row: SheetRow) -> bool:
    """1, 2, 3 … or (1), (2), (3) … in every cell that has anything, at least three of them."""
    found = [_ORDINAL.fullmatch(plain_title(cell)) for cell in row.cells if plain_title(cell)]
    numbers = [int(match.group(1)) for match in found if match]
    return len(numbers) == len(found) >= 3 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))
