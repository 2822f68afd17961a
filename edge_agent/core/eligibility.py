"""Entitlements, earlier claims, home and lease, date -> what is given now, or the one reason why nothing is.

Rules: pure. Everything that is open is granted together, so one visit is enough. When nothing is, one reason is told:

1. Each entitlement has its own obstacle, looked for in this order: claimed before, suspended, not yet valid, no longer
   valid (data), then not home, lease expired (circumstance). Data comes first here: sending somebody to another
   terminal for something that was given already would waste their day.
2. Entitlements of the past are silent as long as there is one that has not ended.
3. A clock that nobody confirmed refuses nobody: what only the calendar says against a person is circumstance then
   (clock untrusted), not data.
4. Among the obstacles left, **circumstance before data**: if one entitlement would be given but for the place or the
   lease, the person is referred, whatever the others say. Then: already claimed (the latest claim is named), not yet
   valid, no longer valid, suspended. Without any entitlement: no entitlement.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from edge_agent.core.model import Claim, Entitlement, EntitlementState, Granted, Reason, Refused

PRECEDENCE = (
    Reason.NOT_HOME,
    Reason.LEASE_EXPIRED,
    Reason.ALREADY_CLAIMED,
    Reason.NOT_YET_VALID,
    Reason.NO_LONGER_VALID,
    Reason.SUSPENDED,
    Reason.NO_ENTITLEMENT,
)
"""Which obstacle is told when several stand in the way, first wins."""

_BY_THE_CALENDAR = frozenset({Reason.NOT_YET_VALID, Reason.NO_LONGER_VALID})

_STAYS_OPEN = frozenset({Reason.NOT_HOME, Reason.LEASE_EXPIRED, Reason.NOT_YET_VALID})


def decide(
    subject_id: str,
    entitlements: Iterable[Entitlement],
    claims: Iterable[Claim],
    *,
    terminal_id: str,
    at_utc: datetime,
    today: date,
    clock_trusted: bool = True,
) -> Granted | Refused:
    """What this subject receives at this terminal now.

    entitlements and claims of other subjects are ignored, so whole tables may be passed. at_utc (aware) is held
    against leases, `today` (the terminal's local calendar day) against validity. Granted entitlements come in order of
    their end. clock_trusted: whether at_utc and today are known to be right.
    """
    own = sorted(
        (e for e in entitlements if e.subject_id == subject_id), key=lambda e: (e.valid_until, e.entitlement_id)
    )
    claimed = {claim.entitlement_id: claim for claim in claims}
    obstacles = [(e, _obstacle(e, claimed, terminal_id, at_utc, today)) for e in own]
    granted = tuple(e for e, obstacle in obstacles if obstacle is None)
    if granted:
        return Granted(granted, tuple(e for e, obstacle in obstacles if obstacle in _STAYS_OPEN))
    current = [(e, reason) for e, reason in obstacles if e.valid_until >= today] or obstacles
    refusal = _refusal([(e, reason) for e, reason in current if reason is not None], claimed)
    if refusal.reason in _BY_THE_CALENDAR and not clock_trusted:
        return Refused(Reason.CLOCK_UNTRUSTED, None, refusal.entitlement)
    return refusal


def _obstacle(
    entitlement: Entitlement, claimed: dict[str, Claim], terminal_id: str, at_utc: datetime, today: date
) -> Reason | None:
    """The first thing that stands between this entitlement and the person; None when nothing does."""
    if entitlement.entitlement_id in claimed:
        return Reason.ALREADY_CLAIMED
    if entitlement.state is not EntitlementState.ACTIVE:
        return Reason.SUSPENDED
    if today < entitlement.valid_from:
        return Reason.NOT_YET_VALID
    if today > entitlement.valid_until:
        return Reason.NO_LONGER_VALID
    if entitlement.home is not None and entitlement.home != terminal_id:
        return Reason.NOT_HOME
    if entitlement.lease_until is not None and at_utc > entitlement.lease_until:
        return Reason.LEASE_EXPIRED
    return None


def _refusal(obstacles: list[tuple[Entitlement, Reason]], claimed: dict[str, Claim]) -> Refused:
    if not obstacles:
        return Refused(Reason.NO_ENTITLEMENT)
    reason = min((reason for _, reason in obstacles), key=PRECEDENCE.index)
    candidates = [entitlement for entitlement, its in obstacles if its is reason]
    if reason is Reason.ALREADY_CLAIMED:
        latest = max(candidates, key=lambda e: claimed[e.entitlement_id].claimed_at)
        return Refused(reason, claimed[latest.entitlement_id], latest)
    if reason is Reason.NO_LONGER_VALID:
        return Refused(reason, None, candidates[-1])
    return Refused(reason, None, min(candidates, key=lambda e: (e.valid_from, e.entitlement_id)))
