"""What an officer's act needs: the right slip, two officers for a void, and a number left for today."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.act_rules import CaseFacts, problem_of
from edge_agent.core.model import Outcome
from edge_agent.core.officer_acts import Act, ActProblem, ActRequest
from edge_agent.core.policy import OfficerLimits

LIMITS = OfficerLimits(assisted_per_day=20, reprints_per_day=30, voids_per_day=3)
GIVEN, REFERRED = CaseFacts(Outcome.GIVEN), CaseFacts(Outcome.REFERRED)
VOID = ActRequest("a", Act.VOID, "o1", "o2", "K7Q4-0012")
REPRINT = ActRequest("a", Act.REPRINT, "o1", case_number="K7Q4-0012")
BY_CARD = ActRequest("a", Act.REPRINT, "o1", subject_id="s1")
RESOLVED = ActRequest("a", Act.REFERRAL_RESOLVED, "o1", case_number="K7Q4-0012")


@pytest.mark.parametrize(
    ("request_", "case", "problem"),
    [
        (VOID, GIVEN, None),
        (VOID, None, ActProblem.UNKNOWN_CASE),
        (VOID, REFERRED, ActProblem.NOT_A_CLAIM),
        (VOID, CaseFacts(Outcome.GIVEN, void=True), ActProblem.ALREADY_VOID),
        (ActRequest("a", Act.VOID, "o1", "o1", "c"), GIVEN, ActProblem.SAME_OFFICER),
        (ActRequest("a", Act.VOID, "o1", None, "c"), GIVEN, ActProblem.SAME_OFFICER),
        (REPRINT, GIVEN, None),
        (REPRINT, REFERRED, None),
        (REPRINT, None, ActProblem.UNKNOWN_CASE),
        (BY_CARD, None, ActProblem.NOTHING_TO_PRINT),
        (ActRequest("a", Act.REPRINT, "o1"), None, ActProblem.UNKNOWN_CASE),
        (REPRINT, CaseFacts(Outcome.ABANDONED), ActProblem.NOTHING_TO_PRINT),
        (REPRINT, CaseFacts(Outcome.GIVEN, void=True), ActProblem.ALREADY_VOID),
        (RESOLVED, REFERRED, None),
        (RESOLVED, GIVEN, ActProblem.NOT_A_REFERRAL),
        (RESOLVED, CaseFacts(Outcome.REFERRED, resolved=True), ActProblem.ALREADY_RESOLVED),
        (RESOLVED, None, ActProblem.UNKNOWN_CASE),
        *((ActRequest("a", act, "o1"), None, None) for act in (Act.SIGN_IN, Act.DAY_END, Act.CLOSE, Act.OPEN)),
    ],
)
def test_the_right_slip_and_two_officers(
    request_: ActRequest, case: CaseFacts | None, problem: ActProblem | None
) -> None:
    assert problem_of(request_, case, 0, LIMITS) is problem


@given(done=st.integers(0, 100), most=st.integers(0, 50), act=st.sampled_from(list(Act)))
def test_an_act_is_bounded_exactly_where_policy_says(done: int, most: int, act: Act) -> None:
    limits = OfficerLimits(reprints_per_day=most, voids_per_day=most)
    case = REFERRED if act is Act.REFERRAL_RESOLVED else GIVEN
    problem = problem_of(ActRequest("a", act, "o1", "o2", "K7Q4-0012"), case, done, limits)
    bounded = act in (Act.REPRINT, Act.VOID)
    assert problem is (ActProblem.LIMIT_REACHED if bounded and done >= most else None)


def test_a_wrong_slip_is_told_before_a_limit() -> None:
    assert problem_of(VOID, REFERRED, 99, LIMITS) is ActProblem.NOT_A_CLAIM
