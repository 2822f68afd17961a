"""How much a terminal may give whose records the centre does not have yet: bounds the damage of a stolen one.

Rules: pure. What the centre itself has just granted is not bounded. Grants are taken in order while they fit; a smaller
one further back may fit where a larger did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from edge_agent.core.decision import Grant
from edge_agent.core.model import Reason
from edge_agent.core.policy import Circumstances, OfflineLimits


def too_long(here: Circumstances, limits: OfflineLimits) -> bool:
    """Whether the oldest record has waited for the centre longer than policy allows.

    One dated as far in the future, by a clock that ran ahead when it was made, may be of any age: it counts as too old.
    """
    if limits.hours_max is None or here.offline.oldest_at is None:
        return False
    return abs(here.at_utc - here.offline.oldest_at) > timedelta(hours=limits.hours_max)


def within(
    grants: Sequence[Grant], here: Circumstances, limits: OfflineLimits
) -> tuple[tuple[Grant, ...], tuple[tuple[Grant, Reason], ...]]:
    """(grants that may be given now, the others with the reason why not)."""
    late = too_long(here, limits)
    claims, value, bounds = here.offline.claims, dict(here.offline.value), dict(limits.value_max)
    given: list[Grant] = []
    held: list[tuple[Grant, Reason]] = []
    for grant in grants:
        if grant.grant_number is not None:
            given.append(grant)
            continue
        unit = grant.entitlement.benefit.unit
        total = value.get(unit, 0) + grant.amount
        if late:
            held.append((grant, Reason.OFFLINE_TOO_LONG))
        elif (limits.claims_max is not None and claims >= limits.claims_max) or total > bounds.get(unit, total):
            held.append((grant, Reason.OFFLINE_LIMIT))
        else:
            claims, value[unit] = claims + 1, total
            given.append(grant)
    return tuple(given), tuple(held)
