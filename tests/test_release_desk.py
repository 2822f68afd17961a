"""Release requests between the uplink's thread and the store."""

from __future__ import annotations

from datetime import datetime, timezone

from edge_agent.authority_message import ReleaseRequest, new_request_id
from edge_agent.core.model import Timestamp
from edge_agent.ports import StoreError
from edge_agent.release_desk import RETRY_S, TRIES_MAX, WAITING_MAX, ReleaseDesk

AT = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)


class Books:
    """A store that keeps what was given back, and fails while `broken`."""

    def __init__(self) -> None:
        self.released: list[tuple[str, int]] = []
        self.broken = False
        self.tries = 0

    def release(self, entitlement_id: str, grant_number: int, at: Timestamp) -> object:
        self.tries += 1
        if self.broken:
            raise StoreError("disk full")
        self.released.append((entitlement_id, grant_number))
        return None


def request(entitlement_id: str = "s1.bpnt", number: int = 0) -> ReleaseRequest:
    return ReleaseRequest(
        request_id=new_request_id(),
        site="d",
        terminal="t1",
        at=AT,
        entitlement_id=entitlement_id,
        grant_number=number,
    )


def desk(books: Books, woken: list[None]) -> ReleaseDesk:
    return ReleaseDesk(books, lambda: Timestamp(AT, True, 1, "boot"), lambda: woken.append(None))


def test_requests_are_recorded_in_order_and_the_uplink_is_woken() -> None:
    books, woken = Books(), list[None]()
    place = desk(books, woken)
    place.offer(request("a", 1))
    place.offer(request("b"))
    assert books.released == []
    place.settle(0.0)
    assert books.released == [("a", 1), ("b", 0)]
    assert len(woken) == 2


def test_the_same_request_twice_is_recorded_once() -> None:
    books = Books()
    place = desk(books, [])
    again = request()
    for _ in range(2):
        place.offer(again)
        place.offer(again)
        place.settle(0.0)
    assert len(books.released) == 1


def test_what_can_not_be_recorded_now_is_tried_again_for_a_while() -> None:
    books, woken = Books(), list[None]()
    place = desk(books, woken)
    books.broken = True
    place.offer(request("a"))
    place.offer(request("b"))
    place.settle(0.0)
    place.settle(RETRY_S / 2)
    assert books.tries == 1
    books.broken = False
    place.settle(RETRY_S)
    assert books.released == [("a", 0), ("b", 0)]


def test_after_some_tries_it_is_let_go_and_the_next_has_its_turn() -> None:
    books = Books()
    place = desk(books, [])
    books.broken = True
    place.offer(request("a"))
    for number in range(TRIES_MAX):
        place.settle(number * RETRY_S)
    assert books.tries == TRIES_MAX
    books.broken = False
    place.offer(request("b"))
    place.settle(TRIES_MAX * RETRY_S)
    assert books.released == [("b", 0)]


def test_a_flood_is_bounded() -> None:
    books = Books()
    place = desk(books, [])
    for number in range(WAITING_MAX + 50):
        place.offer(request(f"e{number}"))
    place.settle(0.0)
    assert len(books.released) == WAITING_MAX
