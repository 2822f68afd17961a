"""What an import should make somebody look at: it is allowed, and it may give something twice.

Rules: read-only, inside the import's transaction, before the old roster goes. A warning names opaque ids only and says
what to check. It never stops an import: the roster is the office's word.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from edge_agent.core.model import Entitlement

REISSUED = "reissued"
HOME_MOVED = "home_moved"


@dataclass(frozen=True)
class ImportWarning:
    """code: REISSUED or HOME_MOVED; other: the entitlement claimed before, or the home before."""

    code: str
    entitlement_id: str
    other: str
    text: str

    def as_data(self) -> dict[str, str]:
        """For machines and records."""
        return asdict(self)


def reissued(
    connection: sqlite3.Connection, old: Iterable[Entitlement], new: Iterable[Entitlement]
) -> list[ImportWarning]:
    """Rights (subject, programme, cycle) that were claimed here and come now under an id that is new."""
    known = {entitlement.entitlement_id for entitlement in old}
    claimed: dict[tuple[str, str, str], str] = {}
    for entitlement_id, *right in connection.execute(
        "SELECT entitlement_id, subject_id, programme, cycle FROM claim WHERE voided_seq IS NULL ORDER BY seq"
    ):
        claimed[right[0], right[1], right[2]] = entitlement_id
        known.add(entitlement_id)
    found = []
    for entitlement in new:
        before = claimed.get((entitlement.subject_id, entitlement.programme, entitlement.cycle))
        if before is None or entitlement.entitlement_id in known:
            continue
        text = (
            f"{entitlement.entitlement_id}: {entitlement.subject_id} already received {entitlement.programme} "
            f"{entitlement.cycle} here as {before}; under the new id it can be given again. "
            "If that is not meant, ask the office for a roster with the old id"
        )
        found.append(ImportWarning(REISSUED, entitlement.entitlement_id, before, text))
    return found


def homes_moved(
    connection: sqlite3.Connection,
    old: Iterable[Entitlement],
    new: Iterable[Entitlement],
    at_utc: datetime,
    terminal_id: str,
) -> list[ImportWarning]:
    """Entitlements with another home whose old home may still give them: its lease has not ended, and this terminal,
    where it was the home, has not given them back."""
    released = {row[0] for row in connection.execute("SELECT entitlement_id FROM released")}
    before = {entitlement.entitlement_id: entitlement for entitlement in old}
    found = []
    for entitlement in new:
        was = before.get(entitlement.entitlement_id)
        if was is None or was.home is None or was.home == entitlement.home or was.entitlement_id in released:
            continue
        if was.lease_until is not None and was.lease_until < at_utc:
            continue
        until = f"until {was.lease_until.isoformat()}" if was.lease_until else "without end"
        new_home = entitlement.home or "the centre"
        text = (
            f"{entitlement.entitlement_id}: moved from {was.home} to {new_home}, but {was.home} holds a lease {until}; "
        )
        if was.home == terminal_id:
            text += (
                f"what was given of it here {new_home} does not know until the centre has this terminal's records. "
                "Let them go up before it is given there"
            )
        else:
            text += (
                f"while {was.home} has the old roster, both may give it. "
                f"Bring this roster to {was.home} first, or let the lease end"
            )
        found.append(ImportWarning(HOME_MOVED, entitlement.entitlement_id, was.home, text))
    return found
