"""What is left of one entitlement: from the claims made here, and from what the centre says of other terminals.

Rules: pure. A void claim counts for nothing. An entitlement given whole has one portion, number 1; one given in
portions counts them, and a number is free again only when its claim is void.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from edge_agent.core.model import Claim, Entitlement
from edge_agent.core.policy import Authority


@dataclass(frozen=True)
class Balance:
    """left: of the benefit's amount, never negative. latest: the last claim made here that stands. latest_at: when it
    was given last, here or elsewhere."""

    left: Decimal
    next_portion: int
    latest: Claim | None
    latest_at: datetime | None = None

    def next_amount(self, entitlement: Entitlement) -> Decimal:
        """What one visit gives."""
        return self.left if entitlement.portion is None else min(self.left, entitlement.portion)

    def open_from(self, entitlement: Entitlement, utc_offset: timedelta) -> date | None:
        """First local day of the next portion; None: any day."""
        if self.latest_at is None or self.left == 0:
            return None
        return (self.latest_at + utc_offset).date() + timedelta(days=entitlement.portion_days)


def balance_of(entitlement: Entitlement, claims: Iterable[Claim], authority: Authority | None = None) -> Balance:
    """The balance, with these claims (of any entitlement) made here, and with the centre's grant where there is one."""
    standing = [claim for claim in claims if claim.entitlement_id == entitlement.entitlement_id and not claim.voided]
    given = sum((claim.benefit.amount for claim in standing), Decimal(0))
    taken = {claim.portion for claim in standing}
    if authority is not None:
        given += authority.given_elsewhere
        taken.update(authority.portions_elsewhere)
    number = next(number for number in range(1, len(taken) + 2) if number not in taken)
    latest = max(standing, key=lambda claim: (claim.claimed_at, claim.claim_number), default=None)
    instants = [] if latest is None else [latest.claimed_at]
    if authority is not None and authority.latest_elsewhere is not None:
        instants.append(authority.latest_elsewhere)
    left = max(Decimal(0), entitlement.benefit.amount - given)
    if entitlement.portion is None and taken and not any(claim.left for claim in standing):
        left = Decimal(0)  # given whole: what the roster says of the amount now does not open it again
    return Balance(left, number, latest, max(instants, default=None))
