"""The slips of officers' acts: copies, voids, settled referrals, the day's end, and why an act was not done.

Rules: pure; every text comes from the phrase catalogue. Officers are named by their opaque ids. A copy is the original
slip marked as the copy it is. The day's end prints the ledger's head, as QR code and in groups that can be read out on
the telephone: whoever keeps this paper can show later that nothing before it was changed or cut off.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from edge_agent.core.model import Receipt
from edge_agent.core.officer_acts import Act, ActReceipt, DayTotals
from edge_agent.core.slip import CODE_MM, Line, Phrases, QrCode, Slip, SlipTerminal, Style, benefit_text, compose

HEAD_PREFIX = "AH1:"
_GROUP, _GROUPS_A_LINE = 4, 4
_ISO_CURRENCY_LETTERS = 3

Parts = Iterator[Line | QrCode]


def compose_act(receipt: ActReceipt, terminal: SlipTerminal, phrases: Phrases, code: str = "") -> Slip:
    """The slip of an act. code: the signed text (`slip_code`) of `receipt.copy`, with its copy number.

    Raises ValueError for an act that has no slip: one that was done and is neither a copy, a void, a settled referral
    nor a day's end.
    """
    if receipt.problem is not None:
        return _slip(receipt, terminal, phrases, "refused", _refused(receipt, phrases))
    if receipt.act is Act.REPRINT:
        return compose(_whole(receipt), terminal, phrases, receipt.copy_number, code)
    if receipt.act is Act.VOID:
        return _slip(receipt, terminal, phrases, "void", _void(receipt, terminal, phrases, code))
    if receipt.act is Act.DAY_END and receipt.totals is not None:
        return _slip(receipt, terminal, phrases, "day_end", _day_end(receipt.totals, phrases))
    if receipt.act is Act.REFERRAL_RESOLVED:
        return _slip(receipt, terminal, phrases, "referral_resolved", _resolved(receipt, phrases))
    raise ValueError(f"act {receipt.act_id}: {receipt.act.value} has no slip; print none")


def head_of(receipt: ActReceipt, terminal: SlipTerminal) -> str:
    """`AH1:TERMINAL:SEQUENCE:HASH`: the record of a day's end, which is the ledger's head when it is printed."""
    return f"{HEAD_PREFIX}{terminal.id}:{receipt.record_seq}:{receipt.record_hash}"


def spoken_hash(digest: str) -> list[str]:
    """A hash in groups of four hex digits, four to a line, to be read out and compared."""
    groups = [digest[start : start + _GROUP] for start in range(0, len(digest), _GROUP)]
    return [" ".join(groups[start : start + _GROUPS_A_LINE]) for start in range(0, len(groups), _GROUPS_A_LINE)]


def _slip(receipt: ActReceipt, terminal: SlipTerminal, phrases: Phrases, title: str, body: Parts) -> Slip:
    """Title, body, and what every one of them ends with."""
    parts: list[Line | QrCode] = [
        Line(phrases.text(f"act.title.{title}"), Style.TITLE, centred=True),
        Line(terminal.place, centred=True),
        Line("", Style.RULE),
        *body,
        Line("", Style.RULE),
        Line(phrases.text("act.officer"), right=receipt.officer_id),
    ]
    if receipt.second_officer_id is not None:
        parts.append(Line(phrases.text("act.second_officer"), right=receipt.second_officer_id))
    parts.append(Line(phrases.text("when"), right=phrases.date_time(receipt.recorded_at, terminal.timezone)))
    parts.append(Line(phrases.text("terminal"), right=terminal.id))
    if title == "day_end":
        parts += _head(receipt, terminal, phrases)
    else:
        proof = phrases.text("proof", sequence=str(receipt.record_seq), hash=receipt.record_hash[:16])
        parts.append(Line(proof, Style.SMALL, centred=True))
    return Slip(f"{receipt.case_number or receipt.act_id}-{title}", phrases.language, tuple(parts))


def _refused(receipt: ActReceipt, phrases: Phrases) -> Parts:
    """Which act, why it was not done, and what to do."""
    problem = receipt.problem
    if problem is None:
        raise ValueError(f"act {receipt.act_id}: was done; it has no reason why not")
    yield Line(phrases.text(f"act.name.{receipt.act.value}"), Style.STRONG)
    yield Line(phrases.text(f"officer.{problem.value}"))
    yield Line(phrases.text("next"), Style.STRONG)
    yield Line(phrases.text(f"officer.next.{problem.value}"))
    if receipt.case_number:
        yield Line(phrases.text("case_number"), right=receipt.case_number)


def _void(receipt: ActReceipt, terminal: SlipTerminal, phrases: Phrases, code: str) -> Parts:
    """What is void, and that the right is open again."""
    voided = _whole(receipt)
    if terminal.show_name and voided.display_name:
        yield Line(phrases.text("name"), right=voided.display_name)
    for claim in voided.claims:
        yield Line(benefit_text(claim.benefit, phrases), Style.STRONG)
        yield Line(phrases.text("programme"), right=claim.programme)
        yield Line(phrases.text("cycle"), right=claim.cycle)
        yield Line(phrases.text("claim_number"), right=claim.claim_number)
    yield Line("", Style.RULE)
    yield Line(phrases.text("act.void.body"))
    yield Line(phrases.text("act.void.keep"))
    yield Line(phrases.text("complaint", channel=terminal.complaint_channel))
    if code:
        yield QrCode(code, CODE_MM)


def _resolved(receipt: ActReceipt, phrases: Phrases) -> Parts:
    yield Line(phrases.text("act.referral_resolved.body"))
    yield Line(phrases.text("case_number"), Style.STRONG, right=receipt.case_number)


def _day_end(totals: DayTotals, phrases: Phrases) -> Parts:
    """The day's numbers, every reason in words, and the share of people whom the terminal alone could not serve."""

    def row(key: str, count: int, style: Style = Style.PLAIN) -> Line:
        return Line(phrases.text(f"act.day.{key}"), style, right=str(count))

    yield Line(phrases.date(date.fromisoformat(totals.day)), Style.STRONG, centred=True)
    yield row("served", totals.served, Style.STRONG)
    yield row("given", totals.given, Style.STRONG)
    yield row("claims", totals.claims)
    for unit, amount in totals.value:
        yield Line(phrases.text("act.day.value"), right=_value(unit, amount, phrases))
    yield row("referred", sum(count for _, count in totals.referred), Style.STRONG)
    yield from _reasons(totals.referred, phrases)
    yield row("not_entitled", sum(count for _, count in totals.not_entitled), Style.STRONG)
    yield from _reasons(totals.not_entitled, phrases)
    yield row("abandoned", totals.abandoned)
    yield Line("", Style.RULE)
    for key in ("assisted", "voided", "reprinted", "resolved", "unprinted"):
        yield row(key, getattr(totals, key))
    yield Line(phrases.text("act.day.exceptions"), Style.STRONG, right=_rate(totals, phrases))
    yield Line(phrases.text("act.day.exceptions.how"), Style.SMALL)


