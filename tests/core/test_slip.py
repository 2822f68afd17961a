"""What a slip must say, for every outcome and reason, in every language."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.core.model import Outcome, Reason, Receipt
from edge_agent.core.slip import Line, QrCode, Slip, Style, compose
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import CASH, RICE, TERMINAL, claim, entitlement, given, printable_reasons, refused

PHRASES = {language: CataloguePhrases(language) for language in LANGUAGES}


def text_of(slip: Slip) -> str:
    return "\n".join(f"{part.text}|{part.right}" for part in slip.parts if isinstance(part, Line))


def row(slip: Slip, label: str) -> str:
    (found,) = [part.right for part in slip.parts if isinstance(part, Line) and part.text == label]
    return found


def titles(slip: Slip) -> list[str]:
    return [part.text for part in slip.parts if isinstance(part, Line) and part.style is Style.TITLE]


def test_a_given_slip_says_what_how_much_which_where_when_and_whom_to_ask() -> None:
    slip = compose(given(remaining=(CASH,)), TERMINAL, PHRASES["id"], code="AS1:SIGNED")
    assert titles(slip) == ["BANTUAN DITERIMA"]
    assert Line("10 kg beras", Style.STRONG) in slip.parts
    assert row(slip, "Program") == "BPNT"
    assert row(slip, "Periode") == "2026-11"
    assert row(slip, "No. klaim") == "K7Q4-0012"
    assert Line("", right="Rp600.000") in slip.parts
    assert row(slip, "Tempat") == "Balai Desa Sukamaju"
    assert row(slip, "Waktu") == "24 November 2026 09.05 WIB"
    assert row(slip, "Terminal") == "T-0012"
    assert "Dinas Sosial, telepon 0800-000-000" in text_of(slip)
    assert [part for part in slip.parts if isinstance(part, QrCode)] == [QrCode("AS1:SIGNED", 44)]


def test_nothing_remaining_is_said_too() -> None:
    assert row(compose(given(), TERMINAL, PHRASES["id"]), "Sisa bantuan") == "tidak ada"


def test_every_claim_of_a_receipt_is_listed() -> None:
    both = given(claim(), claim("K7Q4-0013", CASH, "PKH"))
    text = text_of(compose(both, TERMINAL, PHRASES["id"]))
    for wanted in ("10 kg beras", "BPNT", "K7Q4-0012", "Rp600.000", "PKH", "K7Q4-0013"):
        assert wanted in text


def test_a_given_slip_tells_where_the_claim_was_made_not_where_it_is_printed_again() -> None:
    elsewhere = replace(claim(), place="Balai Desa Lain", terminal_id="T-0099")
    slip = compose(given(elsewhere), TERMINAL, PHRASES["id"], copy=1)
    assert row(slip, "Tempat") == "Balai Desa Lain"
    assert row(slip, "Terminal") == "T-0099"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", printable_reasons())
def test_every_refusal_says_why_and_what_next_and_carries_its_case_number(reason: Reason, language: str) -> None:
    phrases = PHRASES[language]
    slip = compose(refused(reason), TERMINAL, phrases)
    text = text_of(slip)
    assert phrases.text(f"reason.{reason.value}") in text
    assert phrases.text(f"next.{reason.value}") in text
    assert TERMINAL.complaint_channel in text
    assert row(slip, phrases.text("case_number")) == "K7Q4-0013"
    assert titles(slip) == [phrases.text(f"{reason.outcome.value.lower()}.title")]
    objection = phrases.text("objection.how", channel=TERMINAL.complaint_channel, case="K7Q4-0013")
    assert (objection in text) == (reason.outcome is Outcome.NOT_ENTITLED)
    assert slip.language == language


def test_an_earlier_claim_is_told_with_its_date_place_and_number() -> None:
    earlier = replace(claim("K7Q4-0007"), place="Balai Desa Lain")
    text = text_of(compose(refused(Reason.ALREADY_CLAIMED, earlier, entitlement()), TERMINAL, PHRASES["id"]))
    for wanted in ("Tercatat sudah diambil", "24 November 2026 09.05 WIB", "Balai Desa Lain", "K7Q4-0007", "BPNT"):
        assert wanted in text


@pytest.mark.parametrize(
    ("reason", "label", "day"),
    [
        (Reason.NOT_YET_VALID, "Dapat diambil mulai", "1 Desember 2026"),
        (Reason.NO_LONGER_VALID, "Dapat diambil sampai", "31 Desember 2026"),
    ],
)
def test_the_collection_period_is_told_where_it_is_the_reason(reason: Reason, label: str, day: str) -> None:
    assert row(compose(refused(reason, about=entitlement()), TERMINAL, PHRASES["id"]), label) == day


@pytest.mark.parametrize("receipt", [given(), refused(Reason.NOT_LIVE), refused(Reason.SUSPENDED)])
def test_a_copy_says_so_first_and_is_named_apart(receipt: Receipt) -> None:
    original = compose(receipt, TERMINAL, PHRASES["id"])
    again = compose(receipt, TERMINAL, PHRASES["id"], copy=2)
    assert again.parts[0] == Line("SALINAN 2", Style.TITLE, centred=True)
    assert again.parts[1:] == original.parts
    assert again.slip_id != original.slip_id


def test_a_name_appears_only_where_policy_lets_it() -> None:
    named = replace(TERMINAL, show_name=True)
    for receipt in (given(), refused(Reason.NOT_LIVE)):
        assert "Siti" not in repr(compose(receipt, TERMINAL, PHRASES["id"]))
        slip = compose(receipt, named, PHRASES["id"])
        assert row(slip, "Nama") == "Siti Contoh"


def test_no_slip_holds_the_subjects_id_and_none_has_an_unsigned_code() -> None:
    assert not any(isinstance(part, QrCode) for part in compose(given(), TERMINAL, PHRASES["id"]).parts)
    for reason in printable_reasons():
        assert "S-000123" not in repr(compose(refused(reason, claim()), TERMINAL, PHRASES["id"]))


def test_who_walked_away_gets_no_slip() -> None:
    with pytest.raises(ValueError, match="ABANDONED has no slip"):
        compose(refused(Reason.WALKED_AWAY), TERMINAL, PHRASES["id"])


def test_given_without_a_claim_is_refused() -> None:
    with pytest.raises(ValueError, match="GIVEN without a claim"):
        compose(replace(given(), claims=()), TERMINAL, PHRASES["id"])


def test_a_refusal_without_its_reason_is_refused() -> None:
    with pytest.raises(ValueError, match="REFERRED without a reason"):
        compose(replace(refused(Reason.NOT_LIVE), reason=None), TERMINAL, PHRASES["id"])


def test_composing_twice_gives_the_same_slip() -> None:
    receipt = given(remaining=(RICE,))
    assert compose(receipt, TERMINAL, PHRASES["en"]) == compose(receipt, TERMINAL, PHRASES["en"])
