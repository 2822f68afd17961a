"""The uplink's requests to the centre: one at a time, and only the answer to it is believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.authority_message import (
    AuthoriseAnswer,
    AuthoriseRequest,
    Decision,
    ReleaseRequest,
    new_request_id,
    read_message,
    sign_message,
)
from edge_agent.core.messages import AskAuthority, AuthorityAnswered
from edge_agent.uplink.authority_desk import AuthorityDesk
from edge_agent.uplink.wire import Message, Topics

TERMINAL = Ed25519PrivateKey.from_private_bytes(b"a key of a terminal in the tests")
CENTRE = Ed25519PrivateKey.from_private_bytes(b"the key of the centre, 32 bytes!")
AT = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)
TOPICS = Topics("aid/v1", "desa-1", "t1")


class Terminal:
    """A desk with a link that keeps what is sent, and a clock that is told the time."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.sent: list[Message] = []
        self.posted: list[AuthorityAnswered] = []
        self.released: list[ReleaseRequest] = []
        self.reports: list[str] = []
        self.desk = AuthorityDesk(
            TOPICS,
            TERMINAL,
            CENTRE.public_key(),
            wait_s=5.0,
            post=self.posted.append,
            releases=self,
            report=lambda kind, **_fields: self.reports.append(kind),
            clock=lambda: self.now_s,
        )

    def offer(self, request: ReleaseRequest) -> None:
        self.released.append(request)

    def send(self, message: Message) -> int:
        self.sent.append(message)
        return len(self.sent)

    def turn(self, linked: bool = True) -> None:
        self.desk.turn(self.send if linked else None)

    def asked(self) -> AuthoriseRequest:
        """The last request sent."""
        return read_message(AuthoriseRequest, self.sent[-1].payload, TERMINAL.public_key())

    def ask(self, *entitlements: str, session: str = "session-1") -> AuthoriseRequest:
        self.desk.ask(AskAuthority(session, entitlements or ("e1",)))
        self.turn()
        self.desk.acknowledged(len(self.sent))
        return self.asked()


def answer(request: AuthoriseRequest, *decisions: Decision, **changes: Any) -> AuthoriseAnswer:
    said = decisions or (granted(request.entitlement_ids[0]),)
    values: dict[str, Any] = {"request_id": request.request_id, "site": "desa-1", "terminal": "t1", "at": AT}
    return AuthoriseAnswer(**{**values, "decisions": list(said), **changes})


def granted(entitlement_id: str, number: int = 1) -> Decision:
    return Decision(
        entitlement_id=entitlement_id, answer="granted", grant_number=number, granted_at=AT, given_elsewhere=Decimal(2)
    )


def other(entitlement_id: str, said: Any) -> Decision:
    return Decision(entitlement_id=entitlement_id, answer=said)


def hears(terminal: Terminal, said: AuthoriseAnswer, key: Ed25519PrivateKey = CENTRE) -> None:
    terminal.desk.take(TOPICS.answers, sign_message(said, key))


def test_a_request_names_its_answer_and_expires_with_the_wait() -> None:
    terminal = Terminal()
    request = terminal.ask("e1", "e2")
    (message,) = terminal.sent
    assert (message.topic, message.response_topic, message.qos) == (TOPICS.authorise, TOPICS.answers, 1)
    assert (message.correlation, message.expiry_s) == (request.request_id.encode(), 5)
    assert request.entitlement_ids == ["e1", "e2"]


def test_the_answer_reaches_the_session() -> None:
    terminal = Terminal()
    request = terminal.ask("e1", "e2", "e3")
    hears(terminal, answer(request, granted("e1", 7), other("e2", "claimed"), other("e3", "refused")))
    (posted,) = terminal.posted
    assert posted.session_id == "session-1"
    assert [(one.entitlement_id, one.grant_number, one.given_elsewhere) for one in posted.authorities] == [
        ("e1", 7, Decimal(2))
    ]
    assert posted.claimed == ("e2",)


BAD: list[tuple[str, Callable[[Terminal, AuthoriseRequest], None]]] = [
    ("signed by another key", lambda t, r: hears(t, answer(r), Ed25519PrivateKey.generate())),
    ("signed by this terminal", lambda t, r: hears(t, answer(r), TERMINAL)),
    ("to another request", lambda t, r: hears(t, answer(r, request_id=new_request_id()))),
    ("to another terminal", lambda t, r: hears(t, answer(r, terminal="t2"))),
    ("to another site", lambda t, r: hears(t, answer(r, site="desa-2"))),
    ("on another topic", lambda t, r: t.desk.take(TOPICS.commands, sign_message(answer(r), CENTRE))),
    ("no message", lambda t, r: t.desk.take(TOPICS.answers, b"{}")),
    ("its own request come back", lambda t, r: t.desk.take(TOPICS.answers, t.sent[-1].payload)),
]


