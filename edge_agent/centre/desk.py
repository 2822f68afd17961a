"""The centre's desk: a message from a terminal comes in, the books change, messages to terminals go out.

Rules: what `take` returns may be sent only because the books say so on disk already. The same message again changes
nothing and is answered again. What is not signed by the terminal on whose topic it came is told in the log and let go.
A request is worked on while somebody may still wait for it; after that an entitlement that comes back stays with the
centre, rather than with a terminal whose person has left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.authority_message import (
    AuthoriseAnswer,
    AuthoriseRequest,
    Decision,
    MessageRefusedError,
    ReleaseRequest,
    new_request_id,
    read_message,
    sign_message,
)
from edge_agent.centre.authority import Claimed, Grant, Held, Unknown, Verdict, verdict
from edge_agent.centre.books import Books, Page, Request
from edge_agent.centre.records import GivenBack, Report, Voided, read_record
from edge_agent.uplink.wire import Message, Topics, authority_message

UNUSED_GRANTS_MAX = 100
"""Grants that one terminal may hold without having given anything on them: people who left before their rice. A stolen
terminal that draws entitlements to itself comes to its end here."""
WAIT_S = 10.0
"""How long a request is worth an answer: a session that waits longer for the centre has referred its person."""


class Tell(Protocol):
    """Tells the log: a kind and plain fields, ids only."""

    def __call__(self, kind: str, **fields: object) -> None: ...


@dataclass(frozen=True)
class _Place:
    topics: Topics
    leaf: str


class CentreDesk:
    """One centre. terminals: terminal id -> the key it signs with. wait_s: how long a request is worked on. now_s: UNIX
    time; it only ends waiting."""

    def __init__(
        self,
        books: Books,
        key: Ed25519PrivateKey,
        terminals: Mapping[str, Ed25519PublicKey],
        prefix: str,
        *,
        tell: Tell,
        wait_s: float = WAIT_S,
        unused_grants_max: int = UNUSED_GRANTS_MAX,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._books = books
        self._key = key
        self._terminals = terminals
        self._prefix = prefix
        self._tell = tell
        self._wait_s = wait_s
        self._unused_grants_max = unused_grants_max
        self._now_s = now_s

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """Topic filters to listen to, at QoS 1."""
        every = Topics(self._prefix, "+", "+")
        return every.authorise, every.events

    @property
    def _expiry_s(self) -> int:
        return max(1, round(self._wait_s))

    def take(self, topic: str, payload: bytes) -> list[Message]:
        """Commit what this message changes; what is to be sent now, in order. Raises BooksError: nothing was changed,
        and the same message may be given again."""
        place = self._place(topic)
        key = None if place is None else self._terminals.get(place.topics.terminal)
        if place is None or key is None:
            self._tell("message_refused", topic=topic, problem="no terminal of this centre; see --terminal")
            return []
        try:
            if place.leaf == "authorise":
                return self._asked(read_message(AuthoriseRequest, payload, key), place.topics)
            report = read_record(payload, place.topics.terminal, key)
        except MessageRefusedError as error:
            self._tell("message_refused", topic=topic, problem=str(error))
            return []
        return [] if report is None else self._reported(report, place.topics.terminal)

    def _asked(self, said: AuthoriseRequest, topics: Topics) -> list[Message]:
        if (said.site, said.terminal) != (topics.site, topics.terminal):
            raise MessageRefusedError("site, terminal: are not those on whose topic it came")
        now_s = self._now_s()
        with self._books.changing() as page:
            ids = tuple(dict.fromkeys(said.entitlement_ids))
            known = page.request(said.request_id)
            request = known or Request(said.request_id, said.site, said.terminal, ids, now_s)
            if request.terminal != said.terminal or now_s - request.received_at_s > self._wait_s:
                self._tell("request_is_old", terminal=said.terminal, request=said.request_id)
                return []
            answer, held = self._decide(page, request)
        releases = [self._release(*one) for one in held]
        return [*releases, answer]

    def _reported(self, report: Report, terminal: str) -> list[Message]:
        answers: list[Message] = []
        with self._books.changing() as page:
            if isinstance(report, Voided):
                page.note_voids(terminal, report.claim_ids)
                return []
            page.note_claims(terminal, report.claims)
            for entitlement_id in {claim.entitlement_id for claim in report.claims}:
                account = page.account(entitlement_id)
                if account is not None and account.total > account.amount:
                    self._tell(
                        "given_too_much",
                        entitlement=entitlement_id,
                        terminals=sorted({one.terminal for one in account.given}),
                    )
            if isinstance(report, GivenBack):
                if report.number is not None:
                    page.give_back(report.entitlement_id, terminal, report.number)
                for request in page.waiting_for(report.entitlement_id, self._now_s() - self._wait_s):
                    answers.append(self._decide(page, request)[0])
        return answers

    def _decide(self, page: Page, request: Request) -> tuple[Message, list[tuple[str, str, str, int]]]:
        """Grant what can be granted; the answer, and what to ask of whom: (site, terminal, entitlement, number)."""
        at = datetime.fromtimestamp(self._now_s(), timezone.utc)
        decisions: list[Decision] = []
        held: list[tuple[str, str, str, int]] = []
        for entitlement_id in request.entitlement_ids:
            said = self._verdict(page, request, entitlement_id)
            if isinstance(said, Grant):
                page.grant(entitlement_id, request.terminal, said.number)
            elif isinstance(said, Held):
                held += [(request.site, holder, entitlement_id, number) for holder, number in said.by]
            decisions.append(_decision(entitlement_id, said, at))
        answer = AuthoriseAnswer(
            request_id=request.request_id, site=request.site, terminal=request.terminal, at=at, decisions=decisions
        )
        page.note_request(replace(request, answered=answer.final))
        self._tell(
            "answered",
            terminal=request.terminal,
            request=request.request_id,
            decisions={one.entitlement_id: one.answer for one in decisions},
        )
        topic = Topics(self._prefix, request.site, request.terminal).answers
        return authority_message(topic, sign_message(answer, self._key), request.request_id, self._expiry_s), held

    def _verdict(self, page: Page, request: Request, entitlement_id: str) -> Verdict:
        said = verdict(request.terminal, request.site, page.account(entitlement_id))
        more = isinstance(said, Held) or (isinstance(said, Grant) and said.is_new)
        if more and page.unused_grants(request.terminal) >= self._unused_grants_max:
            self._tell("too_many_unused_grants", terminal=request.terminal, most=self._unused_grants_max)
            return Unknown()
        return said

    def _release(self, site: str, terminal: str, entitlement_id: str, number: int) -> Message:
        said = ReleaseRequest(
            request_id=new_request_id(),
            site=site,
            terminal=terminal,
            at=datetime.fromtimestamp(self._now_s(), timezone.utc),
            entitlement_id=entitlement_id,
            grant_number=number,
        )
        self._tell("release_asked", terminal=terminal, entitlement=entitlement_id, grant=number)
        topic = Topics(self._prefix, site, terminal).commands
        return authority_message(topic, sign_message(said, self._key), said.request_id, self._expiry_s)

    def _place(self, topic: str) -> _Place | None:
        below = topic.removeprefix(f"{self._prefix}/")
        parts = below.split("/")
        if below == topic or len(parts) != 3 or parts[2] not in ("authorise", "events"):
            return None
        return _Place(Topics(self._prefix, parts[0], parts[1]), parts[2])


def _decision(entitlement_id: str, said: Verdict, at: datetime) -> Decision:
    if isinstance(said, Grant):
        return Decision(
            entitlement_id=entitlement_id,
            answer="granted",
            grant_number=said.number,
            granted_at=at,
            given_elsewhere=said.given_elsewhere,
            portions_elsewhere=list(said.portions_elsewhere),
            latest_elsewhere=said.latest_elsewhere,
        )
    if isinstance(said, Held):
        return Decision(entitlement_id=entitlement_id, answer="waiting")
    return Decision(entitlement_id=entitlement_id, answer="claimed" if isinstance(said, Claimed) else "refused")
