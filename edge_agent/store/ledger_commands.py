"""`edge-agent ledger verify|show|export|totals|exceptions`.

Rules: reads only, so it runs beside the service, and on a machine that has only an export or the centre's copy. A
command returns its exit code: 0 all holds, 1 something does not.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from edge_agent import key_files
from edge_agent.certificate_file import read_certificate
from edge_agent.core.policy import OfficerLimits
from edge_agent.ports import StoreError
from edge_agent.settings import load
from edge_agent.store import record_export
from edge_agent.store.ledger import is_database, verify
from edge_agent.store.officer_counts import ACTS, OfficerDay, limits_in, officer_counts
from edge_agent.store.public_totals import full_totals, public_totals
from edge_agent.store.record_files import Event, TerminalRecords, records_by_terminal, records_of
from edge_agent.store.record_totals import gather
from edge_agent.store.totals_text import totals_lines

Subparsers = argparse._SubParsersAction  # argparse has no public name for it
FORMATS = ("jsonl", "csv", "openspp-csv", "openspp-jsonl")


def add_commands(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Add `ledger`."""
    ledger = subparsers.add_parser("ledger", help="check, read, export or count the chain of records")
    commands = ledger.add_subparsers(required=True, metavar="verify|show|export|totals|exceptions")
    _add_reading(commands)
    parser = commands.add_parser("export", help="records for other systems (docs/proof.md)")
    _add_source(parser)
    parser.add_argument("--format", choices=FORMATS, default="jsonl", help="default %(default)s: as signed")
    parser.add_argument("--from", dest="first", metavar="DATE", help="first local day")
    parser.add_argument("--until", dest="last", metavar="DATE", help="last local day, inclusive")
    parser.add_argument("--kind", choices=("all", "money", "goods"), default="all", help="OpenSPP: which model")
    parser.add_argument("--currency", default="IDR", help="OpenSPP: currency_id of goods (%(default)s)")
    parser.add_argument("--user", default="", help="OpenSPP: user_id of whoever imports")
    parser.add_argument("--out", type=Path, metavar="FILE", help="never overwritten; default: standard output")
    _add_timezone(parser)
    parser.set_defaults(run=_export)
    parser = commands.add_parser("totals", help="what each day came to, with exception and exclusion rate")
    _add_source(parser)
    parser.add_argument("--day", metavar="DATE", help="one local day; default: every day there is")
    parser.add_argument("--public", action="store_true", help="small counts protected, for publication")
    parser.add_argument("--json", action="store_true", help="for machines")
    _add_timezone(parser)
    parser.set_defaults(run=_totals)
    parser = commands.add_parser("exceptions", help="what officers did, by day and officer, against policy")
    _add_source(parser)
    parser.add_argument("--day", metavar="DATE", help="one local day; default: every day there is")
    for name in ("assisted", "reprints", "voids"):
        parser.add_argument(f"--{name}", type=int, metavar="N", help="most a day (default: policy in the database)")
    parser.add_argument("--json", action="store_true", help="for machines")
    _add_timezone(parser)
    parser.set_defaults(run=_exceptions)


