"""Birth, last will, shutdown and heartbeat, as a subscriber sees them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_agent.uplink.host_health import HostHealth
from edge_agent.uplink.wire import Status, Telemetry
from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.uplink.terminals import HERE, SITE, TERMINAL, LeapingClock, Terminal

pytestmark = [pytest.mark.mosquitto, needs_mosquitto]

ROOT = Path(__file__).parents[2]


def states(subscriber: Subscriber) -> list[str]:
    return [json.loads(body)["state"] for body in subscriber.payloads("/status")]


def newest(subscriber: Subscriber, ending: str) -> dict[str, Any]:
    wait_until(lambda: subscriber.payloads(ending), f"something on {ending}")
    found: dict[str, Any] = json.loads(subscriber.payloads(ending)[-1])
    return found


def test_the_birth_is_retained_and_says_what_runs_there(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Terminal(tmp_path, broker) as terminal:
        wait_until(lambda: terminal.worker.connected, "the connection")
        with Subscriber(broker) as before, Subscriber(broker) as late:
            wait_until(lambda: before.payloads("/status"), "the birth")
            birth = newest(late, "/status")
            (message,) = late.messages("/status")
        assert message.retain
        assert message.topic == f"{HERE}/status"
        assert message.properties is not None
        assert message.properties.ContentType == "application/json; charset=utf-8"
        assert (birth["state"], birth["site"], birth["terminal"]) == ("online", SITE, TERMINAL)
        assert birth["versions"] == {"agent": "1.2.3", "store_schema": 4}
        assert birth["models"] == {"face_embedder": "ab" * 32}
        assert birth["at"].endswith("Z")


def test_a_clean_stop_flushes_says_stopped_and_leaves_no_last_will(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as centre:
        with Terminal(tmp_path, broker) as terminal:
            wait_until(lambda: terminal.worker.connected, "the connection")
            terminal.commit(*range(1, 101))
            assert terminal.stop(30.0)
            assert not terminal.worker.connected
            assert terminal.outbox.depth() == 0
            assert terminal.reports[-1] == ("uplink_stopped", {"records_left": 0})
        wait_until(lambda: states(centre) == ["online", "stopped"], "the farewell")
        goodbye = f"Received DISCONNECT from {SITE}-{TERMINAL}"
        wait_until(lambda: goodbye in broker.log(), "the DISCONNECT that makes the broker forget the last will")
        wait_until(lambda: len(centre.messages("/events")) == 100, "every record")
        with Subscriber(broker) as late:
            assert newest(late, "/status")["state"] == "stopped"


def test_a_stop_without_a_broker_is_quick_and_loses_nothing(tmp_path: Path) -> None:
    with Terminal(tmp_path, Broker(tmp_path / "broker")) as terminal:
        terminal.commit(1, 2, 3)
        wait_until(terminal.problems, "the refused connection")
        assert terminal.stop(20.0)
        assert terminal.outbox.depth() == 3
        assert terminal.reports[-1] == ("uplink_stopped", {"records_left": 3})


def test_the_last_will_tells_of_a_terminal_that_died(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as centre:
        command = [sys.executable, "-m", "tests.uplink.lonely_terminal", str(tmp_path), str(broker.port), "5"]
        with subprocess.Popen(command, cwd=ROOT) as process:
            wait_until(lambda: states(centre) == ["online"], "the birth")
            process.kill()
        wait_until(lambda: states(centre) == ["online", "offline"], "the last will")
        with Subscriber(broker) as late:
            will = newest(late, "/status")
        assert will["state"] == "offline"
        assert will["at"] is None
        assert will["clock_trusted"] is None
        assert will["versions"]["agent"] == "1.2.3"
        Status.model_validate(will)


def test_a_heartbeat_carries_every_reading_and_null_for_what_is_not_known(tmp_path: Path) -> None:
    clock = LeapingClock()
    with (
        Broker(tmp_path / "broker") as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, clock=clock) as terminal,
    ):
        beat = newest(centre, "/telemetry")
        assert set(beat) == set(Telemetry.model_fields)
        assert beat["parts"] == {
            "camera": {"working": True, "problem": ""},
            "leds": {"working": False, "problem": "line 17 is in use by another program"},
        }
        assert beat["printer"] == {"online": True, "paper": "near_end", "cover_open": False, "error": False}
        assert beat["outcomes"] == {"GIVEN": 7, "REFERRED": 1, "NOT_ENTITLED": 0, "ABANDONED": 0}
        assert beat["queue"] == {"depth": 0, "oldest_age_s": None}
        assert beat["link"]["connections"] == 1
        assert (beat["led_signal"], beat["gallery_size"], beat["config_hash"]) == ("ready", 500, "cd" * 32)
        (first,) = centre.messages("/telemetry")
        assert (first.qos, first.retain) == (0, False)
        clock.ahead_s += terminal.settings.heartbeat_s
        terminal.worker.wake()
        wait_until(lambda: len(centre.messages("/telemetry")) == 2, "the next heartbeat")
        with Subscriber(broker) as late:
            newest(late, "/status")
            assert late.messages("/telemetry") == [], "an old reading must not pass for a new one"


def test_telemetry_tells_how_many_records_wait_how_long_and_why(tmp_path: Path) -> None:
    listening = f"topic readwrite {HERE}/status\ntopic readwrite {HERE}/telemetry\ntopic read #\n"
    clock = LeapingClock()
    with (
        Broker(tmp_path / "broker", acl=listening) as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, clock=clock) as terminal,
    ):
        terminal.commit(1, 2, 3)
        wait_until(terminal.problems, "the refusal")
        clock.ahead_s += terminal.settings.heartbeat_s
        terminal.worker.wake()
        wait_until(lambda: newest(centre, "/telemetry")["link"]["problem"], "a heartbeat that tells")
        beat = newest(centre, "/telemetry")
        assert beat["queue"]["depth"] == 3
        assert beat["queue"]["oldest_age_s"] > 0
        assert "Not authorized (0x87)" in beat["link"]["problem"]


def test_an_error_nobody_foresaw_costs_the_link_for_a_while_and_not_the_thread(tmp_path: Path) -> None:
    failing = [True]

    def host_with_a_bug() -> Any:
        if failing:
            failing.pop()
            raise KeyError("3273010101010001")
        return HostHealth(disk=tmp_path).read()

    with (
        Broker(tmp_path / "broker") as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, host_readings=host_with_a_bug) as terminal,
    ):
        terminal.commit(1)
        wait_until(lambda: any("stumbled over KeyError" in text for text in terminal.problems()), "the report")
        wait_until(lambda: centre.messages("/events"), "the record all the same")
        wait_until(terminal.recovered, "the recovery")
        assert "3273010101010001" not in str(terminal.posted) + str(terminal.reports)
