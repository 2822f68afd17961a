"""What officers did by badge, counted by day and officer and held against what policy allows, from records.

Rules: from records alone; officers by their opaque ids, recipients not at all. A second officer of a void is counted as
well: both badges were shown.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge_agent.core.policy import DEFAULT_POLICY, OfficerLimits
from edge_agent.roster_policy import PolicyRecord
from edge_agent.store.database import connect, told
from edge_agent.store.ledger import is_database
from edge_agent.store.record_files import Event, data_of, local_day
from edge_agent.store.record_types import CLAIM_RECORDED, CLAIM_VOIDED, OFFICER_ACTED, REFERRAL_RESOLVED

ASSISTED, REPRINTS, VOIDS, RESOLVED, NOT_DONE = "assisted", "reprints", "voids", "resolved", "not_done"
ACTS = (ASSISTED, REPRINTS, VOIDS, RESOLVED, NOT_DONE)


@dataclass(frozen=True)
class OfficerDay:
    """One officer's day. counts: by the words in ACTS; assist_reasons: why they vouched, and how often; over: the acts
    of which there are more than policy allows."""

    day: str
    officer_id: str
    counts: Mapping[str, int]
    assist_reasons: Mapping[str, int]
    over: tuple[str, ...]


def limits_in(path: Path) -> OfficerLimits:
    """The policy of the roster in force in a terminal's database; the usual one for other files. Raises StoreError."""
    if not is_database(path):
        return DEFAULT_POLICY.officers
    with closing(connect(path, "FULL", read_only=True)) as connection, told(path):
        row = connection.execute("SELECT policy FROM roster").fetchone()
    return PolicyRecord.model_validate_json(row[0]).to_policy().officers if row else DEFAULT_POLICY.officers


def officer_counts(
    records: Iterable[Event], timezone: str, limits: OfficerLimits, day: str | None = None
) -> list[OfficerDay]:
    """By day and officer, in order; day: ISO 8601, that one only."""
    zone = ZoneInfo(timezone)
    counts: dict[tuple[str, str], Counter[str]] = {}
    reasons: dict[tuple[str, str], Counter[str]] = {}
    for event in records:
        data = data_of(event)
        try:
            on = local_day(event, zone)
        except (KeyError, ValueError):
            continue
        for officer, act, reason in _acts(str(event.get("type")), data):
            if day in (None, on):
                counts.setdefault((on, officer), Counter())[act] += 1
                if reason:
                    reasons.setdefault((on, officer), Counter())[reason] += 1
    bounds = {
        ASSISTED: limits.assisted_per_day,
        REPRINTS: limits.reprints_per_day,
        VOIDS: limits.voids_per_day,
    }
    return [
        OfficerDay(
            on,
            officer,
            {act: found[act] for act in ACTS},
            dict(sorted(reasons.get((on, officer), Counter()).items())),
            tuple(act for act, most in bounds.items() if found[act] > most),
        )
        for (on, officer), found in sorted(counts.items())
    ]


def _acts(kind: str, data: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """(officer, act, reason to vouch or "") of one record."""
    officers = [str(data[name]) for name in ("officer", "second_officer") if data.get(name)]
    if kind == CLAIM_RECORDED:
        assistance = data.get("assistance")
        if not isinstance(assistance, dict) or not assistance.get("officer"):
            return []
        return [(str(assistance["officer"]), ASSISTED, str(assistance.get("reason") or ""))]
    if kind == CLAIM_VOIDED:
        return [(officer, VOIDS, "") for officer in dict.fromkeys(officers)]
    if kind == REFERRAL_RESOLVED:
        return [(officer, RESOLVED, "") for officer in officers[:1]]
    if kind == OFFICER_ACTED:
        if data.get("problem") is not None:
            return [(officer, NOT_DONE, "") for officer in officers[:1]]
        return [(officer, REPRINTS, "") for officer in officers[:1] if data.get("act") == "reprint"]
    return []
