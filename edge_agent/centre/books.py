"""The centre's books: one SQLite file through SQLAlchemy, with entitlements, holders, claims and requests.

Rules: one process, one thread. Everything that one message changes is one transaction, and it is on disk
(`synchronous=FULL`) before an answer goes out, so that a kill at any moment loses nothing that anybody was told. What a
terminal reported of claims and voids is kept for ever and counted once, whatever comes twice or in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, func, literal_column, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError

from edge_agent.centre.authority import Account, Given
from edge_agent.centre.tables import CLAIM, ENTITLEMENT, HOLDER, HOME, REQUEST, REQUESTED, TABLES, VOID
from edge_agent.ports import TerminalError
from edge_agent.roster_list import RosterList

_ROWID: Any = literal_column("rowid")


class BooksError(TerminalError):
    """The books can't be opened or written; nothing of the message in hand was committed."""


@dataclass(frozen=True)
class Request:
    """A terminal's request as the books have it. received_at_s: UNIX time. answered: nothing is waited for any more."""

    request_id: str
    site: str
    terminal: str
    entitlement_ids: tuple[str, ...]
    received_at_s: float
    answered: bool = False


@dataclass(frozen=True)
class ReportedClaim:
    """One claim as a terminal's record tells it."""

    claim_id: str
    entitlement_id: str
    portion: int
    amount: Decimal
    claimed_at: datetime


