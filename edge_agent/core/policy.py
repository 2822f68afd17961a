"""What the centre allows a terminal, as it stands signed in the roster: limits, proxies and officers.

Rules: values only. A roster that says nothing of these has the defaults here. Limits bound the damage of a stolen or
misused terminal; they never turn into an accusation of the person in front of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal


@dataclass(frozen=True)
class OfflineLimits:
    """What may be given whose records the centre does not have yet. None, or a unit not listed: no limit.

    claims_max: claims. value_max: amounts by unit ("IDR", "kg"), all of them together. hours_max: age of the oldest
    record that waits.
    """

    claims_max: int | None = None
    value_max: tuple[tuple[str, Decimal], ...] = ()
    hours_max: float | None = None


@dataclass(frozen=True)
class OfficerLimits:
    """How often one officer may, in one local day."""

    assisted_per_day: int = 20
    reprints_per_day: int = 30
    voids_per_day: int = 3


@dataclass(frozen=True)
class Policy:
    """roster_max_age_days: an older roster gives nothing. show_names: a roster may carry names, for slips only."""

    roster_max_age_days: int = 45
    show_names: bool = False
    offline: OfflineLimits = OfflineLimits()
    officers: OfficerLimits = OfficerLimits()


DEFAULT_POLICY = Policy()


@dataclass(frozen=True)
class Proxy:
    """One person's right to fetch one entitlement of somebody else, in its cycle. The proxy comes with their own face.

    proxy_id: the proxy's subject id, enrolled like any other. valid_until: last local day, inclusive; None: as long as
    the entitlement.
    """

    entitlement_id: str
    cycle: str
    proxy_id: str
    valid_until: date | None = None


@dataclass(frozen=True)
class Officer:
    """Somebody who may show a badge here. subject_id: where the officer is enrolled too."""

    officer_id: str
    subject_id: str | None = None


@dataclass(frozen=True)
class Authority:
    """The centre's word that this terminal, and for now no other, may redeem an entitlement that has no home here.

    grant_number: grows with each grant of the entitlement; one at or below a number released here is void.
    given_elsewhere, portions_elsewhere, latest_elsewhere: what other terminals gave of it, and when last, by the
    centre's books.
    """

    entitlement_id: str
    grant_number: int
    granted_at: datetime
    given_elsewhere: Decimal = Decimal(0)
    portions_elsewhere: tuple[int, ...] = ()
    latest_elsewhere: datetime | None = None


@dataclass(frozen=True)
class OfflineUse:
    """What this terminal gave whose records wait for the centre. oldest_at: of those records; None: none waits."""

    claims: int = 0
    value: tuple[tuple[str, Decimal], ...] = ()
    oldest_at: datetime | None = None


@dataclass(frozen=True)
class Circumstances:
    """Where and when a decision is made, and what the terminal knows about that.

    at_utc (aware) is held against leases, `today` (the terminal's local calendar day) against validity. clock_trusted:
    whether both are known to be right. sole: the roster is for this terminal alone. roster_issued_at: of the roster in
    force. on_duty: subject ids of officers whose badge was shown here since the day began. released: entitlement ->
    highest grant number given back to the centre (0: its home was given back). authorities, claimed_elsewhere:
    what the centre has just answered. utc_offset: of local time, to find the local day of an earlier claim.
    """

    terminal_id: str
    at_utc: datetime
    today: date
    clock_trusted: bool = True
    sole: bool = True
    roster_issued_at: datetime | None = None
    offline: OfflineUse = OfflineUse()
    on_duty: frozenset[str] = frozenset()
    released: tuple[tuple[str, int], ...] = ()
    authorities: tuple[Authority, ...] = ()
    claimed_elsewhere: frozenset[str] = frozenset()
    utc_offset: timedelta = timedelta(0)
