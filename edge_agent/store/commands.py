"""`edge-agent keys`, `ledger`, and `roster import|show`.

Rules: a command returns its exit code and lets TerminalError through to `__main__`. `ledger` reads only, so it runs
beside the service; `roster import` needs the service stopped.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent import key_files
from edge_agent.core.model import Timestamp
from edge_agent.ports import EmbedderId, StoreError
from edge_agent.roster_file import read_header
from edge_agent.settings import Settings, load
from edge_agent.store import keys as key_set
from edge_agent.store.claims import TerminalIdentity
from edge_agent.store.ledger import read_records, verify
from edge_agent.store.store import Store

Subparsers = argparse._SubParsersAction  # argparse has no public name for it
Now = Callable[[], Timestamp]
EmbedderOf = Callable[[Settings], EmbedderId | None]


def add_commands(
    subparsers: Subparsers[argparse.ArgumentParser],
    roster_subparsers: Subparsers[argparse.ArgumentParser],
    now: Now,
    embedder_of: EmbedderOf,
) -> None:
    """Add `keys` and `ledger` to the first, `import` and `show` to the second (of `edge-agent roster`).

    now: the terminal's clock; embedder_of: the embedder these settings run, so that a roster for another is refused.
    """
    _add_roster(roster_subparsers, now, embedder_of)
    _add_ledger(subparsers.add_parser("ledger", help="check or read the chain of records"))
    _add_keys(subparsers.add_parser("keys", help="make or show keys"))


def terminal_of(settings: Settings) -> TerminalIdentity:
    """The identity that records carry."""
    terminal = settings.terminal
    return TerminalIdentity(terminal.id, terminal.site, terminal.place, terminal.timezone)


def _add_roster(roster: Subparsers[argparse.ArgumentParser], now: Now, embedder_of: EmbedderOf) -> None:
    parser = roster.add_parser("import", help="put a signed roster in force")
    parser.add_argument("file", type=Path)
    _add_config(parser)
    parser.set_defaults(run=lambda arguments: _import(arguments, now, embedder_of))
    parser = roster.add_parser("show", help="the roster in force, or what a file says of itself")
    parser.add_argument("file", type=Path, nargs="?")
    _add_config(parser)
    parser.set_defaults(run=_show_roster)


def _add_ledger(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="verify|show")
    parser = commands.add_parser("verify", help="check every record; names the first broken one")
    _add_ledger_source(parser)
    parser.add_argument(
        "--key", type=Path, metavar="FILE", help="the terminal's signing.pub.pem (default: as configured)"
    )
    parser.add_argument("--head", metavar="SEQ:HASH", help="a head known from elsewhere: shows a cut-off end")
    parser.set_defaults(run=_verify)
    parser = commands.add_parser("show", help="print the last records as JSON Lines")
    _add_ledger_source(parser)
    parser.add_argument("--last", type=int, default=10, metavar="N", help="how many (%(default)s; 0: all)")
    parser.set_defaults(run=_show_ledger)


def _add_keys(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="make|show")
    parser = commands.add_parser("make", help="make new keys; existing files are never overwritten")
    parser.add_argument("kind", choices=sorted(_MAKERS), help="terminal: its own; roster: the office's signing pair; "
                        "office: encrypts enrolment files")  # fmt: skip
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=_make_keys)
    parser = commands.add_parser("show", help="which keys a folder holds, by their public ids")
    parser.add_argument("folder", type=Path)
    parser.set_defaults(run=_show_keys)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("config/terminal.yaml"), metavar="FILE")


def _add_ledger_source(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    parser.add_argument("--file", type=Path, help="a database or a JSON Lines export (default: store.path)")


def _import(arguments: argparse.Namespace, now: Now, embedder_of: EmbedderOf) -> int:
    settings = load(arguments.config).settings
    keys = key_set.load_keys(settings.store)
    with Store.open(settings.store.path, keys, terminal_of(settings), embedder=embedder_of(settings)) as store:
        change = store.import_roster(arguments.file, now())
    if not change.changed:
        _say(f"{arguments.file}: roster {change.version} is in force already; nothing changed")
        return 0
    _say(
        f"{arguments.file}: roster {change.version} is in force (before: {change.previous_version or 'none'}): "
        f"{change.subjects} people ({change.subjects_added} new, {change.subjects_removed} gone), "
        f"{change.entitlements} entitlements"
    )
    return 0


def _show_roster(arguments: argparse.Namespace) -> int:
    settings = load(arguments.config).settings
    if arguments.file is not None:
        header = read_header(arguments.file, key_files.load_verifying_key(settings.store.roster_key))
        _say(header.model_dump_json(indent=2))
        return 0
    keys = key_set.load_keys(settings.store)
    with Store.open(settings.store.path, keys, terminal_of(settings)) as store:
        info = store.roster_info()
    if info.version == 0 or info.issued_at is None or info.imported_at is None:
        _say("no roster was imported yet; import one with `edge-agent roster import FILE`")
        return 1
    _say(f"version     {info.version} for site {info.site}")
    _say(f"issued      {info.issued_at.isoformat()}")
    _say(f"imported    {info.imported_at.isoformat()}")
    _say(f"embedder    {info.embedder}")
    _say(f"file        sha256 {info.file_sha256}")
    _say(f"holds       {info.subjects} people, {info.templates} templates, {info.entitlements} entitlements")
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    path = _ledger_path(arguments)
    result = verify(path, _ledger_key(arguments), _known_head(arguments.head))
    if result.first_broken is not None:
        _say(f"{path}: BROKEN at record {result.first_broken.sequence}: it {result.first_broken.why}")
        _say(f"{result.count} record(s) before it hold")
        return 1
    _say(f"{path}: {result.count} record(s) hold; head {result.head_sequence}:{result.head_hash}")
    if arguments.head is None:
        _say("(records missing at the end show only against a head known from elsewhere: --head SEQ:HASH)")
    return 0


def _show_ledger(arguments: argparse.Namespace) -> int:
    records = read_records(_ledger_path(arguments))
    for body in deque(records, arguments.last) if arguments.last > 0 else records:
        _say(json.dumps(json.loads(body), ensure_ascii=False))
    return 0


def _ledger_path(arguments: argparse.Namespace) -> Path:
    return arguments.file if arguments.file is not None else load(arguments.config).settings.store.path


def _ledger_key(arguments: argparse.Namespace) -> Ed25519PublicKey:
    if arguments.key is not None:
        return key_files.load_verifying_key(arguments.key)
    return key_files.load_signing_key(load(arguments.config).settings.store.signing_key).public_key()


def _known_head(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    sequence, _, digest = text.partition(":")
    if not sequence.isdigit() or len(digest) != 64:
        raise StoreError(f"--head {text}: write sequence and hash as printed by `ledger verify`: 120:5fe1…")
    return int(sequence), digest.lower()


def _make_keys(arguments: argparse.Namespace) -> int:
    _MAKERS[arguments.kind](arguments.folder)
    return _show_keys(arguments)


def _show_keys(arguments: argparse.Namespace) -> int:
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
    }
    found = [(folder / name, describe) for name, describe in loaders.items() if (folder / name).exists()]
    for path, describe in found:
        _say(f"{path}: {describe(path)}")
    if not found:
        _say(f"{folder}: no keys; make them with `edge-agent keys make terminal {folder}`")
    return 0 if found else 1


def _exchange_id(path: Path) -> str:
    return key_files.key_id(key_files.exchange_key(key_files.load_secret(path)).public_key())


_MAKERS: dict[str, Callable[[Path], None]] = {
    "terminal": key_set.make_terminal_keys,
    "roster": key_set.make_roster_keys,
    "office": key_set.make_office_key,
}


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
