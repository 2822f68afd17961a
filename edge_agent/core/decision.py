"""What eligibility says: grants that become claims, or the one reason why there are none.

Rules: values only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from edge_agent.core.model import Benefit, Claim, Entitlement, Reason


@dataclass(frozen=True)
class Grant:
    """One entitlement to be redeemed now: how much of it, as which portion, and what is left after it.

    proxy_id: the person in front of the terminal, when they fetch it for somebody else. grant_number: the centre's
    grant it rests on, when its home is not here.
    """

    entitlement: Entitlement
    amount: Decimal
    portion: int = 1
    left: Decimal = Decimal(0)
    proxy_id: str | None = None
    grant_number: int | None = None


@dataclass(frozen=True)
class Granted:
    """Eligibility said yes: these grants become claims now; `remaining` stays open for another time or place. ask:
    entitlements that would be given too if the centre said so."""

    grants: tuple[Grant, ...]
    remaining: tuple[Benefit, ...] = ()
    ask: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """Eligibility said no, with the earlier claim when that is the reason. open_from: first day, when only waiting
    helps. ask: entitlements that would be given if the centre said so."""

    reason: Reason
    earlier: Claim | None = None
    entitlement: Entitlement | None = None
    open_from: date | None = None
    ask: tuple[str, ...] = ()
