"""Homes shared by several terminals: who asks the centre, who gives back, and what a person gets; real stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.model import Entitlement, Outcome, Reason
from tests.centre.fleet import Fleet
from tests.store.terminal import entitlement

Make = Callable[..., Fleet]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    made: list[Fleet] = []

    def build(*entitlements: Entitlement, size: int = 2) -> Fleet:
        made.append(Fleet(tmp_path, size, entitlements))
        return made[-1]

    yield build
    for fleet in made:
        fleet.close()


def outcome(fleet: Fleet, name: str, subject: str = "s1") -> tuple[Outcome, Reason | None]:
    """A person goes there, and all messages flow."""
    node = fleet.nodes[name]
    visit = node.arrive(subject)
    fleet.run()
    node.end_visit()
    assert visit.receipt is not None
    return visit.receipt.outcome, visit.receipt.reason


GIVEN = (Outcome.GIVEN, None)


def test_the_home_gives_without_asking_anybody(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1"))
    visit = fleet.nodes["t1"].arrive("s1")
    assert visit.receipt is not None
    assert visit.receipt.outcome is Outcome.GIVEN
    assert not fleet.packets


def test_elsewhere_it_is_given_once_the_home_has_given_it_back(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1"))
    assert outcome(fleet, "t2") == GIVEN
    assert outcome(fleet, "t1") == (Outcome.NOT_ENTITLED, Reason.CLAIMED_ELSEWHERE)
    fleet.assert_nothing_given_twice()


def test_what_the_home_gave_already_is_not_given_elsewhere(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1"))
    fleet.nodes["t1"].arrive("s1")
    assert outcome(fleet, "t2") == (Outcome.NOT_ENTITLED, Reason.CLAIMED_ELSEWHERE)


def test_a_home_out_of_reach_is_waited_for_and_then_the_person_is_referred(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1"))
    node = fleet.nodes["t2"]
    visit = node.arrive("s1")
    node.tick()
    fleet.deliver(fleet.packets.pop())
    assert sorted(packet.about for packet in fleet.packets) == ["answer", "release"]
    fleet.packets = [packet for packet in fleet.packets if packet.to == "t2"]
    fleet.run(1)
    assert visit.receipt is None
    node.end_visit()
    assert visit.receipt is not None
    assert visit.receipt.reason is Reason.NOT_HOME
    assert fleet.nodes["t1"].arrive("s1").receipt is not None
    fleet.assert_nothing_given_twice()


def test_what_has_no_home_is_the_centres(make: Make) -> None:
    fleet = make(entitlement("s1"))
    assert outcome(fleet, "t2") == GIVEN


def test_what_comes_back_too_late_stays_with_the_centre(make: Make) -> None:
    """The person at t2 has left by then: t1, or whoever asks next, gets it without asking t2."""
    fleet = make(entitlement("s1", home="t1"))
    fleet.nodes["t2"].arrive("s1")
    fleet.nodes["t2"].tick()
    fleet.deliver(fleet.packets.pop())
    release = next(packet for packet in fleet.packets if packet.about == "release")
    fleet.now_s += 60
    fleet.packets = [release]
    fleet.run()
    with fleet.books.changing() as page:
        account = page.account("s1.bpnt")
    assert account is not None
    assert account.holders == ()
    assert outcome(fleet, "t1") == GIVEN


def test_a_grant_that_was_given_back_is_void_even_if_its_answer_comes_late(make: Make) -> None:
    """t2 asks and is granted; before it acts, t1 asks, and t2 gives back; only then t2 acts on its grant."""
    fleet = make(entitlement("s1"))
    node = fleet.nodes["t2"]
    visit = node.arrive("s1")
    node.tick()
    fleet.deliver(fleet.packets.pop())
    (answer,) = fleet.packets
    fleet.packets = []
    other = fleet.nodes["t1"].arrive("s1")
    fleet.run()
    assert other.receipt is not None
    assert other.receipt.outcome is Outcome.GIVEN
    fleet.deliver(answer)
    fleet.tick("t2")
    assert visit.receipt is not None
    assert visit.receipt.outcome is Outcome.REFERRED
    fleet.assert_nothing_given_twice()


def test_the_same_terminal_asks_again_and_gets_a_newer_grant(make: Make) -> None:
    fleet = make(entitlement("s1"))
    numbers: list[int] = []
    for _ in range(2):
        fleet.nodes["t2"].arrive("s1")
        fleet.nodes["t2"].tick()
        fleet.deliver(fleet.packets.pop())
        fleet.packets = []
        with fleet.books.changing() as page:
            account = page.account("s1.bpnt")
        assert account is not None
        numbers.append(dict(account.holders)["t2"])
    assert numbers == [1, 2]


def test_portions_wander_with_what_was_given_of_them(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1", portion=Decimal(4)))
    assert outcome(fleet, "t1") == GIVEN
    for node in fleet.nodes.values():
        node.clock(days=1)
    assert outcome(fleet, "t2") == GIVEN
    for node in fleet.nodes.values():
        node.clock(days=1)
    assert outcome(fleet, "t1") == GIVEN
    assert sorted(fleet.given()["s1.bpnt"]) == [(1, Decimal(4)), (2, Decimal(4)), (3, Decimal(2))]
    for node in fleet.nodes.values():
        node.clock(days=1)
    assert outcome(fleet, "t2") == (Outcome.NOT_ENTITLED, Reason.CLAIMED_ELSEWHERE)
    fleet.assert_nothing_given_twice()


def test_a_claim_whose_record_the_broker_lost_is_told_by_the_release(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1", portion=Decimal(4)))
    fleet.nodes["t1"].arrive("s1")
    fleet.upload("t1", 1000)
    fleet.packets.clear()
    for node in fleet.nodes.values():
        node.clock(days=1)
    assert outcome(fleet, "t2") == GIVEN
    assert sorted(fleet.given()["s1.bpnt"]) == [(1, Decimal(4)), (2, Decimal(4))]


def test_what_was_voided_is_given_again_wherever_the_person_goes(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1"))
    assert outcome(fleet, "t1") == GIVEN
    assert outcome(fleet, "t2") == (Outcome.NOT_ENTITLED, Reason.CLAIMED_ELSEWHERE)
    home = fleet.nodes["t1"]
    assert home.void(home.given[0])
    fleet.run()
    assert outcome(fleet, "t2") == GIVEN
    assert outcome(fleet, "t1") == (Outcome.NOT_ENTITLED, Reason.CLAIMED_ELSEWHERE)
    fleet.assert_nothing_given_twice()


def test_a_void_after_it_was_given_back_opens_it_at_the_centre_only(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1", portion=Decimal(4)))
    assert outcome(fleet, "t1") == GIVEN
    for node in fleet.nodes.values():
        node.clock(days=1)
    assert outcome(fleet, "t2") == GIVEN
    home = fleet.nodes["t1"]
    assert home.void(home.given[0])
    assert home.arrive("s1").needed == ("s1.bpnt",)
    fleet.run()
    fleet.assert_nothing_given_twice()


def test_one_portion_a_day_wherever_it_was_given(make: Make) -> None:
    fleet = make(entitlement("s1", home="t1", portion=Decimal(4)))
    assert outcome(fleet, "t1") == GIVEN
    assert outcome(fleet, "t2") == (Outcome.NOT_ENTITLED, Reason.NOT_YET_VALID)
    for node in fleet.nodes.values():
        node.clock(days=1)
    assert outcome(fleet, "t2") == GIVEN


def test_one_answer_serves_several_entitlements_and_what_is_held_elsewhere_stays_open(make: Make) -> None:
    """The home of one is out of reach; the other is the centre's and given; the session is told in time."""
    fleet = make(entitlement("s1", "bpnt", home="t1"), entitlement("s1", "pkh"))
    node = fleet.nodes["t2"]
    visit = node.arrive("s1")
    node.tick()
    fleet.deliver(fleet.packets.pop())
    for packet in [packet for packet in fleet.packets if packet.to == "t2"]:
        fleet.deliver(packet)
    node.tick()
    assert visit.receipt is None
    fleet.now_s += 4
    node.tick()
    assert visit.receipt is not None
    assert [claim.entitlement_id for claim in visit.receipt.claims] == ["s1.pkh"]
