"""Connections that are refused: the reason is told in words, once, and a fix takes effect by itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from tests.brokers import Broker, BrokerTls, Subscriber, needs_mosquitto, wait_until
from tests.certificates import Authority
from tests.uplink.terminals import Terminal

pytestmark = [pytest.mark.mosquitto, needs_mosquitto]


@contextmanager
def tls_broker(tmp_path: Path, *, clients: Authority | None = None) -> Iterator[tuple[Broker, Authority]]:
    """A broker with TLS, and the authority that signed its certificate."""
    authority = Authority(tmp_path / "ca", "district")
    certificate, key = authority.issue("broker")
    client_ca = clients.certificate if clients is not None else None
    with Broker(tmp_path / "broker", tls=BrokerTls(authority.certificate, certificate, key, client_ca)) as broker:
        yield broker, authority


def first_problem(terminal: Terminal) -> str:
    wait_until(terminal.problems, "a problem")
    return terminal.problems()[0]


def test_a_wrong_password_is_told_once_in_the_brokers_words_and_a_fixed_file_heals_it(tmp_path: Path) -> None:
    password_file = tmp_path / "password"
    password_file.write_text("wrong-horse\n")
    with (
        Broker(tmp_path / "broker", passwords={"t-0042": "right-horse", "centre": "c"}) as broker,
        Subscriber(broker, login=("centre", "c")) as centre,
        Terminal(tmp_path, broker, username="t-0042", password_file=password_file) as terminal,
    ):
        terminal.commit(1, 2)
        problem = first_problem(terminal)
        assert "Not authorized (0x87)" in problem
        assert "password_file" in problem
        wait_until(lambda: broker.log().count("not authorised") >= 4, "a few more tries")
        assert terminal.problems() == [problem]
        assert "wrong-horse" not in str(terminal.reports) + str(terminal.posted)
        password_file.write_text("right-horse\n")
        wait_until(lambda: len(centre.messages("/events")) == 2, "both records")
        wait_until(terminal.recovered, "the recovery")


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    with Terminal(tmp_path, Broker(tmp_path / "broker"), username="t", password_file=missing) as terminal:
        assert str(missing) in first_problem(terminal)
        assert "No such file" in first_problem(terminal)


def test_tls_with_a_certificate_works(tmp_path: Path) -> None:
    clients = Authority(tmp_path / "clients", "terminals")
    certificate, key = clients.issue("t-0042")
    with tls_broker(tmp_path, clients=clients) as (broker, authority):
        tls = {"ca": authority.certificate, "certificate": certificate, "key": key}
        with Terminal(tmp_path, broker, tls=tls, heartbeat_s=1.0) as terminal:
            wait_until(lambda: terminal.worker.connected, "the connection")
            terminal.commit(*range(1, 31))
            wait_until(lambda: "PUBACK to desa-07-t-0042" in broker.log(), "an acknowledgement through TLS")
            assert not any("TLS" in problem or "certificate" in problem for problem in terminal.problems())


def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger", "stranger")
    with (
        tls_broker(tmp_path) as (broker, _),
        Terminal(tmp_path, broker, tls={"ca": stranger.certificate}) as terminal,
    ):
        problem = first_problem(terminal)
        assert "is not trusted" in problem
        assert "uplink.tls.ca" in problem
        assert not terminal.worker.connected


def test_a_broker_of_another_name_is_not_trusted(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "district")
    certificate, key = authority.issue("broker", host="elsewhere.example")
    tls = BrokerTls(authority.certificate, certificate, key)
    with (
        Broker(tmp_path / "broker", tls=tls) as broker,
        Terminal(tmp_path, broker, tls={"ca": authority.certificate}) as terminal,
    ):
        assert "uplink.host is the name in the broker's certificate" in first_problem(terminal)


def test_a_terminal_without_the_certificate_the_broker_wants_is_told_so(tmp_path: Path) -> None:
    clients = Authority(tmp_path / "clients", "terminals")
    with (
        tls_broker(tmp_path, clients=clients) as (broker, authority),
        Terminal(tmp_path, broker, tls={"ca": authority.certificate}) as terminal,
    ):
        problem = first_problem(terminal)
        assert "refuse this terminal's certificate" in problem or "certificate required" in problem.lower()


@pytest.mark.parametrize(
    ("broken", "named"), [("ca", "uplink.tls.ca"), ("certificate", "unencrypted key")], ids=["ca", "certificate"]
)
def test_an_unusable_pem_file_is_named_with_its_setting(tmp_path: Path, broken: str, named: str) -> None:
    authority = Authority(tmp_path / "ca", "district")
    certificate, key = authority.issue("t-0042")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("not a certificate\n")
    tls = {"ca": authority.certificate, "certificate": certificate, "key": key, broken: garbage}
    with Terminal(tmp_path, Broker(tmp_path / "broker"), tls=tls) as terminal:
        problem = first_problem(terminal)
        assert str(garbage) in problem
        assert named in problem


def test_plain_mqtt_to_a_tls_port_asks_for_tls(tmp_path: Path) -> None:
    with tls_broker(tmp_path) as (broker, _), Terminal(tmp_path, broker) as terminal:
        assert "does this port want TLS" in first_problem(terminal)


def test_tls_to_a_plain_port_says_so(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca", "district")
    with (
        Broker(tmp_path / "broker") as broker,
        Terminal(tmp_path, broker, tls={"ca": authority.certificate}) as terminal,
    ):
        problem = first_problem(terminal)
        assert "TLS" in problem or "closed the connection" in problem


def test_a_name_that_does_not_resolve_is_told_as_such(tmp_path: Path) -> None:
    with Terminal(tmp_path, Broker(tmp_path / "broker"), host="broker.invalid") as terminal:
        problem = first_problem(terminal)
        assert "broker.invalid can't be resolved" in problem
        assert "DNS" in problem


def test_a_port_that_accepts_and_says_nothing_neither_stops_the_beat_nor_the_stop(tmp_path: Path) -> None:
    """A captive portal, or a broker that hangs: the handshake waits in a thread of its own."""
    authority = Authority(tmp_path / "ca", "district")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        place = cast(Broker, SimpleNamespace(host="127.0.0.1", port=port))
        with Terminal(tmp_path, place, tls={"ca": authority.certificate}) as terminal:
            silent.accept()
            beats = terminal.beats
            wait_until(lambda: terminal.beats >= beats + 2, "the beat going on")
            assert terminal.stop(5.0)


def test_a_second_terminal_with_the_same_id_is_suspected_when_no_connection_lasts(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with (
        Broker(tmp_path / "broker") as broker,
        Terminal(tmp_path / "a", broker) as one,
        Terminal(tmp_path / "b", broker) as other,
    ):
        for terminal in (one, other):
            wait_until(lambda t=terminal: any("same site and id" in text for text in t.problems()), "the suspicion")
