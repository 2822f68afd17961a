"""Slip -> ESC/POS bytes, by python-escpos; the only file that imports it.

Rules: what is laid out never relies on the printer's own line wrapping; every chunk is whole commands, so that a
status request may be sent between two chunks. 203 dpi (8 dots a millimetre), font A 12x24 dots, font B 9x17, as on
every common 58 mm (384 dots, 32 columns) and 80 mm (576 dots, 48 columns) printer.
"""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import dataclass
from typing import Any, Literal

import qrcode
from qrcode.util import MODE_8BIT_BYTE, QRData

from edge_agent.core.slip import Line, QrCode, Slip, Style
from edge_agent.devices.escpos_text import printable, rows
from edge_agent.ports import PrinterError

DOTS_PER_MM = 8
LINE_DOTS = 30
"""Default line spacing (`ESC 2`) of 203 dpi printers."""
QR_MODULE_MIN_DOTS, QR_MODULE_MAX_DOTS = 3, 8
PICTURE_BAND_DOTS = 64
"""Pictures go in bands of this height: cheap printers have memory for little more."""
_CANCEL_KANJI = b"\x1c."
"""`FS .`: many printers start in a two-byte Chinese mode that swallows the upper half of the code page."""


@dataclass(frozen=True)
class Sheet:
    """Paper as the head sees it: printable dots and columns by font."""

    dots: int
    columns_a: int
    columns_b: int


SHEETS = {58: Sheet(384, 32, 42), 80: Sheet(576, 48, 64)}


@dataclass(frozen=True)
class PrintJob:
    """chunks: bytes to send, in order; length_mm: paper it will use, roughly."""

    chunks: tuple[bytes, ...]
    length_mm: float


@dataclass(frozen=True)
class _Look:
    """What a style becomes; double_width only where the text then still fits on one row."""

    bold: bool = False
    double_height: bool = False
    double_width: bool = False
    small: bool = False


_LOOKS = {
    Style.TITLE: _Look(bold=True, double_height=True, double_width=True),
    Style.STRONG: _Look(bold=True),
    Style.PLAIN: _Look(),
    Style.SMALL: _Look(small=True),
    Style.RULE: _Look(),
}


