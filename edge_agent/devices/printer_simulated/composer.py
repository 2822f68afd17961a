"""Commands -> what the head and the motor do: the printer's text and symbol memory.

Rules: pure; no paper, time or faults here. A parameter out of range is an `UnknownCommand` too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import qrcode

from edge_agent.devices.printer_simulated.commands import CR, CUT, LF, RASTER, REALTIME, SYMBOL, Command, UnknownCommand
from edge_agent.devices.printer_simulated.typeface import CELLS, Dots, glyph

LINE_SPACING_DOTS = 30
CUTTER_DISTANCE_DOTS = 112
"""Head to cutter, 14 mm: what `GS V 66` feeds before it cuts."""
CODE_PAGES = {0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 16: "cp1252", 18: "cp852", 19: "cp858"}
"""Epson's numbers for the pages with Latin letters."""
_QR_LEVELS = {48: 1, 49: 0, 50: 3, 51: 2}
"""`GS ( k` 48..51 (L, M, Q, H) -> the qrcode package's constants."""


@dataclass(frozen=True)
class Print:
    """Burn these rows while feeding; text: how the transcript shows it (None: nothing)."""

    dots: Dots
    text: str | None = None


@dataclass(frozen=True)
class Cut:
    """Cut the paper here."""


Motion = Print | Cut


