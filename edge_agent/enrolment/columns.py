"""Which column of an office's list holds what: a small YAML file (`--columns`), `config/roster-columns.yaml` for one.

Rules: closed, so that a misspelt key is told. Every field comes from a column, possibly through a map of its values, or
is one value for all rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from edge_agent.enrolment.yaml_file import read_yaml
from edge_agent.roster_schema import Closed, Identifier

EXAMPLE = "config/roster-columns.yaml"
CENTRE = "centre"
"""In `villages`, in place of a terminal: given only where the centre can be asked."""


class Source(Closed):
    """Where a field comes from. column: its title in the list; map: what is written there -> what is meant; otherwise:
    for an empty cell, and for what the map doesn't know. value: the same for all rows, without a column."""

    column: Annotated[str, Field(min_length=1)] | None = None
    map: dict[str, str] | None = None
    otherwise: str | None = None
    value: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _numbers_are_text(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {
            key: {str(k): _text(v) for k, v in value.items()} if isinstance(value, dict) else _text(value)
            for key, value in data.items()
        }

    @model_validator(mode="after")
    def _one_way(self) -> Source:
        if (self.column is None) == (self.value is None):
            raise ValueError("needs `column` or `value`, one of the two; write `{column: Jumlah}` or `{value: kg}`")
        if self.value is not None and (self.map is not None or self.otherwise is not None):
            raise ValueError("`map` and `otherwise` belong to a column; remove them, or name the column")
        return self


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _column_title(value: Any) -> Any:
    if value is None:
        raise ValueError("has no value; write the title of a column, or remove the line")
    return {"column": str(value)} if isinstance(value, str | int | float) else value


RowSource = Annotated[Source, BeforeValidator(_column_title)]


class Columns(Closed):
    """The fields of a row; docs/enrolment.md says what each is."""

    nik: RowSource | None = None
    subject_id: RowSource | None = None
    name: RowSource | None = None
    village: RowSource | None = None
    programme: RowSource
    cycle: RowSource
    kind: RowSource
    amount: RowSource
    unit: RowSource
    item: RowSource | None = None
    valid_from: RowSource
    valid_until: RowSource
    state: RowSource | None = None
    home: RowSource | None = None
    lease_until: RowSource | None = None
    portion: RowSource | None = None
    portion_days: RowSource | None = None
    photos: RowSource | None = None
    entitlement_id: RowSource | None = None

    @model_validator(mode="after")
    def _one_identity(self) -> Columns:
        if (self.nik is None) == (self.subject_id is None):
            raise ValueError("needs `nik` or `subject_id`, one of the two; name the column that says who it is")
        for name in ("nik", "subject_id", "name"):
            source = getattr(self, name)
            if source is not None and (source.column is None or source.map is not None):
                raise ValueError(
                    f"{name}: differs from row to row and has no map; write `{name}: <title of the column>`"
                )
        return self

    def sources(self) -> dict[str, Source]:
        """Field -> where it comes from; only those that are given."""
        return {name: source for name in type(self).model_fields if (source := getattr(self, name)) is not None}


class ColumnMap(Closed):
    """The whole file. villages: village -> home terminal, or `centre`, for rows whose `home` is empty. photo_folder:
    beside the list. numbers: how amounts that are text are written; plain 1500.5, indonesian 1.500,5. days: order of
    3/4/2026.
    """

    columns: Columns
    worksheet: str | None = None
    header_row: Annotated[int, Field(ge=1)] | None = None
    photo_folder: Path = Path()
    villages: dict[str, Identifier] | None = None
    numbers: Literal["plain", "indonesian"] = "plain"
    days: Literal["day_first", "month_first"] = "day_first"

    @model_validator(mode="after")
    def _villages_have_a_column(self) -> ColumnMap:
        if self.villages is not None and self.columns.village is None:
            raise ValueError("villages: needs a village; add `village: <title of the column>` under `columns:`")
        return self


def read_columns(path: Path) -> ColumnMap:
    """Raises SettingsError with every problem's line and remedy."""
    return read_yaml(path, ColumnMap, "--columns", EXAMPLE)
