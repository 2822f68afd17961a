"""The centre's books over restarts, repeated lists, and records in any order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.centre.authority import Account
from edge_agent.centre.books import Books, BooksError, ReportedClaim, Request
from edge_agent.roster_list import ListedEntitlement, RosterList

AT = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)
CLAIM = ReportedClaim("c1", "e1", 1, Decimal("2.50"), AT)


def listed(version: int = 1, home: str | None = "t1", amount: str = "10") -> RosterList:
    return RosterList(
        site="desa-1",
        roster_version=version,
        entitlements=[ListedEntitlement(entitlement_id="e1", home=home, amount=Decimal(amount))],
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "books.db"


@pytest.fixture
def books(path: Path) -> Iterator[Books]:
    opened = Books(path)
    opened.learn([listed()])
    yield opened
    opened.close()


def account(books: Books) -> Account:
    with books.changing() as page:
        found = page.account("e1")
    assert found is not None
    return found


def test_a_list_makes_its_homes_holders(books: Books) -> None:
    assert account(books) == Account("e1", "desa-1", Decimal(10), 0, (("t1", 0),), ())


def test_the_same_list_again_does_not_undo_a_release(books: Books, path: Path) -> None:
    with books.changing() as page:
        page.give_back("e1", "t1", 0)
    books.close()
    again = Books(path)
    assert again.learn([listed(), listed(2)]) == 0
    assert account(again).holders == ()
    again.close()


def test_a_moved_home_is_a_second_holder_until_the_first_gives_it_back(books: Books) -> None:
    books.learn([listed(2, home="t2")])
    assert sorted(account(books).holders) == [("t1", 0), ("t2", 0)]


def test_a_new_list_changes_the_amount_and_leaves_a_grant_alone(books: Books) -> None:
    with books.changing() as page:
        page.give_back("e1", "t1", 0)
        page.grant("e1", "t2", 1)
    books.learn([listed(2, home="t2", amount="12")])
    found = account(books)
    assert (found.amount, found.holders, found.last_grant) == (Decimal(12), (("t2", 1),), 1)


def test_an_old_release_does_not_void_a_later_grant(books: Books) -> None:
    with books.changing() as page:
        page.give_back("e1", "t1", 0)
        page.grant("e1", "t1", 1)
        page.give_back("e1", "t1", 0)
    assert account(books).holders == (("t1", 1),)


def test_a_claim_counts_once_and_a_void_takes_it_back_even_if_it_comes_first(books: Books) -> None:
    with books.changing() as page:
        page.note_claims("t1", [CLAIM, CLAIM])
    assert account(books).total == Decimal("2.50")
    with books.changing() as page:
        page.note_voids("t1", ["c1", "c2", "c1"])
        page.note_claims("t1", [ReportedClaim("c2", "e1", 1, Decimal(3), AT)])
    assert account(books).total == 0


def test_what_is_broken_off_leaves_nothing(books: Books) -> None:
    def broken_off() -> None:
        with books.changing() as page:
            page.note_claims("t1", [CLAIM])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert account(books).given == ()


def test_requests_wait_until_they_are_answered_or_old(books: Books) -> None:
    request = Request("r1", "desa-1", "t2", ("e1", "e2"), received_at_s=100.0)
    with books.changing() as page:
        page.note_request(request)
        assert page.request("r1") == request
        assert list(page.waiting_for("e2", 100.0)) == [request]
        assert not page.waiting_for("e2", 101.0)
        assert not page.waiting_for("e3", 0.0)
        page.note_request(Request("r1", "desa-1", "t2", ("e1", "e2"), 100.0, answered=True))
        assert not page.waiting_for("e2", 0.0)


def test_a_second_centre_on_the_same_books_is_refused(books: Books, path: Path) -> None:
    with pytest.raises(BooksError, match="no other centre uses these books"):
        Books(path)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear centre, this is not a database." * 100)
    with pytest.raises(BooksError, match=r"letter\.txt"):
        Books(path)
