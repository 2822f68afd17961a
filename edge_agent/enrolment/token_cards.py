"""Codes on paper: one card as a picture, or sheets of A4 with eight cards each, to cut apart.

Rules: the code is about 58 mm wide, so that a terminal's camera reads it at a hand's length (docs/tokens.md). Beside a
signed one stand only what the office chose to print, the holder's id, the serial and the last day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw, ImageFont

from edge_agent.token_file import SignedCode, TokenError

DOTS_PER_INCH = 300
CARD_PX = (1240, 877)
"""105 × 74.25 mm: eight to an A4 page."""
PAGE_PX = (2480, 3508)
MODULE_PX = 14
"""1.19 mm; a code of version 6 with its quiet zone is 49 modules wide."""
SLIP_CODE_MM = 44
"""As wide as a 58 mm roll allows."""
_CODE_PX = MODULE_PX * 49
"""What a code with fewer modules is enlarged to."""
Font = ImageFont.ImageFont | ImageFont.FreeTypeFont
_COLUMNS, _ROWS = 2, 4
_MARGIN_PX = 40


@dataclass(frozen=True)
class Card:
    """text: of the code. words: lines beside it, top down, each with its height in pixels; long ones are wrapped."""

    text: str
    words: tuple[tuple[str, int], ...]


def signed_card(code: SignedCode, text: str, label: str = "", title: str = "") -> Card:
    """A token or a badge. label: as the office wants it."""
    serial = " ".join(code.serial[start : start + 4] for start in range(0, len(code.serial), 4))
    words = ((title, 56), (label, 56), (code.holder, 56), (f"No. {serial}", 44), (f"max. {code.last_day}", 44))
    return Card(text, tuple((line, size) for line, size in words if line))


def command_card(text: str, name: str, how: str) -> Card:
    """A command card. name: large; how: what to hold up in which order, parted by commas."""
    return Card(text, ((name, 80), *((step, 44) for step in how.split(", "))))


def require_fitting(path: Path, cards: int) -> None:
    """So many cards can be written under this name. Raises TokenError."""
    kind = path.suffix.lower()
    if kind not in (".png", ".pdf"):
        raise TokenError(f"--out {path}: give a name that ends in .png (one card) or .pdf (sheets)")
    if kind == ".png" and cards > 1:
        raise TokenError(f"--out {path}: a picture holds one card, there are {cards}; give a name ending in .pdf")


def write_cards(path: Path, cards: Sequence[Card]) -> None:
    """Write a picture of one card (.png) or sheets (.pdf), whole or not at all. Raises TokenError."""
    require_fitting(path, len(cards))
    kind = path.suffix.lower()
    pages = [draw_card(cards[0])] if kind == ".png" else _sheets(cards)
    partial = path.with_name(path.name + ".partial")
    try:
        if kind == ".png":
            pages[0].save(partial, "PNG", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        else:
            pages[0].save(partial, "PDF", resolution=DOTS_PER_INCH, save_all=True, append_images=pages[1:])
        partial.replace(path)
    except OSError as error:
        raise TokenError(f"--out {path}: can't be written ({error.strerror}); choose another place") from error


def draw_card(card: Card) -> Image.Image:
    """One card, grey, CARD_PX."""
    picture = Image.new("L", CARD_PX, 255)
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=MODULE_PX)
    code.add_data(card.text, optimize=0)
    code.make(fit=True)
    code.box_size = max(MODULE_PX, _CODE_PX // (code.modules_count + 2 * code.border))
    image = code.make_image().get_image().convert("L")
    if image.height > CARD_PX[1]:
        image = image.resize((CARD_PX[1], CARD_PX[1]), Image.Resampling.BOX)
    picture.paste(image, (0, (CARD_PX[1] - image.height) // 2))
    pen, left, top = ImageDraw.Draw(picture), image.width, _MARGIN_PX * 3
    for words, size in card.words:
        top = _write(pen, words, (left, top), size)
    return picture


def _write(pen: ImageDraw.ImageDraw, words: str, at: tuple[int, int], size: int) -> int:
    """Write a line, wrapped, or smaller where one word alone doesn't fit; where the next one begins."""
    room = CARD_PX[0] - at[0] - _MARGIN_PX
    font = ImageFont.load_default(size)
    while max(pen.textlength(word, font=font) for word in words.split()) > room and size > 14:
        size -= 2
        font = ImageFont.load_default(size)
    top = at[1]
    for row in _rows(pen, words, font, room):
        pen.text((at[0], top), row, fill=0, font=font)
        top += size * 5 // 4
    return top + size * 3 // 4


def _rows(pen: ImageDraw.ImageDraw, words: str, font: Font, room: int) -> list[str]:
    rows: list[str] = []
    for word in words.split():
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and pen.textlength(longer, font=font) <= room:
            rows[-1] = longer
        else:
            rows.append(word)
    return rows


def _sheets(cards: Sequence[Card]) -> list[Image.Image]:
    """Pages of A4, with thin lines to cut along."""
    pages: list[Image.Image] = []
    for start in range(0, len(cards), _COLUMNS * _ROWS):
        page = Image.new("L", PAGE_PX, 255)
        pen = ImageDraw.Draw(page)
        for place, card in enumerate(cards[start : start + _COLUMNS * _ROWS]):
            corner = (place % _COLUMNS * CARD_PX[0], place // _COLUMNS * CARD_PX[1])
            page.paste(draw_card(card), corner)
            pen.rectangle((*corner, corner[0] + CARD_PX[0] - 1, corner[1] + CARD_PX[1] - 1), outline=190)
        pages.append(page)
    return pages
