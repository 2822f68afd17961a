"""What a slip says of portions, proxies, officers' help, old data and coming again; and what it never says twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest

from edge_agent.core.model import Benefit, Reason, Receipt
from edge_agent.core.reason_codes import code_of
from edge_agent.core.slip import Line, Slip, compose
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
from tests.core.receipts import CASH, RICE, TERMINAL, claim, entitlement, given, printable_reasons, refused

ID = CataloguePhrases("id")
PORTION = replace(claim(), portion=1, left=Decimal(20))
LEFT = Benefit("goods", Decimal(20), "kg", "beras")
EVERY_KIND = [given(), refused(Reason.NOT_LIVE), refused(Reason.SUSPENDED)]


def rows(slip: Slip) -> list[tuple[str, str]]:
    return [(part.text, part.right) for part in slip.parts if isinstance(part, Line)]


def told(receipt: Receipt, language: CataloguePhrases = ID) -> list[tuple[str, str]]:
    return rows(compose(receipt, TERMINAL, language))


@pytest.mark.parametrize("receipt", EVERY_KIND)
def test_every_slip_tells_the_local_day_of_its_data(receipt: Receipt) -> None:
    late = datetime(2026, 11, 23, 18, 0, tzinfo=timezone.utc)
    assert ("Data per", "24 November 2026") in told(replace(receipt, roster_issued_at=late))
    assert ("Data per", "belum ada") in told(receipt)


def test_a_portion_tells_what_is_left_and_not_that_nothing_is() -> None:
    told_rows = told(given(PORTION))
    assert ("Sisa periode ini", "20 kg beras") in told_rows
    assert "Sisa bantuan" not in dict(told_rows)


def test_what_is_left_of_a_portion_is_not_told_a_second_time_among_the_rest() -> None:
    told_rows = told(given(PORTION, remaining=(LEFT, CASH)))
    assert [right for text, right in told_rows if right == "20 kg beras"] == ["20 kg beras"]
    assert ("", "Rp600.000") in told_rows


def test_the_same_amount_of_another_right_is_still_told() -> None:
    told_rows = told(given(PORTION, remaining=(LEFT, LEFT)))
    assert [right for _, right in told_rows].count("20 kg beras") == 2


def test_an_entitlement_given_whole_has_no_row_of_what_is_left() -> None:
    assert "Sisa periode ini" not in dict(told(given(remaining=(RICE,))))


def test_who_came_for_somebody_else_and_whom_an_officer_helped_is_told_by_the_claim() -> None:
    fetched = replace(claim("K7Q4-0014"), proxy_id="S-000999")
    helped = replace(claim("K7Q4-0015"), assisted_by="O-7", assist_reason="veil")
    texts = [text for text, _ in told(given(claim(), fetched, helped))]
    assert texts.count("Diambil oleh wakil") == 1
    assert texts.count("Dibantu petugas") == 1
    assert texts.index("Diambil oleh wakil") < texts.index("Dibantu petugas")
    slip = repr(compose(given(fetched, helped), TERMINAL, ID))
    assert "S-000999" not in slip
    assert "O-7" not in slip


@pytest.mark.parametrize("receipt", [given(PORTION), refused(Reason.NOT_YET_VALID, about=entitlement())])
def test_the_first_day_to_come_again_is_told(receipt: Receipt) -> None:
    told_rows = told(replace(receipt, open_from=date(2026, 12, 8)))
    assert ("Silakan datang lagi mulai", "8 Desember 2026") in told_rows
    assert "Dapat diambil mulai" not in dict(told_rows), "one date to come, not two"


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_to_stand_is_explained_from_the_second_try_on(language: str) -> None:
    phrases = CataloguePhrases(language)
    help_line = (phrases.text("help"), "")
    assert help_line not in told(replace(refused(Reason.NOT_LIVE), tries=1), phrases)
    assert help_line in told(replace(refused(Reason.NOT_LIVE), tries=2), phrases)


@pytest.mark.parametrize("receipt", [given(), refused(Reason.SUSPENDED)])
def test_who_was_recognised_needs_no_lesson(receipt: Receipt) -> None:
    assert (ID.text("help"), "") not in told(replace(receipt, tries=3))


def test_a_void_claim_is_never_printed_as_given() -> None:
    void = replace(claim("K7Q4-0014"), voided=True)
    with pytest.raises(ValueError, match="K7Q4-0014 is void"):
        compose(given(claim(), void), TERMINAL, ID, copy=2)


@pytest.mark.parametrize("reason", printable_reasons())
def test_the_code_of_the_reason_can_be_told_by_telephone(reason: Reason) -> None:
    assert ("Kode alasan", code_of(reason)) in told(refused(reason))
