"""What is counted of sessions, and when repeated failures of liveness are told."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from edge_agent.core.messages import ReportEnd
from edge_agent.core.model import Outcome, Reason
from edge_agent.session_tally import SPREAD_LIMIT, SessionTally
from edge_agent.uplink.wire import Spread


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


def served(duration_s: float, waited_s: float = 0.0, reason: Reason | None = None, assisted: bool = False) -> ReportEnd:
    outcome = Outcome.GIVEN if reason is None else reason.outcome
    return ReportEnd("s", outcome, reason, duration_s, (), 1, waited_s, assisted)


def test_how_long_people_waited_and_were_served() -> None:
    tally = SessionTally()
    assert tally.service(0.0) == Spread(0, None, None, None)
    for number in range(1, 101):
        tally.count(served(float(number), waited_s=number * 2.0), float(number))
    assert tally.service(100.0) == Spread(100, 50.5, 95.0, 100.0)
    assert tally.waited(100.0) == Spread(100, 101.0, 190.0, 200.0)


def test_who_left_is_not_among_those_served_and_who_was_referred_is() -> None:
    tally = SessionTally()
    tally.count(served(40.0, reason=Reason.WALKED_AWAY), 1.0)
    tally.count(served(20.0, reason=Reason.NOT_RECOGNISED), 2.0)
    assert tally.service(3.0) == Spread(1, 20.0, 20.0, 20.0)


def test_only_the_last_hour_is_told_and_memory_is_bounded() -> None:
    tally = SessionTally()
    tally.count(served(99.0), 0.0)
    tally.count(served(5.0), 3000.0)
    assert tally.service(3600.0).count == 2
    assert tally.service(3600.1) == Spread(1, 5.0, 5.0, 5.0)
    for _ in range(SPREAD_LIMIT + 50):
        tally.count(served(7.0), 3601.0)
    assert tally.service(3601.0).count == SPREAD_LIMIT


def test_assisted_sessions_are_counted() -> None:
    tally = SessionTally()
    for assisted in (True, False, True):
        tally.count(served(5.0, assisted=assisted), 1.0)
    assert tally.assisted == 2
