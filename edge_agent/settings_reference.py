"""Says of each setting what it may be: in an error's remedy, and on the page docs/settings.md made from the model.

Rules: knows pydantic models, not our settings; a unit is what the field's name ends in.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

UNITS = {
    "_s": "seconds",
    "_ms": "milliseconds",
    "_px": "pixels",
    "_mm": "millimetres",
    "_mb": "megabytes",
    "_deg": "degrees",
    "_frames": "frames",
    "_fmr": "share of impostor comparisons",
    "_fpir": "share of searches by unknown persons",
    "_ratio": "share",
    "fps_awake": "frames per second",
    "fps_idle": "frames per second",
    "baud": "bits per second",
}
"""What the end of a field's name says about its unit; the longest ending that fits counts."""

_PATTERN_WORDS = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "1 to 64 letters, digits, `.`, `_` or `-`, beginning with a letter or digit",
    r"^[^#+\s]+$": "text without `#`, `+` or spaces",
}

Where = tuple[str | int, ...]
"""Path of a key: ("camera", "fps_idle")."""


def unit(name: str) -> str:
    """Unit of a field, or ""."""
    return next((UNITS[end] for end in sorted(UNITS, key=len, reverse=True) if name.endswith(end)), "")


def section_at(model: type[BaseModel], where: Where) -> type[BaseModel] | None:
    """The section at a path; None when the path names a value or nothing."""
    found: type[BaseModel] | None = model
    for part in where:
        field = found.model_fields.get(str(part)) if found else None
        found = _section_of(field.annotation) if field else None
    return found


def field_at(model: type[BaseModel], where: Where) -> FieldInfo | None:
    """The field at a path; one inside a field's own mapping or list counts as nothing."""
    section = section_at(model, where[:-1]) if where else None
    return section.model_fields.get(str(where[-1])) if section else None


def sections(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """(dotted name, section) of the model and everything below it, in order of declaration."""
    yield name, model
    for key, field in model.model_fields.items():
        below = _section_of(field.annotation)
        if below is not None:
            yield from sections(below, f"{name}.{key}" if name else key)


def allowed(field: FieldInfo) -> str:
    """What may be given, as words for after "give": "a number from 0.5 to 60", "serial, file or network"."""
    return _words(_without_none(field.annotation), field.metadata)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    kind = _without_none(annotation)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _without_none(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (Union, types.UnionType):
        rest = [one for one in typing.get_args(annotation) if one is not type(None)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def _words(kind: Any, metadata: list[Any]) -> str:
    origin = typing.get_origin(kind)
    if origin is typing.Annotated:
        inner, *more = typing.get_args(kind)
        flat = [part for one in more for part in (one.metadata if isinstance(one, FieldInfo) else [one])]
        return _words(inner, flat)
    if origin is Literal:
        return _either([str(one) for one in typing.get_args(kind)])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _either([str(one.value) for one in kind])
    if kind is bool:
        return "true or false"
    if kind in (int, float):
        return ("a whole number" if kind is int else "a number") + _range(metadata)
    if kind is Path:
        return "a path"
    if origin is dict:
        _, values = typing.get_args(kind)
        return f"a mapping to {_words(values, [])}"
    if origin in (list, tuple):
        return f"a list, each {_words(typing.get_args(kind)[0], [])}"
    return _text_words(metadata)


def _text_words(metadata: list[Any]) -> str:
    pattern = next((one.pattern for one in metadata if getattr(one, "pattern", None)), None)
    if pattern:
        return _PATTERN_WORDS.get(pattern, f"text like {pattern}")
    least = next((one.min_length for one in metadata if getattr(one, "min_length", None) is not None), None)
    most = next((one.max_length for one in metadata if getattr(one, "max_length", None) is not None), None)
    if most is not None:
        return f"text of {least or 0} to {most} characters"
    return "text"


def _range(metadata: list[Any]) -> str:
    found = {name: getattr(one, name) for one in metadata for name in ("ge", "gt", "le", "lt") if hasattr(one, name)}
    low = f"{found['ge']:g}" if "ge" in found else f"above {found['gt']:g}" if "gt" in found else ""
    high = f"{found['le']:g}" if "le" in found else f"under {found['lt']:g}" if "lt" in found else ""
    if low and high:
        return f" from {low} to {high}" if "ge" in found else f" {low}, up to {high}"
    return f" from {low}" if low else f" up to {high}" if high else ""


def _either(choices: list[str]) -> str:
    return choices[0] if len(choices) == 1 else f"{', '.join(choices[:-1])} or {choices[-1]}"


_TOP = """\
# Settings

Made from `edge_agent/settings.py` by `scripts/make-settings-page`; change the settings there, then run it again.

One YAML file holds them; start from `config/terminal.yaml` and check it with `edge-agent check-config FILE`. Sections
and keys that are left out have their defaults, an unknown key is an error. Relative paths are relative to the file.
Write `true` or `false`, decimal points, and quotes around text that has `: ` in it or consists of digits.
"""


def page(model: type[BaseModel], root: Path) -> str:
    """Every section and key with unit, what is allowed and the default, Markdown. root: cut from paths in defaults."""
    parts = [_TOP]
    for name, section in sections(model):
        if name:
            fields = section.model_fields.items()
            rows = [_row(key, field, root) for key, field in fields if _section_of(field.annotation) is None]
            heading = "| key | unit | allowed | default | meaning |\n|---|---|---|---|---|"
            parts.append(f"## {name}\n\n{' '.join((section.__doc__ or '').split())}\n\n{heading}\n" + "".join(rows))
    return "\n".join(parts)


def _row(key: str, field: FieldInfo, root: Path) -> str:
    default = default_words(field).replace(f"{root}/", "")
    default = default if default in ("required", "unset", "empty") else f"`{default}`"
    cells = (f"`{key}`", unit(key), allowed(field), default, field.description or "")
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |\n"


def default_words(field: FieldInfo) -> str:
    """The default as one would type it; "required" where there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None:
        return "unset"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {one}" for key, one in value.items()) + "}"
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if str(value) else "empty"
