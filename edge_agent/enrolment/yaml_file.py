"""A small YAML file of the office (columns, policy, programmes), validated by a closed model.

Rules: every problem names the file, line, key, value and remedy; all are told at once.
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from edge_agent.settings_errors import Problem, SettingsError
from edge_agent.settings_yaml import Document, read_document

_Model = TypeVar("_Model", bound=BaseModel)
_SHOWN = 60


def read_yaml(path: Path, model: type[_Model], option: str, example: str) -> _Model:
    """The file as `model`. option: of the command line, that names the file; example: a file to copy from.

    Raises SettingsError.
    """
    try:
        document = read_document(path)
    except SettingsError as error:
        raise SettingsError([_about_this_file(problem, option, example) for problem in error.problems]) from error
    if document.problems:
        raise SettingsError(document.problems)
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = [_explained(dict(detail), document, model, example) for detail in error.errors(include_url=False)]
        raise SettingsError(problems) from error


def _about_this_file(problem: Problem, option: str, example: str) -> Problem:
    """The YAML reader speaks of the terminal's settings; here it read another file."""
    remedy = problem.remedy.replace("--config", option)
    if "terminal.yaml" in remedy or "`terminal:`" in remedy:
        remedy = f"compare with {example}"
    return replace(problem, remedy=remedy, what=problem.what.replace("settings file", "file of this kind"))


def _explained(detail: dict[str, Any], document: Document, model: type[BaseModel], example: str) -> Problem:
    where = tuple(part for part in detail["loc"] if part != "[key]")
    line, kind = document.line(where), detail["type"]
    message = str(detail["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = _keys_beside(model, where)
        near = difflib.get_close_matches(str(where[-1]), known, 1, 0.6)
        remedy = f"did you mean '{near[0]}'?" if near else f"remove it; known here: {', '.join(known)}"
        return Problem(document.path, line, where, "unknown key", remedy)
    if kind == "missing":
        return Problem(document.path, line, where, "is required and missing", f"add it, as in {example}")
    what, _, remedy = message.partition("; ")
    value = detail["input"]
    shown = str(value)[:_SHOWN] if isinstance(value, str | int | float) else ""
    return Problem(document.path, line, where, what, remedy or f"compare with {example}", shown)


def _keys_beside(model: type[BaseModel], where: tuple[Any, ...]) -> list[str]:
    found: type[BaseModel] | None = model
    for part in where[:-1]:
        field = found.model_fields.get(str(part)) if found is not None else None
        annotation = field.annotation if field is not None else None
        found = _model_in(annotation) if field is not None else found
    return list(found.model_fields) if found is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `Model`, `Model | None`, `tuple[Model, ...]` …"""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    parts = getattr(annotation, "__args__", ())
    return next((model for model in map(_model_in, parts) if model is not None), None)
