"""The contract with the centre: topics, payloads and MQTT properties. `config/asyncapi.yaml` says the same to other
languages.

Topics, all under `<prefix>/<site>/<terminal>/`:

- `status`     retained, QoS 1: `Status`. Birth ("online"), clean shutdown ("stopped"), last will ("offline"), and a
               start that failed ("failed").
- `telemetry`  not retained, QoS 0: `Telemetry`. Not retained, because an old reading must not pass for a new one;
               `status` says whether the terminal is there.
- `events`     not retained, QoS 1: one signed CloudEvents 1.0 JSON object a message, byte for byte as it lies in the
               ledger, oldest first, at least once. User property `sequence`; the same `id` again is a duplicate.
- `authorise`  not retained, QoS 1: `AuthoriseRequest`, signed by the terminal. MQTT 5 request: Response Topic is
               `answers`, Correlation Data the request's id; it expires at the broker with the wait for its answer.
- `answers`    to the terminal, QoS 1: `AuthoriseAnswer`, signed by the centre, with the request's Correlation Data.
- `commands`   to the terminal, QoS 1: `ReleaseRequest`, signed by the centre. It expires within seconds, since nobody
               waits for an entitlement any more by then.

Rules: nothing here may name a person, a national number, an image or an embedding. A reading that can't be had is
null, never made up. Keys may be added within a wire version, so receivers ignore those they don't know; a changed
meaning is a new version.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edge_agent.core.model import Outcome, Part, PrinterStatus, Reason, Signal
from edge_agent.ports import OutboxRow

WIRE_VERSION = 1
JSON_TYPE = "application/json; charset=utf-8"
CLOUDEVENTS_TYPE = "application/cloudevents+json; charset=utf-8"
"""Structured content mode of the CloudEvents MQTT binding 1.0, section 3.2."""

INCOMING_MAX_BYTES = 100_000
"""Largest packet a terminal takes; a broker keeps a larger one from it."""
PROBLEM_MAX_CHARS = 200
Problem = Annotated[str, Field(max_length=PROBLEM_MAX_CHARS)]


@dataclass(frozen=True)
class Topics:
    """Where one terminal speaks. The identifiers hold no MQTT wildcard (settings refuse them)."""

    prefix: str
    site: str
    terminal: str

    @property
    def status(self) -> str:
        """Birth, last will, shutdown."""
        return self._below("status")

    @property
    def telemetry(self) -> str:
        """Heartbeats."""
        return self._below("telemetry")

    @property
    def events(self) -> str:
        """Records."""
        return self._below("events")

    @property
    def authorise(self) -> str:
        """Requests to the centre."""
        return self._below("authorise")

    @property
    def answers(self) -> str:
        """The centre's answers to them."""
        return self._below("answers")

    @property
    def commands(self) -> str:
        """What the centre asks of this terminal."""
        return self._below("commands")

    def _below(self, leaf: str) -> str:
        return f"{self.prefix}/{self.site}/{self.terminal}/{leaf}"


def client_id(site: str, terminal: str) -> str:
    """The MQTT client id: stable, so that the broker finds the session again."""
    return f"{site}-{terminal}"


@dataclass(frozen=True)
class Message:
    """One MQTT PUBLISH as the link sends it. expiry_s: the broker forgets it after so many seconds; None: never."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    content_type: str
    user_properties: tuple[tuple[str, str], ...] = ()
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry_s: int | None = None


def authority_message(
    topic: str, body: bytes, correlation: str, expiry_s: int, answer_to: str | None = None
) -> Message:
    """A signed word between terminal and centre. correlation: the request's id."""
    return Message(
        topic=topic,
        payload=body,
        qos=1,
        retain=False,
        content_type=JSON_TYPE,
        response_topic=answer_to,
        correlation=correlation.encode("ascii"),
        expiry_s=expiry_s,
    )


def event_message(topics: Topics, row: OutboxRow) -> Message:
    """A record on its way up: the body untouched."""
    return Message(
        topic=topics.events,
        payload=row.body,
        qos=1,
        retain=False,
        content_type=CLOUDEVENTS_TYPE,
        user_properties=(("sequence", str(row.sequence)),),
    )


