"""How sessions have ended since the agent started: by outcome, by reason, how often liveness failed lately, and how
long people of the last hour waited and were served.

Rules: counts and seconds only, nothing of anybody; memory is bounded. Nothing in the session itself limits how often
somebody may try to pass for living, so the count of the last minutes is what tells operations that somebody does
(docs/liveness.md).
"""

from __future__ import annotations

import math
import statistics
from collections import Counter, deque
from dataclasses import dataclass

import structlog

from edge_agent.core.messages import ReportEnd
from edge_agent.core.model import Outcome, Reason
from edge_agent.uplink.wire import Spread

FAILURES_WITHIN_S = 600.0
FAILURES_USUAL = 5
"""Up to so many in ten minutes are a tired queue; of ten blind guesses at the order one nearly always passes."""

SPREAD_WITHIN_S = 3600.0
"""An hour: long enough for a percentile, short enough that the morning's queue is not told in the evening."""
SPREAD_LIMIT = 600
"""People kept at most: one every six seconds for an hour; more can't be served."""

_log = structlog.get_logger("sessions")


@dataclass(frozen=True)
class _Served:
    """One person who stayed to the end; monotonic seconds, and seconds."""

    ended_s: float
    service_s: float
    waited_s: float


class SessionTally:
    """Counts what `ReportEnd` says. Main thread only; what it hands out are copies."""

    def __init__(self) -> None:
        self._outcomes: Counter[Outcome] = Counter()
        self._reasons: Counter[Reason] = Counter()
        self._failures_s: deque[float] = deque()
        self._served: deque[_Served] = deque(maxlen=SPREAD_LIMIT)
        self._assisted = 0

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Sessions ended, by outcome."""
        return dict(self._outcomes)

    @property
    def reasons(self) -> dict[Reason, int]:
        """Sessions ended without a claim, by reason."""
        return dict(self._reasons)

    @property
    def assisted(self) -> int:
        """Sessions in which an officer vouched."""
        return self._assisted

    def count(self, end: ReportEnd, now_s: float) -> None:
        """A session ended. now_s: monotonic seconds."""
        self._outcomes[end.outcome] += 1
        self._assisted += end.assisted
        if end.outcome is not Outcome.ABANDONED:
            self._served.append(_Served(now_s, end.duration_s, end.waited_s))
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

    def service(self, now_s: float) -> Spread:
        """How long people of the last hour were served, who stayed to the end."""
        return _spread([served.service_s for served in self._lately(now_s)])

    def waited(self, now_s: float) -> Spread:
        """How long the same people had been seen waiting."""
        return _spread([served.waited_s for served in self._lately(now_s)])

    def _lately(self, now_s: float) -> deque[_Served]:
        while self._served and now_s - self._served[0].ended_s > SPREAD_WITHIN_S:
            self._served.popleft()
        return self._served


def _spread(seconds: list[float]) -> Spread:
    if not seconds:
        return Spread()
    ordered = sorted(seconds)
    nearest_rank = math.ceil(0.95 * len(ordered)) - 1
    median_s = round(statistics.median(ordered), 1)
    return Spread(len(ordered), median_s, round(ordered[nearest_rank], 1), round(ordered[-1], 1))
