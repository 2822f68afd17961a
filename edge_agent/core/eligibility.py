"""Entitlements, earlier claims, proxies, home, lease, date, limits -> what is given, or the one reason why nothing is.

Rules: pure. Everything that is open is granted together, so one visit is enough: a person's own rights and those they
fetch as a proxy. When nothing is open, one reason is told:

1. Each entitlement has its own obstacle, looked for in this order: nothing left of it, suspended, not yet valid (the
   next portion included), no longer valid (data); then the proxy is the officer on duty, not home, lease expired
   (circumstance). Data comes first here: sending somebody to another terminal for something that was given already
   would waste their day.
2. Entitlements of the past are silent as long as there is one that has not ended.
3. A roster older than policy allows gives nothing, and its data speaks against nobody: the person is referred, unless
   what they ask for was given here.
4. A clock that nobody confirmed refuses nobody: what only the calendar says against a person is circumstance then
   (clock untrusted), not data, whatever else they received; nor does it make a roster too old by data. Nor does a
   portion dated later than today, by a clock that ran ahead when it was given.
5. Offline limits hold back grants, never refuse them: circumstance.
6. Among the obstacles left, **circumstance before data**: if one entitlement would be given but for a circumstance, the
   person is referred, whatever the others say. Then: already claimed (the latest claim is named), claimed elsewhere
   (the centre's books), not yet valid, no longer valid, suspended. Without any entitlement: no entitlement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from edge_agent.core.balance import Balance, balance_of
from edge_agent.core.decision import Grant, Granted, Refused
from edge_agent.core.model import Benefit, Claim, Entitlement, EntitlementState, Outcome, Reason
from edge_agent.core.offline_limits import within
from edge_agent.core.policy import DEFAULT_POLICY, Authority, Circumstances, Policy, Proxy

PRECEDENCE = (
    Reason.OFFLINE_TOO_LONG,
    Reason.OFFLINE_LIMIT,
    Reason.PROXY_ON_DUTY,
    Reason.NOT_HOME,
    Reason.LEASE_EXPIRED,
    Reason.ALREADY_CLAIMED,
    Reason.CLAIMED_ELSEWHERE,
    Reason.NOT_YET_VALID,
    Reason.NO_LONGER_VALID,
    Reason.SUSPENDED,
    Reason.NO_ENTITLEMENT,
)
"""Which obstacle is told when several stand in the way, first wins."""

ASKABLE = frozenset({Reason.NOT_HOME, Reason.LEASE_EXPIRED})
"""Obstacles that the centre can take away at once."""

_BY_THE_CALENDAR = frozenset({Reason.NOT_YET_VALID, Reason.NO_LONGER_VALID})

_WHATEVER_THE_DAY = frozenset({Reason.ALREADY_CLAIMED, Reason.CLAIMED_ELSEWHERE, Reason.SUSPENDED})

_STAYS_OPEN = ASKABLE | {Reason.NOT_YET_VALID, Reason.PROXY_ON_DUTY}


@dataclass(frozen=True)
class _Right:
    """One entitlement as it stands for the person here. proxy_id: theirs, when it is somebody else's."""

    entitlement: Entitlement
    balance: Balance
    proxy_id: str | None
    authority: Authority | None
    obstacle: Reason | None


