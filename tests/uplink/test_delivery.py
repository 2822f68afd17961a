"""Records reach a real broker: none lost, order kept, whatever happens to the broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.uplink.terminals import HERE, LeapingClock, Terminal, record

pytestmark = [pytest.mark.mosquitto, needs_mosquitto]


def sequences(subscriber: Subscriber) -> list[int]:
    """The records received, in order of arrival, duplicates included."""
    return [int(json.loads(body)["sequence"]) for body in subscriber.payloads("/events")]


def first_arrivals(received: list[int]) -> list[int]:
    return list(dict.fromkeys(received))


def test_a_record_arrives_as_signed_and_leaves_the_outbox(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as centre, Terminal(tmp_path, broker) as terminal:
        wait_until(lambda: terminal.worker.connected, "the connection")
        terminal.commit(1)
        wait_until(lambda: centre.messages("/events"), "the record")
        wait_until(lambda: terminal.outbox.depth() == 0, "an empty outbox")
        (message,) = centre.messages("/events")
        assert message.topic == f"{HERE}/events"
        assert bytes(message.payload) == record(1).body
        assert (message.qos, message.retain) == (1, False)
        assert message.properties is not None
        assert message.properties.ContentType == "application/cloudevents+json; charset=utf-8"
        assert message.properties.UserProperty == [("sequence", "1")]
