"""`edge-agent token make`: signs tokens and puts them on paper.

Rules: serial, subject and day are told; the token's text goes onto paper only. The register (`card_output`) is written
first.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from edge_agent.command_line import Subparsers, say
from edge_agent.enrolment.card_output import (
    PrintSlips,
    add_output,
    add_signing,
    last_day,
    put_on_paper,
    register,
    require_output,
    require_room,
    signed_slip,
)
from edge_agent.enrolment.token_cards import signed_card
from edge_agent.key_files import load_signing_key
from edge_agent.token_file import TOKEN_FORM, SignedCode, TokenError, new_serial, sign_code


def add_commands(subparsers: Subparsers[argparse.ArgumentParser], print_slips: PrintSlips) -> None:
    """Add `token make`."""
    parser = subparsers.add_parser("token", help="cards with a QR code that name a subject")
    commands = parser.add_subparsers(required=True, metavar="make")
    parser = commands.add_parser("make", help="sign tokens and put them on paper (docs/tokens.md)")
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--subject", metavar="ID", help="one person's opaque id")
    who.add_argument("--sheet", type=Path, metavar="CSV", help="many: columns subject_id and, if wanted, label")
    parser.add_argument("--label", default="", help="printed beside the code of --subject")
    add_signing(parser, "tokens.csv")
    add_output(parser)
    parser.set_defaults(run=lambda arguments: _make(arguments, print_slips))


def _make(arguments: argparse.Namespace, print_slips: PrintSlips) -> int:
    require_output(arguments)
    key = load_signing_key(arguments.sign)
    day = last_day(arguments.expires)
    people = _read_sheet(arguments.sheet) if arguments.sheet else [(arguments.subject, arguments.label)]
    require_room(arguments, len(people))
    tokens = [SignedCode(subject_id, day, new_serial()) for subject_id, _ in people]
    texts = [sign_code(TOKEN_FORM, token, key) for token in tokens]
    register(arguments.register, "subject_id", tokens)
    labels = [label for _, label in people]
    cards = [signed_card(*one) for one in zip(tokens, texts, labels, strict=True)]
    slips = [signed_slip("token", *one) for one in zip(tokens, texts, labels, strict=True)]
    put_on_paper(arguments, cards, slips, print_slips)
    for token in tokens:
        say(f"{token.serial} {token.holder} until {token.last_day}")
    return 0


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
