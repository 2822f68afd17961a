"""The worker threads as the agent sees them: built, started, watched, built anew within a budget, stopped.

Rules: a worker whose thread has ended before it was told to is built anew while its budget lasts; then its part stays
failed, and its heartbeat no longer counts, because a restart of the whole process would not mend it. What the dead one
had said of its parts is taken back: the new one knows nothing of it and speaks for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import structlog

from edge_agent.core.messages import Event, PartFailed, PartRecovered
from edge_agent.core.model import Part
from edge_agent.ports import TerminalError
from edge_agent.watchdog import Heartbeats, RestartBudget

_SPEAKS_FOR = {Part.VISION: (Part.VISION, Part.CAMERA)}
"""Parts a worker reports on besides the one it is called by."""

_log = structlog.get_logger("crew")


class Worker(Protocol):
    """A thread with an owner."""

    @property
    def alive(self) -> bool:
        """Whether its thread runs."""

    def start(self) -> None:
        """Start the thread; once."""

    def stop(self) -> None:
        """Ask it to end; returns at once."""

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it ended in time."""


AnyWorker = TypeVar("AnyWorker", bound=Worker)


class Slot(Generic[AnyWorker]):
    """A place for one worker. build: makes a fresh one, not started, that beats under the part's name."""

    def __init__(
        self,
        part: Part,
        build: Callable[[], AnyWorker],
        heartbeats: Heartbeats,
        budget: RestartBudget,
        silence_s: float,
    ) -> None:
        self.part = part
        self._build = build
        self._heartbeats = heartbeats
        self._budget = budget
        self._silence_s = silence_s
        self._stopping = False
        self._given_up = False
        self._started = False
        self.worker = build()

    def start(self) -> None:
        """Start the worker, and count its heartbeat from now on."""
        self._heartbeats.register(self.part.value, self._silence_s)
        self._started = True
        self.worker.start()

    def watch(self, now_s: float) -> list[Event]:
        """Replace a dead worker, or give it up; the events to post behind those that it left.

        The new one is started by the next call, so that nothing it says comes before them.
        """
        if self._stopping or self._given_up:
            return []
        if not self._started:
            self.start()
            return []
        if self.worker.alive:
            return []
        if self._budget.spend(now_s):
            try:
                self.worker = self._build()
            except TerminalError as error:
                _log.error("worker_not_rebuilt", part=self.part.value, problem=str(error))
                return [PartFailed(self.part, str(error))]
            self._started = False
            _log.warning("worker_replaced", part=self.part.value)
            return [PartRecovered(part) for part in _SPEAKS_FOR.get(self.part, (self.part,))]
        self._given_up = True
        self._heartbeats.forget(self.part.value)
        return [PartFailed(self.part, f"the {self.part.value} thread died too often; see the log, then restart")]

    def stop(self) -> None:
        """Ask the worker to end."""
        self._stopping = True
        self._heartbeats.forget(self.part.value)
        self.worker.stop()

    def join(self, until_s: float) -> bool:
        """Wait for its end until this monotonic instant; whether it ended."""
        return not self._started or self.worker.join(max(0.0, until_s - time.monotonic()))
