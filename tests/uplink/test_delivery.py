"""Records reach a real broker: none lost, order kept, whatever happens to the broker."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from paho.mqtt.client import MQTTMessage

from edge_agent.ports import StoreError
from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.uplink.terminals import HERE, LeapingClock, TableOutbox, Terminal, record

pytestmark = [pytest.mark.mosquitto, needs_mosquitto]


def sequences(subscriber: Subscriber) -> list[int]:
    """The records received, in order of arrival, duplicates included."""
    return [int(json.loads(body)["sequence"]) for body in subscriber.payloads("/events")]


def all_arrived(terminal: Terminal, centre: Subscriber, count: int) -> None:
    """Wait until the outbox is empty and the centre has received at least so many messages."""
    wait_until(lambda: terminal.outbox.depth() == 0, "an empty outbox")
    wait_until(lambda: len(sequences(centre)) >= count, f"{count} records at the centre")


def first_arrivals(received: list[int]) -> list[int]:
    return list(dict.fromkeys(received))


def test_a_record_arrives_as_signed_and_leaves_the_outbox(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as centre, Terminal(tmp_path, broker) as terminal:
        wait_until(lambda: terminal.worker.connected, "the connection")
        terminal.commit(1)
        all_arrived(terminal, centre, 1)
        (message,) = centre.messages("/events")
        assert message.topic == f"{HERE}/events"
        assert bytes(message.payload) == record(1).body
        assert (message.qos, message.retain) == (1, False)
        assert message.properties is not None
        assert message.properties.ContentType == "application/cloudevents+json; charset=utf-8"
        assert message.properties.UserProperty == [("sequence", "1")]


def test_a_broker_absent_for_hours_gets_everything_in_order_when_it_is_back(tmp_path: Path) -> None:
    clock = LeapingClock()
    broker = Broker(tmp_path / "broker")
    with Terminal(tmp_path, broker, clock=clock, backoff_min_s=60.0, backoff_max_s=600.0) as terminal:
        for hour in range(6):
            terminal.commit(*range(hour * 20 + 1, hour * 20 + 21))
            clock.ahead_s += 3600
            terminal.worker.wake()
            tries = hour + 1
            wait_until(lambda n=tries: terminal.waits >= n, f"try number {tries}")
        assert len(terminal.problems()) == 1, "the same problem is told once, not once per try"
        assert "no broker listens there" in terminal.problems()[0]
        assert terminal.outbox.depth() == 120
        with broker, Subscriber(broker) as centre:
            clock.ahead_s += 3600
            terminal.worker.wake()
            all_arrived(terminal, centre, 120)
            assert sequences(centre) == list(range(1, 121))
            wait_until(terminal.recovered, "the recovery")


@pytest.mark.parametrize("persistence", [True, False], ids=["persistent", "forgetful"])
def test_a_broker_killed_in_a_burst_loses_nothing_and_keeps_the_order(tmp_path: Path, persistence: bool) -> None:
    """The centre is back before the terminal each time: what a broker took and dies with before it passed it on is
    beyond what a PUBACK can promise (docs/telemetry.md, "What an acknowledgement means"). For the same reason it
    subscribes at QoS 0: a client that answers into a dead connection may lose what it had not read yet.
    """
    clock = LeapingClock()
    kill_at = {"100", "250", "400"}
    left_at_kill: list[int] = []

    def kill_in_the_middle(message: MQTTMessage) -> None:
        number = dict(message.properties.UserProperty)["sequence"] if message.topic.endswith("/events") else ""
        if number in kill_at:
            kill_at.discard(number)
            os.kill(broker.pid, signal.SIGKILL)

    with (
        Broker(tmp_path / "broker", persistence=persistence) as broker,
        Subscriber(broker, qos=0, session="centre", on_message=kill_in_the_middle) as centre,
        Terminal(tmp_path, broker, clock=clock, backoff_min_s=60.0, backoff_max_s=600.0) as terminal,
    ):
        terminal.commit(*range(1, 501))
        for _ in range(3):
            wait_until(lambda: not broker.running and not terminal.worker.connected, "the broker to be killed")
            left_at_kill.append(terminal.outbox.depth())
            broker.kill()
            wait_until(lambda: not centre.subscribed, "the centre to notice")
            broker.start()
            wait_until(lambda: centre.subscribed, "the centre to be back")
            clock.ahead_s += 3600
            terminal.worker.wake()
        wait_until(lambda: terminal.outbox.depth() == 0, "an empty outbox")
        wait_until(lambda: set(sequences(centre)) == set(range(1, 501)), "every record at the centre")
        assert first_arrivals(sequences(centre)) == list(range(1, 501))
        assert all(0 < left < 500 for left in left_at_kill), f"not killed in mid-burst: {left_at_kill}"
        assert any("lost" in problem for problem in terminal.problems())


def test_a_broker_nobody_listens_to_gets_nothing_for_good(tmp_path: Path) -> None:
    """mosquitto throws away what nobody subscribes to, and says so in a PUBACK that counts as success."""
    with Broker(tmp_path / "broker") as broker, Terminal(tmp_path, broker) as terminal:
        terminal.commit(1, 2, 3)
        wait_until(lambda: any("nobody at the broker subscribes" in text for text in terminal.problems()), "the report")
        assert terminal.outbox.depth() == 3
        with Subscriber(broker) as centre:
            wait_until(lambda: terminal.outbox.depth() == 0, "an empty outbox")
            wait_until(lambda: set(sequences(centre)) == {1, 2, 3}, "all three")
            wait_until(terminal.recovered, "the recovery")


def test_where_listeners_are_unseen_an_unmatched_record_counts_as_delivered(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker, Terminal(tmp_path, broker, needs_subscriber=False) as terminal:
        terminal.commit(1, 2, 3)
        wait_until(lambda: terminal.outbox.depth() == 0, "an empty outbox")
        assert terminal.problems() == []


def test_a_duplicate_is_known_by_its_id_and_sequence(tmp_path: Path) -> None:
    """The acknowledgement comes but the row can't be deleted, and the terminal restarts: the record is sent again."""
    with Broker(tmp_path / "broker") as broker, Subscriber(broker) as centre:
        with Terminal(tmp_path, broker, broken={"delete"}) as terminal:
            terminal.commit(1)
            wait_until(lambda: any("disk full" in text for text in terminal.problems()), "the failed delete")
        with Terminal(tmp_path, broker) as restarted:
            all_arrived(restarted, centre, 2)
            first, second = centre.messages("/events")
            assert json.loads(first.payload)["id"] == json.loads(second.payload)["id"]
            assert first.properties.UserProperty == second.properties.UserProperty == [("sequence", "1")]


