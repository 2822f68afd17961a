"""The published JSON Schema of a roster file (`config/roster.schema.json`), made from the models that check it.

Rules: the models are the truth; the file is made from them (`edge-agent roster schema`) and a test holds it to them.
What a schema can't say (ids are unique, a proxy is enrolled) is in `docs/roster.md` and in `roster_payload`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import models_json_schema

from edge_agent.roster_payload import RosterDelta, RosterPayload
from edge_agent.roster_schema import RosterHeader

_REF = "#/$defs/"


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of {"header": …, "payload": …}: the file's third line and its payload once opened."""
    models = (RosterHeader, RosterPayload, RosterDelta)
    _, made = models_json_schema([(model, "validation") for model in models], ref_template=_REF + "{model}")
    is_delta = {"properties": {"header": {"properties": {"kind": {"const": "delta"}}, "required": ["kind"]}}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:aid:roster:1",
        "title": "Roster",
        "description": "A roster file, opened: its header (canonical JSON, readable) and its payload (sealed).",
        "type": "object",
        "required": ["header", "payload"],
        "additionalProperties": False,
        "properties": {"header": {"$ref": _REF + "RosterHeader"}, "payload": {"type": "object"}},
        "if": is_delta,
        "then": {"properties": {"payload": {"$ref": _REF + "RosterDelta"}}},
        "else": {"properties": {"payload": {"$ref": _REF + "RosterPayload"}}},
        "$defs": made["$defs"],
    }


def schema_text() -> str:
    """As committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