def decide(
    subject_id: str,
    entitlements: Iterable[Entitlement],
    claims: Iterable[Claim],
    here: Circumstances,
    *,
    policy: Policy = DEFAULT_POLICY,
    proxies: Iterable[Proxy] = (),
) -> Granted | Refused:
    """What this subject receives at this terminal now.

    entitlements, claims and proxies of others are ignored, so whole tables may be passed; those a proxy may fetch
    must be among them. Grants come in order of their entitlements' end.
    """
    earlier = list(claims)
    listed, fetching = list(entitlements), list(proxies)
    rights = [
        _right(entitlement, proxy_id, earlier, here)
        for entitlement, proxy_id in _fetchable(subject_id, listed, fetching, here.today)
    ]
    unclaimed = [right for right in rights if right.obstacle is not Reason.ALREADY_CLAIMED]
    if _too_old(here, policy) and (unclaimed or not rights):
        reason = Reason.ROSTER_TOO_OLD if here.clock_trusted else Reason.CLOCK_UNTRUSTED
        return Refused(reason, None, unclaimed[-1].entitlement if unclaimed else None)
    open_now = [_grant(right) for right in rights if right.obstacle is None]
    given, held = within(open_now, here, policy.offline)
    ask = tuple(right.entitlement.entitlement_id for right in rights if right.obstacle in ASKABLE)
    if given:
        waiting = [right for right in rights if right.obstacle in _STAYS_OPEN]
        rest = (*_left_over(given), *(_rest(right) for right in waiting), *(_held(grant) for grant, _ in held))
        return Granted(given, rest, ask)
    held_for = {grant.entitlement.entitlement_id: reason for grant, reason in held}
    told = [replace(right, obstacle=held_for.get(right.entitlement.entitlement_id, right.obstacle)) for right in rights]
    current = [right for right in told if right.entitlement.valid_until >= here.today] or told
    refusal = _refusal(current, here)
    if not here.clock_trusted and refusal.reason.outcome is Outcome.NOT_ENTITLED:
        since = _surely_reached(here)
        lapsed = _fetchable(subject_id, listed, [one for one in fetching if _lapsed(one, here, since)], since)
        doubtful = _by_the_clock_alone(refusal, told, [_right(*pair, earlier, here) for pair in lapsed], since)
        if doubtful is not None:
            return Refused(Reason.CLOCK_UNTRUSTED, refusal.earlier, doubtful)
    return replace(refusal, ask=ask if refusal.reason in ASKABLE else ())


def _fetchable(
    subject_id: str, entitlements: Iterable[Entitlement], proxies: Iterable[Proxy], day: date
) -> list[tuple[Entitlement, str | None]]:
    """The person's own entitlements, and those they may fetch for somebody else on this day; soonest end first."""
    may = {
        (proxy.entitlement_id, proxy.cycle)
        for proxy in proxies
        if proxy.proxy_id == subject_id and (proxy.valid_until is None or day <= proxy.valid_until)
    }
    found: list[tuple[Entitlement, str | None]] = []
    for entitlement in entitlements:
        if entitlement.subject_id == subject_id:
            found.append((entitlement, None))
        elif (entitlement.entitlement_id, entitlement.cycle) in may:
            found.append((entitlement, subject_id))
    return sorted(found, key=lambda pair: (pair[0].valid_until, pair[0].entitlement_id))


def _surely_reached(here: Circumstances) -> date:
    """A day that has surely come, whatever the clock says: the roster was signed on it."""
    return date.min if here.roster_issued_at is None else (here.roster_issued_at + here.utc_offset).date()


def _lapsed(proxy: Proxy, here: Circumstances, since: date) -> bool:
    """Whether only the clock says that this proxy may not come any more."""
    return proxy.valid_until is not None and since <= proxy.valid_until < here.today


def _by_the_clock_alone(
    refusal: Refused, rights: Sequence[_Right], lapsed: Sequence[_Right], since: date
) -> Entitlement | None:
    """Which entitlement might be given now if the date is another one than the unconfirmed clock says."""
    if refusal.reason in _BY_THE_CALENDAR:
        return refusal.entitlement
    for right in rights:
        if right.obstacle in _BY_THE_CALENDAR and right.entitlement.valid_until >= since:
            return right.entitlement
    for right in lapsed:
        if right.proxy_id is not None and right.obstacle not in _WHATEVER_THE_DAY:
            return right.entitlement
    return None


def _right(entitlement: Entitlement, proxy_id: str | None, claims: Sequence[Claim], here: Circumstances) -> _Right:
    authority = _authority(entitlement, here)
    balance = balance_of(entitlement, claims, authority)
    obstacle = _obstacle(entitlement, balance, proxy_id, authority, here)
    return _Right(entitlement, balance, proxy_id, authority, obstacle)


def _authority(entitlement: Entitlement, here: Circumstances) -> Authority | None:
    """The centre's newest grant of it, unless it was given back since."""
    released = dict(here.released).get(entitlement.entitlement_id, 0)
    grants = [
        authority
        for authority in here.authorities
        if authority.entitlement_id == entitlement.entitlement_id and authority.grant_number > released
    ]
    return max(grants, key=lambda authority: authority.grant_number, default=None)


