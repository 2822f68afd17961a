"""What a slip's code proves: `judge`, from the code, certificates, a ledger and the register of slips shown before.

Rules: pure. The worst that is known is the verdict. A signature proves that the terminal made this code, never that
this is the paper it came on: only a register tells a photocopy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from edge_agent.certificate_file import Certificate
from edge_agent.core.act_slip import HEAD_PREFIX
from edge_agent.proof.book import LedgerBook, RecordedOutcome
from edge_agent.slip_code import PREFIX, SignedSlip, SlipBenefit, SlipCode, SlipProblem, parse_slip, shortened


class Verdict(str, Enum):
    """What comes out. The words for people are in `words.py`, the exit codes in EXIT_CODES."""

    ORIGINAL = "original"
    COPY = "copy"
    ALTERED = "altered"
    FOREIGN = "foreign"
    VOIDED = "voided"
    DIFFERS = "differs"
    CUT_OFF = "cut_off"
    LEDGER_BROKEN = "ledger_broken"
    SEEN_BEFORE = "seen_before"


EXIT_CODES: Mapping[Verdict, int] = {
    Verdict.ORIGINAL: 0,
    Verdict.COPY: 10,
    Verdict.SEEN_BEFORE: 11,
    Verdict.VOIDED: 12,
    Verdict.CUT_OFF: 13,
    Verdict.LEDGER_BROKEN: 14,
    Verdict.DIFFERS: 15,
    Verdict.FOREIGN: 16,
    Verdict.ALTERED: 17,
}
"""Beside the 2 of every command: nothing could be checked."""

GENUINE = frozenset((Verdict.ORIGINAL, Verdict.COPY))


@dataclass(frozen=True)
class Finding:
    """verdict; why: what it rests on, for the file. code: what the paper says; None where that could not be read.
    notes: what this check could not find out."""

    verdict: Verdict
    why: str
    code: SlipCode | None = None
    certificate: Certificate | None = None
    notes: tuple[str, ...] = ()

    @property
    def believed(self) -> bool:
        """Whether the code's content is the terminal's own word."""
        return self.verdict not in (Verdict.ALTERED, Verdict.FOREIGN)


@dataclass(frozen=True)
class Shown:
    """An earlier showing of a paper of the same record. same_paper: of this very number of copy."""

    at: str
    same_paper: bool
    copy: int


def judge(
    text: str,
    certificates: Sequence[Certificate],
    book: LedgerBook | None = None,
    shown: Shown | None = None,
    registered: bool = False,
) -> Finding:
    """The verdict on a scanned text. book: None: no ledger at hand. shown: from the register, where one is kept
    (`registered`)."""
    slip = parse_slip(text)
    if isinstance(slip, SlipProblem):
        return _unreadable(text, slip)
    finding = _signature(slip, certificates)
    if finding.verdict is not Verdict.ORIGINAL:
        return finding
    code, notes = slip.claimed, [*finding.notes]
    if book is None:
        notes.append("no ledger at hand: whether it was voided, or recorded at all, was not checked")
    if book is not None and book.until:
        notes.append(f"the ledger at hand reaches to {book.until}: a later void would not show")
    if not registered:
        notes.append("a photocopy of a genuine slip carries the same code: keep a register (--register) to notice one")
    finding = replace(finding, notes=tuple(notes))
    against = _against_book(code, book) if book is not None else None
    if against is not None:
        return replace(finding, verdict=against[0], why=against[1])
    if code.voided:
        return replace(finding, verdict=Verdict.VOIDED, why="it says itself that its claim was voided")
    if shown is not None:
        paper = (
            "this very paper, or a photocopy of it," if shown.same_paper else f"another paper ({_paper(shown.copy)})"
        )
        return replace(finding, verdict=Verdict.SEEN_BEFORE, why=f"{paper} was shown at {shown.at}")
    if code.copy:
        return replace(finding, verdict=Verdict.COPY, why=f"signed by the terminal as copy {code.copy}")
    return finding


def _unreadable(text: str, problem: SlipProblem) -> Finding:
    if problem is SlipProblem.DAMAGED:
        return Finding(Verdict.ALTERED, "it begins like a slip's code and is not whole: damaged, cut off or made up")
    if text.startswith("aid:1:"):
        return Finding(
            Verdict.FOREIGN, "it is a slip of an earlier version, unsigned: look its number up in the ledger"
        )
    if text.startswith(HEAD_PREFIX):
        return Finding(Verdict.FOREIGN, "it is a day-end slip: give this code to `ledger verify --head`")
    return Finding(Verdict.FOREIGN, f"it is no slip of such a terminal: its code does not begin with {PREFIX}")


def _signature(slip: SignedSlip, certificates: Sequence[Certificate]) -> Finding:
    """ORIGINAL where a certificate's key signed exactly this, in its time."""
    code = slip.claimed
    of_terminal = [one for one in certificates if one.terminal_id == code.terminal_id]
    fitting = [one for one in of_terminal if one.key_id == code.key_id]
    if not fitting:
        why = f"no certificate of terminal {code.terminal_id} was given"
        if of_terminal:
            why = f"terminal {code.terminal_id} is certified with another key than {code.key_id}: forged, or a new key"
        return Finding(Verdict.FOREIGN, why, code)
    signed = next((one for one in fitting if slip.holds(one.key)), None)
    if signed is None:
        why = "the terminal's signature does not fit what it says: it was changed, or made by somebody else"
        return Finding(Verdict.ALTERED, why, code, fitting[0])
    if signed.site != code.site:
        return Finding(
            Verdict.FOREIGN, f"it is of site {code.site}, the certificate is for {signed.site}", code, signed
        )
    valid = next((one for one in fitting if slip.holds(one.key) and one.covers(code.recorded_at)), None)
    if valid is None:
        why = (
            f"it is dated after {signed.last_day}, the certificate's last day: expired, or the terminal's clock was off"
        )
        return Finding(Verdict.FOREIGN, why, code, signed)
    notes = () if valid.trusted else ("the certificate itself was not checked: give --office-key",)
    return Finding(Verdict.ORIGINAL, "signed by the terminal as the original", code, valid, notes)


