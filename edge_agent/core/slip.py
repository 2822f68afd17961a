"""A slip as a document: what to print, not how. `compose` (receipt -> slip) speaks through `Phrases`.

Rules: pure; every text comes from the phrase catalogue, so that a language is data. A slip says what happened, what
to do next and where to complain; it never accuses. A name appears only where policy lets it (`show_name`), and never in
the QR code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol

from edge_agent.core.model import Benefit, Claim, Outcome, Reason, Receipt
from edge_agent.core.reason_codes import code_of

_TRIES_BEFORE_HELP = 2
"""Challenges begun before the slip explains how to stand; more text on every slip would be read by nobody."""


class Style(str, Enum):
    """How a line looks; printers map it to what they have."""

    TITLE = "title"
    STRONG = "strong"
    PLAIN = "plain"
    SMALL = "small"
    RULE = "rule"


@dataclass(frozen=True)
class Line:
    """One paragraph; the printer wraps it to its paper. `right`: text set flush right on the same line when it fits."""

    text: str
    style: Style = Style.PLAIN
    right: str = ""
    centred: bool = False


@dataclass(frozen=True)
class QrCode:
    """A QR code of this text. width_mm: at most so wide; 30 mm is read by a phone at arm's length."""

    text: str
    width_mm: int = 30


CODE_MM = 44
"""As wide as a 58 mm roll allows: a signed code is a large one (docs/proof.md, *Measured*)."""


@dataclass(frozen=True)
class Slip:
    """One slip. slip_id names it in logs and simulator files; language is a BCP 47 tag."""

    slip_id: str
    language: str
    parts: tuple[Line | QrCode, ...]


class Phrases(Protocol):
    """One language: its texts, and how it writes money, amounts and dates."""

    @property
    def language(self) -> str:
        """BCP 47 tag."""

    def text(self, key: str, **values: str) -> str:
        """The text of this key with its placeholders filled in."""

    def money(self, amount: Decimal, currency: str) -> str:
        """An amount of money; currency is an ISO 4217 code."""

    def quantity(self, amount: Decimal, unit: str, item: str) -> str:
        """An amount of goods: "10 kg beras"."""

    def date_time(self, instant: datetime, timezone: str) -> str:
        """An aware UTC instant as local date, time and zone; timezone is an IANA name."""

    def local_date(self, instant: datetime, timezone: str) -> str:
        """The local calendar day of an aware UTC instant; timezone is an IANA name."""

    def date(self, day: date) -> str:
        """A calendar day."""


@dataclass(frozen=True)
class SlipTerminal:
    """What a slip says of the terminal. timezone: IANA name; show_name: whether policy lets a slip name the person."""

    id: str
    site: str
    place: str
    complaint_channel: str
    timezone: str
    show_name: bool = False


def compose(receipt: Receipt, terminal: SlipTerminal, phrases: Phrases, copy: int = 0, code: str = "") -> Slip:
    """The slip of a recorded outcome. copy: 0, or which copy this is when it is printed again, or late.

    code: the signed text (`slip_code`) that goes on it as QR code; without one there is none.

    Raises ValueError for ABANDONED (nobody is there to take a slip), for GIVEN without a claim or with a void one, and
    for a refusal or referral without its reason.
    """
    if receipt.outcome is Outcome.ABANDONED:
        raise ValueError(f"receipt {receipt.case_number}: ABANDONED has no slip; print one for other outcomes only")
    kind = receipt.outcome.value.lower()
    title = [Line(phrases.text(f"{kind}.title"), Style.TITLE, centred=True)]
    if copy:
        title.insert(0, Line(phrases.text("copy.title", number=str(copy)), Style.TITLE, centred=True))
    where = receipt.claims[0].place if receipt.claims else terminal.place
    head = [*title, Line(where, centred=True), Line("", Style.RULE)]
    if terminal.show_name and receipt.display_name:
        head.append(Line(phrases.text("name"), right=receipt.display_name))
    body = _given(receipt, phrases) if receipt.outcome is Outcome.GIVEN else _not_given(receipt, terminal, phrases)
    parts = (*head, *body, *_foot(receipt, terminal, phrases, code))
    return Slip(receipt.case_number + (f"-copy{copy}" if copy else ""), phrases.language, parts)


def _given(receipt: Receipt, phrases: Phrases) -> Iterator[Line]:
    """What was given, claim by claim, and what is left."""
    if not receipt.claims:
        raise ValueError(f"receipt {receipt.case_number}: GIVEN without a claim; only a recorded claim may be printed")
    void = [claim.claim_number for claim in receipt.claims if claim.voided]
    if void:
        raise ValueError(
            f"receipt {receipt.case_number}: claim {', '.join(void)} is void; print it as void, not as GIVEN"
        )
    for claim in receipt.claims:
        yield from _claim(claim, phrases)
        yield Line("", Style.RULE)
    elsewhere = _not_told(receipt)
    if elsewhere:
        yield Line(phrases.text("remaining"))
        yield from (Line("", right=benefit_text(benefit, phrases)) for benefit in elsewhere)
    elif not any(claim.left for claim in receipt.claims):
        yield Line(phrases.text("remaining"), right=phrases.text("remaining.none"))
    if receipt.open_from is not None:
        yield Line(phrases.text("open_from"), right=phrases.date(receipt.open_from))