@pytest.mark.parametrize(("name", "act"), BAD, ids=[name for name, _ in BAD])
def test_nothing_else_is_an_answer(name: str, act: Callable[[Terminal, AuthoriseRequest], None]) -> None:
    terminal = Terminal()
    request = terminal.ask()
    act(terminal, request)
    assert not terminal.posted, name
    hears(terminal, answer(request))
    assert len(terminal.posted) == 1


def test_an_answer_counts_once() -> None:
    terminal = Terminal()
    request = terminal.ask()
    hears(terminal, answer(request))
    hears(terminal, answer(request))
    assert len(terminal.posted) == 1


def test_an_answer_that_comes_too_late_is_ignored() -> None:
    terminal = Terminal()
    request = terminal.ask()
    terminal.now_s = 5.0
    hears(terminal, answer(request))
    assert not terminal.posted


def test_what_was_not_asked_for_is_not_told() -> None:
    terminal = Terminal()
    request = terminal.ask("e1")
    hears(terminal, answer(request, granted("e1"), granted("e2")))
    assert [one.entitlement_id for one in terminal.posted[0].authorities] == ["e1"]


def test_the_newest_session_takes_the_place_of_the_one_before() -> None:
    terminal = Terminal()
    first = terminal.ask(session="session-1")
    second = terminal.ask(session="session-2")
    hears(terminal, answer(first))
    assert not terminal.posted
    hears(terminal, answer(second))
    assert [one.session_id for one in terminal.posted] == ["session-2"]


def test_without_a_link_it_waits_for_one_and_then_gives_up() -> None:
    terminal = Terminal()
    terminal.desk.ask(AskAuthority("session-1", ("e1",)))
    terminal.turn(linked=False)
    terminal.now_s = 2.0
    terminal.turn()
    assert len(terminal.sent) == 1
    terminal.now_s = 5.0
    terminal.turn()
    terminal.turn()
    assert len(terminal.sent) == 1
    assert terminal.desk.due_s() is None
    assert not terminal.posted


def test_a_lost_link_sends_the_same_request_again() -> None:
    terminal = Terminal()
    first = terminal.ask()
    terminal.desk.link_lost()
    terminal.turn()
    assert len(terminal.sent) == 2
    assert terminal.asked().request_id == first.request_id


def test_one_request_at_a_time_is_under_way_to_the_broker() -> None:
    """Two could exceed what the broker takes unacknowledged."""
    terminal = Terminal()
    terminal.desk.ask(AskAuthority("session-1", ("e1",)))
    terminal.turn()
    terminal.desk.ask(AskAuthority("session-2", ("e1",)))
    terminal.turn()
    assert len(terminal.sent) == 1
    assert terminal.desk.acknowledged(1)
    terminal.turn()
    assert len(terminal.sent) == 2


def test_what_is_known_is_told_in_time_when_the_rest_is_still_held_elsewhere() -> None:
    terminal = Terminal()
    request = terminal.ask("e1", "e2")
    hears(terminal, answer(request, granted("e1"), other("e2", "waiting")))
    terminal.turn()
    assert not terminal.posted
    due_s = terminal.desk.due_s()
    assert due_s is not None
    assert due_s < 5.0
    terminal.now_s = due_s
    terminal.turn()
    assert [one.entitlement_id for one in terminal.posted[0].authorities] == ["e1"]


def test_what_is_known_is_told_also_when_the_link_is_lost_meanwhile() -> None:
    terminal = Terminal()
    hears(terminal, answer(terminal.ask("e1", "e2"), granted("e1"), other("e2", "waiting")))
    terminal.desk.link_lost()
    terminal.now_s = terminal.desk.due_s() or 0.0
    terminal.turn(linked=False)
    assert len(terminal.posted) == 1
    assert terminal.desk.due_s() is None


def test_when_all_of_it_is_held_elsewhere_nothing_is_told() -> None:
    terminal = Terminal()
    request = terminal.ask("e1")
    hears(terminal, answer(request, other("e1", "waiting")))
    terminal.now_s = 4.9
    terminal.turn()
    assert not terminal.posted
    hears(terminal, answer(request))
    assert len(terminal.posted) == 1


def release(**changes: Any) -> ReleaseRequest:
    values: dict[str, Any] = {"request_id": new_request_id(), "site": "desa-1", "terminal": "t1", "at": AT}
    return ReleaseRequest(**{**values, "entitlement_id": "e1", "grant_number": 0, **changes})


def test_a_release_request_of_the_centre_is_passed_on() -> None:
    terminal = Terminal()
    said = release()
    terminal.desk.take(TOPICS.commands, sign_message(said, CENTRE))
    assert terminal.released == [said]


@pytest.mark.parametrize(("changes", "key"), [({}, TERMINAL), ({"terminal": "t2"}, CENTRE), ({"site": "x"}, CENTRE)])
def test_nobody_else_may_ask_for_a_release(changes: dict[str, Any], key: Ed25519PrivateKey) -> None:
    terminal = Terminal()
    terminal.desk.take(TOPICS.commands, sign_message(release(**changes), key))
    assert terminal.released == []
    assert terminal.reports == ["message_refused"]
