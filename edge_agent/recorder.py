"""The agent's hand on the store: writes what must be recorded, and keeps what could not be written until it can.

Rules: main thread only. A failed write is told once as `PartFailed(STORE)`, and again when its reason changes; what
waits, that failure itself included, is written in order, with the time at which it happened, before the store counts as
recovered. What waits is lost only if the process ends meanwhile, and nobody was given anything for it: a claim that
can't be committed is refused on the spot.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog

from edge_agent.core.messages import (
    ActRecorded,
    AuthorityNeeded,
    ClaimRecorded,
    ClaimRefused,
    Event,
    MarkSlip,
    OutcomeRecorded,
    PartFailed,
    PartRecovered,
    RecordAct,
    RecordClaim,
    RecordFailed,
    RecordOutcome,
)
from edge_agent.core.model import MatchKind, PadVerdict, Part, Reason, Timestamp
from edge_agent.core.officer_acts import ActRequest
from edge_agent.ports import StoreError

RETRY_S = 5.0
WAITING_MAX = 1000
"""Writes kept while the store is down. The terminal is closed by then, so only slips' ends and failures come in."""

_log = structlog.get_logger("recorder")


class RecordStore(Protocol):
    """What the recorder needs of `store.Store`; every method may raise StoreError, and then wrote nothing."""

    def record_claim(self, request: RecordClaim, at: Timestamp) -> ClaimRecorded | ClaimRefused | AuthorityNeeded:
        """Decide and commit a claim, or say that the centre must be asked first."""

    def record_outcome(self, request: RecordOutcome, at: Timestamp) -> OutcomeRecorded:
        """Commit an outcome without a claim."""

    def record_act(self, request: ActRequest, at: Timestamp) -> ActRecorded:
        """Check and commit an officer's act."""

    def mark_slip(self, mark: MarkSlip, at: Timestamp) -> None:
        """Commit whether a slip came out."""

    def record_terminal_event(self, kind: str, data: Mapping[str, Any], at: Timestamp) -> None:
        """Commit an event of the terminal itself."""


class Recorder:
    """Writes through a store. wake: called after each commit, so that the uplink looks into its outbox."""

    def __init__(
        self, store: RecordStore, now: Callable[[], Timestamp], wake: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._now = now
        self._wake = wake
        self._waiting: deque[Callable[[], object]] = deque()
        self._problem = ""
        self._retry_s = 0.0

    @property
    def waiting(self) -> int:
        """Writes kept for later."""
        return len(self._waiting)

    def record(self, request: RecordClaim | RecordOutcome, now_s: float) -> list[Event]:
        """Commit an outcome and answer with the session's event; on failure that is RecordFailed, and why."""
        at = self._now()
        try:
            answer = self._write(request, at)
        except StoreError as error:
            self._keep(lambda: self._store.record_outcome(_referred(request), at))
            return [RecordFailed(request.session_id, str(error)), *self._fail(error, now_s)]
        if not isinstance(answer, AuthorityNeeded):
            self._wake()
        return [answer]

    def record_act(self, act: RecordAct, now_s: float) -> list[Event]:
        """Commit an officer's act; on failure nothing was done, and the officer sees it and may try again."""
        try:
            answer = self._store.record_act(act.request, self._now())
        except StoreError as error:
            return [RecordFailed(act.request.act_id, str(error)), *self._fail(error, now_s)]
        self._wake()
        return [answer]

    def mark_slip(self, mark: MarkSlip, now_s: float) -> list[Event]:
        """Commit whether a slip came out, now or as soon as the store works."""
        at = self._now()
        return self._commit(lambda: self._store.mark_slip(mark, at), now_s)

    def note(self, kind: str, data: Mapping[str, Any], now_s: float) -> list[Event]:
        """Commit an event of the terminal itself, now or as soon as the store works."""
        at = self._now()
        return self._commit(lambda: self._store.record_terminal_event(kind, data, at), now_s)

    def retry(self, now_s: float) -> list[Event]:
        """While the store is down, every RETRY_S: write what waits; all written: the store has recovered."""
        if not self._problem or now_s < self._retry_s:
            return []
        return self._write_waiting(now_s)

    def finish(self, now_s: float) -> None:
        """The process ends: a last try, and a word on what is lost if it fails."""
        if self._problem:
            self._write_waiting(now_s)
        if self._waiting:
            _log.error("records_lost", count=len(self._waiting), problem=self._problem, remedy="nothing was given")

    def _write_waiting(self, now_s: float) -> list[Event]:
        try:
            while self._waiting:
                self._waiting[0]()
                self._waiting.popleft()
            self._store.record_terminal_event("part.recovered", {"part": Part.STORE.value}, self._now())
        except StoreError as error:
            self._retry_s = now_s + RETRY_S
            return self._tell(error)
        self._problem = ""
        self._wake()
        return [PartRecovered(Part.STORE)]

    def _write(self, request: RecordClaim | RecordOutcome, at: Timestamp) -> Event:
        if isinstance(request, RecordClaim):
            return self._store.record_claim(request, at)
        return self._store.record_outcome(request, at)

    def _commit(self, write: Callable[[], object], now_s: float) -> list[Event]:
        if self._problem:
            self._keep(write)
            return []
        try:
            write()
        except StoreError as error:
            self._keep(write)
            return self._fail(error, now_s)
        self._wake()
        return []

    def _keep(self, write: Callable[[], object]) -> None:
        if len(self._waiting) >= WAITING_MAX:
            _log.error(
                "record_dropped", waiting=len(self._waiting), remedy="free disk space, then restart the terminal"
            )
            return
        self._waiting.append(write)

    def _fail(self, error: StoreError, now_s: float) -> list[Event]:
        if self._problem:
            return self._tell(error)
        self._retry_s = now_s + RETRY_S
        at, data = self._now(), {"part": Part.STORE.value, "problem": str(error)}
        self._keep(lambda: self._store.record_terminal_event("part.failed", data, at))
        return self._tell(error)

    def _tell(self, error: StoreError) -> list[Event]:
        """The failure, when it is not the one told last."""
        if str(error) == self._problem:
            return []
        self._problem = str(error)
        return [PartFailed(Part.STORE, self._problem)]


def _referred(request: RecordClaim | RecordOutcome) -> RecordOutcome:
    """What the person was told when their outcome could not be committed: the terminal failed, see an officer."""
    if isinstance(request, RecordOutcome):
        pad, attempts, kind, cues = request.pad, request.pad_attempts, request.kind, request.pad_cues
        reason = request.reason if request.reason is Reason.WALKED_AWAY else Reason.TERMINAL_FAULT
    elif request.evidence is not None:
        evidence = request.evidence
        pad, attempts, kind, cues = evidence.pad, evidence.pad_attempts, evidence.kind, evidence.pad_cues
        reason = Reason.TERMINAL_FAULT
    else:
        pad, attempts, kind, cues = PadVerdict.NOT_ASKED, 0, MatchKind.VERIFICATION, ()
        reason = Reason.TERMINAL_FAULT
    return RecordOutcome(request.session_id, reason.outcome, reason, kind, pad, attempts, cues)
