"""`edge-agent officer badge|cards`: what an officer holds up to a terminal without a screen, on paper.

Rules: a badge is signed and gets its entry in the register first (`card_output`); command cards are not signed, and
anybody may print as many as they like. Whose badges a terminal takes, its roster says.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from edge_agent.badge_file import BADGE_FORM
from edge_agent.command_card import COMMANDS, PREFIX, command_key, command_text
from edge_agent.command_line import Subparsers, say
from edge_agent.core.officer_acts import Command
from edge_agent.core.slip import Line, Phrases, QrCode, Slip, Style
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
from edge_agent.enrolment.token_cards import SLIP_CODE_MM, command_card, signed_card
from edge_agent.key_files import load_signing_key
from edge_agent.token_file import SignedCode, new_serial, sign_code

PhrasesOf = Callable[[str], Phrases]
"""The catalogue of a language."""

_NAMES = {command_text(command).removeprefix(PREFIX): command for command in COMMANDS}


def add_commands(
    subparsers: Subparsers[argparse.ArgumentParser],
    print_slips: PrintSlips,
    phrases_of: PhrasesOf,
    languages: Sequence[str],
) -> Subparsers[argparse.ArgumentParser]:
    """Add `officer badge` and `officer cards`; returned, so that others can add theirs."""
    officer = subparsers.add_parser("officer", help="officers' badges and command cards (docs/officers.md)")
    commands = officer.add_subparsers(required=True, metavar="badge|cards|register")
    parser = commands.add_parser("badge", help="sign a badge and put it on paper")
    parser.add_argument("--officer", required=True, metavar="ID", help="the officer's opaque id, as in the roster")
    parser.add_argument("--label", default="", help="printed beside the code; leave names out where you can")
    add_signing(parser, "badges.csv")
    _add_language(parser, languages)
    add_output(parser)
    parser.set_defaults(run=lambda arguments: _badge(arguments, print_slips, phrases_of))
    parser = commands.add_parser("cards", help="the sheet of command cards")
    parser.add_argument(
        "--card", action="append", choices=sorted(_NAMES), metavar="NAME", help="only this one, e.g. VOID (repeatable)"
    )
    _add_language(parser, languages)
    add_output(parser)
    parser.set_defaults(run=lambda arguments: _cards(arguments, print_slips, phrases_of))
    return commands


def _add_language(parser: argparse.ArgumentParser, languages: Sequence[str]) -> None:
    parser.add_argument("--language", choices=languages, default="id", help="of what is printed (%(default)s)")


def _badge(arguments: argparse.Namespace, print_slips: PrintSlips, phrases_of: PhrasesOf) -> int:
    require_output(arguments)
    key = load_signing_key(arguments.sign)
    phrases = phrases_of(arguments.language)
    badge = SignedCode(arguments.officer, last_day(arguments.expires), new_serial())
    text = sign_code(BADGE_FORM, badge, key)
    require_room(arguments, 1)
    register(arguments.register, "officer_id", [badge])
    title = phrases.text("badge.title")
    card = signed_card(badge, text, arguments.label, title)
    put_on_paper(arguments, [card], [signed_slip("badge", badge, text, arguments.label, title)], print_slips)
    say(f"{badge.serial} {badge.holder} until {badge.last_day}")
    return 0


def _cards(arguments: argparse.Namespace, print_slips: PrintSlips, phrases_of: PhrasesOf) -> int:
    require_output(arguments)
    phrases = phrases_of(arguments.language)
    chosen = [command for name, command in _NAMES.items() if not arguments.card or name in arguments.card]
    require_room(arguments, len(chosen))
    cards = [command_card(command_text(command), *_words(command, phrases)) for command in chosen]
    put_on_paper(arguments, cards, [_command_slip(command, phrases) for command in chosen], print_slips)
    say(f"{len(chosen)} command card(s)")
    return 0


def _words(command: Command, phrases: Phrases) -> tuple[str, str]:
    """The card's name, and what to hold up in which order."""
    return phrases.text(command_key(command)), phrases.text(f"command.how.{command.act.value}")


def _command_slip(command: Command, phrases: Phrases) -> Slip:
    name, how = _words(command, phrases)
    text = command_text(command)
    parts = (Line(name, Style.TITLE, centred=True), QrCode(text, SLIP_CODE_MM), Line(how, centred=True))
    return Slip(f"card-{text.removeprefix(PREFIX).replace(':', '-').lower()}", phrases.language, parts)
