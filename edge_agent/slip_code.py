"""The signed code on a slip: what the terminal says it recorded, so that the paper can be checked without a network.

Text: `AS1:` and, in base 45 (RFC 9285), the fields of `SlipCode` and an Ed25519 signature by the terminal's ledger key.
`docs/proof.md` has the layout.

Rules: nothing of a code is believed before its signature holds. It says what was given, never to whom. A signature
shows that the terminal made this code; it can't show that this paper is the one it came on: a photocopy has it too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.core.model import Claim, Outcome, Receipt
from edge_agent.key_files import key_id
from edge_agent.ports import TerminalError
from edge_agent.token_file import from_base45, to_base45

PREFIX = "AS1:"
TEXT_MAX = 1200
"""Longest text looked at: four claims with the longest words allowed have under 900 characters."""
BENEFITS_MAX = 4
"""More would make the code too fine to print; the rest is in the record (`SlipCode.more`)."""
WORD_BYTES_MAX = 20
"""Programme and item are cut to this many UTF-8 bytes; 64 for ids, 24 for numbers and reasons."""

_DOMAIN = b"edge-agent slip v1\n"
"""Goes before what is signed: no record's signature is ever a slip's, nor the other way round."""
_EPOCH = datetime(2020, 1, 1, tzinfo=timezone.utc)
_KEY_BYTES, _HASH_BYTES, _LONG_BYTES, _SIGNATURE_BYTES = 8, 16, 5, 64
_ASSISTED, _PROXY, _VOID, _MONEY = 1, 2, 4, 128
_OUTCOMES = (Outcome.GIVEN, Outcome.REFERRED, Outcome.NOT_ENTITLED)


class SlipCodeError(TerminalError):
    """A slip's code can't be made of what was given."""


class SlipProblem(str, Enum):
    """Why a text is not this terminal's slip code. FOREIGN: another kind of code, or another key's. DAMAGED: begins
    like one, but is not whole. ALTERED: whole, names this key, and the signature does not hold."""

    FOREIGN = "foreign"
    DAMAGED = "damaged"
    ALTERED = "altered"


@dataclass(frozen=True)
class SlipBenefit:
    """One benefit given. kind "money" or "goods"; programme and item cut to WORD_BYTES_MAX."""

    programme: str
    kind: str
    amount: Decimal
    unit: str
    item: str = ""


@dataclass(frozen=True)
class SlipCode:
    """What a slip's code says. recorded_at: UTC, whole seconds, none before 2020. copy: 0 for the original.

    reason: a word of `core.model.Reason`, "" for GIVEN; newer terminals may know more of them. more: benefits that are
    in the record only. record_hash: the first 16 bytes of the record's SHA-256, in hex. key_id: as in `key_files`.
    assisted, proxy: whether of any claim. voided: the paper itself says that the claim is void.
    """

    terminal_id: str
    site: str
    sequence: int
    case_number: str
    outcome: Outcome
    reason: str
    recorded_at: datetime
    benefits: tuple[SlipBenefit, ...]
    record_hash: str
    key_id: str
    more: int = 0
    assisted: bool = False
    proxy: bool = False
    voided: bool = False
    copy: int = 0


@dataclass(frozen=True)
class SignedSlip:
    """A code that was read and not yet believed: `holds` tells whether this key signed it."""

    claimed: SlipCode
    content: bytes
    signature: bytes

    def holds(self, public_key: Ed25519PublicKey) -> bool:
        """Whether exactly this was signed by this key."""
        try:
            public_key.verify(self.signature, _DOMAIN + self.content)
        except InvalidSignature:
            return False
        return True


def code_of(receipt: Receipt, terminal_id: str, site: str, signing_key_id: str, copy: int = 0) -> SlipCode:
    """What the slip of this receipt says. Raises SlipCodeError for an outcome that has no slip."""
    if receipt.outcome not in _OUTCOMES:
        raise SlipCodeError(f"receipt {receipt.case_number}: {receipt.outcome.value} has no slip, so it has no code")
    claims = receipt.claims
    return SlipCode(
        terminal_id=claims[0].terminal_id if claims else terminal_id,
        site=site,
        sequence=receipt.record_seq,
        case_number=receipt.case_number,
        outcome=receipt.outcome,
        reason=receipt.reason.value if receipt.reason else "",
        recorded_at=max(receipt.recorded_at.astimezone(timezone.utc).replace(microsecond=0), _EPOCH),
        benefits=tuple(_benefit(claim) for claim in claims[:BENEFITS_MAX]),
        record_hash=receipt.record_hash[: 2 * _HASH_BYTES],
        key_id=signing_key_id,
        more=max(0, len(claims) - BENEFITS_MAX),
        assisted=any(claim.assisted_by is not None for claim in claims),
        proxy=any(claim.proxy_id is not None for claim in claims),
        voided=any(claim.voided for claim in claims),
        copy=copy,
    )


def sign_slip(code: SlipCode, key: Ed25519PrivateKey) -> str:
    """The code's text, all in the letters of a QR code's alphanumeric mode. Raises SlipCodeError naming the field."""
    mine = key_id(key.public_key())
    if code.key_id != mine:
        raise SlipCodeError(f"slip code: key_id: says {code.key_id}, the key given is {mine}")
    content = _pack(code)
    return PREFIX + to_base45(content + key.sign(_DOMAIN + content))


def parse_slip(text: str) -> SignedSlip | SlipProblem:
    """A code's fields, not believed yet, so that the right terminal's key can be found. Never raises."""
    if not text.startswith(PREFIX) or len(text) > TEXT_MAX:
        return SlipProblem.FOREIGN
    try:
        raw = from_base45(text[len(PREFIX) :])
        content, signature = raw[:-_SIGNATURE_BYTES], raw[-_SIGNATURE_BYTES:]
        claimed = _unpack(content)
    except (ValueError, IndexError, OverflowError):
        return SlipProblem.DAMAGED
    return SignedSlip(claimed, content, signature)


def read_slip_code(text: str, public_key: Ed25519PublicKey) -> SlipCode | SlipProblem:
    """The code of a slip by the terminal that has this key, or why it is none. Never raises."""
    slip = parse_slip(text)
    if isinstance(slip, SlipProblem):
        return slip
    if slip.claimed.key_id != key_id(public_key):
        return SlipProblem.FOREIGN
    return slip.claimed if slip.holds(public_key) else SlipProblem.ALTERED


def shortened(word: str) -> str:
    """A programme or item as a code holds it: whole characters of at most WORD_BYTES_MAX bytes."""
    return word.encode()[:WORD_BYTES_MAX].decode(errors="ignore")


def _benefit(claim: Claim) -> SlipBenefit:
    given = claim.benefit
    amount = Decimal(format(given.amount.normalize(), "f"))
    return SlipBenefit(shortened(claim.programme), given.kind, amount, given.unit, shortened(given.item))


def _pack(code: SlipCode) -> bytes:
    """See docs/proof.md. Raises SlipCodeError."""
    flags = _ASSISTED * code.assisted | _PROXY * code.proxy | _VOID * code.voided
    seconds = int((code.recorded_at - _EPOCH).total_seconds())
    try:
        parts = [
            bytes.fromhex(code.key_id),
            bytes((_OUTCOMES.index(code.outcome), flags, code.copy, len(code.benefits), code.more)),
            code.sequence.to_bytes(_LONG_BYTES, "big"),
            seconds.to_bytes(_LONG_BYTES, "big"),
            bytes.fromhex(code.record_hash),
            _word(code.terminal_id, 64),
            _word(code.site, 64),
            _word(code.case_number, 24),
            _word(code.reason, 24),
        ]
        for benefit in code.benefits:
            digits = -min(0, int(benefit.amount.as_tuple().exponent))
            scaled = int(benefit.amount.scaleb(digits))
            parts.append(bytes((digits | (_MONEY if benefit.kind == "money" else 0),)))
            parts.append(_number(scaled))
            parts += [_word(benefit.unit, 16), _word(benefit.item, WORD_BYTES_MAX)]
            parts.append(_word(benefit.programme, WORD_BYTES_MAX))
    except (ValueError, OverflowError) as error:
        raise SlipCodeError(f"slip code of {code.case_number}: a field does not fit: {error}") from error
    return b"".join(parts)


def _unpack(content: bytes) -> SlipCode:
    """The inverse of `_pack`. Raises ValueError, IndexError, OverflowError: not whole."""
    take = _Taking(content)
    key_mark = take.take(_KEY_BYTES).hex()
    outcome, flags, copy, benefits, more = take.take(5)
    sequence = int.from_bytes(take.take(_LONG_BYTES), "big")
    instant = _EPOCH + timedelta(seconds=int.from_bytes(take.take(_LONG_BYTES), "big"))
    digest = take.take(_HASH_BYTES).hex()
    terminal_id, site, case_number, reason = (take.word() for _ in range(4))
    given = tuple(take.benefit() for _ in range(benefits))
    if take.left:
        raise ValueError("bytes after the end")
    return SlipCode(
        terminal_id=terminal_id,
        site=site,
        sequence=sequence,
        case_number=case_number,
        outcome=_OUTCOMES[outcome],
        reason=reason,
        recorded_at=instant,
        benefits=given,
        record_hash=digest,
        key_id=key_mark,
        more=more,
        assisted=bool(flags & _ASSISTED),
        proxy=bool(flags & _PROXY),
        voided=bool(flags & _VOID),
        copy=copy,
    )


class _Taking:
    """Bytes taken from the front, one field after another."""

    def __init__(self, content: bytes) -> None:
        self._rest = content

    @property
    def left(self) -> int:
        return len(self._rest)

    def take(self, count: int) -> bytes:
        if count > len(self._rest):
            raise ValueError("ends early")
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def word(self) -> str:
        return self.take(self.take(1)[0]).decode("utf-8")

    def benefit(self) -> SlipBenefit:
        head = self.take(1)[0]
        amount = Decimal(int.from_bytes(self.take(self.take(1)[0]), "big")).scaleb(-(head & ~_MONEY))
        unit, item, programme = (self.word() for _ in range(3))
        return SlipBenefit(programme, "money" if head & _MONEY else "goods", amount, unit, item)


def _word(text: str, bytes_max: int) -> bytes:
    raw = text.encode()
    if len(raw) > bytes_max:
        raise ValueError(f"'{text}' has {len(raw)} bytes, {bytes_max} fit")
    return bytes((len(raw),)) + raw


def _number(value: int) -> bytes:
    raw = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes((len(raw),)) + raw