class Composer:
    """Text memory of one printer of `width` dots. `wrapped` counts rows the printer had to break: none should be."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.wrapped = 0
        self._qr_data = b""
        self._reset()

    def _reset(self) -> None:
        self._row: list[tuple[str, Dots]] = []
        self._font = "a"
        self._bold = False
        self._underline = 0
        self._times = (1, 1)
        self._align = 0
        self._spacing = LINE_SPACING_DOTS
        self._page = "cp437"
        self._qr_size, self._qr_level = 3, 48

    def apply(self, command: Command) -> list[Motion]:
        """The motions this command causes now. Raises UnknownCommand on a parameter the printer doesn't know."""
        code, args = command.code, command.args
        if code == b"":
            return list(self._text(args))
        if code == LF:
            return [self._end_row()]
        if code == CR or code in REALTIME or code == b"\x1c.":
            return []
        if code == CUT:
            return self._cut(args)
        if code == SYMBOL:
            return self._symbol(args[2:])
        if code == RASTER:
            return self._raster(args)
        if code in (b"\x1bd", b"\x1bJ"):
            return self._feed(args[0] * (self._spacing if code == b"\x1bd" else 1))
        self._set(code, args)
        return []

    def _set(self, code: bytes, args: bytes) -> None:
        n = args[0] if args else 0
        if code == b"\x1b@":
            self._reset()
        elif code == b"\x1b!":
            self._font, self._bold, self._underline = "ab"[n & 1], bool(n & 8), n >> 7
            self._times = (2 if n & 0x20 else 1, 2 if n & 0x10 else 1)
        elif code == b"\x1bE":
            self._bold = bool(n & 1)
        elif code == b"\x1b-" and n in (0, 1, 2, 48, 49, 50):
            self._underline = n % 48
        elif code == b"\x1bM" and n in (0, 1, 48, 49):
            self._font = "ab"[n % 48]
        elif code == b"\x1ba" and n in (0, 1, 2, 48, 49, 50):
            self._align = n % 48
        elif code == b"\x1bt" and n in CODE_PAGES:
            self._page = CODE_PAGES[n]
        elif code == b"\x1b2":
            self._spacing = LINE_SPACING_DOTS
        elif code == b"\x1b3":
            self._spacing = n
        elif code == b"\x1d!" and n & 0x88 == 0:
            self._times = ((n >> 4) + 1, (n & 7) + 1)
        else:
            raise UnknownCommand(f"command {code.hex(' ')} has no parameter {n}")

    def _text(self, data: bytes) -> Iterator[Motion]:
        for char in data.decode(self._page, errors="replace"):
            dots = glyph(char, self._font, self._bold, *self._times)
            if self._underline:
                dots = dots.copy()
                dots[-self._underline :] = True
            if sum(cell.shape[1] for _, cell in self._row) + dots.shape[1] > self.width:
                self.wrapped += 1
                yield self._end_row()
            self._row.append((char, dots))

    def _end_row(self) -> Motion:
        row, self._row = self._row, []
        if not row:
            return Print(np.zeros((self._spacing, self.width), dtype=np.bool_), "")
        height = max(cell.shape[0] for _, cell in row)
        cells = [np.pad(cell, ((height - cell.shape[0], 0), (0, 0))) for _, cell in row]
        dots = self._place(np.concatenate(cells, axis=1))
        dots = np.pad(dots, ((0, max(self._spacing - height, 0)), (0, 0)))
        return Print(dots, self._place_text("".join(char for char, _ in row)))

    def _place(self, dots: Dots) -> Dots:
        spare = self.width - dots.shape[1]
        left = (0, spare // 2, spare)[self._align]
        return np.pad(dots, ((0, 0), (left, spare - left)))

    def _place_text(self, text: str) -> str:
        columns = self.width // CELLS[self._font][0] // self._times[0]
        placed = (text, text.center(columns), text.rjust(columns))[self._align]
        return placed.rstrip()

    def _feed(self, dots: int) -> list[Motion]:
        row = [self._end_row()] if self._row else []
        return [*row, Print(np.zeros((dots, self.width), dtype=np.bool_))]

    def _cut(self, args: bytes) -> list[Motion]:
        if args[:1] not in (b"\x00", b"\x01", b"0", b"1", b"A", b"B"):
            raise UnknownCommand(f"command 1d 56 has no parameter {args[0]}")
        feed = CUTTER_DISTANCE_DOTS + args[1] if len(args) == 2 else 0
        return [*self._feed(feed), Cut()]

    def _raster(self, args: bytes) -> list[Motion]:
        mode, width_bytes = args[0], int.from_bytes(args[1:3], "little")
        if mode not in (0, 1, 2, 3, 48, 49, 50, 51) or width_bytes * 8 > self.width:
            raise UnknownCommand(f"command 1d 76 30 mode {mode}, {width_bytes * 8} dots wide: head has {self.width}")
        bits = np.unpackbits(np.frombuffer(args[5:], dtype=np.uint8)).reshape(-1, width_bytes * 8).astype(np.bool_)
        bits = bits.repeat(2 if mode & 2 else 1, axis=0).repeat(2 if mode & 1 else 1, axis=1)
        return [Print(self._place(bits), self._place_text(f"[picture {bits.shape[1]}x{bits.shape[0]}]"))]

    def _symbol(self, args: bytes) -> list[Motion]:
        kind, function, data = args[0], args[1], args[2:]
        if kind != 49 or (function == 65 and data[:1] not in (b"1", b"2")):
            raise UnknownCommand(f"command 1d 28 6b with cn {kind}, fn {function}: only QR codes of model 1 and 2")
        if function == 67 and 1 <= data[0] <= 16:
            self._qr_size = data[0]
        elif function == 69 and data[0] in _QR_LEVELS:
            self._qr_level = data[0]
        elif function == 80:
            self._qr_data = data[1:]
        elif function == 81:
            return [self._draw_qr()]
        elif function != 65:
            raise UnknownCommand(f"command 1d 28 6b 31 has no function {function} with {data[:1].hex()}")
        return []

    def _draw_qr(self) -> Motion:
        grid: Any = qrcode.QRCode(error_correction=_QR_LEVELS[self._qr_level], border=0)
        grid.add_data(self._qr_data)
        grid.make(fit=True)
        dots = np.array(grid.modules, dtype=np.bool_).repeat(self._qr_size, axis=0).repeat(self._qr_size, axis=1)
        if dots.shape[1] > self.width:  # what a real head does with a symbol it has no room for
            return Print(np.zeros((0, self.width), dtype=np.bool_), "[QR code too wide]")
        return Print(self._place(dots), self._place_text(f"[QR {self._qr_data.decode('utf-8', 'replace')}]"))
