"""What the slips of officers' acts must say, in every language, and that nothing else is printed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from edge_agent.core.act_slip import compose_act, head_of, spoken_hash
from edge_agent.core.model import Reason
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt, DayTotals
from edge_agent.core.slip import Line, QrCode, compose
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import CASH, HASH, RECORDED_AT, TERMINAL, claim, given, printable_reasons, refused
from tests.core.test_slip import row, text_of, titles

ID = CataloguePhrases("id")
VOIDED = given(replace(claim(), voided=True), replace(claim("K7Q4-0014", CASH, "PKH"), voided=True))
TOTALS = DayTotals(
    day="2026-11-24",
    given=180,
    claims=190,
    referred=(("not_live", 12), ("not_recognised", 3)),
    not_entitled=(("already_claimed", 5),),
    abandoned=7,
    assisted=9,
    voided=1,
    reprinted=4,
    resolved=11,
    unprinted=2,
    value=(("IDR", Decimal(600000)), ("kg", Decimal("1795.50"))),
)


def receipt(act: Act, **changes: object) -> ActReceipt:
    values: dict[str, object] = {"case_number": "K7Q4-0012"}
    return ActReceipt("act-1", act, "o1", RECORDED_AT, 77, HASH, **{**values, **changes})  # type: ignore[arg-type]


DAY_END = receipt(Act.DAY_END, case_number="", totals=TOTALS)


def test_a_copy_is_the_original_slip_with_its_number_on_top() -> None:
    slip = compose_act(receipt(Act.REPRINT, copy=given(), copy_number=3), TERMINAL, ID, "AS1:SIGNED")
    assert slip == compose(given(), TERMINAL, ID, 3, "AS1:SIGNED")
    assert titles(slip)[0] == "SALINAN 3"


def test_a_void_names_both_officers_and_says_that_the_right_is_open_again() -> None:
    act = receipt(Act.VOID, copy=VOIDED, second_officer_id="o2")
    slip = compose_act(act, replace(TERMINAL, show_name=True), ID, "AS1:VOID")
    assert titles(slip) == ["DIBATALKAN"]
    text = text_of(slip)
    for wanted in ("10 kg beras", "Rp600.000", "K7Q4-0012", "K7Q4-0014", "terbuka lagi", "tidak berlaku lagi"):
        assert wanted in text
    assert (row(slip, "Petugas"), row(slip, "Petugas kedua"), row(slip, "Nama")) == ("o1", "o2", "Siti Contoh")
    assert [part.text for part in slip.parts if isinstance(part, QrCode)] == ["AS1:VOID"]
    assert "Siti" not in text_of(compose_act(act, TERMINAL, ID))


def test_the_days_end_has_every_number_the_rate_and_the_head_for_machines_and_the_telephone() -> None:
    slip = compose_act(DAY_END, TERMINAL, ID)
    assert titles(slip) == ["TUTUP HARI"]
    assert "24 November 2026|" in text_of(slip)
    rows = {
        "Dilayani sampai selesai": "200",
        "Diberi bantuan": "180",
        "Bantuan tercatat": "190",
        "Dirujuk ke petugas": "15",
        "- gerak belum dipastikan": "12",
        "- wajah belum dikenali": "3",
        "Belum dapat diberikan": "5",
        "- sudah diambil": "5",
        "Pergi sebelum selesai": "7",
        "Dengan jaminan petugas": "9",
        "Bantuan dibatalkan": "1",
        "Struk dicetak ulang": "4",
        "Rujukan diselesaikan": "11",
        "Struk belum keluar": "2",
        "Tingkat pengecualian": "12 %",
        "Petugas": "o1",
        "Ujung buku, catatan no.": "77",
    }
    assert {label: row(slip, label) for label in rows} == rows
    values = [part.right for part in slip.parts if isinstance(part, Line) and part.text == "Nilai diberikan"]
    assert values == ["Rp600.000", "1.795,5 kg"]
    assert [part.text for part in slip.parts if isinstance(part, QrCode)] == [f"AH1:T-0012:77:{HASH}"]
    assert "0123 4567 89ab cdef" in text_of(slip)


def test_a_hash_is_read_out_whole_in_groups_of_four() -> None:
    rows = spoken_hash(HASH)
    assert len(rows) == 4
    assert "".join(rows).replace(" ", "") == HASH
    assert {len(group) for line in rows for group in line.split(" ")} == {4}
    assert head_of(DAY_END, TERMINAL) == f"AH1:T-0012:77:{HASH}"


def test_the_rate_is_rounded_as_people_do_and_a_day_without_people_has_none() -> None:
    def rate(**counts: object) -> str:
        totals = replace(TOTALS, given=0, referred=(), not_entitled=(), assisted=0)
        totals = replace(totals, **counts)  # type: ignore[arg-type]
        return row(compose_act(replace(DAY_END, totals=totals), TERMINAL, ID), "Tingkat pengecualian")

    assert rate() == "-"
    assert rate(given=799, referred=(("not_live", 1),)) == "0,1 %"
    assert rate(given=7, assisted=2, referred=(("not_live", 1),)) == "37,5 %"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("problem", list(ActProblem))
def test_what_was_not_done_says_which_why_and_what_to_do(problem: ActProblem, language: str) -> None:
    phrases = CataloguePhrases(language)
    slip = compose_act(receipt(Act.VOID, problem=problem, second_officer_id="o1"), TERMINAL, phrases)
    text = text_of(slip)
    for key in ("act.name.void", f"officer.{problem.value}", f"officer.next.{problem.value}"):
        assert phrases.text(key) in text
    assert titles(slip) == [phrases.text("act.title.refused")]
    assert row(slip, phrases.text("case_number")) == "K7Q4-0012"


def test_a_settled_referral_says_so() -> None:
    slip = compose_act(receipt(Act.REFERRAL_RESOLVED), TERMINAL, ID)
    assert titles(slip) == ["RUJUKAN SELESAI"]
    assert row(slip, "No. kasus") == "K7Q4-0012"


@pytest.mark.parametrize("act", [Act.ASSIST, Act.CLOSE, Act.OPEN, Act.CANCEL, Act.SIGN_IN])
def test_an_act_without_a_slip_prints_none(act: Act) -> None:
    with pytest.raises(ValueError, match="has no slip"):
        compose_act(receipt(act), TERMINAL, ID)


def test_a_copy_without_its_receipt_is_an_error() -> None:
    with pytest.raises(ValueError, match="without its receipt"):
        compose_act(receipt(Act.REPRINT), TERMINAL, ID)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_short_name_of_its_own_that_fits_a_line(language: str) -> None:
    phrases = CataloguePhrases(language)
    names = [phrases.text(f"act.reason.{reason.value}") for reason in printable_reasons()]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 32 - len("- ") - len(" 999")


def test_no_slip_of_an_act_holds_a_subjects_id() -> None:
    for act in (receipt(Act.REPRINT, copy=refused(Reason.NOT_LIVE), copy_number=1), receipt(Act.VOID, copy=VOIDED)):
        assert "S-000123" not in repr(compose_act(act, TERMINAL, ID))
