"""Everything that goes into the session (events, past tense) and comes out of it (effects, imperative).

Rules: values only. The agent turns the world into events and effects into the world; nothing else may.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_agent.core.model import (
    Evidence,
    FaceObservation,
    MatchKind,
    Outcome,
    PadVerdict,
    Part,
    PrinterStatus,
    Reason,
    Receipt,
    Signal,
)
from edge_agent.core.officer_acts import ActReceipt, ActRequest, Assistance, Command
from edge_agent.core.policy import Authority


@dataclass(frozen=True)
class Ticked:
    """Time passed (every 100 ms)."""


@dataclass(frozen=True, eq=False)
class FaceObserved:
    """The vision worker looked at a frame."""

    observation: FaceObservation


@dataclass(frozen=True)
class TokenPresented:
    """A verified token named a subject: this session is 1:1."""

    subject_id: str


@dataclass(frozen=True)
class TokenRefused:
    """A code was held up that is no token, or one that is not taken.

    problem: foreign, damaged, expired, revoked or unknown_subject; badge_… and command_… for what officers hold up.
    serial: opaque; empty when it can't be believed. again: it has just been told and need not be recorded; the session
    may only now be one that it matters to.
    """

    problem: str
    serial: str = ""
    again: bool = False

    @property
    def of_officer(self) -> bool:
        """It was to be a badge or a command card: it says nothing of the recipient in front."""
        return self.problem.startswith(("badge_", "command_"))


@dataclass(frozen=True)
class BadgeShown:
    """An officer of this roster showed their badge; its signature holds, it is neither expired nor revoked."""

    officer_id: str


@dataclass(frozen=True)
class CommandShown:
    """A command card was held up. Anybody can draw one: it means nothing without a badge before it."""

    command: Command


@dataclass(frozen=True)
class SlipShown:
    """A slip of this very terminal was held up; its signature holds."""

    case_number: str


@dataclass(frozen=True)
class AuthorityNeeded:
    """The claim could be given if the centre said so; nothing was recorded yet."""

    session_id: str
    entitlement_ids: tuple[str, ...]


@dataclass(frozen=True)
class AuthorityAnswered:
    """The centre's word: what it grants. claimed: given elsewhere already, by its books."""

    session_id: str
    authorities: tuple[Authority, ...] = ()
    claimed: tuple[str, ...] = ()


@dataclass(frozen=True)
class ActRecorded:
    """An officer's act is done, or refused, and that is committed to disk."""

    receipt: ActReceipt


@dataclass(frozen=True)
class PrinterStatusReported:
    """The printer answered a status request, or couldn't."""

    status: PrinterStatus


@dataclass(frozen=True)
class ClaimRecorded:
    """The claim is committed to disk; only this may lead to a GIVEN slip."""

    receipt: Receipt


@dataclass(frozen=True)
class ClaimRefused:
    """The claim was not made; the refusal itself is committed to disk."""

    receipt: Receipt


@dataclass(frozen=True)
class OutcomeRecorded:
    """An outcome without a claim is committed to disk."""

    receipt: Receipt


@dataclass(frozen=True)
class RecordFailed:
    """The store could not commit (disk full, database damaged): nothing was recorded."""

    session_id: str
    problem: str


@dataclass(frozen=True)
class SlipPrinted:
    """The printer confirmed that the slip of this session came out."""

    session_id: str


@dataclass(frozen=True)
class SlipFailed:
    """The slip did not come out whole."""

    session_id: str
    problem: str


@dataclass(frozen=True)
class PartFailed:
    """A part stopped working. `problem` is for technicians and names the remedy."""

    part: Part
    problem: str


@dataclass(frozen=True)
class PartRecovered:
    """A part works again."""

    part: Part


Event = (
    Ticked
    | FaceObserved
    | TokenPresented
    | TokenRefused
    | BadgeShown
    | CommandShown
    | SlipShown
    | AuthorityNeeded
    | AuthorityAnswered
    | ActRecorded
    | PrinterStatusReported
    | ClaimRecorded
    | ClaimRefused
    | OutcomeRecorded
    | RecordFailed
    | SlipPrinted
    | SlipFailed
    | PartFailed
    | PartRecovered
)


@dataclass(frozen=True)
class ShowSignal:
    """Show this on the LEDs."""

    signal: Signal


@dataclass(frozen=True)
class AskPrinterStatus:
    """Ask the printer now; the answer comes as `PrinterStatusReported`."""


@dataclass(frozen=True)
class RecordClaim:
    """Decide and commit this subject's claim, all or nothing.

    Answer: ClaimRecorded | ClaimRefused | RecordFailed, and AuthorityNeeded while may_ask. evidence: None only with
    assistance, which stands in its place. authorities, claimed: what the centre has answered.
    """

    session_id: str
    subject_id: str
    evidence: Evidence | None
    assistance: Assistance | None = None
    authorities: tuple[Authority, ...] = ()
    claimed: tuple[str, ...] = ()
    may_ask: bool = False


@dataclass(frozen=True)
class AskAuthority:
    """Ask the centre for these entitlements of this session. Answer, if one comes in time: AuthorityAnswered."""

    session_id: str
    entitlement_ids: tuple[str, ...]


@dataclass(frozen=True)
class RecordAct:
    """Check and commit an officer's act. Answer: ActRecorded | RecordFailed (with the act's id)."""

    request: ActRequest


@dataclass(frozen=True)
class PrintActSlip:
    """Print what an act calls for. Answer: SlipPrinted | SlipFailed, with the act's id."""

    receipt: ActReceipt


@dataclass(frozen=True)
class RecordOutcome:
    """Commit an outcome that has no claim. Answer: OutcomeRecorded | RecordFailed."""

    session_id: str
    outcome: Outcome
    reason: Reason
    kind: MatchKind
    pad: PadVerdict
    pad_attempts: int
    pad_cues: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class PrintSlip:
    """Print the slip of this receipt. Answer: SlipPrinted | SlipFailed."""

    receipt: Receipt


@dataclass(frozen=True)
class MarkSlip:
    """Note in the ledger whether the slip of this session came out."""

    session_id: str
    printed: bool
    problem: str = ""


@dataclass(frozen=True)
class SetPace:
    """Look often (somebody is there) or seldom (nobody is)."""

    awake: bool


@dataclass(frozen=True)
class ReportEnd:
    """Tell logs and telemetry that a session ended; durations are seconds per phase. pad_attempts: challenges begun.

    waited_s: how long this person had been seen waiting before their turn came. assisted: an officer vouched.
    """

    session_id: str
    outcome: Outcome
    reason: Reason | None
    duration_s: float
    phases_s: tuple[tuple[str, float], ...]
    pad_attempts: int = 0
    waited_s: float = 0.0
    assisted: bool = False


Effect = (
    ShowSignal
    | AskPrinterStatus
    | RecordClaim
    | RecordOutcome
    | AskAuthority
    | RecordAct
    | PrintSlip
    | PrintActSlip
    | MarkSlip
    | SetPace
    | ReportEnd
)
