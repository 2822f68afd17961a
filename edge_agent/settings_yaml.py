"""A YAML file -> plain data, with the line of every key, and every fault of its form told as a Problem.

Rules: YAML 1.2's plain scalars, so that `no`, `12:30`, `0640` and `2026-01-02` stay the text that was typed; duplicate
keys are a fault; anchors and `<<` merges are allowed. Nothing is executed and nothing but this file is read.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from edge_agent.settings_errors import Problem, SettingsError
from edge_agent.settings_reference import Where

_LARGEST_FILE_BYTES = 1_000_000
_MOST_NODES = 20_000
_MERGE = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """SafeLoader with YAML 1.2's core schema for plain scalars."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf)|\.(?:nan|NaN)",
        list("-+0123456789."),
    ),
    ("merge", r"<<", list("<")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first)


@dataclass
class Document:
    """A file's content. sha256: of its bytes; data: its top mapping; lines: path of a key -> its line, from 1."""

    path: Path
    sha256: str
    data: dict[str, Any]
    lines: dict[Where, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, where: Where) -> int:
        """Line of this key, or of the nearest part above it that the file has."""
        while where and where not in self.lines:
            where = where[:-1]
        return self.lines.get(where, 1)


def read_document(path: Path) -> Document:
    """Read and parse. Raises SettingsError when there is no mapping to go on with; milder faults are in `problems`."""
    content = _read(path)
    text = _decode(path, content)
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            document = Document(path, hashlib.sha256(content).hexdigest(), {})
            if root is None:
                raise SettingsError(
                    [Problem(path, 1, (), "the file is empty", "copy config/terminal.yaml and edit it")]
                )
            if not isinstance(root, yaml.MappingNode):
                said = "holds a list" if isinstance(root, yaml.SequenceNode) else "holds a single value"
                raise SettingsError(
                    [
                        Problem(
                            path,
                            _line(root),
                            (),
                            f"{said}, not sections",
                            "write `terminal:`, `camera:` … as in config/terminal.yaml",
                        )
                    ]
                )
            _Walk(document).mapping(root, (), ())
            document.data = loader.construct_document(root)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise SettingsError([_syntax_problem(path, text, error)]) from error
    return document


class _Walk:
    """Visits every node once per place it is used in, noting lines and duplicate keys."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left = _MOST_NODES

    def mapping(self, node: yaml.MappingNode, where: Where, above: tuple[yaml.Node, ...]) -> None:
        """Note every key of a mapping; keys written here win over merged ones."""
        seen: dict[str, int] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                for part in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                    if isinstance(part, yaml.MappingNode):
                        self._merged(part, where)
                continue
            name = str(key.value)
            here = (*where, name)
            if name in seen:
                self._document.problems.append(
                    Problem(
                        self._document.path,
                        _line(key),
                        here,
                        f"given twice, first in line {seen[name]}",
                        "keep one of the two lines",
                    )
                )
            seen.setdefault(name, _line(key))
            self._document.lines[here] = _line(key)
            self._value(value, here, (*above, node))

    def _merged(self, node: yaml.MappingNode, where: Where) -> None:
        for key, _ in node.value:
            self._document.lines.setdefault((*where, str(key.value)), _line(key))

    def _value(self, node: yaml.Node, where: Where, above: tuple[yaml.Node, ...]) -> None:
        self._left -= 1
        if self._left < 0 or any(node is one for one in above):
            raise SettingsError(
                [
                    Problem(
                        self._document.path,
                        _line(node),
                        where,
                        "refers to itself or grows without end",
                        "remove the `*` alias",
                    )
                ]
            )
        if isinstance(node, yaml.MappingNode):
            self.mapping(node, where, above)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                here = (*where, index)
                self._document.lines[here] = _line(item)
                self._value(item, here, (*above, node))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise SettingsError([Problem(path, 0, (), "no such file", "correct the path given with --config")]) from error
    except IsADirectoryError as error:
        raise SettingsError([Problem(path, 0, (), "is a folder", "name the settings file in it")]) from error
    except OSError as error:
        remedy = f"let the user of the service read it: chmod a+r {path}"
        raise SettingsError([Problem(path, 0, (), f"can't be read ({error.strerror})", remedy)]) from error
    if len(content) > _LARGEST_FILE_BYTES:
        raise SettingsError([Problem(path, 0, (), "is larger than 1 MB, so not a settings file", "correct the path")])
    return content


def _decode(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise SettingsError([Problem(path, line, (), "is not UTF-8 text", "save the file as UTF-8")]) from error


def _syntax_problem(path: Path, text: str, error: yaml.YAMLError) -> Problem:
    """What PyYAML found, in a technician's words, at the line to look at."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text[: error.position].count("\n") + 1
        return Problem(path, line, (), "holds a character that text can't hold", "delete it, or type the line again")
    said = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = (mark.line if mark else 0) + 1
    lines = text.splitlines() or [""]
    shown = lines[min(line, len(lines)) - 1]
    if "\t" in shown[: len(shown) - len(shown.lstrip())] or r"'\t'" in said:
        return Problem(path, line, (), "is indented with a tab", "use spaces")
    for symptom, what, remedy in _SYNTAX:
        if symptom in said:
            return Problem(path, line, (), what, remedy)
    return Problem(path, line, (), f"is not YAML ({said})", "compare with config/terminal.yaml")


_SYNTAX = (
    (
        "mapping values are not allowed",
        "a second `:` in one line, or a line indented deeper than the one above",
        "put text with `: ` in quotes, and indent the keys of a section alike",
    ),
    (
        "expected <block end>",
        "is indented differently from the lines it belongs with",
        "indent the keys of a section alike, with two spaces",
    ),
    ("could not find expected ':'", "lacks its `:`, or the line before it does", "write `key: value`"),
    ("while scanning a quoted scalar", "a quote is opened and not closed", "close the quote"),
    ("found unexpected end of stream", "a quote is opened and not closed", "close the quote"),
    ("expected ',' or ']'", "a `[` is opened and not closed", "close the list"),
    ("expected ',' or '}'", "a `{` is opened and not closed", "close the bracket"),
    (
        "found undefined alias",
        "uses an alias (`*name`) that no `&name` defines",
        "define it above, or quote text with `*`",
    ),
    ("but found another document", "begins a second document (`---`)", "keep one document in the file"),
    (
        "could not determine a constructor",
        "has an unknown `!tag`",
        "remove the tag, or quote text that begins with `!`",
    ),
    (
        "expected a mapping or list of mappings for merging",
        "merges (`<<`) something that is no section",
        "merge a section",
    ),
    ("cannot start any token", "begins with a character that has a meaning in YAML", "put the value in quotes"),
)