def _against_book(code: SlipCode, book: LedgerBook) -> tuple[Verdict, str] | None:
    """What the ledger has against it; None: nothing."""
    if book.broken is not None and code.sequence >= book.broken.sequence:
        return (
            Verdict.LEDGER_BROKEN,
            f"the ledger does not hold from record {book.broken.sequence} on: {book.broken.why}",
        )
    if code.sequence > book.head_sequence:
        return Verdict.CUT_OFF, (
            f"it is record {code.sequence}; this ledger ends at {book.head_sequence}: cut off, or an older copy"
        )
    recorded = book.outcomes.get(code.sequence)
    if recorded is None:
        return Verdict.DIFFERS, f"record {code.sequence} of the ledger is no outcome of a visit"
    different = differences(code, recorded)
    if different:
        return Verdict.DIFFERS, f"record {code.sequence} of the ledger says otherwise: {', '.join(different)}"
    if code.case_number in book.voided:
        return Verdict.VOIDED, f"voided on {book.voided[code.case_number]} by two officers, as the ledger says"
    return None


def differences(code: SlipCode, recorded: RecordedOutcome) -> list[str]:
    """The fields in which a slip's code is not what was recorded."""
    claims = tuple(
        SlipBenefit(shortened(one.programme), one.kind, one.amount, one.unit, shortened(one.item))
        for one in recorded.benefits
    )
    held = {
        "hash": recorded.hash.startswith(code.record_hash),
        "case number": recorded.case_number == code.case_number,
        "outcome": recorded.outcome == code.outcome.value,
        "reason": recorded.reason == code.reason,
        "benefits": claims[: len(code.benefits)] == code.benefits and len(claims) == len(code.benefits) + code.more,
    }
    return [name for name, same in held.items() if not same]


def _paper(copy: int) -> str:
    return f"copy {copy}" if copy else "the original"
