"""What another roster changes, in words that an officer or a programme can check: ids and fields, never a name.

Rules: pure. Ids in the order of the roster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from edge_agent.roster_delta import difference
from edge_agent.roster_payload import RosterPayload
from edge_agent.roster_policy import PolicyRecord
from edge_agent.roster_schema import EntitlementRecord

_SHOWN_IDS = 20
"""Ids that a line of text names; the rest are counted. `as_data` has all."""


@dataclass(frozen=True)
class FieldChange:
    """One field of the policy, or of one record: its name, before and after, as in the file. id: of the record."""

    id: str
    field: str
    before: Any
    after: Any


@dataclass(frozen=True)
class RosterChanges:
    """Ids, and fields where they are needed. proxies: "<entitlement> <proxy>". A changed entitlement stands once for
    each field; its state has its own list."""

    people_added: tuple[str, ...] = ()
    people_removed: tuple[str, ...] = ()
    people_with_new_templates: tuple[str, ...] = ()
    people_with_new_names: tuple[str, ...] = ()
    entitlements_added: tuple[str, ...] = ()
    entitlements_removed: tuple[str, ...] = ()
    entitlement_states: tuple[FieldChange, ...] = ()
    entitlement_fields: tuple[FieldChange, ...] = ()
    proxies_added: tuple[str, ...] = ()
    proxies_removed: tuple[str, ...] = ()
    proxies_changed: tuple[str, ...] = ()
    officers_added: tuple[str, ...] = ()
    officers_removed: tuple[str, ...] = ()
    officers_changed: tuple[str, ...] = ()
    tokens_withdrawn: tuple[str, ...] = ()
    tokens_restored: tuple[str, ...] = ()
    programmes_changed: tuple[str, ...] = ()
    policy: tuple[FieldChange, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """For machines: everything, empty lists too."""
        return {
            field.name: [vars(item) if isinstance(item, FieldChange) else item for item in getattr(self, field.name)]
            for field in fields(self)
        }

    def lines(self) -> list[str]:
        """For people: one line for each kind of change there is."""
        found: list[str] = []
        for field in fields(self):
            items = getattr(self, field.name)
            if not items:
                continue
            shown = ", ".join(_shown(item) for item in items[:_SHOWN_IDS])
            more = f" … and {len(items) - _SHOWN_IDS} more" if len(items) > _SHOWN_IDS else ""
            found.append(f"{field.name.replace('_', ' ')}: {len(items)} ({shown}{more})")
        return found


def changes(old: RosterPayload, new: RosterPayload) -> RosterChanges:
    """What `new` changes in `old`."""
    delta = difference(old, new)
    people = {subject.subject_id: subject for subject in old.subjects}
    again = [subject for subject in delta.subjects if subject.subject_id in people]
    rights = {right.entitlement_id: right for right in old.entitlements}
    altered = [
        change
        for right in delta.entitlements
        if right.entitlement_id in rights
        for change in _field_changes(rights[right.entitlement_id], right)
    ]
    proxies = _split(old.proxies, delta.proxies, lambda p: f"{p.entitlement_id} {p.proxy_id}")
    officers = _split(old.officers, delta.officers, lambda o: o.officer_id)
    programmes = {p.programme: p for p in old.programmes}, {p.programme: p for p in new.programmes}
    names = dict.fromkeys([*programmes[0], *programmes[1]])
    return RosterChanges(
        people_added=tuple(s.subject_id for s in delta.subjects if s.subject_id not in people),
        people_removed=delta.subjects_removed,
        people_with_new_templates=tuple(s.subject_id for s in again if s.templates != people[s.subject_id].templates),
        people_with_new_names=tuple(s.subject_id for s in again if s.display_name != people[s.subject_id].display_name),
        entitlements_added=tuple(e.entitlement_id for e in delta.entitlements if e.entitlement_id not in rights),
        entitlements_removed=delta.entitlements_removed,
        entitlement_states=tuple(change for change in altered if change.field == "state"),
        entitlement_fields=tuple(change for change in altered if change.field != "state"),
        proxies_added=proxies[0],
        proxies_changed=proxies[1],
        proxies_removed=tuple(f"{key.entitlement_id} {key.proxy_id}" for key in delta.proxies_removed),
        officers_added=officers[0],
        officers_changed=officers[1],
        officers_removed=delta.officers_removed,
        tokens_withdrawn=delta.revoked_tokens,
        tokens_restored=delta.revoked_tokens_removed,
        programmes_changed=tuple(name for name in names if programmes[0].get(name) != programmes[1].get(name)),
        policy=tuple(_policy_changes(old.policy, new.policy)),
    )


def _field_changes(old: EntitlementRecord, new: EntitlementRecord) -> Iterable[FieldChange]:
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    return [
        FieldChange(old.entitlement_id, name, before[name], after[name])
        for name in before
        if before[name] != after[name]
    ]


def _policy_changes(old: PolicyRecord, new: PolicyRecord) -> Iterable[FieldChange]:
    before, after = _flat(old.model_dump(mode="json")), _flat(new.model_dump(mode="json"))
    return [
        FieldChange("", name, before.get(name), after.get(name))
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _flat(data: dict[str, Any], above: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{above}{name}."))
        else:
            flat[above + name] = value
    return flat


def _split(old: Iterable[Any], upserts: Iterable[Any], key: Callable[[Any], str]) -> tuple[tuple[str, ...], ...]:
    """(added, changed)."""
    before = {key(record) for record in old}
    names = [key(record) for record in upserts]
    return tuple(n for n in names if n not in before), tuple(n for n in names if n in before)


def _shown(item: FieldChange | str) -> str:
    if isinstance(item, str):
        return item
    where = f"{item.id} " if item.id else ""
    return f"{where}{item.field} {_value(item.before)} → {_value(item.after)}"


def _value(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
