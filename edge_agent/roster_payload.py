"""What is sealed in a roster file as a whole, full or only what changed, and what must hold across it.

Rules: ids are unique and nothing refers to what is not there. A message names the field by its place and the id, never
a name.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from edge_agent.roster_policy import CycleRecord, OfficerRecord, PolicyRecord, ProgrammeRecord, ProxyRecord
from edge_agent.roster_schema import (
    Closed,
    EntitlementId,
    EntitlementRecord,
    OfficerId,
    SubjectId,
    SubjectRecord,
    TokenSerial,
)

_People = Field(max_length=200_000)
_Rights = Field(max_length=2_000_000)
_Tokens = Field(max_length=1_000_000)
_Officers = Field(max_length=10_000)
_Programmes = Field(max_length=1000)


class RosterPayload(Closed):
    """A full roster.

    policy: what the terminals may; programmes: when given, every entitlement is of one of them and of one of its
    cycles. proxies: who may fetch what for whom; officers: who may show a badge. revoked_tokens: serials of tokens and
    badges that are no longer taken, although they have not expired.
    """

    subjects: Annotated[tuple[SubjectRecord, ...], _People]
    entitlements: Annotated[tuple[EntitlementRecord, ...], _Rights]
    revoked_tokens: Annotated[tuple[TokenSerial, ...], _Tokens] = ()
    policy: PolicyRecord = PolicyRecord()
    programmes: Annotated[tuple[ProgrammeRecord, ...], _Programmes] = ()
    proxies: Annotated[tuple[ProxyRecord, ...], _Rights] = ()
    officers: Annotated[tuple[OfficerRecord, ...], _Officers] = ()

    @model_validator(mode="after")
    def _consistent(self) -> RosterPayload:
        subjects: set[str] = set()
        for place, subject in enumerate(self.subjects):
            if subject.subject_id in subjects:
                raise ValueError(f"subjects.{place}.subject_id: {subject.subject_id} appears twice")
            subjects.add(subject.subject_id)
        entitlements: dict[str, EntitlementRecord] = {}
        for place, entitlement in enumerate(self.entitlements):
            if entitlement.entitlement_id in entitlements:
                raise ValueError(f"entitlements.{place}.entitlement_id: {entitlement.entitlement_id} appears twice")
            if entitlement.subject_id not in subjects:
                raise ValueError(f"entitlements.{place}.subject_id: {entitlement.subject_id} is not in subjects")
            entitlements[entitlement.entitlement_id] = entitlement
        self._check_programmes()
        self._check_proxies(subjects, entitlements)
        self._check_officers(subjects)
        return self

    def _check_programmes(self) -> None:
        cycles: dict[str, dict[str, CycleRecord]] = {}
        for place, programme in enumerate(self.programmes):
            if programme.programme in cycles:
                raise ValueError(f"programmes.{place}.programme: {programme.programme} appears twice")
            cycles[programme.programme] = {cycle.cycle: cycle for cycle in programme.cycles}
        if not cycles:
            return
        for place, entitlement in enumerate(self.entitlements):
            where = f"entitlements.{place}"
            if entitlement.programme not in cycles:
                raise ValueError(f"{where}.programme: {entitlement.programme} is not in programmes")
            cycle = cycles[entitlement.programme].get(entitlement.cycle)
            if cycle is None:
                raise ValueError(f"{where}.cycle: {entitlement.cycle} is no cycle of {entitlement.programme}")
            if entitlement.valid_from < cycle.valid_from or entitlement.valid_until > cycle.valid_until:
                raise ValueError(
                    f"{where}.valid_from: {entitlement.valid_from} to {entitlement.valid_until} is not within the "
                    f"cycle {cycle.cycle} ({cycle.valid_from} to {cycle.valid_until})"
                )

    def _check_proxies(self, subjects: set[str], entitlements: dict[str, EntitlementRecord]) -> None:
        seen: set[tuple[str, str]] = set()
        for place, proxy in enumerate(self.proxies):
            where = f"proxies.{place}"
            entitlement = entitlements.get(proxy.entitlement_id)
            if entitlement is None:
                raise ValueError(f"{where}.entitlement_id: {proxy.entitlement_id} is not in entitlements")
            if proxy.cycle != entitlement.cycle:
                raise ValueError(f"{where}.cycle: {proxy.cycle} is not the entitlement's ({entitlement.cycle})")
            if proxy.proxy_id not in subjects:
                raise ValueError(f"{where}.proxy_id: {proxy.proxy_id} is not in subjects; a proxy is enrolled too")
            if proxy.proxy_id == entitlement.subject_id:
                raise ValueError(f"{where}.proxy_id: {proxy.proxy_id} is the entitled person")
            if (proxy.entitlement_id, proxy.proxy_id) in seen:
                raise ValueError(f"{where}: {proxy.proxy_id} appears twice for {proxy.entitlement_id}")
            seen.add((proxy.entitlement_id, proxy.proxy_id))

    def _check_officers(self, subjects: set[str]) -> None:
        """Each person is one officer: with two badges one could void alone, and vouch twice as often."""
        seen: set[str] = set()
        people: dict[str, str] = {}
        for place, officer in enumerate(self.officers):
            if officer.officer_id in seen:
                raise ValueError(f"officers.{place}.officer_id: {officer.officer_id} appears twice")
            seen.add(officer.officer_id)
            if officer.subject_id is None:
                continue
            if officer.subject_id not in subjects:
                raise ValueError(f"officers.{place}.subject_id: {officer.subject_id} is not in subjects")
            other = people.setdefault(officer.subject_id, officer.officer_id)
            if other != officer.officer_id:
                raise ValueError(f"officers.{place}.subject_id: {officer.subject_id} is an officer already ({other})")


class ProxyKey(Closed):
    """Which proxy is taken away."""

    entitlement_id: EntitlementId
    proxy_id: SubjectId


class RosterDelta(Closed):
    """What changed from one full roster to another: what is new or different, whole, and the ids of what is gone.

    policy, programmes: None when as before. The result must be a `RosterPayload`; that is checked where it is applied.
    """

    subjects: Annotated[tuple[SubjectRecord, ...], _People] = ()
    subjects_removed: Annotated[tuple[SubjectId, ...], _People] = ()
    entitlements: Annotated[tuple[EntitlementRecord, ...], _Rights] = ()
    entitlements_removed: Annotated[tuple[EntitlementId, ...], _Rights] = ()
    proxies: Annotated[tuple[ProxyRecord, ...], _Rights] = ()
    proxies_removed: Annotated[tuple[ProxyKey, ...], _Rights] = ()
    officers: Annotated[tuple[OfficerRecord, ...], _Officers] = ()
    officers_removed: Annotated[tuple[OfficerId, ...], _Officers] = ()
    revoked_tokens: Annotated[tuple[TokenSerial, ...], _Tokens] = ()
    revoked_tokens_removed: Annotated[tuple[TokenSerial, ...], _Tokens] = ()
    policy: PolicyRecord | None = None
    programmes: Annotated[tuple[ProgrammeRecord, ...], _Programmes] | None = None
