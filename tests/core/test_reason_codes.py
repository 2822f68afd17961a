"""Codes of reasons: one each, never another one again."""

from __future__ import annotations

from edge_agent.core.model import Outcome, Reason
from edge_agent.core.reason_codes import REASON_CODES, Actor, code_of

PRINTED = (
    "R01 not_recognised, R02 ambiguous, R03 not_live, R04 could_not_turn, R05 token_refused, R06 no_usable_view, "
    "R07 took_too_long, R08 printer_unavailable, R09 terminal_fault, R10 not_home, R11 lease_expired, "
    "R12 clock_untrusted, R13 roster_too_old, R14 offline_too_long, R15 offline_limit, R16 proxy_on_duty, "
    "R17 assisted_limit, R18 no_entitlement, R19 already_claimed, R20 claimed_elsewhere, R21 not_yet_valid, "
    "R22 no_longer_valid, R23 suspended, R24 walked_away"
)
"""Slips with these codes lie in drawers: this list is only ever added to."""


def test_every_reason_has_its_own_code() -> None:
    assert set(REASON_CODES) == set(Reason)
    assert len({entry.code for entry in REASON_CODES.values()}) == len(Reason)


def test_a_code_that_was_printed_means_the_same_for_ever() -> None:
    for printed in PRINTED.split(", "):
        code, name = printed.split()
        assert code_of(Reason(name)) == code


def test_somebody_acts_on_everything_that_is_printed() -> None:
    for reason, entry in REASON_CODES.items():
        assert (entry.actor is Actor.NOBODY) == (reason.outcome is Outcome.ABANDONED)
