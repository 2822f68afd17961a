"""Rows of an office's list, their cells as plain text -> people and entitlements, or a fault of the row.

Rules: all faults are found, not only the first. A person may have several rows, one per entitlement; a row without
anything of an entitlement only names the person. Names, national numbers and whatever might hold one are never
repeated in a fault.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from edge_agent.core.model import Entitlement
from edge_agent.enrolment.faults import Fault, Scope
from edge_agent.roster_schema import EntitlementRecord, SubjectRecord

REQUIRED = ("subject_id", "programme", "cycle", "kind", "amount", "unit", "valid_from", "valid_until")
OPTIONAL = (
    *("photos", "item", "home", "lease_until", "display_name", "state", "entitlement_id"),
    *("portion", "portion_days"),
)
ENTITLEMENT_FIELDS = ("programme", "cycle", "kind", "amount", "unit", "valid_from", "valid_until")
_AMOUNTS = ("amount", "portion")
_PLAIN_AMOUNT = re.compile(r"-?\d+(\.\d+)?")
_AMBIGUOUS_AMOUNT = re.compile(r"\d{1,3}([.,]\d{3})+([.,]\d+)?|\d+,\d+")
_NOT_FOR_IDS = re.compile(r"[^A-Za-z0-9._:-]+")
_PRIVATE_TITLE = re.compile(r"\b(nama|name|nik|kk|kepala|keluarga|alamat|address|ibu|telepon|telp|hp|phone)\b", re.I)
_LONG_NUMBER = re.compile(r"\d(?:[\s.\-]?\d){9,}")
_NATIONAL_NUMBER = re.compile(r"(?<!\d)\d(?:[\s._:\-]?\d){15}(?!\d)")
"""A NIK or family card number, however it is written."""
_STAYS_HERE = frozenset({"display_name", "photos"})
_LONGEST_SHOWN = 40

_AMOUNT_REMEDY = "write a number above 0 without thousands separators, with a point for decimals: 600000 or 10.5"
REMEDIES = {
    "subject_id": "use an opaque id of letters, digits, '.', '_' or '-' (at most 64), not a national number",
    "entitlement_id": "use letters, digits, '.', '_', ':' or '-' (at most 200), or leave it empty",
    "programme": "name the programme as slips shall show it, at most 80 characters",
    "cycle": "name the period, such as 2026-03, at most 80 characters",
    "kind": "write money or goods",
    "amount": _AMOUNT_REMEDY,
    "unit": "write an ISO 4217 code for money (IDR) or a unit for goods (kg)",
    "item": "name the goods (beras)",
    "valid_from": "write the day as YYYY-MM-DD",
    "valid_until": "write the day as YYYY-MM-DD, not before valid_from",
    "lease_until": "write the instant with its offset, 2026-03-31T23:59:59+07:00, and name a home",
    "home": "write the terminal's id",
    "state": "write active or suspended",
    "display_name": "use one name for the person, at most 80 characters",
    "portion": f"leave it empty, or {_AMOUNT_REMEDY}",
    "portion_days": "write whole days from one portion to the next, 1 to 366",
}
_CORRECT_ROW = "correct the row; a cell with a comma or a quotation mark needs quotation marks"


@dataclass
class ListedPerson:
    """Who the list names: the line that first named them and all their lines, and their display name.

    photos: files. where: what to call each in a report that others read; without an entry, its path.
    """

    subject_id: str
    line: int
    photos: list[Path] = field(default_factory=list)
    display_name: str = ""
    lines: list[int] = field(default_factory=list)
    where: dict[Path, str] = field(default_factory=dict)


@dataclass
class EntitlementList:
    """What a list holds; problems in the order of its lines.

    line_of: entitlement id -> its line. path: of the list. titles: field -> the office's title of its column. hidden:
    lines that the spreadsheet doesn't show; they count like all others.
    """

    people: dict[str, ListedPerson] = field(default_factory=dict)
    entitlements: list[Entitlement] = field(default_factory=list)
    problems: list[Fault] = field(default_factory=list)
    line_of: dict[str, int] = field(default_factory=dict)
    path: Path | None = None
    titles: Mapping[str, str] = field(default_factory=dict)
    hidden: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Row:
    """cells: by field name, plain text. titles: field -> the office's own title of its column, where it has one."""

    path: Path
    line: int
    cells: dict[str, str]
    titles: Mapping[str, str] = field(default_factory=dict)
    photos: tuple[tuple[Path, str], ...] = ()

    def fault(self, name: str, what: str, scope: Scope = Scope.ROW, remedy: str = "") -> Fault:
        """A fault in this field; an empty name means the whole row."""
        title = self.titles.get(name, name)
        found = remedy or REMEDIES.get(name, _CORRECT_ROW)
        shown = self.shown(name, self.cells.get(name, ""))
        where = (title,) if title else ()
        return Fault(self.path, self.line, where, what, found, shown, scope, self.subject)

    @property
    def subject(self) -> str:
        """The subject id, if it can be shown."""
        text = self.cells.get("subject_id", "")
        return "" if _LONG_NUMBER.search(text) else text

    def shown(self, name: str, value: str) -> str:
        """The value, if it can't be anybody's name or number. A column mapped wrongly may hold anything."""
        if name in ("display_name", "photos") or _PRIVATE_TITLE.search(self.titles.get(name, "")):
            return ""
        words = {word for word in re.split(r"\W+", self.cells.get("display_name", "").lower()) if len(word) > 1}
        if _LONG_NUMBER.search(value) or words & set(re.split(r"\W+", value.lower())):
            return ""
        return value[:_LONGEST_SHOWN]


