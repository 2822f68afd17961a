"""The catalogues agree with each other and with the slips; money and dates are written as people write them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.model import Reason, Receipt
from edge_agent.core.slip import compose
from edge_agent.language import phrases as phrases_module
from edge_agent.language.phrases import LANGUAGES, CataloguePhrases, PhraseError
from tests.core.receipts import CASH, TERMINAL, claim, entitlement, given, printable_reasons, refused

OFFICERS_KEYS = ("act.", "officer.", "command.", "badge.")
"""Texts of officers' slips and cards: tests/language/test_officers_texts.py."""
NOON = datetime(2026, 11, 24, 5, 0, tzinfo=timezone.utc)


class Listening(CataloguePhrases):
    """Remembers which texts were asked for."""

    def __init__(self, language: str) -> None:
        super().__init__(language)
        self.asked: set[str] = set()

    def text(self, key: str, **values: str) -> str:
        self.asked.add(key)
        return super().text(key, **values)


def every_receipt() -> list[Receipt]:
    refusals = [refused(reason, claim(), entitlement()) for reason in printable_reasons()]
    fetched = replace(claim(), left=Decimal(20), proxy_id="S-000999", assisted_by="O-7")
    again = replace(given(fetched), open_from=date(2026, 12, 8), roster_issued_at=NOON)
    twice = replace(refused(Reason.NOT_LIVE), tries=2)
    return [given(), given(remaining=(CASH,)), again, twice, *refusals]


def test_every_settings_language_has_a_catalogue() -> None:
    files = {path.stem for path in Path(phrases_module.__file__).parent.glob("*.yaml")}
    assert files == set(LANGUAGES)


def test_all_catalogues_have_the_same_keys_and_placeholders() -> None:
    indonesian, *others = (CataloguePhrases(language).placeholders for language in LANGUAGES)
    for other in others:
        assert other == indonesian


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_slips_use_every_text_and_no_other(language: str) -> None:
    phrases = Listening(language)
    named = replace(TERMINAL, show_name=True)
    for receipt in every_receipt():
        compose(receipt, named, phrases, copy=1)
    assert phrases.asked == {key for key in phrases.placeholders if not key.startswith(OFFICERS_KEYS)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_reasons_and_next_steps_are_told_apart(language: str) -> None:
    phrases = CataloguePhrases(language)
    for part in ("reason", "next"):
        texts = [phrases.text(f"{part}.{reason.value}") for reason in printable_reasons()]
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("id", ("ditolak", "palsu", "penipuan", "curang", "gagal", "salah anda", "melanggar", "kamu ")),
        ("jv", ("dipun tolak", "palsu", "apus", "culika", "gagal", "lepat panjenengan", "kowe", "sampeyan")),
        ("en", ("denied", "fake", "fraud", "cheat", "failed", "your fault", "rejected", "invalid")),
    ],
)
def test_no_slip_accuses(language: str, words: tuple[str, ...]) -> None:
    for receipt in every_receipt():
        printed = repr(compose(receipt, TERMINAL, CataloguePhrases(language))).lower()
        assert [word for word in words if word in printed] == []


def test_no_slip_calls_a_missing_proof_of_life_a_false_person() -> None:
    assert CataloguePhrases("id").text(f"reason.{Reason.NOT_LIVE.value}").startswith("Terminal belum berhasil")


@pytest.mark.parametrize(
    ("language", "amount", "currency", "written"),
    [
        ("id", "600000", "IDR", "Rp600.000"),
        ("id", "600000.00", "IDR", "Rp600.000"),
        ("id", "1234567.5", "IDR", "Rp1.234.567,50"),
        ("id", "0.125", "IDR", "Rp0,125"),
        ("jv", "600000", "IDR", "Rp600.000"),
        ("jv", "12.5", "IDR", "Rp12,50"),
        ("en", "600000", "IDR", "IDR 600,000"),
        ("en", "12.5", "USD", "USD 12.50"),
    ],
)
def test_money(language: str, amount: str, currency: str, written: str) -> None:
    assert CataloguePhrases(language).money(Decimal(amount), currency) == written


