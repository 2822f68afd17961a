"""ESC/POS status bytes: how they are asked for, told apart and understood.

Rules: pure. Bit meanings are those of Epson's ESC/POS reference for `DLE EOT n` and `GS r n`, which clones follow:
a real-time answer (`DLE EOT`) always has bits 0, 1, 4, 7 as 0, 1, 1, 0; a queued answer (`GS r`) always has bits 4 and
7 as 0. Any other byte is noise and never becomes a status.
"""

from __future__ import annotations

from edge_agent.core.model import Paper, PrinterStatus

PRINTER, OFFLINE_CAUSE, ERROR_CAUSE, PAPER_SENSOR = 1, 2, 3, 4
"""The n of `DLE EOT n`."""

QUEUED_PAPER_REQUEST = b"\x1dr\x01"
"""`GS r 1`: stands in line with the data, so that its answer proves that everything before it was processed."""

CLEAR_BUFFERS = b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08"
"""`DLE DC4 8`: forget what was received, so that the rest of a torn slip does not come out with the next roll."""

_FIXED_MASK, _FIXED_VALUE = 0x93, 0x12
_QUEUED_MASK = 0x90

_OFFLINE = 0x08
_COVER_OPEN, _FEED_BUTTON, _PAPER_STOP, _ERROR = 0x04, 0x08, 0x20, 0x40
_MECHANICAL, _CUTTER, _UNRECOVERABLE, _AUTO_RECOVERABLE = 0x04, 0x08, 0x20, 0x40
_PAPER_NEAR_END, _PAPER_END = 0x0C, 0x60
_QUEUED_PAPER_END = 0x0C


def realtime_request(n: int) -> bytes:
    """`DLE EOT n`, n in 1..4: answered at once, whatever the printer is doing."""
    return bytes((0x10, 0x04, n))


def is_realtime(byte: int) -> bool:
    """Whether a byte can be the answer to `DLE EOT n`."""
    return byte & _FIXED_MASK == _FIXED_VALUE


def is_queued(byte: int) -> bool:
    """Whether a byte can be the answer to `GS r 1`."""
    return byte & _QUEUED_MASK == 0


def queued_paper_out(byte: int) -> bool:
    """Whether an answer to `GS r 1` says that the paper had ended."""
    return bool(byte & _QUEUED_PAPER_END)


def is_offline(printer: int) -> bool:
    """Whether the answer to `DLE EOT 1` says offline."""
    return bool(printer & _OFFLINE)


def interpret(printer: int, offline: int, error: int, paper: int) -> PrinterStatus:
    """Four valid answers to `DLE EOT 1..4` as one status; `detail` names what to do and the bytes for support."""
    out = bool(paper & _PAPER_END or offline & _PAPER_STOP)
    near_end = bool(paper & _PAPER_NEAR_END)
    cover_open = bool(offline & _COVER_OPEN)
    causes = error & (_MECHANICAL | _CUTTER | _UNRECOVERABLE | _AUTO_RECOVERABLE)
    wrong = bool(offline & _ERROR or causes)
    remedies = []
    if cover_open:
        remedies.append("the cover is open: close it until it clicks")
    if out:
        remedies.append("the paper is out: put in a new roll, printing side to the head")
    if wrong:
        remedies.append(_error_remedy(causes))
    if is_offline(printer) and not (cover_open or out or wrong):
        feeding = "the FEED button is held" if offline & _FEED_BUTTON else "no cause given"
        remedies.append(f"the printer is offline ({feeding}): press its ONLINE or FEED button, or switch it off and on")
    if near_end and not out:
        remedies.append("the roll is nearly at its end: have a new one ready")
    answered = f"DLE EOT answered {printer:02x} {offline:02x} {error:02x} {paper:02x}"
    return PrinterStatus(
        online=not is_offline(printer),
        paper=Paper.OUT if out else Paper.NEAR_END if near_end else Paper.OK,
        cover_open=cover_open,
        error=wrong,
        detail="; ".join([*remedies, answered]),
    )


def _error_remedy(causes: int) -> str:
    if causes & _UNRECOVERABLE:
        return "the printer reports an unrecoverable error: switch it off and on; if it stays, replace it"
    if causes & _AUTO_RECOVERABLE:
        return "the head is too hot or the voltage is off: let it cool, check the power supply"
    if causes & _CUTTER:
        return "the cutter is blocked or the paper is jammed: switch off, clear the paper, close the cover"
    return "the printer reports a mechanical error: switch off, clear the paper path, close the cover"
