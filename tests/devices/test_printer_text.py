from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.devices.escpos_text import printable, rows


def in_cp437(char: str) -> bool:
    try:
        char.encode("cp437")
    except UnicodeEncodeError:
        return False
    return True


def in_nothing(char: str) -> bool:
    return False


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Désa Sèmbor", "Désa Sèmbor"),
        ("ḍaḍa, ṭuṭuk, pĕpĕt, wĕtĕng, Åsmårå", "dada, tutuk, pepet, weteng, Åsmårå"),
        ("Qurʼan, Ma‘ruf, “Slamet” – siap… 5 × 2 ≥ 10", "Qur'an, Ma'ruf, \"Slamet\" - siap... 5 * 2 ≥ 10"),
        ("Rp\u00a0300.000", "Rp\u00a0300.000"),
        ("10\u202fkg", "10\u00a0kg"),
        ("ꦗꦮ", "jw"),
        ("de\u0301sa", "désa"),
        ("a\u200bb\ufeff", "ab"),
    ],
)
def test_what_the_code_page_lacks_reads_the_same(text: str, expected: str) -> None:
    assert printable(text, in_cp437) == expected


def test_accents_are_dropped_where_the_page_has_none() -> None:
    assert printable("Désa Sèmbor ½", in_nothing) == "Desa Sembor 1/2"


@given(st.text(max_size=80))
def test_no_text_can_carry_a_printer_command(text: str) -> None:
    for char in printable(text, in_cp437):
        assert char == "\n" or unicodedata.category(char) not in ("Cc", "Cf")


@given(st.text(alphabet=st.characters(codec="cp437", min_codepoint=0x20), max_size=200), st.text(max_size=40))
def test_rows_never_overflow_and_lose_no_word(text: str, right: str) -> None:
    right = printable(right, in_nothing).replace("\n", " ").strip()
    laid = rows(text, right, 32)
    assert all(len(row) <= 32 for row in laid)
    shown = "".join("".join(laid).split())
    assert shown == "".join((text + right).split())


def test_right_text_shares_the_row_when_it_fits_and_goes_below_when_not() -> None:
    assert rows("Program", "PKH", 16) == ["Program      PKH"]
    assert rows("Program bantuan", "PKH", 16) == ["Program bantuan", "             PKH"]
    assert rows("Program", "Keluarga Harapan ini", 16) == ["Program", "Keluarga Harapan", "             ini"]


def test_money_is_never_broken() -> None:
    assert rows("Anda menerima Rp\u00a0300.000 hari ini", "", 20) == ["Anda menerima", "Rp 300.000 hari ini"]