@pytest.mark.parametrize(
    ("language", "amount", "written"),
    [
        ("id", "10.000", "10 kg beras"),
        ("id", "1E+1", "10 kg beras"),
        ("id", "2.5", "2,5 kg beras"),
        ("id", "0.00005", "0,00005 kg beras"),
        ("en", "1000.25", "1,000.25 kg beras"),
    ],
)
def test_quantities_are_never_rounded(language: str, amount: str, written: str) -> None:
    assert CataloguePhrases(language).quantity(Decimal(amount), "kg", "beras") == written


def test_a_quantity_without_an_item_has_no_stray_space() -> None:
    assert CataloguePhrases("id").quantity(Decimal(3), "paket", "") == "3 paket"


@pytest.mark.parametrize(
    ("language", "zone", "written"),
    [
        ("id", "Asia/Jakarta", "24 November 2026 12.00 WIB"),
        ("jv", "Asia/Jakarta", "24 November 2026 12:00 WIB"),
        ("id", "Asia/Makassar", "24 November 2026 13.00 WITA"),
        ("id", "Asia/Jayapura", "24 November 2026 14.00 WIT"),
        ("en", "Asia/Jakarta", "24 November 2026 12:00 WIB"),
        ("en", "Asia/Dubai", "24 November 2026 09:00 UTC+04"),
    ],
)
def test_instants_are_told_in_the_terminals_own_time(language: str, zone: str, written: str) -> None:
    assert CataloguePhrases(language).date_time(NOON, zone) == written


def test_the_local_day_counts_not_the_utc_day() -> None:
    late = datetime(2026, 12, 31, 17, 30, tzinfo=timezone.utc)
    assert CataloguePhrases("id").date_time(late, "Asia/Jakarta") == "1 Januari 2027 00.30 WIB"


def test_a_local_day_has_no_time() -> None:
    late = datetime(2026, 12, 31, 17, 30, tzinfo=timezone.utc)
    assert CataloguePhrases("jv").local_date(late, "Asia/Jakarta") == "1 Januari 2027"


def test_the_javanese_texts_say_that_a_native_reader_must_see_them() -> None:
    head = (Path(phrases_module.__file__).parent / "jv.yaml").read_text(encoding="utf-8").split("copy.title")[0]
    assert "native reader must review" in head


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        CataloguePhrases("id").date_time(datetime(2026, 1, 1), "Asia/Jakarta")


def test_dates_name_the_month() -> None:
    assert CataloguePhrases("id").date(date(2026, 8, 17)) == "17 Agustus 2026"
    assert CataloguePhrases("en").date(date(2026, 8, 17)) == "17 August 2026"


def test_an_unknown_language_or_key_and_wrong_values_are_named() -> None:
    with pytest.raises(PhraseError, match="language 'fr': no catalogue"):
        CataloguePhrases("fr")
    phrases = CataloguePhrases("id")
    with pytest.raises(PhraseError, match=r"no text for 'reason\.unheard_of'"):
        phrases.text("reason.unheard_of")
    with pytest.raises(PhraseError, match="'complaint' wants the values channel, got none"):
        phrases.text("complaint")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name: [a, b]\n", "'name' must be a text"),
        (b"keep: no\n", "'keep' must be a text, found False"),
        (b"name: 'Nama {'\n", "'name' has a broken placeholder"),
        (b"- a\n", "holds no texts"),
        (b"a: b: c\n", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML in UTF-8"),
    ],
)
def test_a_damaged_catalogue_is_named_with_its_key(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "id.yaml").write_bytes(content)
    with pytest.raises(PhraseError, match=message):
        CataloguePhrases("id", tmp_path)


def test_a_missing_catalogue_is_named(tmp_path: Path) -> None:
    with pytest.raises(PhraseError, match=r"id\.yaml: can't be read"):
        CataloguePhrases("id", tmp_path)
