"""What a decision needs to know of its place and time, read from the database: `core.policy.Circumstances`.

Rules: reads only, inside the caller's transaction. A clock that nobody confirmed is not simply believed: the instant
used is never before the last record whose clock was confirmed nor before the roster was issued, and never follows a
record into a future in which the roster would be too old, since that record's clock was as unconfirmed.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from edge_agent.clock import to_milliseconds
from edge_agent.core.messages import RecordClaim
from edge_agent.core.model import Timestamp
from edge_agent.core.policy import Circumstances, OfflineUse
from edge_agent.store.ledger import Head
from edge_agent.store.records import parse_instant
from edge_agent.store.roster import RosterTable


class Surroundings:
    """terminal_id, zone: of this terminal; methods raise `sqlite3.Error`, which the caller's transaction explains."""

    def __init__(self, connection: sqlite3.Connection, roster: RosterTable, terminal_id: str, zone: ZoneInfo) -> None:
        self._connection = connection
        self._roster = roster
        self._terminal_id = terminal_id
        self._zone = zone

    def instant(self, at: Timestamp, head: Head) -> datetime:
        """The instant to decide by, in UTC and milliseconds."""
        now = to_milliseconds(at.utc)
        if at.clock_trusted:
            return now
        issued_at = self._roster.issued_at()
        known = [now, *self._last_trusted()]
        if issued_at is None:
            return max(*known, head.time)
        known.append(to_milliseconds(issued_at))
        if head.time - issued_at <= timedelta(days=self._roster.policy().roster_max_age_days):
            known.append(head.time)
        return max(known)

    def surely_past(self) -> datetime | None:
        """The latest instant that has surely come: of the last record with a confirmed clock, or the roster's issue.
        None: nothing is known."""
        issued_at = self._roster.issued_at()
        return max([*self._last_trusted(), *([] if issued_at is None else [issued_at])], default=None)

    def local_day(self, instant: datetime) -> str:
        """The terminal's calendar day, ISO 8601."""
        return instant.astimezone(self._zone).date().isoformat()

    def circumstances(self, request: RecordClaim, instant: datetime, clock_trusted: bool) -> Circumstances:
        """Everything `core.eligibility.decide` asks about here and now."""
        local = instant.astimezone(self._zone)
        return Circumstances(
            terminal_id=self._terminal_id,
            at_utc=instant,
            today=local.date(),
            clock_trusted=clock_trusted,
            sole=self._roster.terminals() <= 1,
            roster_issued_at=self._roster.issued_at(),
            offline=self._offline_use(instant),
            on_duty=self._on_duty(local.date().isoformat()),
            released=tuple(self._connection.execute("SELECT entitlement_id, grant_number FROM released").fetchall()),
            authorities=request.authorities,
            claimed_elsewhere=frozenset(name for name in request.claimed if not self._void_untold(name)),
            utc_offset=local.utcoffset() or timedelta(0),
        )

    def _last_trusted(self) -> list[datetime]:
        row = self._connection.execute("SELECT value FROM meta WHERE key = 'last_trusted'").fetchone()
        return [parse_instant(row[0])] if row else []

    def _offline_use(self, instant: datetime) -> OfflineUse:
        """Claims whose record still waits in the outbox: the centre doesn't know of them.

        A clock that once ran ahead holds the time of every later record there, for the ledger never goes back. Claims
        keep the instant they were decided by, so their age is known all the same.
        """
        rows = self._connection.execute(
            "SELECT unit, amount FROM claim JOIN outbox USING (seq) WHERE voided_seq IS NULL"
        ).fetchall()
        value: dict[str, Decimal] = {}
        for unit, amount in rows:
            value[unit] = value.get(unit, Decimal(0)) + Decimal(amount)
        oldest = self._connection.execute(
            "SELECT time FROM outbox JOIN ledger USING (seq) ORDER BY seq LIMIT 1"
        ).fetchone()
        oldest_at = parse_instant(oldest[0]) if oldest else None
        if oldest_at is not None and oldest_at > instant:
            (claimed,) = self._connection.execute(
                "SELECT min(claimed_at) FROM claim JOIN outbox USING (seq) WHERE voided_seq IS NULL"
            ).fetchone()
            oldest_at = parse_instant(claimed) if claimed else None
        return OfflineUse(len(rows), tuple(sorted(value.items())), oldest_at)

    def _void_untold(self, entitlement_id: str) -> bool:
        """Whether the centre may count a claim that was taken back here, because it has not heard of the void."""
        statement = "SELECT 1 FROM claim JOIN outbox ON outbox.seq = voided_seq WHERE entitlement_id = ?"
        return self._connection.execute(statement, (entitlement_id,)).fetchone() is not None

    def _on_duty(self, day: str) -> frozenset[str]:
        """Subject ids of officers who have shown a badge here today."""
        rows = self._connection.execute(
            "SELECT DISTINCT officer.subject_id FROM officer_act JOIN officer"
            " ON officer.officer_id IN (officer_act.officer_id, officer_act.second_officer_id)"
            " WHERE officer_act.day = ? AND officer.subject_id IS NOT NULL",
            (day,),
        )
        return frozenset(row[0] for row in rows)
