"""A slip as a document: what to print, not how. `compose` (outcome -> slip) speaks through `Phrases`.

Rules: pure; every text comes from the phrase catalogue, so that a language is data.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


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
    """A QR code of this text."""

    text: str


@dataclass(frozen=True)
class Slip:
    """One slip. slip_id names it in logs and simulator files; language is a BCP 47 tag."""

    slip_id: str
    language: str
    parts: tuple[Line | QrCode, ...]
