"""Policy, programmes, proxies and officers as they stand in a roster file: closed models with bounds.

Rules: what is not said has the defaults of `core.policy`. Bounds only keep mistakes out (a roster valid for a thousand
years); what is sensible is the centre's to say.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, model_validator

from edge_agent.core.policy import DEFAULT_POLICY, Officer, OfficerLimits, OfflineLimits, Policy, Proxy
from edge_agent.roster_schema import Amount, Closed, EntitlementId, Label, OfficerId, SubjectId, Unit

_PerDay = Annotated[int, Field(ge=0, le=100_000)]


class OfflineLimitsRecord(Closed):
    """As `core.policy.OfflineLimits`; value_max: largest amount by unit."""

    claims_max: Annotated[int, Field(ge=0, le=10_000_000)] | None = None
    value_max: Annotated[dict[Unit, Amount], Field(max_length=50)] = Field(default_factory=dict)
    hours_max: Annotated[float, Field(gt=0, le=24 * 366)] | None = None


class OfficerLimitsRecord(Closed):
    """As `core.policy.OfficerLimits`: how often one officer may, in one local day."""

    assisted_per_day: _PerDay = DEFAULT_POLICY.officers.assisted_per_day
    reprints_per_day: _PerDay = DEFAULT_POLICY.officers.reprints_per_day
    voids_per_day: _PerDay = DEFAULT_POLICY.officers.voids_per_day


class PolicyRecord(Closed):
    """As `core.policy.Policy`: what the centre allows the terminals of this roster."""

    roster_max_age_days: Annotated[int, Field(ge=1, le=3660)] = DEFAULT_POLICY.roster_max_age_days
    show_names: bool = DEFAULT_POLICY.show_names
    offline: OfflineLimitsRecord = OfflineLimitsRecord()
    officers: OfficerLimitsRecord = OfficerLimitsRecord()

    def to_policy(self) -> Policy:
        """As the core knows it."""
        offline, officers = self.offline, self.officers
        return Policy(
            self.roster_max_age_days,
            self.show_names,
            OfflineLimits(offline.claims_max, tuple(sorted(offline.value_max.items())), offline.hours_max),
            OfficerLimits(officers.assisted_per_day, officers.reprints_per_day, officers.voids_per_day),
        )

    @classmethod
    def of(cls, policy: Policy) -> PolicyRecord:
        """From what the core knows. Raises pydantic's ValidationError."""
        offline, officers = policy.offline, policy.officers
        return cls(
            roster_max_age_days=policy.roster_max_age_days,
            show_names=policy.show_names,
            offline=OfflineLimitsRecord(
                claims_max=offline.claims_max, value_max=dict(offline.value_max), hours_max=offline.hours_max
            ),
            officers=OfficerLimitsRecord(
                assisted_per_day=officers.assisted_per_day,
                reprints_per_day=officers.reprints_per_day,
                voids_per_day=officers.voids_per_day,
            ),
        )


class CycleRecord(Closed):
    """One cycle of a programme: first and last local day on which its entitlements may be valid."""

    cycle: Label
    valid_from: date
    valid_until: date

    @model_validator(mode="after")
    def _in_order(self) -> CycleRecord:
        if self.valid_until < self.valid_from:
            raise ValueError(f"valid_until: {self.valid_until} is before valid_from {self.valid_from}")
        return self


class ProgrammeRecord(Closed):
    """One programme. programme: the id that entitlements carry; title: what people call it."""

    programme: Label
    title: Label
    cycles: Annotated[tuple[CycleRecord, ...], Field(min_length=1, max_length=400)]

    @model_validator(mode="after")
    def _each_cycle_once(self) -> ProgrammeRecord:
        seen: set[str] = set()
        for place, cycle in enumerate(self.cycles):
            if cycle.cycle in seen:
                raise ValueError(f"cycles.{place}.cycle: {cycle.cycle} appears twice")
            seen.add(cycle.cycle)
        return self


class ProxyRecord(Closed):
    """As `core.policy.Proxy`."""

    entitlement_id: EntitlementId
    cycle: Label
    proxy_id: SubjectId
    valid_until: date | None = None

    def to_proxy(self) -> Proxy:
        """As the core knows it."""
        return Proxy(self.entitlement_id, self.cycle, self.proxy_id, self.valid_until)

    @classmethod
    def of(cls, proxy: Proxy) -> ProxyRecord:
        """From what the core knows. Raises pydantic's ValidationError."""
        return cls(
            entitlement_id=proxy.entitlement_id,
            cycle=proxy.cycle,
            proxy_id=proxy.proxy_id,
            valid_until=proxy.valid_until,
        )


class OfficerRecord(Closed):
    """As `core.policy.Officer`."""

    officer_id: OfficerId
    subject_id: SubjectId | None = None

    def to_officer(self) -> Officer:
        """As the core knows it."""
        return Officer(self.officer_id, self.subject_id)

    @classmethod
    def of(cls, officer: Officer) -> OfficerRecord:
        """From what the core knows. Raises pydantic's ValidationError."""
        return cls(officer_id=officer.officer_id, subject_id=officer.subject_id)
