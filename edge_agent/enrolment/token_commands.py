"""`edge-agent token make`: signs tokens and puts them on paper.

Rules: no card without an entry in the register, which is written first: a lost card is withdrawn by its serial, and
only the register knows whose it is. Serial, subject and day are told; the token's text goes onto paper only.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from pathlib import Path

from edge_agent.core.slip import Line, QrCode, Slip, Style
from edge_agent.enrolment.token_cards import Card, require_fitting, write_cards
from edge_agent.key_files import load_signing_key
from edge_agent.token_file import Token, TokenError, new_serial, sign_token

PrintSlips = Callable[[Path, Sequence[Slip]], None]
"""Prints on the printer of this settings file. Raises PrinterError, SettingsError."""

REGISTER_COLUMNS = ("serial", "subject_id", "last_day", "made_at")
SLIP_CODE_MM = 44
"""As wide as a 58 mm roll allows."""
Subparsers = argparse._SubParsersAction  # argparse has no public name for it


def add_commands(subparsers: Subparsers[argparse.ArgumentParser], print_slips: PrintSlips) -> None:
    """Add `token make`."""
    parser = subparsers.add_parser("token", help="cards with a QR code that name a subject")
    commands = parser.add_subparsers(required=True, metavar="make")
    parser = commands.add_parser("make", help="sign tokens and put them on paper (docs/tokens.md)")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--subject", metavar="ID", help="one person's opaque id")
    who.add_argument("--sheet", type=Path, metavar="CSV", help="many: columns subject_id and, if wanted, label")
    parser.add_argument("--expires", required=True, metavar="DAY", help="last day it is taken, YYYY-MM-DD (UTC)")
    parser.add_argument("--sign", required=True, type=Path, metavar="KEY", help="the office's key (roster.pem)")
    parser.add_argument("--label", default="", help="printed beside the code of --subject")
    parser.add_argument("--out", type=Path, metavar="FILE", help=".png: one card; .pdf: sheets of eight")
    parser.add_argument("--print", action="store_true", help="on the receipt printer of --config")
    parser.add_argument("--config", type=Path, metavar="FILE", help="a terminal's settings, for its printer")
    parser.add_argument(
        "--register", type=Path, default=Path("tokens.csv"), metavar="CSV", help="grows by each token (%(default)s)"
    )
    parser.set_defaults(run=lambda arguments: _make(arguments, print_slips))


def _make(arguments: argparse.Namespace, print_slips: PrintSlips) -> int:
    if arguments.out is None and not arguments.print:
        raise TokenError("nowhere to put the token: give --out FILE.png, --out FILE.pdf or --print")
    if arguments.print and arguments.config is None:
        raise TokenError("--print: which printer? give the terminal's settings with --config FILE")
    key = load_signing_key(arguments.sign)
    last_day, now = _last_day(arguments.expires), datetime.now(timezone.utc)
    if last_day < now.date():
        raise TokenError(f"--expires {last_day}: is over; give a day to come")
    people = _read_sheet(arguments.sheet) if arguments.sheet else [(arguments.subject, arguments.label)]
    if arguments.out is not None:
        require_fitting(arguments.out, len(people))
    cards = []
    for subject_id, label in people:
        token = Token(subject_id, last_day, new_serial())
        cards.append(Card(token, sign_token(token, key), label))
    _register(arguments.register, cards, now)
    if arguments.out is not None:
        write_cards(arguments.out, cards)
    if arguments.print:
        print_slips(arguments.config, [_slip(card) for card in cards])
    for card in cards:
        sys.stdout.write(f"{card.token.serial} {card.token.subject_id} until {card.token.last_day}\n")
    return 0


def _last_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise TokenError(f"--expires {text}: is no day; write it as 2027-12-31") from error


def _read_sheet(path: Path) -> list[tuple[str, str]]:
    """(subject id, label) of each row. Raises TokenError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise TokenError(f"{path}: can't be read ({error.strerror}); correct the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise TokenError(f"{path}: is no CSV in UTF-8; save it as such") from error
    if not rows or "subject_id" not in rows[0]:
        raise TokenError(f"{path}: names nobody; the first line must hold 'subject_id', each other line one person")
    people = [((row["subject_id"] or "").strip(), (row.get("label") or "").strip()) for row in rows]
    seen: set[str] = set()
    for line, (subject_id, _) in enumerate(people, 2):
        if not subject_id or subject_id in seen:
            what = "is named twice" if subject_id else "is empty"
            raise TokenError(f"{path}:{line}: subject_id: {what}; one line a person")
        seen.add(subject_id)
    return people


def _register(path: Path, cards: Sequence[Card], now: datetime) -> None:
    """Add a line for each token; the file is readable by its owner only. Raises TokenError."""
    made_at = now.isoformat(timespec="seconds")
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if not os.fstat(descriptor).st_size:
                writer.writerow(REGISTER_COLUMNS)
            for card in cards:
                writer.writerow((card.token.serial, card.token.subject_id, card.token.last_day, made_at))
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise TokenError(
            f"--register {path}: can't be written ({error.strerror}); no token was made, choose another place"
        ) from error


def _slip(card: Card) -> Slip:
    """A card for the receipt printer."""
    token = card.token
    words = [Line(card.label, Style.STRONG, centred=True)] if card.label else []
    return Slip(
        f"token-{token.serial}",
        "id",
        (
            *words,
            Line(token.subject_id, Style.STRONG, centred=True),
            QrCode(card.text, SLIP_CODE_MM),
            Line(f"No. {token.serial}", centred=True),
            Line(f"max. {token.last_day}", centred=True),
        ),
    )
