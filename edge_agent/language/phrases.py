"""Texts, money, amounts and dates of one language: a YAML catalogue and the Unicode CLDR data in Babel.

Rules: implements `core.slip.Phrases`; all catalogues have the same keys and placeholders (a test); plain spaces only,
because receipt printers' code pages rarely have the no-break spaces that CLDR puts into amounts.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from string import Formatter
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal

LANGUAGES = {"id": "id_ID", "jv": "jv_ID", "en": "en"}
"""Languages there are catalogues for, and their CLDR locales."""

_MONEY = {"id": "¤#,##0", "jv": "¤#,##0", "en": "¤¤ #,##0"}
"""Whole amounts as people write them: Rp600.000, IDR 600,000 (CLDR's own pattern adds ",00" to rupiah)."""

_CATALOGUES = Path(__file__).parent


class PhraseError(ValueError):
    """A catalogue is missing, damaged, or lacks a text or a value; the message names file and key."""


class CataloguePhrases:
    """One language. Raises PhraseError when there is no usable catalogue for it."""

    def __init__(self, language: str, folder: Path = _CATALOGUES) -> None:
        if language not in LANGUAGES:
            raise PhraseError(f"language '{language}': no catalogue; use one of {', '.join(LANGUAGES)}")
        self._language = language
        self._locale = LANGUAGES[language]
        self._path = folder / f"{language}.yaml"
        self._texts = _read(self._path)

    @property
    def language(self) -> str:
        """BCP 47 tag."""
        return self._language

    @property
    def placeholders(self) -> dict[str, frozenset[str]]:
        """Every key and the names of its placeholders."""
        return {key: _placeholders(text) for key, text in self._texts.items()}

    def text(self, key: str, **values: str) -> str:
        """The text of this key with its values filled in. Raises PhraseError for an unknown key or wrong values."""
        if key not in self._texts:
            raise PhraseError(f"{self._path}: no text for '{key}'; add it to every catalogue")
        text = self._texts[key]
        wanted = _placeholders(text)
        if wanted != values.keys():
            given = ", ".join(sorted(values)) or "none"
            raise PhraseError(
                f"{self._path}: '{key}' wants the values {', '.join(sorted(wanted)) or 'none'}, got {given}; "
                f"use the same placeholders in the text and in the code"
            )
        return text.format_map(values)

    def money(self, amount: Decimal, currency: str) -> str:
        """Whole amounts without decimals, others with two at least; nothing is rounded away."""
        pattern = _MONEY[self._language] + ("" if amount == amount.to_integral_value() else ".00")
        return _plain(
            format_currency(
                amount, currency, pattern, locale=self._locale, currency_digits=False, decimal_quantization=False
            )
        )

    def quantity(self, amount: Decimal, unit: str, item: str) -> str:
        """An amount of goods; unit and item are the roster's own words."""
        number = format_decimal(amount.normalize(), locale=self._locale, decimal_quantization=False)
        return _plain(" ".join(word for word in (number, unit, item) if word))

    def date_time(self, instant: datetime, timezone: str) -> str:
        """ "24 November 2026 13.00 WIB". instant: aware; timezone: IANA name. Raises ValueError for a naive instant."""
        local = _local(instant, timezone)
        zone = local.tzname() or ""
        # Zones without a name of their own are called by their offset: "+07".
        zone = f"UTC{zone}" if zone[:1] in ("+", "-") else zone
        clock = format_skeleton("Hm", local, locale=self._locale)
        return _plain(f"{self.date(local.date())} {clock} {zone}".rstrip())

    def local_date(self, instant: datetime, timezone: str) -> str:
        """The local calendar day of an instant. instant: aware; timezone: IANA name. ValueError for a naive instant."""
        return self.date(_local(instant, timezone).date())

    def date(self, day: date) -> str:
        """ "24 November 2026": the month in words, so that no order of numbers can be mistaken."""
        return _plain(format_date(day, "d MMMM y", locale=self._locale))


def _local(instant: datetime, timezone: str) -> datetime:
    if instant.tzinfo is None:
        raise ValueError(f"instant {instant.isoformat()} has no time zone; give an aware UTC datetime")
    return instant.astimezone(ZoneInfo(timezone))


def _read(path: Path) -> dict[str, str]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise PhraseError(f"{path}: can't be read ({problem.strerror}); reinstall edge-agent") from problem
    except (yaml.YAMLError, UnicodeDecodeError) as problem:
        raise PhraseError(f"{path}: is not YAML in UTF-8; put right: {problem}") from problem
    if not isinstance(loaded, dict) or not loaded:
        raise PhraseError(f"{path}: holds no texts; write one `key: text` a line")
    for key, text in loaded.items():
        if not isinstance(key, str) or not isinstance(text, str) or not text.strip():
            raise PhraseError(f"{path}: '{key}' must be a text, found {text!r}; put it in quotes")
        try:
            _placeholders(text)
        except ValueError as problem:
            raise PhraseError(f"{path}: '{key}' has a broken placeholder ({problem}); write {{name}}") from problem
    return loaded


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")
