"""`edge-agent centre authorise` and real uplinks at a real mosquitto: one is granted, one is given back for it.

The centre runs as its own process and is killed (kill -9) between the two.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paho.mqtt.publish import single

from edge_agent.authority_message import ReleaseRequest, new_request_id, sign_message
from edge_agent.core.messages import AskAuthority, AuthorityAnswered, AuthorityNeeded, ClaimRecorded, RecordClaim
from edge_agent.core.model import Entitlement
from edge_agent.key_files import exchange_key, write_public_key
from edge_agent.release_desk import ReleaseDesk
from edge_agent.roster_file import sign_roster
from edge_agent.roster_list import roster_list, write_roster_list
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.store import Keys, SqliteOutbox, Store
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.wire import Topics
from edge_agent.uplink.worker import UplinkWorker
from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.centre.fleet import key_of
from tests.store.terminal import EMBEDDER, EVIDENCE, NOON, OFFICE, TERMINAL, Clock, entitlement, roster
from tests.uplink.terminals import snapshot
from tests.uplink.test_privacy import offences

pytestmark = [pytest.mark.mosquitto, needs_mosquitto]
PREFIX, SITE = "aid/v1", TERMINAL.site
RIGHTS = (entitlement("s1", home="t1"), entitlement("s2"))


class Terminal:
    """A store, an uplink and the desks between them, as `wiring.py` puts them together."""

    def __init__(self, name: str, folder: Path, broker: Broker, rights: tuple[Entitlement, ...] = RIGHTS) -> None:
        self.name = name
        self.signing = Ed25519PrivateKey.from_private_bytes(key_of(name))
        self.clock = Clock()
        keys = Keys(key_of(name + " template"), self.signing, OFFICE.public_key())
        self.store = Store.open(folder / f"{name}.db", keys, replace(TERMINAL, id=name), embedder=EMBEDDER)
        path = folder / f"{name}.aid"
        sealed_to = {one: exchange_key(key_of(one + " template")).public_key() for one in ("t1", "t2")}
        path.write_bytes(sign_roster(roster(1, 2, list(rights)), OFFICE, sealed_to))
        self.store.import_roster(path, self.clock())
        self.posted: list[object] = []
        self.reports: list[tuple[str, dict[str, object]]] = []
        self.releases = ReleaseDesk(self.store, self.clock, self._wake)
        settings = UplinkSettings(host=broker.host, port=broker.port, topic_prefix=PREFIX, backoff_min_s=0.05)
        desk = AuthorityDesk(
            Topics(PREFIX, SITE, name),
            self.signing,
            OFFICE.public_key(),
            wait_s=300.0,
            post=self.posted.append,
            releases=self.releases,
            report=self._report,
        )
        self.worker = UplinkWorker(
            settings,
            name,
            SITE,
            lambda: SqliteOutbox(folder / f"{name}.db"),
            snapshot=snapshot,
            post=self.posted.append,
            report=self._report,
            beat=lambda: None,
            authority=desk,
        )

    def __enter__(self) -> Terminal:
        self.worker.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.worker.stop(5.0)
        self.worker.join(30.0)
        self.store.close()

    def serve(self, subject: str, session: str) -> object:
        """As the agent does: decide, ask, wait, decide again; meanwhile nothing else happens here."""
        said = self.store.record_claim(RecordClaim(session, subject, EVIDENCE, may_ask=True), self.clock())
        if not isinstance(said, AuthorityNeeded):
            return said
        self.worker.ask(AskAuthority(session, said.entitlement_ids))
        wait_until(lambda: self.answers(session), f"the centre's answer to {session}")
        answer = self.answers(session)[0]
        request = RecordClaim(session, subject, EVIDENCE, authorities=answer.authorities, claimed=answer.claimed)
        said = self.store.record_claim(request, self.clock())
        self.worker.wake()
        return said

    def answers(self, session: str) -> list[AuthorityAnswered]:
        return [one for one in self.posted if isinstance(one, AuthorityAnswered) and one.session_id == session]

    def _wake(self) -> None:
        self.worker.wake()

    def _report(self, kind: str, **fields: object) -> None:
        self.reports.append((kind, fields))


@contextmanager
def centre(folder: Path, broker: Broker) -> Iterator[subprocess.Popen[str]]:
    """The command as an operator starts it, listening; killed at the end."""
    if not (folder / "roster.pem").exists():
        pem = OFFICE.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / "roster.pem").touch(0o600)
        (folder / "roster.pem").write_bytes(pem)
        write_roster_list(folder / "list.json", roster_list(SITE, 1, ["t1", "t2"], RIGHTS))
        for name in ("t1", "t2"):
            key = Ed25519PrivateKey.from_private_bytes(key_of(name))
            write_public_key(folder / f"{name}.pub.pem", key.public_key())
    command = [sys.executable, "-m", "edge_agent", "centre", "authorise", "--broker", f"{broker.host}:{broker.port}"]
    command += ["--roster-list", str(folder / "list.json"), "--sign", str(folder / "roster.pem")]
    command += ["--books", str(folder / "books.db"), "--wait-s", "300"]
    command += [part for name in ("t1", "t2") for part in ("--terminal", f"{name}={folder / name}.pub.pem")]
    log = folder / "centre.log"
    before = log.read_text().count("listening") if log.exists() else 0
    with log.open("a") as file, subprocess.Popen(command, stderr=file, stdout=file, text=True) as process:
        try:
            wait_until(
                lambda: process.poll() is not None or log.read_text().count("listening") > before,
                "the centre to listen",
            )
            assert process.poll() is None, log.read_text()
            yield process
        finally:
            process.kill()


def test_a_terminal_asks_and_another_gives_back_over_a_real_broker(tmp_path: Path) -> None:
    with (
        Broker(tmp_path / "broker", persistence=True) as broker,
        Subscriber(broker) as ears,
        Terminal("t1", tmp_path, broker) as one,
        Terminal("t2", tmp_path, broker) as two,
    ):
        for terminal in (one, two):
            wait_until(lambda t=terminal: t.worker.connected, "the connection")
        with centre(tmp_path, broker):
            assert isinstance(two.serve("s2", "session-1"), ClaimRecorded), two.reports
        with centre(tmp_path, broker) as process:
            said = two.store.record_claim(RecordClaim("session-2", "s1", EVIDENCE, may_ask=True), two.clock())
            assert isinstance(said, AuthorityNeeded)
            two.worker.ask(AskAuthority("session-2", said.entitlement_ids))
            wait_until(lambda: ears.messages("/commands"), "the request to give back")
            process.kill()
            process.wait()
        with centre(tmp_path, broker):

            def given_back() -> bool:
                one.releases.settle(0.0)
                return bool(two.answers("session-2"))

            wait_until(given_back, "the answer, from a centre that was killed in between")
            (answer,) = two.answers("session-2")
            assert [authority.entitlement_id for authority in answer.authorities] == ["s1.bpnt"]
            request = RecordClaim("session-2", "s1", EVIDENCE, authorities=answer.authorities)
            assert isinstance(two.store.record_claim(request, two.clock()), ClaimRecorded)
        kinds = [json.loads(body).get("type") for body in ears.payloads("/t1/events")]
        assert "aid.entitlement.released.v1" in kinds
        # The killed centre had not acknowledged the request, so it may have asked twice.
        command = ears.messages("/t1/commands")[0]
        assert command.properties is not None
        assert command.properties.MessageExpiryInterval <= 300
        asked = ears.messages("/t2/authorise")[0]
        assert asked.properties is not None
        assert asked.properties.ResponseTopic == f"{PREFIX}/{SITE}/t2/answers"
        answered = ears.messages("/t2/answers")[0]
        assert answered.properties is not None
        assert answered.properties.CorrelationData == asked.properties.CorrelationData
        for message in ears.messages():
            names = ["Ibu Nomor 1", "Ibu Nomor 2"]
            assert offences(message.payload.decode(), names) == [], f"on {message.topic}"


def test_a_release_that_the_centre_did_not_sign_changes_nothing(tmp_path: Path) -> None:
    stranger = Ed25519PrivateKey.generate()
    request = ReleaseRequest(
        request_id=new_request_id(), site=SITE, terminal="t1", at=NOON, entitlement_id="s1.bpnt", grant_number=0
    )
    with Broker(tmp_path / "broker") as broker, Terminal("t1", tmp_path, broker) as one:
        wait_until(lambda: one.worker.connected, "the connection")
        wait_until(lambda: "t1/commands" in broker.log(), "the subscription")
        single(
            f"{PREFIX}/{SITE}/t1/commands", sign_message(request, stranger), 1, hostname="localhost", port=broker.port
        )
        wait_until(lambda: any(kind == "message_refused" for kind, _ in one.reports), "the refusal")
        one.releases.settle(0.0)
        assert isinstance(one.serve("s1", "session-1"), ClaimRecorded)
