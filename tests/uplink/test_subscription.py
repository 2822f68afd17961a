"""The uplink listens to the centre's answers, keeps room for its requests, and tells when it may not listen."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.core.messages import AskAuthority, PartFailed, PartRecovered
from edge_agent.settings import UplinkSettings
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.link_events import Subscribed
from edge_agent.uplink.wire import Topics
from edge_agent.uplink.worker import UplinkWorker
from tests.brokers import Broker, Subscriber, needs_mosquitto, wait_until
from tests.uplink.terminals import PREFIX, SITE, TERMINAL, TableOutbox, record, snapshot

KEY = Ed25519PrivateKey.from_private_bytes(b"a key of a terminal in the tests")


class Asking:
    """An uplink that can ask, with five records waiting."""

    def __init__(self, folder: Path, port: int) -> None:
        self.posted: list[object] = []
        self.outbox = TableOutbox(folder / "outbox.db")
        self.outbox.add([record(number) for number in range(1, 6)])
        desk = AuthorityDesk(
            Topics(PREFIX, SITE, TERMINAL),
            KEY,
            KEY.public_key(),
            wait_s=60.0,
            post=self.posted.append,
            releases=self,
            report=self.report,
        )
        self.worker = UplinkWorker(
            UplinkSettings(host="localhost", port=port, topic_prefix=PREFIX, backoff_min_s=0.05),
            TERMINAL,
            SITE,
            lambda: TableOutbox(folder / "outbox.db"),
            snapshot=snapshot,
            post=self.posted.append,
            report=self.report,
            beat=lambda: None,
            authority=desk,
        )

    def offer(self, request: object) -> None:
        raise AssertionError(request)

    def report(self, kind: str, **fields: object) -> None:
        pass


def test_a_refused_subscription_is_told_until_it_is_taken(tmp_path: Path) -> None:
    asking = Asking(tmp_path, 1)
    asking.worker._take(Subscribed("Not authorized (0x87)"))
    (failed,) = asking.posted
    assert isinstance(failed, PartFailed)
    assert "refuses the centre's answers: Not authorized" in failed.problem
    asking.worker._take(Subscribed(""))
    assert isinstance(asking.posted[-1], PartRecovered)
    asking.outbox.close()


@pytest.mark.mosquitto
@needs_mosquitto
@pytest.mark.parametrize("receive_maximum", [1, 2, 20])
def test_a_request_never_exceeds_what_the_broker_takes_at_once(tmp_path: Path, receive_maximum: int) -> None:
    """A broker ends the connection of whoever sends more. With room for one message only, nothing is asked."""
    with (
        Broker(tmp_path / "broker", extra=[f"max_inflight_messages {receive_maximum}"]) as broker,
        Subscriber(broker) as ears,
    ):
        asking = Asking(tmp_path, broker.port)
        asking.worker.start()
        try:
            asking.worker.ask(AskAuthority("session-1", ("e1",)))
            wait_until(lambda: asking.outbox.depth() == 0, "an empty outbox")
            if receive_maximum > 1:
                wait_until(lambda: ears.messages("/authorise"), "the request")
            assert len(ears.messages("/authorise")) == (receive_maximum > 1)
            assert not asking.posted
        finally:
            asking.worker.stop()
            asking.worker.join(30.0)
            asking.outbox.close()
