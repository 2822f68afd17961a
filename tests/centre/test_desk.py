"""The centre's desk: whom it believes, and what it says again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.authority_message import AuthoriseAnswer, AuthoriseRequest, new_request_id, read_message, sign_message
from edge_agent.centre.authority import Account
from edge_agent.centre.books import Books
from edge_agent.centre.desk import WAIT_S, CentreDesk
from edge_agent.core.model import Timestamp
from edge_agent.roster_list import ListedEntitlement, RosterList
from edge_agent.store.ledger import Head
from edge_agent.store.records import Position, RecordSource, sign_record
from edge_agent.uplink.wire import Message, Topics
from tests.store.terminal import NOON, OFFICE

KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")) for name in ("t1", "t2")}
SITE = "desa-1"


class Centre:
    """A desk over books in a folder, with a clock that is told the time."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.now_s = 1000.0
        self.told: list[str] = []
        self.books = Books(folder / "books.db")
        entitlements = [ListedEntitlement(entitlement_id=one, home="t1", amount=Decimal(10)) for one in ("e1", "e2")]
        entitlements.append(ListedEntitlement(entitlement_id="free", home=None, amount=Decimal(10)))
        self.books.learn([RosterList(site=SITE, roster_version=1, entitlements=entitlements)])
        terminals = {name: key.public_key() for name, key in KEYS.items()}
        self.desk = CentreDesk(
            self.books, OFFICE, terminals, "aid/v1", tell=self._tell, now_s=lambda: self.now_s, **options
        )

    def _tell(self, kind: str, **_fields: object) -> None:
        self.told.append(kind)

    def account(self, entitlement_id: str) -> Account:
        with self.books.changing() as page:
            found = page.account(entitlement_id)
        assert found is not None
        return found

    def hears(self, said: AuthoriseRequest, terminal: str = "t2", key: str = "t2") -> list[Message]:
        return self.desk.take(Topics("aid/v1", SITE, terminal).authorise, sign_message(said, KEYS[key]))

    def reads(self, kind: str, data: dict[str, Any], terminal: str = "t1", **changes: Any) -> list[Message]:
        """A record of this terminal arrives; source, key: somebody else's."""
        at = Timestamp(NOON, True, 1, "boot")
        source = RecordSource(changes.get("source", terminal), "event-1", kind)
        head = Head()
        record = sign_record(KEYS[changes.get("key", terminal)], source, Position(1, head.hash, NOON), at, data)
        return self.desk.take(Topics("aid/v1", SITE, terminal).events, record.body)


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    yield made
    made.books.close()


def request(*entitlements: str, **changes: Any) -> AuthoriseRequest:
    values: dict[str, Any] = {"request_id": new_request_id(), "site": SITE, "terminal": "t2", "at": NOON}
    return AuthoriseRequest(**{**values, "entitlement_ids": list(entitlements), **changes})


def answers(messages: list[Message]) -> list[dict[str, str]]:
    """Entitlement -> decision, of each answer among these."""
    found = [one for one in messages if one.topic.endswith("/answers")]
    return [
        {
            one.entitlement_id: one.answer
            for one in read_message(AuthoriseAnswer, m.payload, OFFICE.public_key()).decisions
        }
        for m in found
    ]


def released(claimed: bool = False, number: int = 0, claims: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"entitlement_id": "e1", "grant_number": number, "claimed": claimed, "claims": list(claims)}


def claim(claim_id: str, amount: str = "10") -> dict[str, Any]:
    return {"claim_id": claim_id, "portion": 1, "amount": amount, "at": "2026-03-10T05:00:00.000Z"}


def test_what_is_free_is_granted_on_the_spot(centre: Centre) -> None:
    said = request("free", "nothing")
    (answer,) = centre.hears(said)
    assert answers([answer]) == [{"free": "granted", "nothing": "refused"}]
    assert (answer.topic, answer.correlation) == ("aid/v1/desa-1/t2/answers", said.request_id.encode())


def test_the_holder_is_asked_and_the_asker_hears_twice(centre: Centre) -> None:
    release, answer = centre.hears(request("e1", "free"))
    assert release.topic == "aid/v1/desa-1/t1/commands"
    assert answers([answer]) == [{"e1": "waiting", "free": "granted"}]
    assert answers(centre.reads("aid.entitlement.released.v1", released())) == [{"e1": "granted", "free": "granted"}]
    assert centre.account("e1").holders == (("t2", 1),)


def test_a_holder_that_gave_it_says_so(centre: Centre) -> None:
    centre.hears(request("e1"))
    data = released(claimed=True, claims=(claim("c1"),))
    assert answers(centre.reads("aid.entitlement.released.v1", data)) == [{"e1": "claimed"}]
    assert centre.account("e1").holders == (("t1", 0),)


def test_the_same_record_again_is_no_second_answer(centre: Centre) -> None:
    centre.hears(request("e1"))
    centre.reads("aid.entitlement.released.v1", released())
    assert centre.reads("aid.entitlement.released.v1", released()) == []


