"""A slip's signed code: everything comes back as it was signed, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.core.model import Benefit, Outcome, Reason, Receipt
from edge_agent.key_files import key_id
from edge_agent.slip_code import (
    BENEFITS_MAX,
    PREFIX,
    SlipBenefit,
    SlipCode,
    SlipCodeError,
    SlipProblem,
    code_of,
    parse_slip,
    read_slip_code,
    shortened,
    sign_slip,
)
from edge_agent.token_file import from_base45, to_base45
from tests.core.receipts import CASH, HASH, claim, given, printable_reasons, refused
from tests.store.terminal import SIGNING

PUBLIC = SIGNING.public_key()
KEY_ID = key_id(PUBLIC)


def code(receipt: Receipt, copy: int = 0) -> SlipCode:
    return code_of(receipt, "kiosk-1", "desa-sukamaju", KEY_ID, copy)


def raw_of(text: str) -> bytearray:
    return bytearray(from_base45(text[len(PREFIX) :]))


def test_it_says_what_the_slip_says() -> None:
    fetched = replace(claim("K7Q4-0012-2", CASH, "PKH"), proxy_id="kpm-2", assisted_by="o-1")
    told = read_slip_code(sign_slip(code(given(claim(), fetched), copy=3), SIGNING), PUBLIC)
    assert told == SlipCode(
        terminal_id="T-0012",
        site="desa-sukamaju",
        sequence=12,
        case_number="K7Q4-0012",
        outcome=Outcome.GIVEN,
        reason="",
        recorded_at=datetime(2026, 11, 24, 2, 5, tzinfo=timezone.utc),
        benefits=(
            SlipBenefit("BPNT", "goods", Decimal(10), "kg", "beras"),
            SlipBenefit("PKH", "money", Decimal(600000), "IDR"),
        ),
        record_hash=HASH[:32],
        key_id=KEY_ID,
        assisted=True,
        proxy=True,
        copy=3,
    )


@pytest.mark.parametrize("reason", printable_reasons())
def test_every_refusal_and_referral_comes_back(reason: Reason) -> None:
    told = read_slip_code(sign_slip(code(refused(reason)), SIGNING), PUBLIC)
    assert isinstance(told, SlipCode)
    assert (told.outcome, told.reason, told.terminal_id) == (reason.outcome, reason.value, "kiosk-1")


@pytest.mark.parametrize("amount", ["0.001", "12.5", "10.0", "999999999999", "1E+3"])
def test_amounts_keep_their_value(amount: str) -> None:
    told = code(given(claim(benefit=Benefit("goods", Decimal(amount), "kg", "beras"))))
    read = read_slip_code(sign_slip(told, SIGNING), PUBLIC)
    assert isinstance(read, SlipCode)
    assert read.benefits[0].amount == Decimal(amount)


def test_a_voided_claim_is_told_by_its_own_paper() -> None:
    assert code(given(replace(claim(), voided=True))).voided
    assert not code(given()).voided


def test_it_never_says_to_whom() -> None:
    content = bytes(raw_of(sign_slip(code(given()), SIGNING)))
    assert b"S-000123" not in content
    assert b"Siti" not in content


def test_each_changed_byte_is_noticed() -> None:
    text = sign_slip(code(given()), SIGNING)
    whole = raw_of(text)
    for place in range(len(whole)):
        changed = whole.copy()
        changed[place] ^= 1
        assert isinstance(read_slip_code(PREFIX + to_base45(bytes(changed)), PUBLIC), SlipProblem), place


def test_an_altered_amount_is_told_as_altered_and_not_as_damage() -> None:
    text = sign_slip(code(given()), SIGNING)
    more = replace(code(given()), benefits=(SlipBenefit("BPNT", "goods", Decimal(90), "kg", "beras"),))
    whole, other = raw_of(text), raw_of(sign_slip(more, SIGNING))
    pasted = PREFIX + to_base45(bytes(other[:-64] + whole[-64:]))
    assert read_slip_code(pasted, PUBLIC) is SlipProblem.ALTERED


def test_another_terminals_slip_is_foreign() -> None:
    other = Ed25519PrivateKey.generate()
    theirs = replace(code(given()), key_id=key_id(other.public_key()))
    assert read_slip_code(sign_slip(theirs, other), PUBLIC) is SlipProblem.FOREIGN
    with pytest.raises(SlipCodeError, match="key_id"):
        sign_slip(theirs, SIGNING)


def test_a_record_s_signature_by_the_same_key_is_no_slip() -> None:
    content = bytes(raw_of(sign_slip(code(given()), SIGNING))[:-64])
    without_domain = PREFIX + to_base45(content + SIGNING.sign(content))
    assert read_slip_code(without_domain, PUBLIC) is SlipProblem.ALTERED


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", SlipProblem.FOREIGN),
        ("AT1:ABC", SlipProblem.FOREIGN),
        ("aid:1:kiosk-1:12:K7Q4-0012:0123", SlipProblem.FOREIGN),
        (PREFIX, SlipProblem.DAMAGED),
        (PREFIX + "abc", SlipProblem.DAMAGED),
        (PREFIX + "A" * 2000, SlipProblem.FOREIGN),
    ],
)
def test_other_texts(text: str, problem: SlipProblem) -> None:
    assert read_slip_code(text, PUBLIC) is problem


def test_a_shortened_text_is_damaged_at_every_length() -> None:
    text = sign_slip(code(given()), SIGNING)
    for length in range(len(PREFIX), len(text)):
        assert isinstance(read_slip_code(text[:length], PUBLIC), SlipProblem), length


def test_long_words_are_cut_between_characters_and_many_benefits_counted() -> None:
    long = claim(programme="Bantuan Pangan Non Tunai déé", benefit=Benefit("goods", Decimal(1), "kg", "é" * 20))
    told = code(given(*[long] * (BENEFITS_MAX + 2)))
    assert (len(told.benefits), told.more) == (BENEFITS_MAX, 2)
    assert told.benefits[0].item == "é" * 10 == shortened("é" * 20)
    assert read_slip_code(sign_slip(told, SIGNING), PUBLIC) == told


def test_a_clock_before_2020_and_words_too_long_for_the_code() -> None:
    early = replace(given(), recorded_at=datetime(1970, 1, 1, tzinfo=timezone.utc))
    assert code(early).recorded_at == datetime(2020, 1, 1, tzinfo=timezone.utc)
    with pytest.raises(SlipCodeError, match="does not fit"):
        sign_slip(replace(code(given()), site="x" * 65), SIGNING)
    with pytest.raises(SlipCodeError, match="ABANDONED"):
        code(refused(Reason.WALKED_AWAY))


def test_the_fields_can_be_seen_before_they_are_believed() -> None:
    slip = parse_slip(sign_slip(code(given()), SIGNING))
    assert not isinstance(slip, SlipProblem)
    assert slip.claimed.terminal_id == "T-0012"
    assert slip.holds(PUBLIC)
    assert not slip.holds(Ed25519PrivateKey.generate().public_key())
