"""What is wrong with a settings file, told all at once as `file:line: field: value: what is wrong; remedy`.

Rules: every problem names the file, the line, the field, the value found and what to do; nothing here reads a file.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from edge_agent.ports import TerminalError
from edge_agent.settings_reference import Where, allowed, field_at, section_at, sections

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from edge_agent.settings_yaml import Document

_VALUE_LENGTH = 60


@dataclass(frozen=True)
class Problem:
    """One fault. line: from 1, or 0 where the file as a whole is meant; value: as found, empty where there is none."""

    path: Path
    line: int
    where: Where
    what: str
    remedy: str
    value: str = ""

    @property
    def field(self) -> str:
        """Dotted name of the key; empty for the file itself."""
        return ".".join(str(part) for part in self.where)

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else str(self.path)
        said = ": ".join(part for part in (place, self.field, self.value, self.what) if part)
        return f"{said}; {self.remedy}"


class SettingsError(TerminalError):
    """The settings can't be used. problems: every fault found, in the order of the file; the text has one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def explain(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Problem]:
    """Pydantic's errors as problems. A missing key that a mistyped one stands for is told once, at the mistyped one."""
    problems: list[Problem] = []
    meant: set[Where] = set()
    details = error.errors(include_url=False)
    missing = {_where(detail) for detail in details if detail["type"] == "missing"}
    for detail in details:
        if detail["type"] == "extra_forbidden":
            problem, likely = _unknown_key(detail, document, model, missing)
            problems.append(problem)
            meant.add(likely)
    for detail in details:
        where = _where(detail)
        if detail["type"] == "missing" and where not in meant:
            problems.append(_missing(where, document, model))
        elif detail["type"] not in ("missing", "extra_forbidden"):
            problems.append(_wrong_value(detail, where, document, model))
    return problems


def _where(detail: ErrorDetails) -> Where:
    return tuple(part for part in detail["loc"] if part != "[key]")


def _unknown_key(
    detail: ErrorDetails, document: Document, model: type[BaseModel], missing: set[Where]
) -> tuple[Problem, Where]:
    """The problem, and the key that was likely meant (empty when nothing is near)."""
    where = _where(detail)
    section = section_at(model, where[:-1])
    known = list(section.model_fields) if section else []
    # A required key that is absent is the likeliest meaning, then any other key of the section.
    wanted = [str(path[-1]) for path in missing if path[:-1] == where[:-1]]
    near = difflib.get_close_matches(str(where[-1]), wanted, 1, 0.6) or difflib.get_close_matches(
        str(where[-1]), known, 1, 0.6
    )
    elsewhere = [name for name, one in sections(model) if str(where[-1]) in one.model_fields and one is not section]
    likely: Where = ()
    if near:
        likely = (*where[:-1], near[0])
        remedy = f"did you mean '{near[0]}'?"
    elif elsewhere:
        remedy = f"move it to section '{elsewhere[0] or 'top'}'"
    else:
        remedy = f"remove it; known here: {', '.join(known)}"
    return Problem(document.path, document.line(where), where, "unknown key", remedy), likely


def _missing(where: Where, document: Document, model: type[BaseModel]) -> Problem:
    field = field_at(model, where)
    kind = "section" if section_at(model, where) else "value"
    remedy = f"add `{where[-1]}:` with its keys" if kind == "section" else f"add `{where[-1]}: …`"
    if field is not None and kind == "value":
        remedy += f" ({allowed(field)})"
    return Problem(document.path, document.line(where), where, f"this {kind} is required and missing", remedy)


def _wrong_value(detail: ErrorDetails, where: Where, document: Document, model: type[BaseModel]) -> Problem:
    if detail["type"] == "value_error":
        return _told_by_validator(detail, where, document)
    field = field_at(model, where)
    if section_at(model, where) is not None:
        what, remedy = "has no keys below it", f"write its keys below `{where[-1]}:`, indented by two spaces"
    elif field is None:
        what, remedy = detail["msg"], "compare with docs/settings.md"
        if detail["loc"][-1] == "[key]":
            what, remedy = "unknown key", f"known here: {detail.get('ctx', {}).get('expected', 'see docs/settings.md')}"
    else:
        what, remedy = _what(detail), f"give {allowed(field)}"
        if detail["type"] == "string_type" and isinstance(detail["input"], int | float):
            what, remedy = "is a number, text is wanted", "put it in quotes"
        elif isinstance(detail["input"], str) and (near := _near_choice(detail)):
            remedy += f"; did you mean '{near}'?"
    return Problem(document.path, document.line(where), where, what, remedy, _shown(detail["input"]))


def _what(detail: ErrorDetails) -> str:
    ctx: Mapping[str, Any] = detail.get("ctx", {})
    kind = detail["type"]
    bounds = {
        "greater_than_equal": ("below", "ge"),
        "greater_than": ("not above", "gt"),
        "less_than_equal": ("above", "le"),
        "less_than": ("not below", "lt"),
    }
    if kind in bounds:
        word, bound = bounds[kind]
        return f"{word} {ctx[bound]:g}"
    if detail["input"] is None:
        return "has no value"
    return {
        "string_too_short": "is too short",
        "string_too_long": "is too long",
        "string_pattern_mismatch": "has characters that are not allowed, or begins with one",
        "literal_error": "is not one of the choices",
        "enum": "is not one of the choices",
        "int_from_float": "is not a whole number",
        "int_parsing": "is not a whole number",
        "int_type": "is not a whole number",
        "float_parsing": "is not a number",
        "float_type": "is not a number",
        "bool_parsing": "is neither true nor false",
        "bool_type": "is neither true nor false",
        "string_type": "is not text",
        "path_type": "is not a path",
        "finite_number": "is not a finite number",
    }.get(kind, detail["msg"])


def _near_choice(detail: ErrorDetails) -> str:
    expected = str(detail.get("ctx", {}).get("expected", ""))
    choices = [choice.strip().strip("'") for choice in expected.replace(" or ", ",").split(",") if choice.strip()]
    return next(iter(difflib.get_close_matches(detail["input"], choices, 1, 0.6)), "")


def _told_by_validator(detail: ErrorDetails, where: Where, document: Document) -> Problem:
    """A validator of the settings raised `field: what; remedy` (rules over several keys), or `what; remedy`."""
    said = str(detail["ctx"]["error"])
    head, _, rest = said.partition(": ")
    named: Where = tuple(head.split("."))
    if rest and " " not in head and named[: len(where)] == where:
        where, said = named, rest
    what, _, remedy = said.rpartition("; ")
    if not what:
        what, remedy = said, "compare with docs/settings.md"
    value = (
        _shown(detail["input"])
        if not isinstance(detail["input"], Mapping | Sequence) or isinstance(detail["input"], str)
        else ""
    )
    return Problem(document.path, document.line(where), where, what, remedy, value)


def _shown(value: object) -> str:
    """A value as the technician typed it, cut short; a value of many parts isn't repeated."""
    if value is None or isinstance(value, Mapping) or (isinstance(value, Sequence) and not isinstance(value, str)):
        return ""
    text = ("true" if value else "false") if isinstance(value, bool) else str(value)
    text = text.replace("\n", " ")
    return text if len(text) <= _VALUE_LENGTH else f"{text[: _VALUE_LENGTH - 1]}…"
