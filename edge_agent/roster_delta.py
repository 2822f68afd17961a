"""What changed from one roster to another, and a roster with such a change applied.

Rules: pure. Applying the difference of two rosters to the first gives the second, record for record; the digest that
the office signs (`roster_content.content_sha256`) proves it again on the terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from pydantic import ValidationError

from edge_agent.ports import RosterError
from edge_agent.roster_payload import ProxyKey, RosterDelta, RosterPayload
from edge_agent.roster_policy import ProxyRecord
from edge_agent.roster_schema import Closed, first_problem

_Record = TypeVar("_Record", bound=Closed)
_Key = TypeVar("_Key", bound=Hashable)


def difference(old: RosterPayload, new: RosterPayload) -> RosterDelta:
    """What to change in `old` to get `new`."""
    subjects, subjects_gone = _changes(old.subjects, new.subjects, lambda s: s.subject_id)
    rights, rights_gone = _changes(old.entitlements, new.entitlements, lambda e: e.entitlement_id)
    proxies, proxies_gone = _changes(old.proxies, new.proxies, _proxy_key)
    officers, officers_gone = _changes(old.officers, new.officers, lambda o: o.officer_id)
    before, after = set(old.revoked_tokens), set(new.revoked_tokens)
    return RosterDelta(
        subjects=subjects,
        subjects_removed=subjects_gone,
        entitlements=rights,
        entitlements_removed=rights_gone,
        proxies=proxies,
        proxies_removed=tuple(ProxyKey(entitlement_id=right, proxy_id=who) for right, who in proxies_gone),
        officers=officers,
        officers_removed=officers_gone,
        revoked_tokens=tuple(sorted(after - before)),
        revoked_tokens_removed=tuple(sorted(before - after)),
        policy=None if new.policy == old.policy else new.policy,
        programmes=None if new.programmes == old.programmes else new.programmes,
    )


def applied(base: RosterPayload, delta: RosterDelta) -> RosterPayload:
    """`base` with the changes made. Raises RosterError when the result breaks a rule of the format."""
    gone = {(key.entitlement_id, key.proxy_id) for key in delta.proxies_removed}
    try:
        return RosterPayload(
            subjects=_merged(base.subjects, delta.subjects, delta.subjects_removed, lambda s: s.subject_id),
            entitlements=_merged(
                base.entitlements, delta.entitlements, delta.entitlements_removed, lambda e: e.entitlement_id
            ),
            revoked_tokens=tuple(
                sorted({*base.revoked_tokens, *delta.revoked_tokens} - set(delta.revoked_tokens_removed))
            ),
            policy=delta.policy or base.policy,
            programmes=base.programmes if delta.programmes is None else delta.programmes,
            proxies=_merged(base.proxies, delta.proxies, gone, _proxy_key),
            officers=_merged(base.officers, delta.officers, delta.officers_removed, lambda o: o.officer_id),
        )
    except ValidationError as error:
        raise RosterError(f"after the changes: {first_problem(error)}") from error


def _proxy_key(proxy: ProxyRecord) -> tuple[str, str]:
    return proxy.entitlement_id, proxy.proxy_id


def _changes(
    old: Iterable[_Record], new: Iterable[_Record], key: Callable[[_Record], _Key]
) -> tuple[tuple[_Record, ...], tuple[_Key, ...]]:
    """(records that are new or different, keys that are gone)."""
    before = {key(record): record for record in old}
    after = {key(record): record for record in new}
    changed = tuple(record for name, record in after.items() if before.get(name) != record)
    return changed, tuple(name for name in before if name not in after)


def _merged(
    old: Iterable[_Record], changed: Iterable[_Record], gone: Iterable[_Key], key: Callable[[_Record], _Key]
) -> tuple[_Record, ...]:
    records: dict[_Key, _Record] = {key(record): record for record in old}
    for name in gone:
        records.pop(name, None)
    records.update((key(record), record) for record in changed)
    return tuple(records.values())
