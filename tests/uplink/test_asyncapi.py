"""config/asyncapi.yaml says what wire.py says, holds together, and describes what is really sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from edge_agent.uplink.asyncapi import document
from edge_agent.uplink.wire import Topics

FILE = Path(__file__).parents[2] / "config" / "asyncapi.yaml"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_the_file_is_what_the_code_says() -> None:
    found = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert found == document(), "run: python -m edge_agent.uplink.asyncapi > config/asyncapi.yaml"


def test_every_reference_leads_somewhere() -> None:
    whole = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    found = set(references(whole))
    assert len(found) > 10
    for reference in found:
        place: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, f"{reference} leads nowhere at {step}"
            place = place[step]


def test_it_has_the_shape_of_asyncapi_3() -> None:
    whole = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert whole["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= set(whole["info"])
    for operation in whole["operations"].values():
        to_terminal = operation["channel"]["$ref"].endswith(("/answers", "/commands"))
        assert operation["action"] == ("receive" if to_terminal else "send")
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in whole["channels"]
    for server in whole["servers"].values():
        assert {"host", "protocol"} <= set(server)


def test_channels_are_the_topics_and_name_their_parameters() -> None:
    topics = Topics("aid/v1", "desa-07", "t-1")
    for name, channel in document()["channels"].items():
        filled = channel["address"].format(prefix="aid/v1", site="desa-07", terminal="t-1")
        assert filled == getattr(topics, name)
        assert set(channel["parameters"]) == {"prefix", "site", "terminal"}


def test_every_reading_is_described_and_nulls_are_allowed_where_a_machine_may_be_silent() -> None:
    host = document()["components"]["schemas"]["HostReadings"]["properties"]
    assert all({"type": "null"} in reading["anyOf"] for reading in host.values())
