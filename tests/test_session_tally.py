"""What is counted of sessions, and when repeated failures of liveness are told."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from edge_agent.core.messages import ReportEnd
from edge_agent.core.model import Outcome, Reason
from edge_agent.session_tally import SessionTally


def end(reason: Reason | None, pad_attempts: int = 1) -> ReportEnd:
    outcome = Outcome.GIVEN if reason is None else reason.outcome
    return ReportEnd("s", outcome, reason, 9.0, (), pad_attempts)


def test_sessions_are_counted_by_outcome_and_by_reason() -> None:
    tally = SessionTally()
    for reason in (None, None, Reason.COULD_NOT_TURN, Reason.ALREADY_CLAIMED):
        tally.count(end(reason), 1.0)
    assert tally.outcomes == {Outcome.GIVEN: 2, Outcome.REFERRED: 1, Outcome.NOT_ENTITLED: 1}
    assert tally.reasons == {Reason.COULD_NOT_TURN: 1, Reason.ALREADY_CLAIMED: 1}


@pytest.mark.parametrize(
    ("reason", "attempts", "failure"),
    [
        (Reason.NOT_LIVE, 2, True),
        (Reason.COULD_NOT_TURN, 2, True),
        (Reason.WALKED_AWAY, 1, True),
        (Reason.WALKED_AWAY, 0, False),
        (Reason.NOT_RECOGNISED, 1, False),
        (None, 2, False),
    ],
)
def test_what_counts_as_a_failure_of_liveness(reason: Reason | None, attempts: int, failure: bool) -> None:
    tally = SessionTally()
    tally.count(end(reason, attempts), 5.0)
    assert tally.liveness_failures(5.0) == failure


def test_six_failures_in_ten_minutes_are_told_once_and_forgotten_in_time() -> None:
    tally = SessionTally()
    with capture_logs() as logs:
        for minute in range(8):
            tally.count(end(Reason.NOT_LIVE), 60.0 * minute)
    assert [log["event"] for log in logs] == ["liveness_fails_often"]
    assert tally.liveness_failures(420.0) == 8
    assert tally.liveness_failures(601.0) == 7
    assert tally.liveness_failures(2000.0) == 0


def test_five_an_hour_are_nothing_unusual() -> None:
    tally = SessionTally()
    with capture_logs() as logs:
        for tenth in range(30):
            tally.count(end(Reason.NOT_LIVE), 200.0 * tenth)
    assert logs == []