class EscposLayout:
    """Lays slips out for one printer.

    profile: a name of python-escpos' printer database, which numbers the code pages. cutter: cut, else feed
    tear_feed_mm so that the slip can be torn off. Raises PrinterError when profile or code page are unknown.
    """

    def __init__(
        self,
        *,
        paper_mm: int,
        code_page: str,
        profile: str,
        qr: Literal["native", "raster"],
        cutter: bool,
        tear_feed_mm: float,
    ) -> None:
        self.sheet = SHEETS[paper_mm]
        self._code_page = code_page.upper()
        self._qr = qr
        self._cutter = cutter
        self._tear_feed_lines = math.ceil(tear_feed_mm * DOTS_PER_MM / LINE_DOTS)
        self._paper_mm = paper_mm
        self._profile = _profile(profile, self.sheet)
        pages = self._profile.get_code_pages()
        if self._code_page not in pages:
            known = ", ".join(sorted(page for page in pages if page != "Unknown"))
            raise PrinterError(f"printer.code_page: profile '{profile}' has no '{code_page}'; it has {known}")

    def lay_out(self, slip: Slip) -> PrintJob:
        """The slip as bytes, from initialisation to cut. Raises PrinterError when a QR code doesn't fit the paper."""
        page = _Page(self._profile, self._code_page, self.sheet)
        for part in slip.parts:
            if isinstance(part, QrCode):
                self._add_qr(page, part)
            else:
                page.add_line(part)
        page.end(self._cutter, self._tear_feed_lines)
        return PrintJob(tuple(page.chunks), page.dots / DOTS_PER_MM)

    def separator(self) -> bytes:
        """Parts what a torn slip left in the printer from the slip that follows."""
        page = _Page(self._profile, self._code_page, self.sheet)
        page.end(self._cutter, self._tear_feed_lines)
        return b"".join(page.chunks)

    def _add_qr(self, page: _Page, code: QrCode) -> None:
        grid = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
        # Drawn by the printer, counted as bytes: it may pack capitals and digits tighter, never wider.
        mode = MODE_8BIT_BYTE if self._qr == "native" else None
        grid.add_data(QRData(code.text.encode(), mode=mode), optimize=0)
        try:
            grid.make(fit=True)
        except ValueError as error:  # qrcode's DataOverflowError is not one in every version; its version check is
            raise self._too_long(code) from error
        modules = len(grid.modules)
        width_dots = min(code.width_mm * DOTS_PER_MM, self.sheet.dots)
        size = min(max(width_dots // modules, QR_MODULE_MIN_DOTS), QR_MODULE_MAX_DOTS)
        if modules * size > self.sheet.dots:
            raise self._too_long(code)
        grid.box_size = size
        page.add_qr(code.text, size, modules * size, grid if self._qr == "raster" else None)

    def _too_long(self, code: QrCode) -> PrinterError:
        return PrinterError(
            f"slip: a QR code of {len(code.text.encode())} bytes does not fit on {self._paper_mm} mm paper; shorten it"
        )


class _Page:
    """One slip being laid out."""

    def __init__(self, profile: Any, code_page: str, sheet: Sheet) -> None:
        self._escpos: Any = _dummy(profile)
        self._sheet = sheet
        self._page = code_page
        self._set: tuple[_Look, bool] | None = None
        self.chunks: list[bytes] = []
        self.dots = 0
        self._escpos.hw("INIT")
        self._escpos._raw(_CANCEL_KANJI)
        self._escpos.charcode(code_page)
        self._close_chunk()

    def add_line(self, line: Line) -> None:
        """One paragraph, wrapped."""
        look = _LOOKS[line.style]
        columns = self._sheet.columns_b if look.small else self._sheet.columns_a
        text, right = (printable(part, self._has) for part in (line.text, line.right))
        if line.style is Style.RULE:
            text, right = "-" * columns, ""
        if look.double_width:
            needed = len(text) + (len(right) + 1 if right else 0)
            fits = needed <= columns // 2 and "\n" not in text
            look = _Look(look.bold, look.double_height, fits, look.small)
            columns = columns // 2 if fits else columns
        self._use(look, line.centred)
        for row in rows(text, right, columns):
            self._escpos.text(f"{row}\n")
            self.dots += 48 if look.double_height else LINE_DOTS
        self._close_chunk()

    def add_qr(self, text: str, module_dots: int, width_dots: int, grid: Any) -> None:
        """A QR code, centred; drawn by the printer, or as a picture where a grid is given."""
        self._use(_Look(), centred=True)
        self._escpos.text("\n")
        if grid is None:
            self._escpos.qr(text, ec=1, size=module_dots, native=True)
        else:
            self._escpos.image(grid.make_image().get_image().convert("RGB"), fragment_height=PICTURE_BAND_DOTS)
        self._escpos.text("\n")
        self.dots += width_dots + 2 * LINE_DOTS
        self._close_chunk()

    def end(self, cutter: bool, tear_feed_lines: int) -> None:
        """Bring the slip out."""
        if cutter:
            self._escpos.cut(feed=False)
        elif tear_feed_lines:
            self._escpos.print_and_feed(tear_feed_lines)
        self.dots += tear_feed_lines * LINE_DOTS
        self._close_chunk()

    def _has(self, char: str) -> bool:
        return bool(self._escpos.magic.encoder.can_encode(self._page, char))

    def _use(self, look: _Look, centred: bool) -> None:
        if self._set == (look, centred):
            return
        self._set = (look, centred)
        self._escpos.set(
            align="center" if centred else "left",
            font="b" if look.small else "a",
            bold=look.bold,
            double_width=look.double_width,
            double_height=look.double_height,
            normal_textsize=not (look.double_width or look.double_height),
        )

    def _close_chunk(self) -> None:
        self.chunks.append(self._escpos.output)
        self._escpos.clear()


def _dummy(profile: Any) -> Any:
    """A python-escpos printer that keeps its bytes. Importing it sets up logging and unpacks a database; see below."""
    from escpos.printer import Dummy

    return Dummy(profile=profile)


def _profile(name: str, sheet: Sheet) -> Any:
    """The named profile, told our paper's width."""
    capabilities = _capabilities()
    profiles = capabilities.CAPABILITIES["profiles"]
    if name not in profiles:
        raise PrinterError(f"printer.profile: no profile '{name}'; python-escpos has {', '.join(sorted(profiles))}")
    data = copy.deepcopy(profiles[name])
    data["media"]["width"] = {"mm": sheet.dots / DOTS_PER_MM, "pixels": sheet.dots}
    profile = capabilities.Profile(features=data["features"])
    profile.profile_data = data
    return profile


def _capabilities() -> Any:
    """python-escpos' database. Its import calls `logging.basicConfig`, which would print every log line a second time,
    and writes a cache to the temporary folder, which a full disk refuses."""
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        from escpos import capabilities
    except OSError as error:
        raise PrinterError(
            f"python-escpos can't unpack its printer database: {error}; free disk space in /tmp"
        ) from error
    finally:
        for handler in root.handlers[:]:
            if handler not in before:
                root.removeHandler(handler)
    return capabilities
