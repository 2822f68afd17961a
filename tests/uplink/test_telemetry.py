from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from edge_agent.ports import OutboxRow
from edge_agent.uplink.telemetry import age_s, cut, telemetry_message
from edge_agent.uplink.wire import HostReadings, LinkReadings, QueueReadings, Spread, Topics
from tests.uplink.terminals import snapshot

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=timezone.utc)


def row(**event: Any) -> OutboxRow:
    return OutboxRow(1, "id", "type", json.dumps({"time": "2026-03-01T11:00:00.500Z", **event}).encode())


def test_the_age_of_the_oldest_record_is_told_in_seconds() -> None:
    assert age_s(row(), NOW, clock_trusted=True) == 3599.5


def test_no_record_has_no_age() -> None:
    assert age_s(None, NOW, clock_trusted=True) is None


@pytest.mark.parametrize("trusted", [False, None])
def test_an_untrusted_clock_tells_no_age(trusted: bool | None) -> None:
    assert age_s(row(), NOW, clock_trusted=trusted) is None


@pytest.mark.parametrize("event", [{"clocktrusted": False}, {"data": {"clock_trusted": False}}])
def test_a_record_made_under_an_untrusted_clock_has_no_age(event: dict[str, Any]) -> None:
    assert age_s(row(**event), NOW, clock_trusted=True) is None


@pytest.mark.parametrize("time", ["yesterday", None, 12, "2026-03-01T11:00:00", (NOW + timedelta(hours=1)).isoformat()])
def test_a_time_that_makes_no_sense_gives_no_age(time: object) -> None:
    assert age_s(row(time=time), NOW, clock_trusted=True) is None


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b"{}"])
def test_a_body_that_is_no_event_gives_no_age(body: bytes) -> None:
    assert age_s(OutboxRow(1, "id", "type", body), NOW, clock_trusted=True) is None


def test_a_long_problem_is_cut_to_what_the_contract_allows() -> None:
    assert cut("x" * 200) == "x" * 200
    assert len(cut("x" * 900)) == 200
    assert cut("x" * 900).endswith("…")


def test_how_long_people_wait_goes_up_and_nobody_is_null() -> None:
    host = HostReadings.model_construct(**dict.fromkeys(HostReadings.model_fields))
    told = telemetry_message(
        Topics("aid/v1", "SITE-7", "T-0012"),
        replace(snapshot(), waited=Spread()),
        NOW,
        host=host,
        queue=QueueReadings(depth=0, oldest_age_s=None),
        link=LinkReadings(connected_s=1.0, connections=1, problem=None),
    )
    body = json.loads(told.payload)
    assert body["service_s"] == {"count": 8, "median": 9.5, "p95": 21.0, "max": 30.2}
    assert body["waited_s"] == {"count": 0, "median": None, "p95": None, "max": None}
    assert body["assisted"] == 2