def _claim(claim: Claim, phrases: Phrases) -> Iterator[Line]:
    """One claim: what, of which programme, what is left of it, and who helped or came for it."""
    yield Line(benefit_text(claim.benefit, phrases), Style.STRONG)
    yield Line(phrases.text("programme"), right=claim.programme)
    yield Line(phrases.text("cycle"), right=claim.cycle)
    yield Line(phrases.text("claim_number"), right=claim.claim_number)
    if claim.left:
        yield Line(phrases.text("left"), right=benefit_text(_left(claim), phrases))
    if claim.proxy_id is not None:
        yield Line(phrases.text("proxy"))
    if claim.assisted_by is not None:
        yield Line(phrases.text("assisted"))


def _left(claim: Claim) -> Benefit:
    return replace(claim.benefit, amount=claim.left)


def _not_told(receipt: Receipt) -> list[Benefit]:
    """What remains, without what the claims themselves say is left of them: nothing is told twice."""
    remaining = list(receipt.remaining)
    for claim in receipt.claims:
        if claim.left and _left(claim) in remaining:
            remaining.remove(_left(claim))
    return remaining


def _not_given(receipt: Receipt, terminal: SlipTerminal, phrases: Phrases) -> Iterator[Line]:
    """Why nothing was given, what to do next, and (by data only) how to object."""
    reason = receipt.reason
    if reason is None:
        raise ValueError(f"receipt {receipt.case_number}: {receipt.outcome.value} without a reason; record one")
    yield Line(phrases.text(f"reason.{reason.value}"))
    yield from _right_in_question(receipt, reason, phrases)
    if receipt.earlier is not None:
        yield from _earlier(receipt.earlier, terminal, phrases)
    yield Line("", Style.RULE)
    yield Line(phrases.text("next"), Style.STRONG)
    yield Line(phrases.text(f"next.{reason.value}"))
    if receipt.outcome is Outcome.NOT_ENTITLED:
        yield Line(phrases.text("objection"), Style.STRONG)
        yield Line(phrases.text("objection.how", channel=terminal.complaint_channel, case=receipt.case_number))
    else:
        yield Line(phrases.text("referred.no_refusal"))
        if receipt.tries >= _TRIES_BEFORE_HELP:
            yield Line(phrases.text("help"))
    yield Line("", Style.RULE)
    yield Line(phrases.text("case_number"), Style.STRONG, right=receipt.case_number)
    yield Line(phrases.text("reason_code"), right=code_of(reason))


def _right_in_question(receipt: Receipt, reason: Reason, phrases: Phrases) -> Iterator[Line]:
    """Which entitlement this is about, where the store named one, and from when on coming again helps."""
    right = receipt.entitlement
    if right is not None:
        yield Line(phrases.text("programme"), right=right.programme)
        yield Line(phrases.text("cycle"), right=right.cycle)
        if reason is Reason.NOT_YET_VALID and receipt.open_from is None:
            yield Line(phrases.text("valid_from"), right=phrases.date(right.valid_from))
        if reason is Reason.NO_LONGER_VALID:
            yield Line(phrases.text("valid_until"), right=phrases.date(right.valid_until))
    if receipt.open_from is not None:
        yield Line(phrases.text("open_from"), right=phrases.date(receipt.open_from))


def _earlier(claim: Claim, terminal: SlipTerminal, phrases: Phrases) -> Iterator[Line]:
    """When, where and under which number the same right was claimed before."""
    yield Line(phrases.text("earlier"), Style.STRONG)
    yield Line(phrases.text("when"), right=phrases.date_time(claim.claimed_at, terminal.timezone))
    yield Line(phrases.text("where"), right=claim.place)
    yield Line(benefit_text(claim.benefit, phrases))
    yield Line(phrases.text("claim_number"), right=claim.claim_number)


def _foot(receipt: Receipt, terminal: SlipTerminal, phrases: Phrases, code: str) -> Iterator[Line | QrCode]:
    """When, where, by which terminal, whom to turn to, and the proof."""
    terminal_id = receipt.claims[0].terminal_id if receipt.claims else terminal.id
    yield Line(phrases.text("when"), right=phrases.date_time(receipt.recorded_at, terminal.timezone))
    yield Line(phrases.text("where"), right=receipt.claims[0].place if receipt.claims else terminal.place)
    yield Line(phrases.text("terminal"), right=terminal_id)
    yield Line(phrases.text("data_of"), right=_roster_day(receipt, terminal, phrases))
    yield Line("", Style.RULE)
    yield Line(phrases.text("complaint", channel=terminal.complaint_channel))
    if code:
        yield QrCode(code, CODE_MM)
    proof = phrases.text("proof", sequence=str(receipt.record_seq), hash=receipt.record_hash[:16])
    yield Line(proof, Style.SMALL, centred=True)
    yield Line(phrases.text("keep"), Style.SMALL, centred=True)


def _roster_day(receipt: Receipt, terminal: SlipTerminal, phrases: Phrases) -> str:
    """How old the data was that decided."""
    if receipt.roster_issued_at is None:
        return phrases.text("data_of.none")
    return phrases.local_date(receipt.roster_issued_at, terminal.timezone)


def benefit_text(benefit: Benefit, phrases: Phrases) -> str:
    """Money or goods, as this language writes them."""
    if benefit.kind == "money":
        return phrases.money(benefit.amount, benefit.unit)
    return phrases.quantity(benefit.amount, benefit.unit, benefit.item)
