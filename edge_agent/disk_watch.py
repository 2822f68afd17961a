"""Looks at the free space now and then, so that a filling disk is told while that can still be written.

Rules: told once when it gets low and once when there is enough again; people are served all the while, because a claim
needs a few kilobytes. A disk that is really full shows as a failed write (`recorder.py`).
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from edge_agent.ports import StoreError

LOOK_EVERY_S = 60.0

_log = structlog.get_logger("disk")


class DiskWatch:
    """check: raises StoreError, with the remedy, while there is less space than the settings want."""

    def __init__(self, check: Callable[[], object] = lambda: None) -> None:
        self._check = check
        self._low = False
        self._due_s = 0.0

    def look(self, now_s: float) -> tuple[str, dict[str, object]] | None:
        """Look if it is time; the terminal event to record (kind, data) when something changed."""
        if now_s < self._due_s:
            return None
        self._due_s = now_s + LOOK_EVERY_S
        try:
            self._check()
        except StoreError as error:
            if self._low:
                return None
            self._low = True
            _log.warning("disk_low", problem=str(error))
            return "disk.low", {"problem": str(error)}
        if not self._low:
            return None
        self._low = False
        _log.info("disk_recovered")
        return "disk.recovered", {}
