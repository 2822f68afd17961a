"""The uplink's own way into the outbox: opened late, closed on trouble, opened again after a while.

Rule: a StoreError (disk full, database locked or damaged) ends here. It is told once, and the rows stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from edge_agent.ports import Outbox, StoreError
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.troubles import Troubles

T = TypeVar("T")


class OutboxAccess:
    """One connection at a time, made by `factory` in the calling thread."""

    def __init__(self, factory: Callable[[], Outbox], backoff: Backoff, troubles: Troubles) -> None:
        self._factory = factory
        self._backoff = backoff
        self._troubles = troubles
        self._outbox: Outbox | None = None
        self.due_s = 0.0
        """Not before then is the outbox tried again."""

    def use(self, action: Callable[[Outbox], T], now_s: float) -> T | None:
        """What the action gives, or None when the outbox can't be used now."""
        if now_s < self.due_s:
            return None
        try:
            if self._outbox is None:
                self._outbox = self._factory()
            result = action(self._outbox)
        except StoreError as error:
            self.close()
            self.due_s = now_s + self._backoff.next_s()
            self._troubles.tell("outbox", f"the outbox can't be used: {error}")
            return None
        self._backoff.reset()
        self._troubles.clear("outbox")
        return result

    def close(self) -> None:
        """Close the connection; the next use opens another."""
        outbox, self._outbox = self._outbox, None
        if outbox is None:
            return
        try:
            outbox.close()
        except StoreError as error:
            self._troubles.tell("outbox", f"the outbox can't be closed: {error}")
