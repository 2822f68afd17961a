"""Systemd is told the truth over a real datagram socket, and the watchdog is fed only when every worker is alive."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from edge_agent.watchdog import Heartbeats, RestartBudget, SystemdNotifier


class StubClock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> StubClock:
    return StubClock()


class Systemd:
    """The receiving end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.socket.setblocking(False)
        self.address = address

    def received(self) -> list[str]:
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    address = str(tmp_path / "notify") if request.param == "path" else f"@edge-agent-test-{os.getpid()}"
    receiver = Systemd(address)
    yield receiver
    receiver.socket.close()


def test_messages_arrive_as_systemd_wants_them(systemd: Systemd) -> None:
    notifier = SystemdNotifier(systemd.address)
    notifier.ready()
    notifier.status("serving,\n  printer ok")
    notifier.stopping()
    assert systemd.received() == ["READY=1", "STATUS=serving, printer ok", "STOPPING=1"]


def test_an_unchanged_status_is_sent_once(systemd: Systemd) -> None:
    notifier = SystemdNotifier(systemd.address)
    for text in ("idle", "idle", "serving", "idle"):
        notifier.status(text)
    assert systemd.received() == ["STATUS=idle", "STATUS=serving", "STATUS=idle"]


def test_watchdog_is_fed_at_half_its_time(systemd: Systemd, clock: StubClock) -> None:
    notifier = SystemdNotifier(systemd.address, watchdog_s=20.0, clock=clock)
    fed_at = []
    for _ in range(300):
        if notifier.feed():
            fed_at.append(clock.now_s - 1000.0)
        clock.now_s += 0.125
    assert fed_at == [0.0, 10.0, 20.0, 30.0]
    assert systemd.received() == ["WATCHDOG=1"] * 4


def test_watchdog_starves_while_any_worker_is_silent_and_is_fed_at_once_afterwards(
    systemd: Systemd, clock: StubClock
) -> None:
    heartbeats = Heartbeats(clock)
    heartbeats.register("vision", 5.0)
    heartbeats.register("printer", 30.0)
    notifier = SystemdNotifier(systemd.address, watchdog_s=2.0, clock=clock)
    assert notifier.feed(heartbeats.stale())
    clock.now_s += 5.5
    heartbeats.beat("printer")
    with capture_logs() as logs:
        assert not notifier.feed(heartbeats.stale())
        assert not notifier.feed(heartbeats.stale())
    assert [(line["event"], line["silent"]) for line in logs] == [("watchdog_withheld", ["vision"])], "told once"
    heartbeats.beat("vision")
    assert notifier.feed(heartbeats.stale())
    assert systemd.received() == ["WATCHDOG=1"] * 2


def test_without_systemd_nothing_is_sent_and_nothing_fails() -> None:
    notifier = SystemdNotifier.from_environment({})
    notifier.ready()
    notifier.status("x")
    notifier.stopping()
    assert notifier.feed() is False
    assert notifier.feed_every_s is None
    notifier.close()


@pytest.mark.parametrize(
    ("environment", "feed_every_s"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "-5"}, None),
        ({}, None),
    ],
)
def test_watchdog_time_comes_from_the_environment(environment: dict[str, str], feed_every_s: float | None) -> None:
    assert SystemdNotifier.from_environment(environment).feed_every_s == feed_every_s


def test_environment_names_the_socket(systemd: Systemd) -> None:
    SystemdNotifier.from_environment({"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "2000000"}).feed()
    assert systemd.received() == ["WATCHDOG=1"]


def test_a_systemd_that_is_gone_is_told_once_and_the_loop_goes_on(tmp_path: Path, clock: StubClock) -> None:
    notifier = SystemdNotifier(str(tmp_path / "gone"), watchdog_s=2.0, clock=clock)
    with capture_logs() as logs:
        notifier.ready()
        assert notifier.feed() is False
    assert [line["event"] for line in logs] == ["systemd_not_told"]
    receiver = Systemd(str(tmp_path / "gone"))
    assert notifier.feed(), "a feed that failed is due again at once"
    assert receiver.received() == ["WATCHDOG=1"]
    receiver.socket.close()


def test_a_full_socket_does_not_block_the_loop(tmp_path: Path, clock: StubClock) -> None:
    receiver = Systemd(str(tmp_path / "full"))
    notifier = SystemdNotifier(receiver.address, clock=clock)
    with capture_logs() as logs:
        for number in range(2000):
            notifier.status(f"{number}")
    assert [line["event"] for line in logs] == ["systemd_not_told"]
    assert receiver.received()[0] == "STATUS=0"
    notifier.status("last")
    assert receiver.received() == ["STATUS=last"], "it is told again once there is room"
    receiver.socket.close()


def test_silence_counts_from_registration_and_ends_with_forgetting(clock: StubClock) -> None:
    heartbeats = Heartbeats(clock)
    heartbeats.beat("nobody")
    assert heartbeats.stale() == ()
    heartbeats.register("vision", 5.0)
    heartbeats.register("uplink", 5.0)
    clock.now_s += 5.0
    assert heartbeats.stale() == (), "exactly the limit is still fresh"
    clock.now_s += 0.1
    assert heartbeats.stale() == ("uplink", "vision")
    assert heartbeats.stale(now_s=1001.0) == ()
    heartbeats.forget("uplink")
    heartbeats.forget("uplink")
    assert heartbeats.stale() == ("vision",)
    heartbeats.register("vision", 5.0)
    assert heartbeats.stale() == (), "a restarted worker starts fresh"


def test_beats_from_many_threads_are_all_counted(clock: StubClock) -> None:
    heartbeats = Heartbeats(clock)
    names = [f"worker-{number}" for number in range(8)]
    for name in names:
        heartbeats.register(name, 1.0)
    clock.now_s += 10.0
    threads = [threading.Thread(target=heartbeats.beat, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heartbeats.stale() == ()


def test_restart_budget_gives_up_after_too_many_in_a_window_and_recovers_with_time() -> None:
    budget = RestartBudget(3, window_s=600.0)
    assert [budget.spend(at) for at in (0.0, 100.0, 200.0, 300.0, 599.9)] == [True, True, True, False, False]
    assert budget.spend(600.0), "the first one is out of the window"
    assert not budget.spend(650.0)
    assert [budget.spend(at) for at in (700.0, 800.0, 900.0)] == [True, True, False]


def test_a_budget_of_none_never_restarts() -> None:
    assert RestartBudget(0, 60.0).spend(0.0) is False
