"""The uplink's part in asking the centre: one request at a time goes up; answers and release requests come down.

Rules: runs in the uplink thread, but for `ask`; nothing waits or blocks. At most one request is open, that of the
newest session: who asked before has left. An answer is believed when the centre's key signed it, it is for this
terminal, and it names the open request; one that comes late, twice or to another request changes nothing. Without an
answer nothing is posted: the session's own limit ends its wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.authority_message import (
    ENTITLEMENTS_MAX,
    AuthoriseAnswer,
    AuthoriseRequest,
    Decision,
    MessageRefusedError,
    ReleaseRequest,
    new_request_id,
    read_message,
    sign_message,
)
from edge_agent.core.messages import AskAuthority, AuthorityAnswered
from edge_agent.uplink.troubles import Report
from edge_agent.uplink.wire import Message, Topics, authority_message

_SETTLE_SHARE = 0.6
"""Of the wait: when some of what was asked for is still held by another terminal, the session is told the rest by
then, so that it can act on it within its own limit."""


_Spoken = TypeVar("_Spoken", AuthoriseAnswer, ReleaseRequest)


class Releases(Protocol):
    """Where release requests go; called from the uplink thread, must not block."""

    def offer(self, request: ReleaseRequest) -> None:
        """Give an entitlement back as soon as the main thread can."""


@dataclass
class _Open:
    request_id: str
    ask: AskAuthority
    until_s: float
    settle_s: float
    sent: bool = False
    partial: tuple[Decision, ...] = ()


class AuthorityDesk:
    """One terminal's requests. key: signs them; centre: whose signature answers must have.

    wait_s: how long a session waits. post: gets AuthorityAnswered. clock: monotonic seconds, the worker's.
    """

    def __init__(
        self,
        topics: Topics,
        key: Ed25519PrivateKey,
        centre: Ed25519PublicKey,
        *,
        wait_s: float,
        post: Callable[[AuthorityAnswered], None],
        releases: Releases,
        report: Report,
        clock: Callable[[], float] = time.monotonic,
        utc_now: Callable[[], datetime] = lambda: datetime.now(timezone.utc),
    ) -> None:
        self._topics = topics
        self._key = key
        self._centre = centre
        self._wait_s = wait_s
        self._post = post
        self._releases = releases
        self._report = report
        self._clock = clock
        self._utc_now = utc_now
        self._lock = threading.Lock()
        self._open: _Open | None = None
        self._unacknowledged: int | None = None

    @property
    def subscriptions(self) -> tuple[str, str]:
        """Topics that the link must listen to."""
        return self._topics.answers, self._topics.commands

    def ask(self, ask: AskAuthority) -> None:
        """Ask the centre as soon as there is a link, in place of whatever was asked before. From any thread."""
        now_s = self._clock()
        opened = _Open(new_request_id(), ask, now_s + self._wait_s, now_s + self._wait_s * _SETTLE_SHARE)
        with self._lock:
            self._open = opened

    def turn(self, send: Callable[[Message], int | None] | None) -> None:
        """Send what is to be sent, settle what has waited long enough. send: None while there is no link."""
        now_s = self._clock()
        with self._lock:
            opened = self._open
            if opened is not None and now_s >= opened.until_s:
                self._open = opened = None
        if opened is None:
            return
        if opened.partial and now_s >= opened.settle_s:
            self._settle(opened, opened.partial)
        elif not opened.sent and send is not None and self._unacknowledged is None:
            self._unacknowledged = send(self._request(opened, now_s))
            opened.sent = self._unacknowledged is not None

    def due_s(self) -> float | None:
        """When `turn` has something to do without being woken; None: nothing is open."""
        with self._lock:
            opened = self._open
        if opened is None:
            return None
        return opened.settle_s if opened.partial else opened.until_s

    def link_lost(self) -> None:
        """What was sent may not have arrived: it is sent again over the next link, while somebody waits."""
        self._unacknowledged = None
        with self._lock:
            if self._open is not None:
                self._open.sent = False

    def acknowledged(self, mid: int) -> bool:
        """A PUBACK came; whether it is the request's. Only then may another one be sent."""
        if mid != self._unacknowledged:
            return False
        self._unacknowledged = None
        return True

    def take(self, topic: str, payload: bytes) -> None:
        """A message came down. Nothing of it is believed before its signature."""
        try:
            if topic == self._topics.answers:
                self._answered(self._for_here(read_message(AuthoriseAnswer, payload, self._centre)))
            elif topic == self._topics.commands:
                self._releases.offer(self._for_here(read_message(ReleaseRequest, payload, self._centre)))
        except MessageRefusedError as error:
            self._report("message_refused", topic=topic, problem=str(error))

    def _for_here(self, message: _Spoken) -> _Spoken:
        if (message.site, message.terminal) != (self._topics.site, self._topics.terminal):
            raise MessageRefusedError("site, terminal: it is for another terminal")
        return message

    def _answered(self, answer: AuthoriseAnswer) -> None:
        with self._lock:
            opened = self._open
        if opened is None or opened.request_id != answer.request_id or self._clock() >= opened.until_s:
            self._report("answer_not_awaited", request=answer.request_id)
            return
        asked = set(opened.ask.entitlement_ids)
        decisions = tuple(one for one in answer.decisions if one.entitlement_id in asked)
        if answer.final:
            self._settle(opened, decisions)
        elif any(one.answer in ("granted", "claimed") for one in decisions):
            opened.partial = decisions

    def _settle(self, opened: _Open, decisions: tuple[Decision, ...]) -> None:
        """Tell the session, once."""
        with self._lock:
            if self._open is not opened:
                return
            self._open = None
        authorities = tuple(authority for one in decisions if (authority := one.authority()) is not None)
        claimed = tuple(one.entitlement_id for one in decisions if one.answer == "claimed")
        self._post(AuthorityAnswered(opened.ask.session_id, authorities, claimed))

    def _request(self, opened: _Open, now_s: float) -> Message:
        request = AuthoriseRequest(
            request_id=opened.request_id,
            site=self._topics.site,
            terminal=self._topics.terminal,
            at=self._utc_now(),
            entitlement_ids=list(opened.ask.entitlement_ids[:ENTITLEMENTS_MAX]),
        )
        expiry_s = max(1, round(opened.until_s - now_s))
        body = sign_message(request, self._key)
        return authority_message(self._topics.authorise, body, request.request_id, expiry_s, self._topics.answers)