class Payload(BaseModel):
    """A JSON object on the wire: immutable; receivers ignore keys they don't know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Versions(Payload):
    """What runs there. store_schema: number of the last database migration."""

    agent: str
    store_schema: int | None


class Status(Payload):
    """Retained state of a terminal. `at` is null in a last will: it was written before the moment it tells of.

    problem: why it can't start, with "failed" only.
    """

    wire_version: int = WIRE_VERSION
    state: Literal["online", "stopped", "offline", "failed"]
    site: str
    terminal: str
    at: datetime | None
    clock_trusted: bool | None
    versions: Versions
    models: dict[str, str] = Field(description="model name -> SHA-256 of its file, hex")
    config_hash: str | None = Field(description="SHA-256 of the settings in force, hex")
    problem: Problem = Field("", description="why it can't start; with state `failed` only")


class Throttling(Payload):
    """What the Raspberry Pi firmware says about power and heat: now, and since boot."""

    under_voltage: bool
    frequency_capped: bool
    throttled: bool
    soft_temperature_limit: bool
    under_voltage_since_boot: bool
    frequency_capped_since_boot: bool
    throttled_since_boot: bool
    soft_temperature_limit_since_boot: bool


class HostReadings(Payload):
    """The machine. Null: this machine has no such reading, or it couldn't be read. 1 MB is 1,000,000 bytes."""

    uptime_s: float | None
    temperature_c: float | None
    throttling: Throttling | None
    disk_free_mb: float | None
    memory_total_mb: float | None
    memory_available_mb: float | None
    process_memory_mb: float | None


class QueueReadings(Payload):
    """Records not yet acknowledged. oldest_age_s is null when none waits, or when no clock can be trusted to tell."""

    depth: int | None
    oldest_age_s: float | None


class LinkReadings(Payload):
    """This connection. problem: why records are not being taken although the link stands."""

    connected_s: float
    connections: int = Field(description="connections made since the agent started, this one included")
    problem: Problem | None


class PartReadings(Payload):
    """A part of the terminal: working or not, and if not, what a technician should know."""

    working: bool
    problem: Problem = ""


class PrinterReadings(Payload):
    """What the printer said last."""

    online: bool
    paper: Literal["ok", "near_end", "out"]
    cover_open: bool
    error: bool


class SpreadReadings(Payload):
    """Seconds, over the people of the last hour who stayed to the end. Null while there was nobody."""

    count: int
    median: float | None
    p95: float | None = Field(description="nearest rank: 95 of 100 took no longer")
    max: float | None


class Telemetry(Payload):
    """A heartbeat."""

    wire_version: int = WIRE_VERSION
    site: str
    terminal: str
    at: datetime
    clock_trusted: bool | None
    versions: Versions
    models: dict[str, str]
    config_hash: str | None
    host: HostReadings
    queue: QueueReadings
    link: LinkReadings
    parts: dict[str, PartReadings] = Field(
        description="by part: camera, vision, printer, store, leds; token_reader where there is one; absent: not known"
    )
    printer: PrinterReadings | None
    led_signal: str | None = Field(description="what the LEDs say now, one of the signals on the technicians' page")
    gallery_size: int | None = Field(description="subjects that can be identified here")
    roster_version: int | None
    outcomes: dict[str, int] | None = Field(description="sessions ended since the agent started, by outcome")
    reasons: dict[str, int] | None = Field(description="those without a claim, by reason; a reason not listed: none")
    liveness_failures_10_min: int | None = Field(
        description="sessions of the last ten minutes that failed as not live, or were left once turns were asked for"
    )
    service_s: SpreadReadings | None = Field(None, description="from a person's turn to the end of it")
    waited_s: SpreadReadings | None = Field(
        None, description="how long they had been seen waiting before their turn; who waits out of sight is not seen"
    )
    assisted: int | None = Field(None, description="sessions since the agent started in which an officer vouched")


@dataclass(frozen=True)
class PartState:
    """Whether a part works, as the agent knows it. `problem` names no person; it is cut to 200 characters on the
    wire."""

    working: bool
    problem: str = ""


@dataclass(frozen=True)
class Spread:
    """How seconds are spread over `count` people; None of nobody."""

    count: int = 0
    median_s: float | None = None
    p95_s: float | None = None
    max_s: float | None = None


@dataclass(frozen=True)
class TerminalSnapshot:
    """What the agent tells the uplink about itself, in one immutable value. None: not known.

    The uplink asks for it from its own thread, so the agent hands out values it will not change any more. models:
    name -> SHA-256 hex. outcomes, reasons, assisted: of sessions ended since the agent started. liveness_failures: of
    the last ten minutes. service, waited: of the last hour.
    """

    agent_version: str
    store_schema: int | None = None
    clock_trusted: bool | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    config_hash: str | None = None
    parts: Mapping[Part, PartState] = field(default_factory=dict)
    printer: PrinterStatus | None = None
    led_signal: Signal | None = None
    gallery_size: int | None = None
    roster_version: int | None = None
    outcomes: Mapping[Outcome, int] | None = None
    reasons: Mapping[Reason, int] | None = None
    liveness_failures: int | None = None
    service: Spread | None = None
    waited: Spread | None = None
    assisted: int | None = None