def test_the_same_request_again_is_answered_again_to_the_same_holder(centre: Centre) -> None:
    said = request("free")
    centre.hears(said)
    before = centre.account("free")
    assert answers(centre.hears(said)) == [{"free": "granted"}]
    after = centre.account("free")
    assert [terminal for terminal, _ in after.holders] == [terminal for terminal, _ in before.holders]
    assert after.holders == tuple((terminal, number + 1) for terminal, number in before.holders)


def test_a_request_replayed_later_does_nothing(centre: Centre) -> None:
    said = request("e1")
    centre.hears(said)
    centre.now_s += WAIT_S + 1
    assert centre.hears(said) == []


def test_a_terminal_that_draws_much_and_gives_nothing_comes_to_an_end(tmp_path: Path) -> None:
    centre = Centre(tmp_path, unused_grants_max=1)
    centre.hears(request("free"))
    assert answers(centre.hears(request("e1"))) == [{"e1": "refused"}], "nor is the holder asked to give it back"
    assert "too_many_unused_grants" in centre.told
    assert answers(centre.hears(request("free"))) == [{"free": "granted"}], "what it holds it keeps"
    centre.reads("aid.claim.recorded.v1", {"claims": [{**claim("c1", "4"), "entitlement_id": "free"}]}, terminal="t2")
    assert answers(centre.hears(request("e1"))) == [{"e1": "waiting"}]
    centre.books.close()


@pytest.mark.parametrize(
    ("said", "terminal", "key"),
    [
        (request("free"), "t2", "t1"),
        (request("free"), "t1", "t1"),
        (request("free", terminal="t1"), "t2", "t2"),
        (request("free", site="desa-2"), "t2", "t2"),
    ],
)
def test_a_terminal_speaks_for_itself_only(centre: Centre, said: AuthoriseRequest, terminal: str, key: str) -> None:
    assert centre.hears(said, terminal, key) == []
    assert centre.told == ["message_refused"]
    assert centre.account("free").holders == ()


@pytest.mark.parametrize("changes", [{"key": "t2"}, {"source": "t2"}, {"terminal": "t2"}])
def test_a_release_counts_only_from_the_holder(centre: Centre, changes: dict[str, str]) -> None:
    centre.hears(request("e1"))
    centre.reads("aid.entitlement.released.v1", released(), **changes)
    assert centre.account("e1").holders == (("t1", 0),)


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("aid/v1/desa-1/t9/authorise", b"{}"),
        ("aid/v1/desa-1/t2/status", b"{}"),
        ("other/desa-1/t2/authorise", b"{}"),
        ("aid/v1/desa-1/t2/authorise", b"\xff"),
        ("aid/v1/desa-1/t2/events", b"[]"),
    ],
)
def test_what_makes_no_sense_is_told_and_let_go(centre: Centre, topic: str, payload: bytes) -> None:
    assert centre.desk.take(topic, payload) == []
    assert centre.told == ["message_refused"]


def test_other_records_are_none_of_its_business(centre: Centre) -> None:
    assert centre.reads("aid.slip.printed.v1", {"session": "s"}) == []
    assert centre.told == []


def test_more_given_than_there_is_is_told_to_people(centre: Centre) -> None:
    """A restored backup, a home moved too soon: a case, and no slip says a word of it."""
    data = {"claims": [{**claim("c1"), "entitlement_id": "e1"}]}
    centre.reads("aid.claim.recorded.v1", data)
    assert "given_too_much" not in centre.told
    centre.reads("aid.claim.recorded.v1", {"claims": [{**claim("c2"), "entitlement_id": "e1"}]}, terminal="t2")
    assert "given_too_much" in centre.told


def test_only_the_terminal_that_gave_it_takes_a_claim_back(centre: Centre) -> None:
    centre.reads("aid.claim.recorded.v1", {"claims": [{**claim("c1"), "entitlement_id": "e1"}]})
    void = {"claims": ["c1"], "case_number": "X", "officer": "o1"}
    centre.reads("aid.claim.voided.v1", void, terminal="t2")
    assert answers(centre.hears(request("e1"))) == [{"e1": "claimed"}]
    centre.reads("aid.claim.voided.v1", void)
    assert answers(centre.hears(request("e1"))) == [{"e1": "waiting"}]


def test_a_void_opens_it_again(centre: Centre) -> None:
    centre.reads("aid.claim.recorded.v1", {"claims": [{**claim("c1"), "entitlement_id": "e1"}]})
    assert answers(centre.hears(request("e1"))) == [{"e1": "claimed"}]
    centre.reads("aid.claim.voided.v1", {"claims": ["c1"], "case_number": "X", "officer": "o1"})
    assert answers(centre.hears(request("e1"))) == [{"e1": "waiting"}]


def test_answers_hold_ids_only(centre: Centre) -> None:
    for message in centre.hears(request("e1", "free")):
        found = json.loads(message.payload)
        assert set(found) <= {
            "wire_version", "kind", "request_id", "site", "terminal", "at", "decisions", "entitlement_id",
            "grant_number", "signature",
        }  # fmt: skip
