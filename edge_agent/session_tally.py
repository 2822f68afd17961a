"""How sessions have ended since the agent started: by outcome, by reason, and how often liveness failed lately.

Rules: counts only, nothing of anybody. Nothing in the session itself limits how often somebody may try to pass for
living, so the count of the last minutes is what tells operations that somebody does (docs/liveness.md).
"""

from __future__ import annotations

from collections import Counter, deque

import structlog

from edge_agent.core.messages import ReportEnd
from edge_agent.core.model import Outcome, Reason

FAILURES_WITHIN_S = 600.0
FAILURES_USUAL = 5
"""Up to so many in ten minutes are a tired queue; of ten blind guesses at the order one nearly always passes."""

_log = structlog.get_logger("sessions")


class SessionTally:
    """Counts what `ReportEnd` says. Main thread only; what it hands out are copies."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._reasons: Counter[Reason] = Counter()
        self._failures_s: deque[float] = deque()

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Sessions ended, by outcome."""
        return dict(self._outcomes)

    @property
    def reasons(self) -> dict[Reason, int]:
        """Sessions ended without a claim, by reason."""
        return dict(self._reasons)

    def count(self, end: ReportEnd, now_s: float) -> None:
        """A session ended. now_s: monotonic seconds."""
        self._outcomes[end.outcome] += 1
        if end.reason is not None:
            self._reasons[end.reason] += 1
        failed = end.reason in (Reason.NOT_LIVE, Reason.COULD_NOT_TURN)
        if failed or (end.reason is Reason.WALKED_AWAY and end.pad_attempts > 0):
            self._failures_s.append(now_s)
            if self.liveness_failures(now_s) == FAILURES_USUAL + 1:
                _log.warning(
                    "liveness_fails_often",
                    count=FAILURES_USUAL + 1,
                    within_s=FAILURES_WITHIN_S,
                    remedy="look who stands there: somebody may be trying, or the light may be bad",
                )

    def liveness_failures(self, now_s: float) -> int:
        """Sessions of the last ten minutes that failed as not live, or were left once turns had been asked for."""
        while self._failures_s and now_s - self._failures_s[0] > FAILURES_WITHIN_S:
            self._failures_s.popleft()
        return len(self._failures_s)