class Books:
    """Open books. checkpoint: called at each step of a transaction (tests cut the power there)."""

    def __init__(self, path: Path, checkpoint: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._checkpoint = checkpoint
        self._engine = create_engine(f"sqlite:///{path}")
        event.listen(self._engine, "connect", _set_up)
        with self._told():
            TABLES.create_all(self._engine)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._engine.dispose()

    @contextmanager
    def changing(self) -> Iterator[Page]:
        """One transaction: all of it or nothing. Raises BooksError."""
        with self._told():
            with self._engine.begin() as connection:
                yield Page(connection)
                self._checkpoint("books:written")
            self._checkpoint("books:committed")

    def learn(self, lists: Iterable[RosterList]) -> int:
        """Enter the entitlements and homes of these lists; how many entitlements are new. Raises BooksError."""
        with self.changing() as page:
            return sum(page.learn(content) for content in lists)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise BooksError(
                f"{self._path}: {error.args[0] if error.args else type(error).__name__}; nothing was changed; check "
                "the disk, and that no other centre uses these books"
            ) from error


class Page:
    """The books within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def learn(self, content: RosterList) -> int:
        """Enter a list. A home that it names for the first time becomes a holder; the others stay what they are."""
        execute, scalars = self._connection.execute, self._connection.scalars
        known = set(scalars(select(ENTITLEMENT.c.entitlement_id)))
        homes = {tuple(row) for row in execute(select(HOME.c.entitlement_id, HOME.c.terminal))}
        listed = content.entitlements
        rows = [
            {
                "entitlement_id": one.entitlement_id,
                "site": content.site,
                "amount": format(one.amount, "f"),
                "last_grant": 0,
            }
            for one in listed
        ]
        moved = [
            {"entitlement_id": one.entitlement_id, "terminal": one.home}
            for one in listed
            if one.home is not None and (one.entitlement_id, one.home) not in homes
        ]
        if rows:
            upsert = insert(ENTITLEMENT)
            changed = {"site": upsert.excluded.site, "amount": upsert.excluded.amount}
            execute(upsert.on_conflict_do_update(index_elements=["entitlement_id"], set_=changed), rows)
        if moved:
            execute(insert(HOME), moved)
            # One that already holds it by a grant keeps that.
            execute(insert(HOLDER).on_conflict_do_nothing(), [{**home, "grant_number": 0} for home in moved])
        return len({one.entitlement_id for one in listed} - known)

    def account(self, entitlement_id: str) -> Account | None:
        """What the books say of one entitlement; None: no list names it."""
        row = self._connection.execute(
            select(ENTITLEMENT.c.site, ENTITLEMENT.c.amount, ENTITLEMENT.c.last_grant).where(
                ENTITLEMENT.c.entitlement_id == entitlement_id
            )
        ).first()
        if row is None:
            return None
        holders = self._connection.execute(
            select(HOLDER.c.terminal, HOLDER.c.grant_number).where(HOLDER.c.entitlement_id == entitlement_id)
        )
        return Account(
            entitlement_id,
            row.site,
            Decimal(row.amount),
            row.last_grant,
            tuple((terminal, number) for terminal, number in holders),
            self._given(entitlement_id),
        )

    def grant(self, entitlement_id: str, terminal: str, number: int) -> None:
        """This terminal holds it by this grant."""
        values = {"entitlement_id": entitlement_id, "terminal": terminal, "grant_number": number}
        upsert = insert(HOLDER).values(**values)
        self._connection.execute(
            upsert.on_conflict_do_update(index_elements=["entitlement_id", "terminal"], set_={"grant_number": number})
        )
        self._connection.execute(
            ENTITLEMENT.update().where(ENTITLEMENT.c.entitlement_id == entitlement_id).values(last_grant=number)
        )

    def unused_grants(self, terminal: str) -> int:
        """Entitlements that this terminal holds by a grant and of which it gave nothing."""
        used = select(CLAIM.c.claim_id).where(
            CLAIM.c.entitlement_id == HOLDER.c.entitlement_id, CLAIM.c.terminal == terminal
        )
        held = select(func.count()).where(HOLDER.c.terminal == terminal, HOLDER.c.grant_number > 0, ~used.exists())
        return int(self._connection.scalar(held) or 0)

    def give_back(self, entitlement_id: str, terminal: str, number: int) -> None:
        """This terminal's grants up to this number are void; a later one stays."""
        self._connection.execute(
            HOLDER.delete().where(
                HOLDER.c.entitlement_id == entitlement_id,
                HOLDER.c.terminal == terminal,
                HOLDER.c.grant_number <= number,
            )
        )

    def note_claims(self, terminal: str, claims: Iterable[ReportedClaim]) -> None:
        """Enter claims; those known already are left as they are."""
        for claim in claims:
            values = {
                "claim_id": claim.claim_id,
                "entitlement_id": claim.entitlement_id,
                "terminal": terminal,
                "portion": claim.portion,
                "amount": format(claim.amount, "f"),
                "claimed_at": claim.claimed_at.astimezone(timezone.utc).isoformat(),
            }
            self._connection.execute(insert(CLAIM).values(**values).on_conflict_do_nothing())

    def note_voids(self, terminal: str, claim_ids: Iterable[str]) -> None:
        """These claims of this terminal were taken back, also when they themselves come only later."""
        for claim_id in claim_ids:
            values = {"claim_id": claim_id, "terminal": terminal}
            self._connection.execute(insert(VOID).values(**values).on_conflict_do_nothing())

    def request(self, request_id: str) -> Request | None:
        """A request that came before."""
        found = self._requests(REQUEST.c.request_id == request_id)
        return found[0] if found else None

    def note_request(self, request: Request) -> None:
        """Enter a request; the same again only says anew whether it is answered."""
        row = {
            "request_id": request.request_id,
            "site": request.site,
            "terminal": request.terminal,
            "received_at_s": request.received_at_s,
            "answered": request.answered,
        }
        upsert = insert(REQUEST).values(**row)
        self._connection.execute(
            upsert.on_conflict_do_update(index_elements=["request_id"], set_={"answered": request.answered})
        )
        for place, entitlement_id in enumerate(request.entitlement_ids):
            line = {"request_id": request.request_id, "place": place, "entitlement_id": entitlement_id}
            self._connection.execute(insert(REQUESTED).values(**line).on_conflict_do_nothing())

    def waiting_for(self, entitlement_id: str, since_s: float) -> Sequence[Request]:
        """Requests for it that came after this instant and wait for something, oldest first."""
        about = select(REQUESTED.c.request_id).where(REQUESTED.c.entitlement_id == entitlement_id)
        return self._requests(
            REQUEST.c.request_id.in_(about), REQUEST.c.answered.is_(False), REQUEST.c.received_at_s >= since_s
        )

    def _requests(self, *conditions: Any) -> Sequence[Request]:
        rows = self._connection.execute(
            select(REQUEST).where(*conditions).order_by(REQUEST.c.received_at_s, _ROWID)
        ).all()
        return [
            Request(
                row.request_id,
                row.site,
                row.terminal,
                tuple(
                    self._connection.scalars(
                        select(REQUESTED.c.entitlement_id)
                        .where(REQUESTED.c.request_id == row.request_id)
                        .order_by(REQUESTED.c.place)
                    )
                ),
                row.received_at_s,
                row.answered,
            )
            for row in rows
        ]

    def _given(self, entitlement_id: str) -> tuple[Given, ...]:
        void = select(VOID).where(VOID.c.claim_id == CLAIM.c.claim_id, VOID.c.terminal == CLAIM.c.terminal)
        rows = self._connection.execute(
            select(CLAIM.c.terminal, CLAIM.c.portion, CLAIM.c.amount, CLAIM.c.claimed_at)
            .where(CLAIM.c.entitlement_id == entitlement_id, ~void.exists())
            .order_by(CLAIM.c.claimed_at, CLAIM.c.claim_id)
        )
        return tuple(
            Given(terminal, portion, Decimal(amount), datetime.fromisoformat(at))
            for terminal, portion, amount, at in rows
        )


def _set_up(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}")
