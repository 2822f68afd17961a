"""`edge-agent keys make|show|certify`.

Rules: keys are never overwritten and never shown, only their public ids. A certificate holds nothing secret.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date, datetime, timezone
from pathlib import Path

from edge_agent import key_files
from edge_agent.certificate_file import CertificateError, read_certificate, sign_certificate
from edge_agent.command_line import Subparsers, say
from edge_agent.store import keys as key_set


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `keys`."""
    keys = subparsers.add_parser("keys", help="make or show keys, certify a terminal's")
    commands = keys.add_subparsers(required=True, metavar="make|show|certify")
    parser = commands.add_parser("make", help="make new keys; existing files are never overwritten")
    parser.add_argument("kind", choices=sorted(_MAKERS), help="terminal: its own; roster: the office's signing pair; "
                        "office: encrypts enrolment files; office-id: turns national numbers into ids")  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=_make)
    parser = commands.add_parser("show", help="which keys a folder holds, by their public ids")
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=_show)
    parser = commands.add_parser(
        "certify", help="the office's word whose key this is, for whoever checks slips", description=_certify.__doc__
    )
    parser.add_argument("key", type=Path, metavar="KEY", help="the terminal's signing.pub.pem")
    parser.add_argument("--terminal", required=True, metavar="ID", help="terminal.id of its settings")
    parser.add_argument("--site", required=True, metavar="SITE", help="terminal.site of its settings")
    parser.add_argument("--sign", required=True, type=Path, metavar="KEY", help="the office's key (roster.pem)")
    parser.add_argument("--valid-until", required=True, metavar="DATE", help="last day it speaks for, YYYY-MM-DD")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="terminal.cert; never overwritten")
    parser.set_defaults(run=_certify)


def _certify(arguments: argparse.Namespace) -> int:
    """Sign a terminal's certificate with the office's key. Compare the key id with the terminal's, over the phone,
    before giving it to anybody."""
    try:
        last_day = date.fromisoformat(arguments.valid_until)
    except ValueError as error:
        raise CertificateError(f"--valid-until {arguments.valid_until}: is no day; write it as 2027-12-31") from error
    key, office = key_files.load_verifying_key(arguments.key), key_files.load_signing_key(arguments.sign)
    today = datetime.now(timezone.utc).date()
    content = sign_certificate(arguments.terminal, arguments.site, key, office, issued_on=today, last_day=last_day)
    try:
        with arguments.out.open("xb") as file:
            file.write(content)
    except FileExistsError as error:
        raise CertificateError(f"--out {arguments.out}: exists; choose another name or move it away") from error
    except OSError as error:
        raise CertificateError(f"--out {arguments.out}: can't be written ({error.strerror})") from error
    made = read_certificate(arguments.out, office.public_key())
    say(f"{arguments.out}: terminal {made.terminal_id}, site {made.site}, key {made.key_id}, until {made.last_day}")
    return 0


def _make(arguments: argparse.Namespace) -> int:
    _MAKERS[arguments.kind](arguments.folder)
    return _show(arguments)


def _show(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    loaders: dict[str, Callable[[Path], str]] = {
        key_set.TEMPLATE_KEY: lambda path: f"exchange id {_exchange_id(path)}",
        key_set.SIGNING_KEY: lambda path: f"id {key_files.key_id(key_files.load_signing_key(path).public_key())}",
        key_set.SIGNING_PUBLIC: lambda path: f"id {key_files.key_id(key_files.load_verifying_key(path))}",
        key_set.EXCHANGE_PUBLIC: lambda path: (
            f"exchange id {key_files.key_id(key_files.load_exchange_public_key(path))}"
        ),
        key_set.ROSTER_KEY: lambda path: f"id {key_files.key_id(key_files.load_signing_key(path).public_key())}",
        key_set.ROSTER_PUBLIC: lambda path: f"id {key_files.key_id(key_files.load_verifying_key(path))}",
        key_set.OFFICE_KEY: lambda path: f"{len(key_files.load_secret(path))} bytes",
        key_set.OFFICE_ID_KEY: lambda path: f"{len(key_files.load_secret(path))} bytes",
    }
    found = [(folder / name, describe) for name, describe in loaders.items() if (folder / name).exists()]
    for path, describe in found:
        say(f"{path}: {describe(path)}")
    if not found:
        say(f"{folder}: no keys; make them with `edge-agent keys make terminal {folder}`")
    return 0 if found else 1


def _exchange_id(path: Path) -> str:
    return key_files.key_id(key_files.exchange_key(key_files.load_secret(path)).public_key())


_MAKERS: dict[str, Callable[[Path], None]] = {
    "terminal": key_set.make_terminal_keys,
    "roster": key_set.make_roster_keys,
    "office": key_set.make_office_key,
    "office-id": key_set.make_office_id_key,
}
