"""Puts the readings of the terminal into the payloads of `wire.py`. Pure: everything comes in as values."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Literal

from edge_agent.core.model import Outcome
from edge_agent.ports import OutboxRow
from edge_agent.uplink.wire import (
    JSON_TYPE,
    PROBLEM_MAX_CHARS,
    HostReadings,
    LinkReadings,
    Message,
    PartReadings,
    Payload,
    PrinterReadings,
    QueueReadings,
    Spread,
    SpreadReadings,
    Status,
    Telemetry,
    TerminalSnapshot,
    Topics,
    Versions,
)

State = Literal["online", "stopped", "offline", "failed"]


def status_message(
    topics: Topics, snapshot: TerminalSnapshot, state: State, at: datetime | None, problem: str = ""
) -> Message:
    """Birth, shutdown notice, last will, or why it can't start (`problem`): retained, QoS 1."""
    payload = Status(
        state=state,
        site=topics.site,
        terminal=topics.terminal,
        at=at,
        clock_trusted=snapshot.clock_trusted if at is not None else None,
        versions=_versions(snapshot),
        models=dict(snapshot.models),
        config_hash=snapshot.config_hash,
        problem=cut(problem),
    )
    return Message(topics.status, _json(payload), qos=1, retain=True, content_type=JSON_TYPE)


def telemetry_message(
    topics: Topics,
    snapshot: TerminalSnapshot,
    at: datetime,
    *,
    host: HostReadings,
    queue: QueueReadings,
    link: LinkReadings,
) -> Message:
    """A heartbeat: QoS 0, not retained."""
    payload = Telemetry(
        site=topics.site,
        terminal=topics.terminal,
        at=at,
        clock_trusted=snapshot.clock_trusted,
        versions=_versions(snapshot),
        models=dict(snapshot.models),
        config_hash=snapshot.config_hash,
        host=host,
        queue=queue,
        link=link,
        parts={
            part.value: PartReadings(working=state.working, problem=cut(state.problem))
            for part, state in snapshot.parts.items()
        },
        printer=_printer(snapshot),
        led_signal=snapshot.led_signal.value if snapshot.led_signal else None,
        gallery_size=snapshot.gallery_size,
        roster_version=snapshot.roster_version,
        outcomes=_outcomes(snapshot),
        reasons=None if snapshot.reasons is None else {one.value: count for one, count in snapshot.reasons.items()},
        liveness_failures_10_min=snapshot.liveness_failures,
        service_s=_spread(snapshot.service),
        waited_s=_spread(snapshot.waited),
        assisted=snapshot.assisted,
    )
    return Message(topics.telemetry, _json(payload), qos=0, retain=False, content_type=JSON_TYPE)


def _spread(spread: Spread | None) -> SpreadReadings | None:
    if spread is None:
        return None
    return SpreadReadings(count=spread.count, median=spread.median_s, p95=spread.p95_s, max=spread.max_s)


def age_s(oldest: OutboxRow | None, now: datetime, clock_trusted: bool | None) -> float | None:
    """Age of the oldest record by its CloudEvents `time`, seconds; None unless both clocks could be trusted.

    A record that says `clock_trusted: false` of itself (as an attribute or in its data) has no age anybody should act
    on.
    """
    if oldest is None or not clock_trusted:
        return None
    try:
        event = json.loads(oldest.body)
        recorded_at = datetime.fromisoformat(str(event["time"]).replace("Z", "+00:00"))
    except (ValueError, KeyError, TypeError):
        return None
    data = event.get("data")
    trusted = [source.get(key) for source in (event, data) if isinstance(source, dict) for key in _TRUST_KEYS]
    if False in trusted or recorded_at.tzinfo is None:
        return None
    age = (now - recorded_at).total_seconds()
    return round(age, 1) if age >= 0 else None


_TRUST_KEYS = ("clock_trusted", "clocktrusted")


def utc_now() -> datetime:
    """Now, as the wall clock has it."""
    return datetime.now(timezone.utc)


def cut(problem: str) -> str:
    """A problem text short enough for the wire."""
    return problem if len(problem) <= PROBLEM_MAX_CHARS else problem[: PROBLEM_MAX_CHARS - 1] + "…"


def _versions(snapshot: TerminalSnapshot) -> Versions:
    return Versions(agent=snapshot.agent_version, store_schema=snapshot.store_schema)


def _printer(snapshot: TerminalSnapshot) -> PrinterReadings | None:
    said = snapshot.printer
    if said is None:
        return None
    return PrinterReadings(online=said.online, paper=said.paper.value, cover_open=said.cover_open, error=said.error)


def _outcomes(snapshot: TerminalSnapshot) -> dict[str, int] | None:
    if snapshot.outcomes is None:
        return None
    return {outcome.value: snapshot.outcomes.get(outcome, 0) for outcome in Outcome}


def _json(payload: Payload) -> bytes:
    return payload.model_dump_json().encode()
