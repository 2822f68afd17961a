"""Whether an officer's act may be done: two officers for a void, limits per officer and local day, and the right slip.

Rules: pure. What was shown must fit the act before anything else is looked at, so that the officer is told of the wrong
slip rather than of a limit. A void counts for both officers: two who take turns don't get twice as many. Limits are
those of the roster's policy; day end, closing, opening and resolving are not bounded, since they give nothing. How
often an officer vouches is bounded where that claim is decided (`store.claims`).
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.core.model import Outcome
from edge_agent.core.officer_acts import Act, ActProblem, ActRequest
from edge_agent.core.policy import OfficerLimits


@dataclass(frozen=True)
class CaseFacts:
    """The case that an act is about. void: no claim of it stands any more. resolved: an officer has settled it."""

    outcome: Outcome
    void: bool = False
    resolved: bool = False


def problem_of(
    request: ActRequest, case: CaseFacts | None, done_today: int, limits: OfficerLimits
) -> ActProblem | None:
    """Why this act is not done; None: it is.

    case: of the slip or card that was shown, None when this terminal knows none. done_today: acts of this kind by this
    officer in this local day, for a void the greater of both officers' numbers.
    """
    unfit = _unfit(request, case)
    if unfit is not None:
        return unfit
    if request.act is Act.VOID and request.second_officer_id in (None, request.officer_id):
        return ActProblem.SAME_OFFICER
    most = {Act.REPRINT: limits.reprints_per_day, Act.VOID: limits.voids_per_day}.get(request.act)
    return ActProblem.LIMIT_REACHED if most is not None and done_today >= most else None


def _unfit(request: ActRequest, case: CaseFacts | None) -> ActProblem | None:
    """What is wrong with the slip or card that was shown."""
    if request.act not in (Act.REPRINT, Act.VOID, Act.REFERRAL_RESOLVED):
        return None
    if case is None:
        return ActProblem.UNKNOWN_CASE if request.subject_id is None else ActProblem.NOTHING_TO_PRINT
    if request.act is Act.REFERRAL_RESOLVED:
        if case.outcome is not Outcome.REFERRED:
            return ActProblem.NOT_A_REFERRAL
        return ActProblem.ALREADY_RESOLVED if case.resolved else None
    if request.act is Act.VOID and case.outcome is not Outcome.GIVEN:
        return ActProblem.NOT_A_CLAIM
    if case.outcome is Outcome.ABANDONED:
        return ActProblem.NOTHING_TO_PRINT
    return ActProblem.ALREADY_VOID if case.void else None