def _add_reading(commands: Subparsers[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("verify", help="check every record; names the first broken one")
    _add_source(parser)
    whose = parser.add_mutually_exclusive_group()
    whose.add_argument("--key", type=Path, metavar="FILE", help="the terminal's signing.pub.pem (default: configured)")
    whose.add_argument("--certificate", type=Path, metavar="FILE", help="or its certificate, which names the terminal")
    parser.add_argument("--office-key", type=Path, metavar="FILE", help="roster.pub.pem: checks the certificate")
    parser.add_argument("--head", metavar="SEQ:HASH", help="a head known from elsewhere (a day-end slip)")
    parser.set_defaults(run=_verify)
    parser = commands.add_parser("show", help="print the last records as JSON Lines")
    _add_source(parser)
    parser.add_argument("--last", type=int, default=10, metavar="N", help="how many (%(default)s; 0: all)")
    parser.set_defaults(run=_show)


def _add_source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, default=Path("config/terminal.yaml"), metavar="FILE")
    parser.add_argument(
        "--file", type=Path, help="a database, an export or the centre's copy (default: store.path of --config)"
    )
    parser.add_argument("--terminal", metavar="ID", help="which terminal, where the file holds several")


def _add_timezone(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timezone", metavar="NAME", help="of local days, e.g. Asia/Jakarta (default: as configured)")


def _verify(arguments: argparse.Namespace) -> int:
    path, terminal_id, known_head = _path(arguments), arguments.terminal, _known_head(arguments.head)
    if arguments.certificate is not None:
        office = key_files.load_verifying_key(arguments.office_key) if arguments.office_key else None
        certificate = read_certificate(arguments.certificate, office)
        key, terminal_id = certificate.key, terminal_id or certificate.terminal_id
        if not certificate.trusted:
            _say("(the certificate itself was not checked: give --office-key)")
    else:
        key = _key(arguments)
    source: Path | Sequence[bytes] = path
    if terminal_id is not None or not is_database(path):
        found = records_of(path, terminal_id)
        source = found.bodies
        if found.doubles:
            _say(f"{path}: {found.doubles} record(s) stand there more than once, each the same every time")
    result = verify(source, key, known_head)
    if result.first_broken is not None:
        _say(f"{path}: BROKEN at record {result.first_broken.sequence}: it {result.first_broken.why}")
        _say(f"{result.count} record(s) before it hold")
        return 1
    _say(f"{path}: {result.count} record(s) hold; head {result.head_sequence}:{result.head_hash}")
    if arguments.head is None:
        _say("(records missing at the end show only against a head known from elsewhere: --head SEQ:HASH)")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    bodies = records_of(_path(arguments), arguments.terminal).bodies
    for body in bodies[-arguments.last :] if arguments.last > 0 else bodies:
        _say(json.dumps(json.loads(body), ensure_ascii=False))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    first, last = _day(arguments.first, "--from"), _day(arguments.last, "--until")
    zone = _timezone(arguments) if first or last else "UTC"
    lines: list[str] = []
    for records in _chosen(arguments):
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


def _totals(arguments: argparse.Namespace) -> int:
    zone, day = _timezone(arguments), _day(arguments.day, "--day")
    tables = []
    for records in _chosen(arguments):
        facts = gather(records.events(), zone)
        make = public_totals if arguments.public else full_totals
        days = [day.isoformat()] if day else facts.days()
        tables += [make(facts, records.terminal_id, one) for one in days]
    if arguments.json:
        _say(json.dumps(tables, indent=2, ensure_ascii=False))
    else:
        for table in tables:
            for line in totals_lines(table):
                _say(line)
    return 0


def _exceptions(arguments: argparse.Namespace) -> int:
    policy = limits_in(_path(arguments))
    limits = OfficerLimits(
        policy.assisted_per_day if arguments.assisted is None else arguments.assisted,
        policy.reprints_per_day if arguments.reprints is None else arguments.reprints,
        policy.voids_per_day if arguments.voids is None else arguments.voids,
    )
    zone, day = _timezone(arguments), _day(arguments.day, "--day")
    found: list[tuple[str, OfficerDay]] = [
        (records.terminal_id, one)
        for records in _chosen(arguments)
        for one in officer_counts(records.events(), zone, limits, day.isoformat() if day else None)
    ]
    if arguments.json:
        _say(json.dumps([{"terminal": terminal, **_officer_day(one)} for terminal, one in found], indent=2))
        return 1 if any(one.over for _, one in found) else 0
    for terminal, one in found:
        counts = ", ".join(f"{act} {one.counts[act]}" for act in ACTS if one.counts[act])
        why = ", ".join(f"{reason} {count}" for reason, count in one.assist_reasons.items())
        over = f"  OVER POLICY: {', '.join(one.over)}" if one.over else ""
        _say(f"{one.day}  {terminal}  officer {one.officer_id}: {counts}{f' ({why})' if why else ''}{over}")
    if not found:
        _say("no officer acted")
    return 1 if any(one.over for _, one in found) else 0


def _officer_day(one: OfficerDay) -> dict[str, object]:
    return {
        "day": one.day,
        "officer": one.officer_id,
        **one.counts,
        "assist_reasons": dict(one.assist_reasons),
        "over_policy": list(one.over),
    }


def _chosen(arguments: argparse.Namespace) -> Iterator[TerminalRecords]:
    path = _path(arguments)
    if arguments.terminal is not None:
        yield records_of(path, arguments.terminal)
    else:
        yield from records_by_terminal(path).values()


def _csv(fields: Sequence[str], told: Iterable[dict[str, str]], *, header: bool) -> list[str]:
    lines: list[str] = []
    writer = csv.DictWriter(_Lines(lines), fields, restval="", lineterminator="")
    if header:
        writer.writeheader()
    for row in told:
        writer.writerow({name: _plain(text) for name, text in row.items()})
    return lines


class _Lines:
    """A list of lines that a csv writer can write to."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, line: str) -> int:
        self._lines.append(line)
        return len(line)


def _plain(text: str) -> str:
    """Spreadsheets take a cell that begins so for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _put(out: Path | None, lines: Iterable[str]) -> int:
    if out is None:
        for line in lines:
            _say(line)
        return 0
    try:
        with out.open("x", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
    except FileExistsError as error:
        raise StoreError(f"--out {out}: exists; choose another name or move it away") from error
    except OSError as error:
        raise StoreError(f"--out {out}: can't be written ({error.strerror})") from error
    return 0


def _path(arguments: argparse.Namespace) -> Path:
    path: Path = arguments.file if arguments.file is not None else load(arguments.config).settings.store.path
    return path


def _key(arguments: argparse.Namespace) -> Ed25519PublicKey:
    if arguments.key is not None:
        return key_files.load_verifying_key(arguments.key)
    return key_files.load_signing_key(load(arguments.config).settings.store.signing_key).public_key()


def _timezone(arguments: argparse.Namespace) -> str:
    name: str | None = arguments.timezone
    if name is None:
        if not arguments.config.exists():
            raise StoreError(
                f"--timezone: which local days? name it (Asia/Jakarta), or give --config ({arguments.config})"
            )
        return load(arguments.config).settings.terminal.timezone
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise StoreError(f"--timezone {name}: is no time zone; write it as Asia/Jakarta") from error
    return name


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise StoreError(f"{option} {text}: is no day; write it as 2026-11-24") from error


def _known_head(text: str | None) -> tuple[int, str] | None:
    if text is None:
        return None
    # The code of a day-end slip is AH1:TERMINAL:SEQUENCE:HASH.
    sequence, _, digest = (text.split(":", 2)[-1] if text.startswith("AH1:") else text).partition(":")
    digest = digest.replace(" ", "")
    if not sequence.isdigit() or len(digest) != 64:
        raise StoreError(f"--head {text}: write sequence and hash as a day-end slip has them: 120:5fe1…")
    return int(sequence), digest.lower()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
