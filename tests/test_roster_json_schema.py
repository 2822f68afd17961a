"""The published schema: as committed, and in agreement with the models that check a file."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from edge_agent.roster_json_schema import schema, schema_text
from edge_agent.roster_payload import RosterDelta, RosterPayload
from tests.rosters import FIRST, SECOND, opened, write_delta, write_full

COMMITTED = Path(__file__).parents[1] / "config" / "roster.schema.json"


def as_document(path: Path) -> dict[str, Any]:
    file = opened(path)
    return {
        "header": file.header.model_dump(mode="json", exclude_none=True),
        "payload": file.payload.model_dump(mode="json"),
    }


def test_the_committed_schema_is_current() -> None:
    assert COMMITTED.read_text("utf-8") == schema_text(), "run: edge-agent roster schema > config/roster.schema.json"
    Draft202012Validator.check_schema(json.loads(COMMITTED.read_text("utf-8")))


def test_what_the_office_signs_fits_the_schema(tmp_path: Path) -> None:
    old, new = write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND)
    for path in (old, new, write_delta(tmp_path / "d", old, new)):
        Draft202012Validator(schema()).validate(as_document(path))


Spoil = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda payload: payload["subjects"][0].update(nik="3201234567890001"),
        lambda payload: payload["subjects"][0].update(templates=[]),
        lambda payload: payload["entitlements"][0].update(amount="ten"),
        lambda payload: payload["entitlements"][0].update(kind="favour"),
        lambda payload: payload["entitlements"][0].update(portion_days=0),
        lambda payload: payload["policy"].update(roster_max_age_days=0),
        lambda payload: payload["policy"]["officers"].update(voids_per_day=-1),
        lambda payload: payload["policy"].update(surprise=True),
        lambda payload: payload["officers"].append({"officer_id": "a b"}),
        lambda payload: payload["proxies"][0].pop("cycle"),
        lambda payload: payload["programmes"][0].update(cycles=[]),
        lambda payload: payload["revoked_tokens"].append("xyz"),
        lambda payload: payload.pop("subjects"),
    ],
)
def test_the_schema_refuses_what_the_import_refuses(tmp_path: Path, spoil: Spoil) -> None:
    document = as_document(write_full(tmp_path / "r1", FIRST))
    validator = Draft202012Validator(schema())
    assert validator.is_valid(document)
    spoiled = copy.deepcopy(document)
    spoil(spoiled["payload"])
    assert not validator.is_valid(spoiled)
    with pytest.raises(ValidationError):
        RosterPayload.model_validate_json(json.dumps(spoiled["payload"]))


def test_a_payload_of_one_kind_does_not_pass_as_the_other(tmp_path: Path) -> None:
    document = as_document(write_full(tmp_path / "r1", FIRST))
    with pytest.raises(ValidationError):
        RosterPayload.model_validate_json(RosterDelta().model_dump_json())
    document["header"]["kind"] = "delta"
    document["payload"]["surprise"] = 1
    assert not Draft202012Validator(schema()).is_valid(document)
