"""`edge-agent ledger verify|show|export`; `totals` and `exceptions` are in `totals_commands`.

Rules: reads only, so it runs beside the service, and on a machine that has only an export or the centre's copy. A
command returns its exit code: 0 all holds, 1 something does not.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent import key_files
from edge_agent.certificate_file import read_certificate
from edge_agent.command_line import Subparsers, say
from edge_agent.ports import StoreError
from edge_agent.settings import load
from edge_agent.store import record_export, totals_commands
from edge_agent.store.ledger import is_database, verify
from edge_agent.store.record_arguments import add_source, add_timezone, chosen_terminals, day_of, path_of, timezone_of
from edge_agent.store.record_files import Event, records_of

FORMATS = ("jsonl", "csv", "openspp-csv", "openspp-jsonl")


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `ledger`."""
    ledger = subparsers.add_parser("ledger", help="check, read, export or count the chain of records")
    commands = ledger.add_subparsers(required=True, metavar="verify|show|export|totals|exceptions")
    _add_reading(commands)
    parser = commands.add_parser("export", help="records for other systems (docs/proof.md)")
    add_source(parser)
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="default %(default)s: as signed")
    parser.add_argument("--from", dest="first", metavar="DATE", help="first local day")
    parser.add_argument("--until", dest="last", metavar="DATE", help="last local day, inclusive")
    parser.add_argument("--kind", choices=("all", "money", "goods"), default="all", help="OpenSPP: which model")
    parser.add_argument("--currency", default="IDR", help="OpenSPP: currency_id of goods (%(default)s)")
    parser.add_argument("--user", default="", help="OpenSPP: user_id of whoever imports")
    parser.add_argument("--out", type=Path, metavar="FILE", help="never overwritten; default: standard output")
    add_timezone(parser)
    parser.set_defaults(run=_export)
    totals_commands.add_commands(commands)


def _add_reading(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("verify", help="check every record; names the first broken one")
    add_source(parser)
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--key", type=Path, metavar="FILE", help="the terminal's signing.pub.pem (default: configured)")
    whose.add_argument("--certificate", type=Path, metavar="FILE", help="or its certificate, which names the terminal")
    parser.add_argument("--office-key", type=Path, metavar="FILE", help="roster.pub.pem: checks the certificate")
    parser.add_argument("--head", metavar="SEQ:HASH", help="a head known from elsewhere (a day-end slip)")
    parser.set_defaults(run=_verify)
    parser = commands.add_parser("show", help="print the last records as JSON Lines")
    add_source(parser)
    parser.add_argument("--last", type=int, default=10, metavar="N", help="how many (%(default)s; 0: all)")
    parser.set_defaults(run=_show)


def _verify(arguments: argparse.Namespace) -> int:
    path, terminal_id, known_head = path_of(arguments), arguments.terminal, _known_head(arguments.head)
    if arguments.certificate is not None:
        office = key_files.load_verifying_key(arguments.office_key) if arguments.office_key else None
        certificate = read_certificate(arguments.certificate, office)
        key, terminal_id = certificate.key, terminal_id or certificate.terminal_id
        if not certificate.trusted:
            say("(the certificate itself was not checked: give --office-key)")
    else:
        key = _key(arguments)
    source: Path | Sequence[bytes] = path
    if terminal_id is not None or not is_database(path):
        found = records_of(path, terminal_id)
        source = found.bodies
        if found.doubles:
            say(f"{path}: {found.doubles} record(s) stand there more than once, each the same every time")
    result = verify(source, key, known_head)
    if result.first_broken is not None:
        say(f"{path}: BROKEN at record {result.first_broken.sequence}: it {result.first_broken.why}")
        say(f"{result.count} record(s) before it hold")
        return 1
    say(f"{path}: {result.count} record(s) hold; head {result.head_sequence}:{result.head_hash}")
    if arguments.head is None:
        say("(records missing at the end show only against a head known from elsewhere: --head SEQ:HASH)")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    bodies = records_of(path_of(arguments), arguments.terminal).bodies
    for body in bodies[-arguments.last :] if arguments.last > 0 else bodies:
        say(json.dumps(json.loads(body), ensure_ascii=False))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    first, last = day_of(arguments.first, "--from"), day_of(arguments.last, "--until")
    zone = timezone_of(arguments) if first or last else "UTC"
    lines: list[str] = []
    for records in chosen_terminals(arguments):
        events = list(records.events())
        chosen = list(record_export.within(events, zone, first, last)) if first or last else events
        if arguments.format == "jsonl":
            wanted = {record_export.id_of(event) for event in chosen}
            lines += [
                body.decode("utf-8").strip()
                for body, event in zip(records.bodies, events, strict=False)
                if record_export.id_of(event) in wanted
            ]
        elif arguments.format == "csv":
            rows = list(record_export.rows(chosen))
            lines += _csv(record_export.CSV_FIELDS, rows, header=not lines)
        else:
            lines += _openspp(arguments, events, chosen, header=not lines)
    return _put(arguments.out, lines)


def _openspp(
    arguments: argparse.Namespace,
    events: Sequence[Event],
    chosen: Sequence[Event],
    *,
    header: bool,
) -> list[str]:
    defaults = record_export.OpensppDefaults(arguments.currency, arguments.user)
    told = [
        row
        for goods, row in record_export.transactions(events, chosen, defaults)
        if arguments.kind in ("all", "goods" if goods else "money")
    ]
    if arguments.format == "openspp-jsonl":
        return [json.dumps(row, ensure_ascii=False) for row in told]
    fields = record_export.MONEY_FIELDS if arguments.kind == "money" else record_export.GOODS_FIELDS
    return _csv(fields, told, header=header)


def _csv(fields: Sequence[str], told: Iterable[dict[str, str]], *, header: bool) -> list[str]:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fields, restval="", lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows({name: _plain(cell) for name, cell in row.items()} for row in told)
    return text.getvalue().split("\n")[:-1]


def _plain(text: str) -> str:
    """Spreadsheets take a cell that begins so for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _put(out: Path | None, lines: Iterable[str]) -> int:
    if out is None:
        for line in lines:
            say(line)
        return 0
    try:
        with out.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except FileExistsError as error:
        raise StoreError(f"--out {out}: exists; choose another name or move it away") from error
    except OSError as error:
        raise StoreError(f"--out {out}: can't be written ({error.strerror})") from error
    return 0


def _key(arguments: argparse.Namespace) -> Ed25519PublicKey:
    if arguments.key is not None:
        return key_files.load_verifying_key(arguments.key)
    return key_files.load_signing_key(load(arguments.config).settings.store.signing_key).public_key()


def _known_head(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    # The code of a day-end slip is AH1:TERMINAL:SEQUENCE:HASH.
    sequence, _, digest = (text.split(":", 2)[-1] if text.startswith("AH1:") else text).partition(":")
    digest = digest.replace(" ", "")
    if not sequence.isdigit() or len(digest) != 64:
        raise StoreError(f"--head {text}: write sequence and hash as a day-end slip has them: 120:5fe1…")
    return int(sequence), digest.lower()