def take_row(row: Row, found: EntitlementList, faults: Sequence[Fault] = ()) -> None:
    """Enter one row, or say what is wrong with it. faults: what is known already to be wrong."""
    before = len(found.problems)
    found.problems.extend(faults)
    cells = row.cells
    numbers = [name for name in cells if name not in _STAYS_HERE and holds_national_number(cells[name])]
    for name in numbers:
        remedy = REMEDIES["subject_id"] if name == "subject_id" else "take it out: what stands here leaves the office"
        found.problems.append(row.fault(name, "looks like a national number (16 digits)", remedy=remedy))
    if "subject_id" in numbers:
        return
    _take_person(row, found)
    if not any(cells.get(name) for name in ENTITLEMENT_FIELDS):
        return
    for name in _AMOUNTS:
        if (fault := _amount_fault(cells.get(name, ""))) and name not in numbers:
            found.problems.append(row.fault(name, fault))
    if not cells.get("entitlement_id"):
        cells["entitlement_id"] = entitlement_id_of(
            cells["subject_id"], cells.get("programme", ""), cells.get("cycle", ""), cells.get("item", "")
        )
    fields = {name: cells[name] for name in cells if name in EntitlementRecord.model_fields and cells[name]}
    try:
        entitlement = EntitlementRecord.model_validate(fields).to_entitlement()
    except ValidationError as error:
        told = {problem.where for problem in found.problems[before:]}
        found.problems.extend(p for p in _explained(row, error) if p.where not in told)
        return
    if len(found.problems) > before:
        return
    key = entitlement.entitlement_id
    if key in found.line_of:
        what = f"is the same entitlement as in line {found.line_of[key]} (same person, programme, cycle and item)"
        remedy = "delete one of the two rows, or give each its own entitlement_id"
        found.problems.append(row.fault("entitlement_id", what, remedy=remedy))
        return
    found.line_of[key] = row.line
    found.entitlements.append(entitlement)


def holds_national_number(text: str) -> bool:
    """Whether 16 digits stand in it together, however they are separated."""
    return _NATIONAL_NUMBER.search(text) is not None


def entitlement_id_of(subject_id: str, programme: str, cycle: str, item: str) -> str:
    """The id of an entitlement whose list gives none."""
    return ".".join(_NOT_FOR_IDS.sub("-", part) for part in (subject_id, programme, cycle, item) if part)


def _amount_fault(text: str) -> str:
    """What is wrong with the way an amount is written; empty when nothing is, or there is none."""
    if _AMBIGUOUS_AMOUNT.fullmatch(text):
        return "can be read in two ways"
    return "" if not text or _PLAIN_AMOUNT.fullmatch(text) else "is not a plain number"


def _take_person(row: Row, found: EntitlementList) -> None:
    subject_id, name = row.cells["subject_id"], row.cells.get("display_name", "")
    try:
        SubjectRecord(subject_id=subject_id, display_name=name, templates=["AA=="])
    except ValidationError as error:
        found.problems.extend(_explained(row, error))
        return
    person = found.people.setdefault(subject_id, ListedPerson(subject_id, row.line))
    person.lines.append(row.line)
    for photo, where in row.photos:
        if photo not in person.photos:
            person.photos.append(photo)
            if where:
                person.where[photo] = where
    if name and person.display_name and name.casefold() != person.display_name.casefold():
        what = f"is not the one in line {person.line}, and yet both rows are of one person"
        remedy = "correct the name or the number, whichever is wrong"
        found.problems.append(row.fault("display_name", what, Scope.PERSON, remedy))
    person.display_name = person.display_name or name


def _explained(row: Row, error: ValidationError) -> list[Fault]:
    """One fault per field that pydantic refused."""
    problems = []
    for detail in error.errors(include_url=False, include_input=False):
        message = detail["msg"].removeprefix("Value error, ")
        name = str(detail["loc"][0]) if detail["loc"] else message.partition(":")[0]
        what = message if detail["loc"] else message.partition(": ")[2] or message
        missing = not row.cells.get(name) and (detail["type"] == "missing" or name in REQUIRED)
        problems.append(row.fault(name, "is missing" if missing else what))
    return problems
