"""Who may redeem an entitlement: the centre's one rule. Pure.

An entitlement has one holder: a terminal, or the centre itself. The holder alone may redeem it. A terminal holds it as
its home by the roster (grant number 0) or by the centre's latest grant, until its own signed record says that it gave
it back. A roster that moved a home while the old one still stood makes two holders: both must give it back.

Rules: nothing here knows the time. A lease that has run out by some clock changes nothing at the centre: only the
holder's word does, because its clock may be behind and it may be giving this very moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Given:
    """One standing claim, as a terminal reported it."""

    terminal: str
    portion: int
    amount: Decimal
    claimed_at: datetime


@dataclass(frozen=True)
class Account:
    """The books' page on one entitlement. amount: all of it. last_grant: highest grant number used so far; 0: none.

    holders: (terminal, grant number) of who may redeem it; none: the centre holds it.
    """

    entitlement_id: str
    site: str
    amount: Decimal
    last_grant: int = 0
    holders: tuple[tuple[str, int], ...] = ()
    given: tuple[Given, ...] = ()

    @property
    def total(self) -> Decimal:
        """What was given of it, everywhere."""
        return sum((one.amount for one in self.given), Decimal(0))


@dataclass(frozen=True)
class Grant:
    """The asker holds it from now on, by a number that was not used before. is_new: it held no grant of it so far."""

    number: int
    is_new: bool
    given_elsewhere: Decimal
    portions_elsewhere: tuple[int, ...]
    latest_elsewhere: datetime | None


@dataclass(frozen=True)
class Claimed:
    """Nothing of it is left."""


@dataclass(frozen=True)
class Unknown:
    """No such entitlement at the asker's site."""


@dataclass(frozen=True)
class Held:
    """By other terminals: (terminal, grant number); each must give it back first."""

    by: tuple[tuple[str, int], ...]


Verdict = Grant | Claimed | Unknown | Held


def verdict(asker: str, site: str, account: Account | None) -> Verdict:
    """What a terminal of this site is told when it asks for this entitlement."""
    if account is None or account.site != site:
        return Unknown()
    if account.total >= account.amount:
        return Claimed()
    others = tuple(sorted((holder, number) for holder, number in account.holders if holder != asker))
    if others:
        return Held(others)
    own = dict(account.holders).get(asker, 0)
    elsewhere = [one for one in account.given if one.terminal != asker]
    return Grant(
        # Never a number again, for the holder either: it may have given that one back by a record that was lost.
        number=account.last_grant + 1,
        is_new=own == 0,
        given_elsewhere=sum((one.amount for one in elsewhere), Decimal(0)),
        portions_elsewhere=tuple(sorted({one.portion for one in elsewhere})),
        latest_elsewhere=max((one.claimed_at for one in elsewhere), default=None),
    )
