"""What an officer may do at a terminal without a screen, by badge and command cards, and what comes of it.

Rules: values only. Every act is recorded with the officer's opaque id and bounded by policy; none of them ever counts
as biometric evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum

from edge_agent.core.model import Receipt


class AssistReason(str, Enum):
    """Why an officer vouches for somebody whom the terminal could not recognise by face."""

    FACE_FAILED = "face_failed"
    CANNOT_TURN = "cannot_turn"
    VEIL = "veil"
    INJURY = "injury"
    BEDRIDDEN = "bedridden"


class Act(str, Enum):
    """What a command card asks for. SIGN_IN has no card: it is the badge itself, recorded each time the desk opens."""

    SIGN_IN = "sign_in"
    ASSIST = "assist"
    REPRINT = "reprint"
    VOID = "void"
    DAY_END = "day_end"
    CLOSE = "close"
    OPEN = "open"
    REFERRAL_RESOLVED = "referral_resolved"
    CANCEL = "cancel"


@dataclass(frozen=True)
class Command:
    """One command card. reason: with ASSIST only."""

    act: Act
    reason: AssistReason | None = None


@dataclass(frozen=True)
class Assistance:
    """Who vouched for a recipient, and why; stands where a face's evidence would."""

    officer_id: str
    reason: AssistReason


class ActProblem(str, Enum):
    """Why an act was not done. Each has a text in the catalogue (`officer.<value>`) and on the officers' page."""

    LIMIT_REACHED = "limit_reached"
    SAME_OFFICER = "same_officer"
    UNKNOWN_CASE = "unknown_case"
    NOTHING_TO_PRINT = "nothing_to_print"
    NOT_A_CLAIM = "not_a_claim"
    ALREADY_VOID = "already_void"
    NOT_A_REFERRAL = "not_a_referral"
    ALREADY_RESOLVED = "already_resolved"
    TERMINAL_FAULT = "terminal_fault"


@dataclass(frozen=True)
class ActRequest:
    """One officer's act, complete. case_number: of the slip that was shown, for REPRINT, VOID, REFERRAL_RESOLVED;
    subject_id: of the card shown instead, for REPRINT. second_officer_id: with VOID."""

    act_id: str
    act: Act
    officer_id: str
    second_officer_id: str | None = None
    case_number: str | None = None
    subject_id: str | None = None


@dataclass(frozen=True)
class DayTotals:
    """One local day at one terminal. Counts of sessions unless said; reasons and units sorted by name.

    given: sessions that ended GIVEN, assisted ones included. claims: made this day, also those voided since. voided:
    claims voided this day, also earlier ones. unprinted: outcomes whose slip is not known to have come out. value:
    given this day and not voided, by unit. reprinted: slips printed again.
    """

    day: str
    given: int
    claims: int
    referred: tuple[tuple[str, int], ...]
    not_entitled: tuple[tuple[str, int], ...]
    abandoned: int
    assisted: int
    voided: int
    reprinted: int
    resolved: int
    unprinted: int
    value: tuple[tuple[str, Decimal], ...]

    @property
    def served(self) -> int:
        """Sessions of people who stayed to the end."""
        return self.given + sum(n for _, n in self.referred) + sum(n for _, n in self.not_entitled)

    @property
    def exceptions(self) -> int:
        """Sessions that did not go by the terminal alone: referred, or given with an officer's help."""
        return self.assisted + sum(n for _, n in self.referred)


@dataclass(frozen=True)
class ActReceipt:
    """The store's answer: done and recorded, or why not (recorded too).

    copy: the receipt to print again, for REPRINT, and the voided one, for VOID. totals: for DAY_END; its own record is
    then the ledger's head.
    """

    act_id: str
    act: Act
    officer_id: str
    recorded_at: datetime
    record_seq: int
    record_hash: str
    problem: ActProblem | None = None
    case_number: str = ""
    copy: Receipt | None = None
    copy_number: int = 0
    totals: DayTotals | None = None
    second_officer_id: str | None = None
