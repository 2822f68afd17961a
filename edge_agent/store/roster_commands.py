"""`edge-agent roster import|show|delta|schema`.

Rules: a command returns its exit code and lets TerminalError through to `__main__`. `import` needs the service stopped;
`delta` is the office's and needs no terminal. Only ids are printed, never a name.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from edge_agent import key_files
from edge_agent.command_line import Subparsers, add_config, say
from edge_agent.core.model import Timestamp
from edge_agent.ports import EmbedderId
from edge_agent.roster_changes import changes
from edge_agent.roster_content import payload_of
from edge_agent.roster_file import open_at_office, read_header, sign_delta
from edge_agent.roster_json_schema import schema_text
from edge_agent.settings import Settings, load
from edge_agent.store import keys as key_set
from edge_agent.store.claims import TerminalIdentity
from edge_agent.store.roster_import import RosterChange
from edge_agent.store.store import Store
from edge_agent.whole_file import write_whole

Now = Callable[[], Timestamp]
EmbedderOf = Callable[[Settings], EmbedderId | None]
TerminalOf = Callable[[Settings], TerminalIdentity]


def add_commands(
    roster: Subparsers[argparse.ArgumentParser], now: Now, embedder_of: EmbedderOf, terminal_of: TerminalOf
) -> None:
    """Add them to `edge-agent roster`.

    now: the terminal's clock; embedder_of: the embedder these settings run, so that a roster for another is refused.
    """
    parser = roster.add_parser("import", help="put a signed roster, full or delta, in force; prints what changed")
    parser.add_argument("file", type=Path, metavar="FILE", help="the roster or delta")
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="for machines: every id")
    parser.set_defaults(run=lambda arguments: _import(arguments, now, embedder_of, terminal_of))
    parser = roster.add_parser("show", help="the roster in force, or what a file says of itself")
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a roster file; default: what is in force")
    add_config(parser)
    parser.set_defaults(run=lambda arguments: _show(arguments, terminal_of))
    parser = roster.add_parser("delta", help="two full rosters -> a small file with what changed between them")
    parser.add_argument("old", type=Path, metavar="OLD", help="the roster that the terminals have")
    parser.add_argument("new", type=Path, metavar="NEW", help="the roster that they should have")
    parser.add_argument("--sign", required=True, type=Path, metavar="KEY", help="the office's Ed25519 key (roster.pem)")
    parser.add_argument("--office-key", required=True, type=Path, metavar="FILE", help="the one both were built with")
    parser.add_argument("--out", type=Path, default=Path("roster-delta.aid"), help="the file to write (%(default)s)")
    parser.set_defaults(run=_delta)
    parser = roster.add_parser("schema", help="print the JSON Schema of roster files (config/roster.schema.json)")
    parser.set_defaults(run=_schema)


def _import(arguments: argparse.Namespace, now: Now, embedder_of: EmbedderOf, terminal_of: TerminalOf) -> int:
    settings = load(arguments.config).settings
    keys = key_set.load_keys(settings.store)
    with Store.open(settings.store.path, keys, terminal_of(settings), embedder=embedder_of(settings)) as store:
        change = store.import_roster(arguments.file, now())
    if arguments.json:
        say(json.dumps(_as_data(change), indent=2, ensure_ascii=False))
    else:
        _tell(arguments.file, change)
    return 1 if change.wipe_problem else 0


def _as_data(change: RosterChange) -> dict[str, object]:
    return {
        "changed": change.changed,
        "kind": change.kind,
        "version": change.version,
        "previous_version": change.previous_version,
        "subjects": change.subjects,
        "entitlements": change.entitlements,
        "changes": change.details.as_data(),
        "warnings": [warning.as_data() for warning in change.warnings],
        "wipe_problem": change.wipe_problem,
    }


def _tell(file: Path, change: RosterChange) -> None:
    if change.changed:
        say(
            f"{file}: roster {change.version} is in force (before: {change.previous_version or 'none'}): "
            f"{change.subjects} people ({change.subjects_added} new, {change.subjects_removed} gone), "
            f"{change.entitlements} entitlements"
        )
        for line in change.details.lines():
            say(f"  {line}")
    else:
        say(f"{file}: roster {change.version} is in force already; nothing changed")
    for warning in change.warnings:
        say(f"WARN {warning.text}")
    if change.wipe_problem:
        say(f"WARN deleted templates are not wiped from disk yet: {change.wipe_problem}")


def _show(arguments: argparse.Namespace, terminal_of: TerminalOf) -> int:
    settings = load(arguments.config).settings
    if arguments.file is not None:
        header = read_header(arguments.file, key_files.load_verifying_key(settings.store.roster_key))
        say(header.model_dump_json(indent=2, exclude_none=True))
        return 0
    keys = key_set.load_keys(settings.store)
    with Store.open(settings.store.path, keys, terminal_of(settings)) as store:
        info = store.roster_info()
    if info.version == 0 or info.issued_at is None or info.imported_at is None:
        say("no roster was imported yet; import one with `edge-agent roster import FILE`")
        return 1
    say(f"version     {info.version} for site {info.site}, sealed to {info.terminals} terminal(s)")
    say(f"issued      {info.issued_at.isoformat()}")
    say(f"imported    {info.imported_at.isoformat()}")
    say(f"embedder    {info.embedder}")
    say(f"file        sha256 {info.file_sha256}")
    say(f"content     sha256 {info.content_sha256 or 'unknown (imported by older software)'}")
    say(f"holds       {info.subjects} people, {info.templates} templates, {info.entitlements} entitlements")
    say(f"            {info.proxies} proxies, {info.officers} officers, {info.revoked_tokens} withdrawn tokens")
    return 0


def _delta(arguments: argparse.Namespace) -> int:
    key = key_files.load_signing_key(arguments.sign)
    office = key_files.exchange_key(key_files.load_secret(arguments.office_key))
    old = open_at_office(arguments.old, key.public_key(), office)
    new = open_at_office(arguments.new, key.public_key(), office)
    content = sign_delta(old, new, key)
    write_whole(arguments.out, content)
    terminals = ", ".join(entry.terminal for entry in new.header.sealed_to)
    say(
        f"{arguments.out}: {len(content)} bytes, from version {old.header.version} to {new.header.version} of site "
        f"{new.header.site}, sealed to {terminals}"
    )
    for line in changes(payload_of(old.roster()), payload_of(new.roster())).lines():
        say(f"  {line}")
    return 0


def _schema(_: argparse.Namespace) -> int:
    sys.stdout.write(schema_text())
    return 0
