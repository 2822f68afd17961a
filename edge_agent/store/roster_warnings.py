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
CENTRE = "the centre"


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
    *,
    alone: tuple[bool, bool],
) -> list[ImportWarning]:
    """Entitlements with another home that may be given twice: the old home may still give them, because its lease has
    not ended; or they come here, where nobody knows what was given of them elsewhere. Not those given back.

    alone: whether the old roster, and the new one, is for this terminal only, so that what has no home is its own.
    """
    released = {row[0] for row in connection.execute("SELECT entitlement_id FROM released")}
    before = {entitlement.entitlement_id: entitlement for entitlement in old}
    found = []
    for entitlement in new:
        was = before.get(entitlement.entitlement_id)
        if was is None or was.entitlement_id in released:
            continue
        old_home = was.home or (terminal_id if alone[0] else CENTRE)
        new_home = entitlement.home or (terminal_id if alone[1] else CENTRE)
        running = was.home is not None and (was.lease_until is None or was.lease_until >= at_utc)
        if old_home == new_home or not (running or new_home == terminal_id):
            continue
        text = f"{entitlement.entitlement_id}: moved from {old_home} to {new_home}"
        if running:
            until = f"until {was.lease_until.isoformat()}" if was.lease_until else "without end"
            text += f", but {old_home} holds a lease {until}"
        text += f"; {_advice(old_home, new_home, terminal_id, running)}"
        found.append(ImportWarning(HOME_MOVED, entitlement.entitlement_id, old_home, text))
    return found


def _advice(old_home: str, new_home: str, terminal_id: str, running: bool) -> str:
    if old_home == terminal_id:
        return (
            f"what was given of it here {new_home} does not know until the centre has this terminal's records. "
            "Let them go up before it is given there"
        )
    advice = ""
    if running:
        advice = (
            f"while {old_home} has the old roster, both may give it. "
            f"Bring this roster to {old_home} first, or let the lease end"
        )
    if new_home == terminal_id:
        gave = "the centre let others give" if old_home == CENTRE else f"{old_home} gave"
        advice += "; " if advice else ""
        advice += f"what {gave} of it is not known here. Let the office take out what was given"
    return advice
