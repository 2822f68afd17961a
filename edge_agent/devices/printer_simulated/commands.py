"""The ESC/POS command stream, cut into commands.

Rules: pure; every byte is part of a known command or of text, anything else is an `UnknownCommand` naming bytes and
offset (a real printer would print rubbish or swallow what follows; a simulator that skipped it would hide the fault).
"""

from __future__ import annotations

from dataclasses import dataclass

LF, CR = b"\n", b"\r"

PARAMETER_BYTES = {
    b"\x1b@": 0,  # initialise
    b"\x1b!": 1,  # print mode
    b"\x1bE": 1,  # emphasised
    b"\x1b-": 1,  # underline
    b"\x1bM": 1,  # font
    b"\x1ba": 1,  # justification
    b"\x1bt": 1,  # code page
    b"\x1bd": 1,  # feed n lines
    b"\x1bJ": 1,  # feed n dots
    b"\x1b2": 0,  # default line spacing
    b"\x1b3": 1,  # line spacing
    b"\x1d!": 1,  # character size
    b"\x1dr": 1,  # queued status
    b"\x1c.": 0,  # cancel Kanji mode
}
"""Commands of a fixed length, by their two bytes."""

CUT, SYMBOL, RASTER = b"\x1dV", b"\x1d(k", b"\x1dv0"
REALTIME_STATUS, REALTIME_RECOVER, REALTIME_CLEAR = b"\x10\x04", b"\x10\x05", b"\x10\x14"
REALTIME = {REALTIME_STATUS: 1, REALTIME_RECOVER: 1, REALTIME_CLEAR: 8}
"""Acted on when received; when their turn in the buffer comes they are passed over."""


class UnknownCommand(Exception):  # noqa: N818 - what the printer met, in its own words
    """Bytes that are no command this printer knows."""


@dataclass(frozen=True)
class Command:
    """code: the command's bytes without parameters, or b"" for text. args: parameters, or the text's bytes."""

    code: bytes
    args: bytes = b""


def take(buffer: bytes, offset: int) -> tuple[Command, int] | None:
    """The first command of the buffer and its length; None while it is incomplete.

    offset: where the buffer begins in the whole stream, for the error text. Raises UnknownCommand.
    """
    first = buffer[:1]
    if not first:
        return None
    if first in (LF, CR):
        return Command(first), 1
    if first[0] >= 0x20:
        length = next((i for i, byte in enumerate(buffer) if byte < 0x20), len(buffer))
        return Command(b"", buffer[:length]), length
    code = buffer[:2]
    if len(code) < 2 and first in (b"\x10", b"\x1b", b"\x1c", b"\x1d"):
        return None
    if code in REALTIME:
        return _fixed(buffer, code, REALTIME[code])
    if code in PARAMETER_BYTES:
        return _fixed(buffer, code, PARAMETER_BYTES[code])
    if code == CUT:
        feeds = buffer[2:3] in (b"A", b"B")
        return _fixed(buffer, code, 2 if feeds else 1)
    if code in (SYMBOL[:2], RASTER[:2]):
        if len(buffer) < 3:
            return None
        if buffer[:3] == SYMBOL:
            return _sized(buffer, SYMBOL, 2, int.from_bytes(buffer[3:5], "little"))
        if buffer[:3] == RASTER:
            width_bytes, height = int.from_bytes(buffer[4:6], "little"), int.from_bytes(buffer[6:8], "little")
            return _sized(buffer, RASTER, 5, width_bytes * height)
    raise UnknownCommand(f"unknown command {buffer[:4].hex(' ')} at byte {offset} of the stream")


def _fixed(buffer: bytes, code: bytes, parameters: int) -> tuple[Command, int] | None:
    length = len(code) + parameters
    return None if len(buffer) < length else (Command(code, buffer[len(code) : length]), length)


def _sized(buffer: bytes, code: bytes, header: int, data: int) -> tuple[Command, int] | None:
    if len(buffer) < len(code) + header:
        return None
    return _fixed(buffer, code, header + data)