def _obstacle(
    entitlement: Entitlement, balance: Balance, proxy_id: str | None, authority: Authority | None, here: Circumstances
) -> Reason | None:
    """The first thing that stands between this entitlement and the person; None when nothing does."""
    if balance.left == 0:
        return Reason.ALREADY_CLAIMED if balance.latest is not None else Reason.CLAIMED_ELSEWHERE
    if entitlement.entitlement_id in here.claimed_elsewhere:
        return Reason.CLAIMED_ELSEWHERE
    if entitlement.state is not EntitlementState.ACTIVE:
        return Reason.SUSPENDED
    open_from = balance.open_from(entitlement, here.utc_offset)
    if here.today < entitlement.valid_from or (open_from is not None and here.today < open_from):
        return Reason.NOT_YET_VALID
    if here.today > entitlement.valid_until:
        return Reason.NO_LONGER_VALID
    if proxy_id is not None and proxy_id in here.on_duty:
        return Reason.PROXY_ON_DUTY
    return None if authority is not None else _away(entitlement, here)


def _away(entitlement: Entitlement, here: Circumstances) -> Reason | None:
    """Why this terminal may not give it by itself; without the centre's grant only its home may, and only in its lease.

    Without a home it is the centre's, unless this terminal is the only one that knows of it.
    """
    at_home = entitlement.home == here.terminal_id or (entitlement.home is None and here.sole)
    if not at_home or entitlement.entitlement_id in dict(here.released):
        return Reason.NOT_HOME
    if entitlement.lease_until is not None and here.at_utc > entitlement.lease_until:
        return Reason.LEASE_EXPIRED
    return None


def _too_old(here: Circumstances, policy: Policy) -> bool:
    if here.roster_issued_at is None:
        return False
    return here.at_utc - here.roster_issued_at > timedelta(days=policy.roster_max_age_days)


def _grant(right: _Right) -> Grant:
    amount = right.balance.next_amount(right.entitlement)
    number = None if right.authority is None else right.authority.grant_number
    left = right.balance.left - amount
    return Grant(right.entitlement, amount, right.balance.next_portion, left, right.proxy_id, number)


def _left_over(given: Iterable[Grant]) -> tuple[Benefit, ...]:
    """What stays of the entitlements that are given in portions."""
    return tuple(replace(grant.entitlement.benefit, amount=grant.left) for grant in given if grant.left > 0)


def _rest(right: _Right) -> Benefit:
    return replace(right.entitlement.benefit, amount=right.balance.left)


def _held(grant: Grant) -> Benefit:
    return replace(grant.entitlement.benefit, amount=grant.amount + grant.left)


def _refusal(rights: Sequence[_Right], here: Circumstances) -> Refused:
    obstacles = [right.obstacle for right in rights if right.obstacle is not None]
    if not obstacles:
        return Refused(Reason.NO_ENTITLEMENT)
    reason = min(obstacles, key=PRECEDENCE.index)
    candidates = [right for right in rights if right.obstacle is reason]
    if reason is Reason.ALREADY_CLAIMED:
        latest = max(candidates, key=_claimed_at)
        return Refused(reason, latest.balance.latest, latest.entitlement)
    if reason is Reason.NO_LONGER_VALID:
        return Refused(reason, None, candidates[-1].entitlement)
    if reason is Reason.NOT_YET_VALID:
        first = min(candidates, key=lambda right: (_opens(right, here), right.entitlement.entitlement_id))
        if first.entitlement.valid_from <= here.today and _given_later_than_today(first, here):
            return Refused(Reason.CLOCK_UNTRUSTED, first.balance.latest, first.entitlement)
        return Refused(reason, first.balance.latest, first.entitlement, open_from=_opens(first, here))
    soonest = min(candidates, key=lambda right: (right.entitlement.valid_from, right.entitlement.entitlement_id))
    return Refused(reason, None, soonest.entitlement)


def _claimed_at(right: _Right) -> datetime:
    if right.balance.latest is None:
        raise AssertionError(f"{right.entitlement.entitlement_id}: claimed, but by no claim")
    return right.balance.latest.claimed_at


def _given_later_than_today(right: _Right, here: Circumstances) -> bool:
    latest_at = right.balance.latest_at
    return latest_at is not None and (latest_at + here.utc_offset).date() > here.today


def _opens(right: _Right, here: Circumstances) -> date:
    next_portion = right.balance.open_from(right.entitlement, here.utc_offset)
    first = right.entitlement.valid_from
    return first if next_portion is None else max(first, next_portion)
