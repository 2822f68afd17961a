"""An office's own list, CSV or XLSX with columns as a file maps them -> people and entitlements.

Rules: the national number becomes the opaque id here, before anything else sees the row. A photograph is called by its
row in every report, since files bear names and numbers. Rows in which every mapped column is empty are no rows.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from edge_agent.enrolment.cells import Cell, CellFault, amount_text, day_text, text_of
from edge_agent.enrolment.columns import CENTRE, ColumnMap, Source
from edge_agent.enrolment.faults import Fault, file_fault
from edge_agent.enrolment.listed_rows import ENTITLEMENT_FIELDS, REQUIRED, EntitlementList, Row, take_row
from edge_agent.enrolment.national_number import office_subject_id, read_nik
from edge_agent.enrolment.photo_finder import PhotoFinder
from edge_agent.enrolment.sheet import SheetRow, read_rows
from edge_agent.enrolment.sheet_header import Header, find_header, plain_title

_DAYS = ("valid_from", "valid_until")
_AMOUNTS = ("amount", "portion", "portion_days")
_CALLED = {"name": "display_name", "nik": "subject_id"}
"""Field of the mapping -> field of a row."""


class MappedList:
    """Reads one list."""

    def __init__(self, path: Path, columns: ColumnMap, id_key: bytes | None, home_column: str | None = None) -> None:
        """id_key: makes ids of national numbers, needed where the map has `nik`. home_column: in place of the map's."""
        self._path, self._map, self._id_key = path, columns, id_key
        self._sources = columns.columns.sources()
        if home_column is not None:
            self._sources["home"] = Source(column=home_column)
        self._titles = {
            _CALLED.get(name, name): source.column for name, source in self._sources.items() if source.column
        }
        self._finder = PhotoFinder(path.parent / columns.photo_folder)
        self._villages = {plain_title(name): home for name, home in (columns.villages or {}).items()}
        self._maps = {
            name: {plain_title(said): meant for said, meant in source.map.items()}
            for name, source in self._sources.items()
            if source.map is not None
        }
        self._niks: dict[str, str] = {}
        self._column_of: dict[str, int] = {}

    def read(self) -> EntitlementList:
        """Read the whole file; nothing is raised for what it holds, everything is in `problems`."""
        found = EntitlementList(titles=self._titles)
        if "nik" in self._sources and self._id_key is None:
            remedy = "make a key with `edge-agent keys make office-id FOLDER` and give it with --id-key"
            found.problems.append(
                file_fault(self._path, "has national numbers, and there is no key to hide them", remedy)
            )
            return found
        rows = read_rows(self._path, self._map.worksheet, found.problems)
        if not rows and not found.problems:
            found.problems.append(file_fault(self._path, "is empty", "save the list once more, with its rows"))
        header = self._header(rows, found.problems) if rows else None
        if header is not None:
            self._column_of = header.column_of
            for row in header.data:
                self._take(row, found)
        return found

    def _header(self, rows: list[SheetRow], problems: list[Fault]) -> Header | None:
        wanted = list(dict.fromkeys(source.column for source in self._sources.values() if source.column))
        header = find_header(rows, wanted, self._map.header_row)
        if header is None:
            what = f"no row has at least half of the titles {', '.join(wanted)}"
            problems.append(file_fault(self._path, what, "correct the columns file, or set its header_row"))
            return None
        before = len(problems)
        written = {plain_title(title): title for title in header.titles if title}
        for title in wanted:
            key = plain_title(title)
            if key not in header.column_of:
                near = difflib.get_close_matches(key, list(written), 1, 0.6)
                titles = ", ".join(written.values())
                remedy = f"did you mean '{written[near[0]]}'?" if near else f"the header has: {titles}"
                problems.append(file_fault(self._path, "column is missing", remedy, header.line, title))
            elif key in header.twice:
                remedy = "give each its own title"
                problems.append(file_fault(self._path, "column appears twice", remedy, header.line, title))
        return header if len(problems) == before else None

    def _take(self, row: SheetRow, found: EntitlementList) -> None:
        raw = {name: self._cell(source, row) for name, source in self._sources.items() if source.column}
        if not any(plain_title(value) for value in raw.values()):
            return
        cells, wrong = self._cells(raw)
        identity = "nik" if "nik" in self._sources else "subject_id"
        if identity not in wrong and not (identity in cells or cells.get("subject_id")):
            wrong[identity] = CellFault("is empty", "say whose row it is, or delete the row")
        if row.hidden:
            found.hidden.append(row.line)
        if self._only_names(raw):
            wrong = {name: one for name, one in wrong.items() if name in (identity, "name")}
            cells = {name: cells[name] for name in ("subject_id", "display_name") if name in cells}
        names = {name: text for name, text in cells.items() if name != "village"}
        for name in REQUIRED:
            names.setdefault(name, "")
        place = Row(self._path, row.line, names, self._titles)
        faults = [place.fault(_CALLED.get(name, name), one.what, remedy=one.remedy) for name, one in wrong.items()]
        if identity in wrong:
            found.problems.extend(faults)
            return
        take_row(Row(self._path, row.line, names, self._titles, self._photos(row.line, raw, names)), found, faults)

    def _only_names(self, raw: dict[str, Cell]) -> bool:
        """Whether the row says nothing of an entitlement: a proxy or an officer. With a single column that could tell,
        an empty cell is rather a mistake."""
        telling = [name for name in ENTITLEMENT_FIELDS if name in raw]
        return len(telling) > 1 and not any(plain_title(raw[name]) for name in telling)

    def _cells(self, raw: dict[str, Cell]) -> tuple[dict[str, str], dict[str, CellFault]]:
        """(what the row says, by field of a row; what is wrong, by field of the mapping)."""
        cells: dict[str, str] = {}
        wrong: dict[str, CellFault] = {}
        for name, source in self._sources.items():
            if name == "photos":
                continue
            try:
                text = source.value if source.value is not None else self._text(name, source, raw[name])
            except CellFault as fault:
                wrong[name] = fault
                text = ""
            cells[_CALLED.get(name, name)] = text or ""
        if cells.get("home") and plain_title(cells["home"]) == CENTRE:
            cells["home"] = ""
        elif self._map.villages is not None and not cells.get("home") and "village" not in wrong:
            try:
                cells["home"] = self._home_of(cells.get("village", ""))
            except CellFault as fault:
                wrong["village"] = fault
        return cells, wrong

    def _text(self, name: str, source: Source, value: Cell) -> str:
        if name == "nik":
            return self._subject_of(value)
        said = plain_title(value)
        known = self._maps.get(name)
        if known is not None and said in known:
            return known[said]
        if source.otherwise is not None and (known is not None or not said):
            return source.otherwise
        if known is not None and said:
            written = ", ".join(source.map or ())
            raise CellFault(
                "is not in this field's map", f"correct the cell, or add it to the map, which has: {written}"
            )
        if name in _DAYS:
            return day_text(value, month_first=self._map.days == "month_first")
        if name in _AMOUNTS:
            return amount_text(value, indonesian=self._map.numbers == "indonesian")
        return text_of(value)

    def _subject_of(self, value: Cell) -> str:
        nik = read_nik(value)
        if self._id_key is None:
            raise CellFault("can't be hidden without a key", "give --id-key")
        subject_id = office_subject_id(self._id_key, nik)
        if self._niks.setdefault(subject_id, nik) != nik:
            raise CellFault("gets the same id as another number, by chance", "leave one of the two to another roster")
        return subject_id

    def _home_of(self, village: str) -> str:
        home = self._villages.get(plain_title(village))
        if home is None:
            remedy = (
                f"add the village with its terminal or `{CENTRE}` under `villages:` of the columns file, or correct it"
            )
            raise CellFault("is not under `villages:`" if village else "is empty, and so there is no home", remedy)
        return "" if home == CENTRE else home

    def _cell(self, source: Source, row: SheetRow) -> Cell:
        index = self._column_of[plain_title(source.column)]
        return row.cells[index] if index < len(row.cells) else None

    def _photos(self, line: int, raw: dict[str, Cell], cells: dict[str, str]) -> tuple[tuple[Path, str], ...]:
        """(file, what to call it) of every photograph of this row."""
        title = self._titles.get("photos", "photo")
        if "photos" not in self._sources:
            files = self._finder.named(cells["subject_id"])
        else:
            said = text_of(raw.get("photos")) or (self._sources["photos"].value or "")
            names = [part.strip() for part in re.split(r"[|;]", said) if part.strip()]
            # A name without a file stays in, so that its row is told that the file is missing.
            files = [path for name in names for path in self._finder.named(name) or [self._finder.folder / name]]
        return tuple((path, f"{self._path}:{line}: {title} {number}") for number, path in enumerate(files, 1))