def _reasons(counts: tuple[tuple[str, int], ...], phrases: Phrases) -> Parts:
    for reason, count in counts:
        yield Line(f"- {phrases.text(f'act.reason.{reason}')}", right=str(count))


def _head(receipt: ActReceipt, terminal: SlipTerminal, phrases: Phrases) -> Parts:
    """The ledger's head, for machines and for the telephone."""
    yield Line("", Style.RULE)
    yield Line(phrases.text("act.day.head"), Style.STRONG, right=str(receipt.record_seq))
    yield from (Line(row, centred=True) for row in spoken_hash(receipt.record_hash))
    yield QrCode(head_of(receipt, terminal), CODE_MM)
    yield Line(phrases.text("act.day.head.how"), Style.SMALL)


def _rate(totals: DayTotals, phrases: Phrases) -> str:
    """Exceptions of a hundred people served, with one decimal."""
    if totals.served == 0:
        return "-"
    share = Decimal(100 * totals.exceptions) / totals.served
    return phrases.quantity(share.quantize(Decimal("0.1"), ROUND_HALF_UP), "%", "")


def _value(unit: str, amount: Decimal, phrases: Phrases) -> str:
    """Totals know the unit only: three capital letters are a currency (ISO 4217)."""
    money = len(unit) == _ISO_CURRENCY_LETTERS and unit.isalpha() and unit.isupper()
    return phrases.money(amount, unit) if money else phrases.quantity(amount, unit, "")


def _whole(receipt: ActReceipt) -> Receipt:
    if receipt.copy is None:
        raise ValueError(f"act {receipt.act_id}: {receipt.act.value} without its receipt; record it first")
    return receipt.copy