def test_a_full_disk_is_told_once_and_waited_out_without_sending_twice(tmp_path: Path) -> None:
    broken = {"delete"}
    with (
        Broker(tmp_path / "broker") as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, broken=broken) as terminal,
    ):
        terminal.commit(*range(1, 31))
        wait_until(terminal.problems, "the problem")
        broken.clear()
        all_arrived(terminal, centre, 30)
        assert sequences(centre) == list(range(1, 31))
        assert [text for text in terminal.problems() if "disk full" in text] == terminal.problems()[:1]
        wait_until(terminal.recovered, "the recovery")


def test_a_record_the_broker_refuses_is_told_kept_and_sent_when_it_is_allowed(tmp_path: Path) -> None:
    status_only = f"topic readwrite {HERE}/status\ntopic readwrite {HERE}/telemetry\ntopic read #\n"
    with (
        Broker(tmp_path / "broker", acl=status_only) as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker) as terminal,
    ):
        terminal.commit(*range(1, 41))
        wait_until(lambda: any("refuses records: Not authorized (0x87)" in t for t in terminal.problems()), "0x87")
        assert terminal.outbox.depth() == 40
        assert sequences(centre) == []
        broker.set_acl("topic readwrite #\n")
        all_arrived(terminal, centre, 40)
        assert sequences(centre) == list(range(1, 41))
        wait_until(terminal.recovered, "the recovery")


def test_a_broker_that_hangs_is_left_and_gets_everything_once_it_goes_on(tmp_path: Path) -> None:
    clock = LeapingClock()
    with (
        Broker(tmp_path / "broker") as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, clock=clock) as terminal,
    ):
        terminal.commit(1)
        wait_until(lambda: terminal.outbox.depth() == 0, "the first record")
        os.kill(broker.pid, signal.SIGSTOP)
        terminal.commit(*range(2, 41))
        assert terminal.outbox.depth() == 39
        wait_until(lambda: _leap(clock, terminal), "the broker to be given up")
        os.kill(broker.pid, signal.SIGCONT)
        wait_until(lambda: terminal.outbox.depth() == 0, "an empty outbox")
        wait_until(lambda: set(sequences(centre)) == set(range(1, 41)), "every record")
        assert first_arrivals(sequences(centre)) == list(range(1, 41))


def test_a_broker_that_takes_one_message_at_a_time_gets_one_at_a_time(tmp_path: Path) -> None:
    """Its receive maximum counts, not our window: a broker ends the connection of whoever sends more."""
    with (
        Broker(tmp_path / "broker", extra=["max_inflight_messages 1"]) as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, inflight_max=50) as terminal,
    ):
        terminal.commit(*range(1, 61))
        all_arrived(terminal, centre, 60)
        assert sequences(centre) == list(range(1, 61))
        assert terminal.problems() == []


def _leap(clock: LeapingClock, terminal: Terminal) -> bool:
    clock.ahead_s += 61.0
    terminal.worker.wake()
    return any("stopped acknowledging" in problem for problem in terminal.problems())


def test_an_outbox_that_cannot_be_opened_keeps_the_link_up_and_is_opened_later(tmp_path: Path) -> None:
    broken = True

    def open_outbox() -> TableOutbox:
        if broken:
            raise StoreError("terminal.db is locked: another edge-agent runs")
        return TableOutbox(tmp_path / "terminal.db")

    with (
        Broker(tmp_path / "broker") as broker,
        Subscriber(broker) as centre,
        Terminal(tmp_path, broker, outbox_factory=open_outbox, heartbeat_s=1.0) as terminal,
    ):
        terminal.commit(1)
        wait_until(lambda: terminal.worker.connected and centre.payloads("/telemetry"), "a heartbeat")
        beat = json.loads(centre.payloads("/telemetry")[0])
        assert beat["queue"] == {"depth": None, "oldest_age_s": None}
        assert "another edge-agent runs" in beat["link"]["problem"]
        broken = False
        wait_until(lambda: sequences(centre) == [1], "the record")
