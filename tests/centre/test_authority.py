"""The centre's rule, case by case."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from edge_agent.centre.authority import Account, Claimed, Given, Grant, Held, Unknown, verdict

AT = datetime(2026, 3, 10, 5, 0, tzinfo=timezone.utc)
LATER = datetime(2026, 3, 11, 5, 0, tzinfo=timezone.utc)


def account(*holders: tuple[str, int], given: tuple[Given, ...] = (), last_grant: int = 0) -> Account:
    return Account("e1", "desa-1", Decimal(10), last_grant, holders, given)


def gave(terminal: str, amount: int, portion: int = 1, at: datetime = AT) -> Given:
    return Given(terminal, portion, Decimal(amount), at)


def test_what_nobody_holds_is_granted() -> None:
    assert verdict("t2", "desa-1", account()) == Grant(1, True, Decimal(0), (), None)


def test_a_grant_number_is_never_used_twice() -> None:
    assert verdict("t2", "desa-1", account(last_grant=4)) == Grant(5, True, Decimal(0), (), None)


def test_who_holds_it_by_a_grant_gets_a_newer_one() -> None:
    """It may have given the old one back by a record that was lost; then only a higher number opens it there again."""
    assert verdict("t2", "desa-1", account(("t2", 3), last_grant=3)) == Grant(4, False, Decimal(0), (), None)


def test_its_home_may_ask_too() -> None:
    """Its lease has run out by its own clock, and the centre knows that nobody else has it."""
    assert verdict("t1", "desa-1", account(("t1", 0))) == Grant(1, True, Decimal(0), (), None)


def test_what_another_holds_is_never_granted() -> None:
    assert verdict("t2", "desa-1", account(("t1", 0))) == Held((("t1", 0),))


def test_after_a_moved_home_all_holders_must_give_it_back() -> None:
    assert verdict("t1", "desa-1", account(("t1", 0), ("t3", 0), ("t2", 4))) == Held((("t2", 4), ("t3", 0)))


def test_what_is_gone_is_claimed_whoever_holds_it() -> None:
    assert verdict("t2", "desa-1", account(("t1", 0), given=(gave("t1", 10),))) == Claimed()
    assert verdict("t2", "desa-1", account(given=(gave("t1", 4), gave("t3", 6, 2)))) == Claimed()


def test_an_open_balance_is_granted_with_what_others_gave() -> None:
    given = (gave("t1", 4), gave("t3", 2, 2, LATER), gave("t2", 1, 3))
    assert verdict("t2", "desa-1", account(given=given)) == Grant(1, True, Decimal(6), (1, 2), LATER)


def test_another_site_knows_nothing_of_it() -> None:
    assert verdict("t2", "desa-2", account()) == Unknown()
    assert verdict("t2", "desa-1", None) == Unknown()
