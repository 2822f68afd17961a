"""The agent's inbox: where the worker threads' events wait for the main thread.

Rules: an observation may be dropped, since the next frame brings another; nothing else ever is. Posting never blocks.
"""

from __future__ import annotations

import queue
import threading

from edge_agent.core.messages import Event, FaceObserved
from edge_agent.core.model import FaceObservation


class Inbox:
    """Events in order of arrival; at most `observations_max` observations wait at once."""

    def __init__(self, observations_max: int = 2) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._observations_max = observations_max
        self._waiting = 0
        self._dropped = 0
        self._lock = threading.Lock()

    @property
    def dropped(self) -> int:
        """Observations dropped since the start."""
        return self._dropped

    def post(self, event: Event) -> None:
        """Add an event; from any thread."""
        self._events.put(event)

    def offer(self, observation: FaceObservation) -> None:
        """Add an observation, or drop it when enough wait; from any thread."""
        with self._lock:
            if self._waiting >= self._observations_max:
                self._dropped += 1
                return
            self._waiting += 1
        self._events.put(FaceObserved(observation))

    def take(self, timeout_s: float) -> Event | None:
        """The oldest event, waiting up to timeout_s (0: not at all); None when there is none. Main thread only."""
        try:
            event = self._events.get(block=timeout_s > 0, timeout=timeout_s if timeout_s > 0 else None)
        except queue.Empty:
            return None
        if isinstance(event, FaceObserved):
            with self._lock:
                self._waiting -= 1
        return event
