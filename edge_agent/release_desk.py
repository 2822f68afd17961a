"""Release requests of the centre, from the uplink thread to the main thread, which alone writes the store.

Rules: `offer` from any thread, never blocking; `settle` on the main thread, between events, so that a release and a
claim never run into each other. A request that can't be recorded now is tried again while it can still matter to
somebody; after that it is let go, since the centre asks again when it is needed.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable
from typing import Protocol

import structlog

from edge_agent.authority_message import ReleaseRequest
from edge_agent.core.model import Timestamp
from edge_agent.ports import StoreError

WAITING_MAX = 100
REMEMBERED_MAX = 1000
"""Requests known by their id, so that one that comes twice is recorded once."""
RETRY_S = 1.0
TRIES_MAX = 5

_log = structlog.get_logger("release")


class ReleaseStore(Protocol):
    """What the desk needs of `store.Store`."""

    def release(self, entitlement_id: str, grant_number: int, at: Timestamp) -> object:
        """Give it back, or record that nothing is left. Raises StoreError: nothing changed."""


class ReleaseDesk:
    """wake: called after each commit, so that the answer goes up at once."""

    def __init__(self, store: ReleaseStore, now: Callable[[], Timestamp], wake: Callable[[], None]) -> None:
        self._store = store
        self._now = now
        self._wake = wake
        self._waiting: queue.Queue[ReleaseRequest] = queue.Queue(WAITING_MAX)
        self._seen: deque[str] = deque(maxlen=REMEMBERED_MAX)
        self._stuck: ReleaseRequest | None = None
        self._tries = 0
        self._due_s = 0.0

    def offer(self, request: ReleaseRequest) -> None:
        """Take a request whose signature holds; too many at once are let go."""
        try:
            self._waiting.put_nowait(request)
        except queue.Full:
            _log.warning("release_dropped", request=request.request_id, waiting=WAITING_MAX)

    def settle(self, now_s: float) -> None:
        """Record what waits; call it every tick. now_s: monotonic seconds."""
        if self._stuck is not None and now_s < self._due_s:
            return
        while (request := self._next()) is not None:
            try:
                self._store.release(request.entitlement_id, request.grant_number, self._now())
            except StoreError as error:
                self._put_off(request, now_s, error)
                return
            self._stuck, self._tries = None, 0
            self._seen.append(request.request_id)
            _log.info("released", entitlement=request.entitlement_id, grant=request.grant_number)
            self._wake()

    def _next(self) -> ReleaseRequest | None:
        if self._stuck is not None:
            return self._stuck
        while True:
            try:
                request = self._waiting.get_nowait()
            except queue.Empty:
                return None
            if request.request_id not in self._seen:
                return request

    def _put_off(self, request: ReleaseRequest, now_s: float, error: StoreError) -> None:
        self._stuck, self._tries = request, self._tries + 1
        self._due_s = now_s + RETRY_S
        if self._tries >= TRIES_MAX:
            _log.warning("release_given_up", request=request.request_id, problem=str(error))
            self._stuck, self._tries = None, 0
