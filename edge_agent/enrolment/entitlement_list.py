"""The office's list, a CSV file -> people and entitlements, with every fault by file, line, field and remedy.

Rules: all faults are found, not only the first. UTF-8; comma or semicolon, as the header line has it. A person may have
several rows, one per entitlement; a row without programme only names the person. Amounts that could be read in two ways
(`600.000`) are refused, never guessed. Names and what looks like a national number are never repeated in a fault.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from edge_agent.core.model import Entitlement
from edge_agent.roster_schema import EntitlementRecord, SubjectRecord
from edge_agent.settings_errors import Problem

REQUIRED = ("subject_id", "programme", "cycle", "kind", "amount", "unit", "valid_from", "valid_until")
OPTIONAL = ("photos", "item", "home", "lease_until", "display_name", "state", "entitlement_id")
_ENTITLEMENT_FIELDS = ("programme", "cycle", "kind", "amount", "unit", "valid_from", "valid_until")
_PLAIN_AMOUNT = re.compile(r"-?\d+(\.\d+)?")
_AMBIGUOUS_AMOUNT = re.compile(r"\d{1,3}([.,]\d{3})+([.,]\d+)?|\d+,\d+")
_NOT_FOR_IDS = re.compile(r"[^A-Za-z0-9._:-]+")
_LARGEST_FILE_BYTES = 64 * 1024 * 1024
_LONGEST_SHOWN = 40

_REMEDIES = {
    "subject_id": "use an opaque id of letters, digits, '.', '_' or '-' (at most 64), not a national number",
    "entitlement_id": "use letters, digits, '.', '_', ':' or '-' (at most 200), or leave it empty",
    "kind": "write money or goods",
    "amount": "write a number above 0 without thousands separators, with a point for decimals: 600000 or 10.5",
    "unit": "write an ISO 4217 code for money (IDR) or a unit for goods (kg)",
    "item": "name the goods (beras)",
    "valid_from": "write the day as YYYY-MM-DD",
    "valid_until": "write the day as YYYY-MM-DD, not before valid_from",
    "lease_until": "write the instant with its offset, 2026-03-31T23:59:59+07:00, and name a home",
    "home": "write the terminal's id",
    "state": "write active or suspended",
    "display_name": "use one name for the person, at most 80 characters",
}


@dataclass
class ListedPerson:
    """Who the list names: photos as written there, the line that first named them, and their display name."""

    subject_id: str
    line: int
    photos: list[Path] = field(default_factory=list)
    display_name: str = ""


@dataclass
class EntitlementList:
    """What the file holds; problems in the order of its lines."""

    people: dict[str, ListedPerson] = field(default_factory=dict)
    entitlements: list[Entitlement] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read_list(path: Path) -> EntitlementList:
    """Read the whole file; nothing is raised for what it holds, everything is in `problems`."""
    found = EntitlementList()
    text = _text(path, found.problems)
    if text is None:
        return found
    header_line = text.partition("\n")[0]
    delimiter = ";" if header_line.count(";") > header_line.count(",") else ","
    # strict: a quotation mark that is never closed would swallow the rest of the file.
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    if not _header_fits(path, [name.strip() for name in reader.fieldnames or []], found.problems):
        return found
    reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    lines_of: dict[str, int] = {}
    try:
        for row in reader:
            if None in row or None in row.values():
                problem = _problem(path, reader.line_num, "", "", "has another number of cells than the header")
                found.problems.append(problem)
                continue
            cells = {name: str(value).strip() for name, value in row.items()}
            if any(cells.values()):
                _take_row(path, reader.line_num, cells, found, lines_of)
    except csv.Error as error:
        problem = _problem(path, reader.line_num, "", "", f"is not CSV from here on ({error})")
        found.problems.append(problem)
    return found


def _take_row(path: Path, line: int, cells: dict[str, str], found: EntitlementList, lines_of: dict[str, int]) -> None:
    before = len(found.problems)
    _take_person(path, line, cells, found)
    if not any(cells[name] for name in _ENTITLEMENT_FIELDS):
        return
    if fault := _amount_fault(cells["amount"]):
        found.problems.append(_problem(path, line, "amount", cells["amount"], fault))
    if not cells.get("entitlement_id"):
        parts = (cells["subject_id"], cells["programme"], cells["cycle"], cells.get("item", ""))
        cells["entitlement_id"] = ".".join(_NOT_FOR_IDS.sub("-", part) for part in parts if part)
    fields = {name: cells[name] for name in cells if name in EntitlementRecord.model_fields and cells[name]}
    try:
        entitlement = EntitlementRecord.model_validate(fields).to_entitlement()
    except ValidationError as error:
        told = {problem.where for problem in found.problems[before:]}
        found.problems.extend(p for p in _explained(path, line, cells, error) if p.where not in told)
        return
    if len(found.problems) > before:
        return
    key = entitlement.entitlement_id
    if key in lines_of:
        what = f"is the same entitlement as in line {lines_of[key]} (same person, programme, cycle and item)"
        remedy = "delete one of the two rows, or give each its own entitlement_id"
        found.problems.append(Problem(path, line, ("entitlement_id",), what, remedy, key))
        return
    lines_of[key] = line
    found.entitlements.append(entitlement)


def _amount_fault(text: str) -> str:
    """What is wrong with the way an amount is written; empty when nothing is, or there is none."""
    if _AMBIGUOUS_AMOUNT.fullmatch(text):
        return "can be read in two ways"
    return "" if not text or _PLAIN_AMOUNT.fullmatch(text) else "is not a plain number"


def _take_person(path: Path, line: int, cells: dict[str, str], found: EntitlementList) -> None:
    subject_id, name = cells["subject_id"], cells.get("display_name", "")
    try:
        SubjectRecord(subject_id=subject_id, display_name=name, templates=["AA=="])
    except ValidationError as error:
        found.problems.extend(_explained(path, line, cells, error))
        return
    person = found.people.setdefault(subject_id, ListedPerson(subject_id, line))
    photos = (part.strip() for part in re.split(r"[|;]", cells.get("photos", "")))
    person.photos += [p for p in (path.parent / photo for photo in photos if photo) if p not in person.photos]
    if name and person.display_name and name != person.display_name:
        found.problems.append(_problem(path, line, "display_name", "", f"is not the one in line {person.line}"))
    person.display_name = person.display_name or name


def _explained(path: Path, line: int, cells: dict[str, str], error: ValidationError) -> list[Problem]:
    """One problem per field that pydantic refused."""
    problems = []
    for detail in error.errors(include_url=False, include_input=False):
        message = detail["msg"].removeprefix("Value error, ")
        name = str(detail["loc"][0]) if detail["loc"] else message.partition(":")[0]
        what = message if detail["loc"] else message.partition(": ")[2] or message
        value = cells.get(name, "")
        what = "is missing" if not value and (detail["type"] == "missing" or name in REQUIRED) else what
        problems.append(_problem(path, line, name, value, what))
    return problems


def _problem(path: Path, line: int, name: str, value: str, what: str) -> Problem:
    private = name == "display_name" or (value.isdigit() and len(value) == 16)
    shown = "" if private else value[:_LONGEST_SHOWN]
    remedy = _REMEDIES.get(name, "correct the row; a cell with a comma or a quotation mark needs quotation marks")
    return Problem(path, line, (name,) if name else (), what, remedy, shown)


def _header_fits(path: Path, names: list[str], problems: list[Problem]) -> bool:
    known = ", ".join((*REQUIRED, *OPTIONAL))
    before = len(problems)
    for name in REQUIRED:
        if name not in names:
            problems.append(Problem(path, 1, (name,), "column is missing", f"the columns are: {known}"))
    for place, name in enumerate(names):
        if name not in (*REQUIRED, *OPTIONAL):
            problems.append(
                Problem(path, 1, (name,), "unknown column", f"remove or rename it; the columns are: {known}")
            )
        elif name in names[:place]:
            problems.append(Problem(path, 1, (name,), "column appears twice", "remove one of them"))
    return len(problems) == before


def _text(path: Path, problems: list[Problem]) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except OSError as error:
        problems.append(Problem(path, 0, (), f"can't be read ({error.strerror})", "give the list under this name"))
        return None
    if len(content) > _LARGEST_FILE_BYTES:
        problems.append(Problem(path, 0, (), f"is larger than {_LARGEST_FILE_BYTES} bytes", "split the list by site"))
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        problems.append(Problem(path, line, (), "is not UTF-8 text", "save the list as 'CSV UTF-8'"))
        return None
