"""The contract of `wire.py` as an AsyncAPI 3 document, for whoever listens in another language.

`python -m edge_agent.uplink.asyncapi > config/asyncapi.yaml` writes it; a test fails when the file is behind the code.
"""

from __future__ import annotations

import sys
from typing import Any

import yaml
from pydantic.json_schema import models_json_schema

from edge_agent.authority_message import AuthoriseAnswer, AuthoriseRequest, ReleaseRequest
from edge_agent.uplink.wire import CLOUDEVENTS_TYPE, JSON_TYPE, WIRE_VERSION, Status, Telemetry, Topics

_SCHEMAS = "#/components/schemas/"


def document() -> dict[str, Any]:
    """The whole document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Aid terminal uplink",
            "version": f"{WIRE_VERSION}.0.0",
            "description": (
                "What one terminal publishes over MQTT 5, and what the centre sends it. "
                "No message names a person, a national number, an image or an "
                "embedding; subjects appear as opaque ids. Null means: not known. Ignore keys you don't know: keys may "
                "be added within a wire version. Generated from edge_agent/uplink/wire.py."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": JSON_TYPE,
        "servers": {
            "broker": {
                "host": "{host}:{port}",
                "protocol": "secure-mqtt",
                "protocolVersion": "5.0",
                "description": "Any MQTT 5 broker. Client id: <site>-<terminal>; the session is persistent.",
                "variables": {
                    "host": {"description": "uplink.host of the terminal's settings"},
                    "port": {"default": "8883", "description": "uplink.port"},
                },
            }
        },
        "channels": {name: _channel(name) for name in _TEXTS},
        "operations": {f"{_verb(name)}_{name}": _operation(name) for name in _TEXTS},
        "components": {"messages": {name: _message(name) for name in _TEXTS}, "schemas": _schemas()},
    }


_TEXTS = {
    "status": (
        "Birth, clean shutdown, last will and failed starts. Retained, QoS 1: who subscribes learns the present state "
        "at once."
    ),
    "telemetry": "Heartbeat, every uplink.heartbeat_s and after each connection. Not retained, QoS 0.",
    "events": (
        "Signed, hash-chained records, oldest first, QoS 1, at least once. The same id again is a duplicate; after a "
        "refused publish, records may come twice and the run that is complete and in order is the last one. Take them "
        "by `sequence`; a gap means that a broker lost what it had acknowledged."
    ),
    "authorise": (
        "May this terminal redeem these entitlements, whose home is elsewhere? Signed by the terminal. Response Topic "
        "is `answers`; it expires at the broker when nobody waits for the answer any more."
    ),
    "answers": (
        "The centre's word, signed by the centre, with the request's Correlation Data. While a decision is `waiting`, "
        "a further answer to the same request may follow."
    ),
    "commands": (
        "Give an entitlement back, signed by the centre; expires within seconds. The answer is the record "
        "`aid.entitlement.released.v1` on `events`."
    ),
}
_QOS = {"status": 1, "telemetry": 0, "events": 1, "authorise": 1, "answers": 1, "commands": 1}
_RECEIVED = {"answers", "commands"}
_SCHEMA = {
    "status": "Status",
    "telemetry": "Telemetry",
    "events": "CloudEvent",
    "authorise": "AuthoriseRequest",
    "answers": "AuthoriseAnswer",
    "commands": "ReleaseRequest",
}


def _channel(name: str) -> dict[str, Any]:
    address = getattr(Topics("{prefix}", "{site}", "{terminal}"), name)
    return {
        "address": address,
        "description": _TEXTS[name],
        "parameters": {
            "prefix": {"description": "uplink.topic_prefix; may hold further levels", "default": "aid/v1"},
            "site": {"description": "terminal.site"},
            "terminal": {"description": "terminal.id"},
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _verb(name: str) -> str:
    return "take" if name in _RECEIVED else "publish"


def _operation(name: str) -> dict[str, Any]:
    return {
        "action": "receive" if name in _RECEIVED else "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "bindings": {"mqtt": {"qos": _QOS[name], "retain": name == "status", "bindingVersion": "0.2.0"}},
    }


def _message(name: str) -> dict[str, Any]:
    message: dict[str, Any] = {
        "contentType": CLOUDEVENTS_TYPE if name == "events" else JSON_TYPE,
        "payload": {"$ref": _SCHEMAS + _SCHEMA[name]},
    }
    if name in ("authorise", "answers"):
        message["correlationId"] = {
            "description": "MQTT 5 Correlation Data; the same stands signed in the payload",
            "location": "$message.payload#/request_id",
        }
    if name == "events":
        message["headers"] = {
            "type": "object",
            "description": "MQTT 5 user properties",
            "required": ["sequence"],
            "properties": {"sequence": {"type": "string", "pattern": "^[0-9]+$"}},
        }
    return message


def _schemas() -> dict[str, Any]:
    _, made = models_json_schema(
        [(model, "serialization") for model in (Status, Telemetry, AuthoriseRequest, AuthoriseAnswer, ReleaseRequest)],
        ref_template=_SCHEMAS + "{model}",
    )
    schemas = dict(made["$defs"])
    for name in ("AuthoriseRequest", "AuthoriseAnswer", "ReleaseRequest"):
        signed = schemas[name]
        properties = {**signed["properties"], "signature": _SIGNATURE}
        schemas[name] = {**signed, "properties": properties, "required": [*signed["required"], "signature"]}
    return {**schemas, "CloudEvent": _CLOUD_EVENT}


_SIGNATURE = {
    "type": "string",
    "description": (
        "Ed25519 over `edge-agent authority v1`, a newline and the RFC 8785 canonical bytes of the object without "
        "`signature`; base64url, unpadded"
    ),
}
_CLOUD_EVENT = {
    "title": "CloudEvent",
    "description": "CloudEvents 1.0, structured JSON. Types and data are the ledger's; see docs/telemetry.md.",
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1},
        "type": {"type": "string", "minLength": 1},
        "time": {"type": "string", "format": "date-time"},
    },
}


if __name__ == "__main__":
    sys.stdout.write(yaml.safe_dump(document(), sort_keys=False, allow_unicode=True, width=110))
