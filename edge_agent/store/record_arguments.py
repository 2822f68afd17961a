"""What the commands that read records share: which records, of which terminal, and which local days.

Rules: reads only, so it runs beside the service, and on a machine that has only an export or the centre's copy.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from edge_agent.command_line import add_config
from edge_agent.ports import StoreError
from edge_agent.settings import load
from edge_agent.store.record_files import TerminalRecords, records_by_terminal, records_of


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add --config, --file and --terminal."""
    add_config(parser)
    parser.add_argument(
        "--file",
        type=Path,
        metavar="FILE",
        help="a database, an export or the centre's copy (default: store.path of --config)",
    )
    parser.add_argument("--terminal", metavar="ID", help="which terminal, where the file holds several")


def add_timezone(parser: argparse.ArgumentParser) -> None:
    """Add --timezone."""
    parser.add_argument("--timezone", metavar="NAME", help="of local days, e.g. Asia/Jakarta (default: as configured)")


def path_of(arguments: argparse.Namespace) -> Path:
    """The file. Raises SettingsError where the settings are asked."""
    path: Path = arguments.file if arguments.file is not None else load(arguments.config).settings.store.path
    return path


def chosen_terminals(arguments: argparse.Namespace) -> Iterator[TerminalRecords]:
    """The records of the terminal that was named, or of each in the file. Raises StoreError."""
    path = path_of(arguments)
    if arguments.terminal is not None:
        yield records_of(path, arguments.terminal)
    else:
        yield from records_by_terminal(path).values()


def timezone_of(arguments: argparse.Namespace) -> str:
    """An IANA name. Raises StoreError, SettingsError."""
    name: str | None = arguments.timezone
    if name is not None:
        return known_timezone(name)
    if not arguments.config.exists():
        raise StoreError(f"--timezone: which local days? name it (Asia/Jakarta), or give --config ({arguments.config})")
    return load(arguments.config).settings.terminal.timezone


def known_timezone(name: str) -> str:
    """The name itself. Raises StoreError when there is no such zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise StoreError(f"--timezone {name}: is no time zone; write it as Asia/Jakarta") from error
    return name


def day_of(text: str | None, option: str) -> date | None:
    """A day as somebody typed it; None: none was. Raises StoreError naming the option."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise StoreError(f"{option} {text}: is no day; write it as 2026-11-24") from error
