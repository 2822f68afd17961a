"""What `token make` and `officer` share: where cards go, how long they hold, and the register of their serials.

Rules: no signed card without an entry in a register, which is written first: a lost card is withdrawn by its serial,
and only the register knows whose it is. A register is readable by its owner only.
"""

from __future__ import annotations

import argparse
import csv
import os
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from pathlib import Path

from edge_agent.core.slip import Line, QrCode, Slip, Style
from edge_agent.enrolment.token_cards import SLIP_CODE_MM, Card, require_fitting, write_cards
from edge_agent.token_file import SignedCode, TokenError

PrintSlips = Callable[[Path, Sequence[Slip]], None]
"""Prints on the printer of this settings file. Raises PrinterError, SettingsError."""


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add --out, --print and --config."""
    parser.add_argument("--out", type=Path, metavar="FILE", help=".png: one card; .pdf: sheets of eight")
    parser.add_argument("--print", action="store_true", help="on the receipt printer of --config")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a terminal's settings, for its printer")


def add_signing(parser: argparse.ArgumentParser, register: str) -> None:
    """Add --expires, --sign and --register. register: its default."""
    parser.add_argument("--expires", required=True, metavar="DAY", help="last day it is taken, YYYY-MM-DD (UTC)")
    parser.add_argument("--sign", required=True, type=Path, metavar="KEY", help="the office's key (roster.pem)")
    parser.add_argument(
        "--register", type=Path, default=Path(register), metavar="CSV", help="grows by each card (%(default)s)"
    )


def require_output(arguments: argparse.Namespace) -> None:
    """There is somewhere to put a card. Raises TokenError."""
    if arguments.out is None and not arguments.print:
        raise TokenError("nowhere to put it: give --out FILE.png, --out FILE.pdf or --print")
    if arguments.print and arguments.config is None:
        raise TokenError("--print: which printer? give the terminal's settings with --config FILE")


def require_room(arguments: argparse.Namespace, cards: int) -> None:
    """So many cards fit where they shall go. Raises TokenError."""
    if arguments.out is not None:
        require_fitting(arguments.out, cards)


def put_on_paper(
    arguments: argparse.Namespace, cards: Sequence[Card], slips: Sequence[Slip], print_slips: PrintSlips
) -> None:
    """Write and print, as the arguments say. Raises TokenError and what `print_slips` raises."""
    if arguments.out is not None:
        write_cards(arguments.out, cards)
    if arguments.print:
        print_slips(arguments.config, slips)


def signed_slip(kind: str, code: SignedCode, text: str, label: str, title: str = "") -> Slip:
    """A token or a badge for the receipt printer. kind: of which; text: of the code; label: as the office wants it."""
    words = [Line(title, Style.TITLE, centred=True), Line(label, Style.STRONG, centred=True)]
    parts: list[Line | QrCode] = [line for line in words if line.text]
    parts += [
        Line(code.holder, Style.STRONG, centred=True),
        QrCode(text, SLIP_CODE_MM),
        Line(f"No. {code.serial}", centred=True),
        Line(f"max. {code.last_day}", centred=True),
    ]
    return Slip(f"{kind}-{code.serial}", "id", tuple(parts))


def last_day(text: str) -> date:
    """A day that has not ended. Raises TokenError."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise TokenError(f"--expires {text}: is no day; write it as 2027-12-31") from error
    if day < datetime.now(timezone.utc).date():
        raise TokenError(f"--expires {day}: is over; give a day to come")
    return day


def register(path: Path, holder: str, codes: Sequence[SignedCode]) -> None:
    """Add a line for each code. holder: the name of its column. Raises TokenError."""
    made_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if not os.fstat(descriptor).st_size:
                writer.writerow(("serial", holder, "last_day", "made_at"))
            for code in codes:
                writer.writerow((code.serial, code.holder, code.last_day, made_at))
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise TokenError(
            f"--register {path}: can't be written ({error.strerror}); no card was made, choose another place"
        ) from error
