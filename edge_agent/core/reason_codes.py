"""A short code for every reason, for people on the telephone and for operations, and who has to act on it.

Rules: pure. A code is given once and for ever: slips with it lie in drawers. A new reason takes the next free number;
the number of a reason that is gone is not used again. Codes name nobody and stand in no record: the record has the
reason's own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from edge_agent.core.model import Reason


class Actor(str, Enum):
    """Who can do something about a reason first."""

    RECIPIENT = "recipient"
    OFFICER = "officer"
    TECHNICIAN = "technician"
    OFFICE = "office"
    NOBODY = "nobody"


@dataclass(frozen=True)
class ReasonCode:
    """code: "R" and two digits. actor: who acts first; the slip says what."""

    code: str
    actor: Actor


REASON_CODES: dict[Reason, ReasonCode] = {
    Reason.NOT_RECOGNISED: ReasonCode("R01", Actor.OFFICER),
    Reason.AMBIGUOUS: ReasonCode("R02", Actor.OFFICER),
    Reason.NOT_LIVE: ReasonCode("R03", Actor.RECIPIENT),
    Reason.COULD_NOT_TURN: ReasonCode("R04", Actor.OFFICER),
    Reason.TOKEN_REFUSED: ReasonCode("R05", Actor.OFFICER),
    Reason.NO_USABLE_VIEW: ReasonCode("R06", Actor.RECIPIENT),
    Reason.TOOK_TOO_LONG: ReasonCode("R07", Actor.RECIPIENT),
    Reason.PRINTER_UNAVAILABLE: ReasonCode("R08", Actor.OFFICER),
    Reason.TERMINAL_FAULT: ReasonCode("R09", Actor.TECHNICIAN),
    Reason.NOT_HOME: ReasonCode("R10", Actor.OFFICER),
    Reason.LEASE_EXPIRED: ReasonCode("R11", Actor.OFFICE),
    Reason.CLOCK_UNTRUSTED: ReasonCode("R12", Actor.TECHNICIAN),
    Reason.ROSTER_TOO_OLD: ReasonCode("R13", Actor.OFFICE),
    Reason.OFFLINE_TOO_LONG: ReasonCode("R14", Actor.TECHNICIAN),
    Reason.OFFLINE_LIMIT: ReasonCode("R15", Actor.TECHNICIAN),
    Reason.PROXY_ON_DUTY: ReasonCode("R16", Actor.OFFICER),
    Reason.ASSISTED_LIMIT: ReasonCode("R17", Actor.OFFICE),
    Reason.NO_ENTITLEMENT: ReasonCode("R18", Actor.OFFICE),
    Reason.ALREADY_CLAIMED: ReasonCode("R19", Actor.OFFICER),
    Reason.CLAIMED_ELSEWHERE: ReasonCode("R20", Actor.OFFICE),
    Reason.NOT_YET_VALID: ReasonCode("R21", Actor.RECIPIENT),
    Reason.NO_LONGER_VALID: ReasonCode("R22", Actor.OFFICE),
    Reason.SUSPENDED: ReasonCode("R23", Actor.OFFICE),
    Reason.WALKED_AWAY: ReasonCode("R24", Actor.NOBODY),
}
"""Every reason has one; a test compares them with what was printed before."""


def code_of(reason: Reason) -> str:
    """The code: "R07"."""
    return REASON_CODES[reason].code
