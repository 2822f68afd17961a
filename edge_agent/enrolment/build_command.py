"""`edge-agent roster build`.

Rules: the roster is written whole or not at all. What people read goes to standard output, faults to standard error;
with `--json` standard output holds one JSON object and nothing else. No name and no national number is in either.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic

from pydantic import TypeAdapter, ValidationError

from edge_agent.command_line import say
from edge_agent.enrolment import build_report
from edge_agent.enrolment.alike import AlikeMin, FaceRules, read_known_alike
from edge_agent.enrolment.build import Build, BuildOptions, RosterLabel, build_roster
from edge_agent.enrolment.columns import ColumnMap, read_columns
from edge_agent.enrolment.faults import Scope
from edge_agent.enrolment.office_files import PolicyFile, read_policy
from edge_agent.enrolment.photo_cache import SUFFIX as CACHE_SUFFIX
from edge_agent.enrolment.photo_cache import CachedLooker, PhotoCache
from edge_agent.enrolment.photos import Looker, PhotoTools
from edge_agent.enrolment.revoked_list import read_revoked
from edge_agent.enrolment.source import read_source
from edge_agent.key_files import exchange_key, load_exchange_public_key, load_secret, load_signing_key
from edge_agent.ports import RosterError
from edge_agent.progress import Progress
from edge_agent.roster_file import sign_roster
from edge_agent.roster_list import roster_list, write_roster_list
from edge_agent.roster_schema import Identifier, first_problem
from edge_agent.whole_file import write_whole

OpenPhotoTools = Callable[[argparse.Namespace], PhotoTools]
GiveFaceRules = Callable[[argparse.Namespace], FaceRules]

DESCRIPTION = """A list and photographs become a signed roster, sealed to the terminals of a site.

SOURCE is your list, CSV or XLSX, with a small file that says which column is which (--columns), or a list or folder in
the product's own columns. Every fault is told with its row, column and remedy; nothing is written while there is one,
unless you say --skip-bad: then the roster holds what is good, and you are told exactly who is missing."""

EXAMPLES = """examples:
  edge-agent roster build kpm.xlsx --columns kolom.yaml --id-key office/office-id.key --sign office/roster.pem \\
      --site desa-sukamaju --terminal kiosk-1=exchange.pub.pem --policy policy.yaml --report faults.csv
  edge-agent roster build source/ --sign office/roster.pem --site desa-sukamaju \\
      --terminal kiosk-1=exchange.pub.pem --office-key office/office.key

National numbers leave the office only as keyed hashes (--id-key), names only if the policy shows them on slips.
docs/enrolment.md is the page for the office."""


def add_options(parser: argparse.ArgumentParser, photo_tools: OpenPhotoTools, face_rules: GiveFaceRules) -> None:
    """The options of `roster build`, and what it runs."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a CSV or XLSX, or a folder with entitlements.csv")
    group = parser.add_argument_group("the roster")
    group.add_argument("--sign", required=True, type=Path, metavar="KEY", help="the office's Ed25519 key (roster.pem)")
    group.add_argument("--site", required=True, help="whom the roster is for: terminal.site of the terminals")
    group.add_argument(
        "--terminal",
        required=True,
        action="append",
        metavar="ID=FILE",
        help="a terminal's id and its exchange.pub.pem; again for each terminal of the site",
    )
    group.add_argument("--out", type=Path, default=Path("roster.aid"), help="the file to write (%(default)s)")
    group.add_argument("--centre-list", type=Path, metavar="FILE", help="entitlements and homes, for the centre (JSON)")
    group.add_argument("--version", type=int, help="higher than the last (default: the time, as YYYYMMDDhhmmss)")
    _add_list_options(parser.add_argument_group("your list"))
    group = parser.add_argument_group("beside the list")
    group.add_argument("--policy", type=Path, metavar="YAML", help="what terminals may, and the programmes")
    group.add_argument("--proxies", type=Path, metavar="TABLE", help="who may fetch what for whom (CSV or XLSX)")
    group.add_argument("--officers", type=Path, metavar="TABLE", help="who may show a badge (CSV or XLSX)")
    group.add_argument("--revoked", type=Path, metavar="FILE", help="serials of withdrawn tokens, one a line")
    group.add_argument("--office-key", type=Path, metavar="FILE", help="opens enrolment files; lets deltas be made")
    group.add_argument("--enrolments", type=Path, metavar="FOLDER", help="of enrolment files, beside a list")
    _add_face_options(parser.add_argument_group("faces"))
    group = parser.add_argument_group("what is told")
    group.add_argument("--skip-bad", action="store_true", help="write a roster of what is good, and say who is missing")
    group.add_argument(
        "--report",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="faults and refused photographs with remedies, as .csv or .json; may be given twice",
    )
    group.add_argument("--ids", type=Path, metavar="CSV", help="which id each row of the list got, for cards and lists")
    group.add_argument("--json", action="store_true", help="a summary for machines on standard output")
    parser.set_defaults(run=lambda arguments: _build(arguments, photo_tools, face_rules))


def _add_list_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--columns", type=Path, metavar="YAML", help="which column is which (config/roster-columns.yaml is an example)"
    )
    group.add_argument(
        "--id-key", type=Path, metavar="FILE", help="turns national numbers into ids: `keys make office-id`"
    )
    group.add_argument("--home-column", metavar="TITLE", help="column with each row's home terminal, beside --columns")


def _add_face_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--config", type=Path, metavar="FILE", help="a terminal's settings, for its vision section")
    group.add_argument(
        "--same-person-min",
        type=float,
        metavar="COSINE",
        help="refuse photographs less like the person's others than this",
    )
    group.add_argument("--known-alike", type=Path, metavar="TABLE", help="pairs known to be two: first,second,reason")
    group.add_argument(
        "--alike-min", type=float, metavar="COSINE", help="tell two people this alike (default: by the measured curve)"
    )
    group.add_argument("--cache", type=Path, metavar="FILE", help="what photographs showed (default: beside SOURCE)")
    group.add_argument("--no-cache", action="store_true", help="look at every photograph again")


def _build(arguments: argparse.Namespace, photo_tools: OpenPhotoTools, face_rules: GiveFaceRules) -> int:
    began = monotonic()
    for path in arguments.report:
        build_report.require_report_name(path)
    if arguments.home_column and not arguments.columns:
        raise RosterError("--home-column: belongs to --columns; a list in the product's own columns has `home`")
    key = load_signing_key(arguments.sign)
    terminals = dict(_terminal(text) for text in arguments.terminal)
    public_keys = {name: load_exchange_public_key(path) for name, path in terminals.items()}
    office_key = load_secret(arguments.office_key) if arguments.office_key else None
    id_key = load_secret(arguments.id_key) if arguments.id_key else None
    rules = face_rules(arguments)
    options = _options(arguments, office_key, id_key, rules)
    columns: ColumnMap | None = read_columns(arguments.columns) if arguments.columns else None
    now = datetime.now(timezone.utc)
    version = arguments.version if arguments.version is not None else int(now.strftime("%Y%m%d%H%M%S"))
    listed = read_source(arguments.source, columns, id_key, arguments.home_column)
    with ExitStack() as stack:
        caches: list[PhotoCache] = []

        def looker() -> Looker:
            cache = _cache(arguments, id_key or office_key, rules)
            if cache is None:
                return photo_tools(arguments)
            caches.append(cache)
            stack.callback(cache.close)
            return CachedLooker(cache, rules.embedder, lambda: photo_tools(arguments))

        label = RosterLabel(arguments.site, version, now)
        build = build_roster(listed, arguments.source, label, looker, options)
        # Only then: a list that couldn't be read would have everybody forgotten.
        if build.roster is not None:
            for cache in caches:
                cache.keep_only_used()
    for path in arguments.report:
        build_report.write_report(path, build)
    if arguments.ids is not None:
        build_report.write_ids(arguments.ids, build, listed.people)
    if build.roster is not None:
        office = exchange_key(office_key).public_key() if office_key is not None else None
        if arguments.centre_list is not None:
            # Before the roster: what the centre doesn't know yet it refuses, and people would be referred.
            homes = roster_list(build.roster.site, version, sorted(terminals), build.roster.entitlements)
            write_roster_list(arguments.centre_list, homes)
        write_whole(arguments.out, sign_roster(build.roster, key, public_keys, office))
    if listed.hidden and not arguments.json:
        shown = ", ".join(str(line) for line in listed.hidden[:20]) + (" …" if len(listed.hidden) > 20 else "")
        say(f"{len(listed.hidden)} rows are hidden in the spreadsheet and count like all others: {shown}")
    _tell(arguments, build, sorted(terminals), version, monotonic() - began)
    return 0 if build.roster is not None and not build.problems else 1


def _options(
    arguments: argparse.Namespace, office_key: bytes | None, id_key: bytes | None, rules: FaceRules
) -> BuildOptions:
    progress: list[Progress] = []

    def tell(done: int, total: int) -> None:
        if not progress:
            progress.append(Progress("photographs", total))
        progress[0].done(done)

    fixed: float | None = arguments.alike_min
    if fixed is not None and not 0 < fixed < 1:
        raise RosterError(f"--alike-min {fixed}: give a cosine between 0 and 1")
    return BuildOptions(
        office_key=office_key,
        enrolments=arguments.enrolments,
        id_key=id_key,
        same_person_min=arguments.same_person_min,
        alike_min=rules.alike_min if fixed is None else lambda *_: AlikeMin(fixed, None),
        known_alike=read_known_alike(arguments.known_alike) if arguments.known_alike else {},
        policy=read_policy(arguments.policy) if arguments.policy else PolicyFile(),
        proxies=arguments.proxies,
        officers=arguments.officers,
        revoked=read_revoked(arguments.revoked) if arguments.revoked else frozenset(),
        skip_bad=arguments.skip_bad,
        tell=tell,
    )


def _cache(arguments: argparse.Namespace, secret: bytes | None, rules: FaceRules) -> PhotoCache | None:
    """Beside the source, if there is a key of the office to encrypt it with."""
    source: Path = arguments.source
    if arguments.no_cache or not source.exists():
        return None
    if secret is None:
        if arguments.cache is not None:
            raise RosterError("--cache: needs a key of the office to encrypt it; give --office-key or --id-key")
        return None
    beside = source / CACHE_SUFFIX if source.is_dir() else source.with_name(source.name + CACHE_SUFFIX)
    return PhotoCache(arguments.cache or beside, secret, rules.fingerprint)


def _terminal(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    try:
        if not equals or not path:
            raise RosterError(f"--terminal {text}: write the terminal's id and its key file: kiosk-1=exchange.pub.pem")
        return TypeAdapter(Identifier).validate_python(name), Path(path)
    except ValidationError as error:
        raise RosterError(f"--terminal {text}: {first_problem(error)}") from error


def _tell(arguments: argparse.Namespace, build: Build, terminals: list[str], version: int, took_s: float) -> None:
    if arguments.json:
        told = build_report.summary(build, terminals)
        told |= {"out": str(arguments.out), "site": arguments.site, "version": version}
        told |= {"sealed_to": terminals, "took_s": round(took_s, 1)}
        say(json.dumps(told, ensure_ascii=False, indent=1))
        return
    refused = [report for report in build.reports if not report.accepted]
    for report in refused:
        say(str(report))
    if build.reports:
        say(f"{len(build.reports)} photographs, {len(refused)} refused")
    if line := build_report.alike_line(build):
        say(line)
    if build.problems:
        sys.stderr.write("\n".join(build_report.fault_lines(build.problems)) + "\n")
    if build.roster is None:
        sys.stderr.write(f"{len(build.problems)} problem(s); no roster was written\n")
        if not arguments.skip_bad and all(fault.scope is not Scope.FILE for fault in build.problems):
            sys.stderr.write("correct them, or write a roster of what is good with --skip-bad\n")
        return
    for line in build_report.left_out_lines(build.left_out):
        say(line)
    _tell_roster(arguments, build, terminals, version, took_s)


def _tell_roster(
    arguments: argparse.Namespace, build: Build, terminals: list[str], version: int, took_s: float
) -> None:
    roster = build.roster
    if roster is None:
        return
    extras = [
        f"{len(getattr(roster, what))} {what}"
        for what in ("proxies", "officers", "programmes")
        if getattr(roster, what)
    ]
    if roster.revoked_tokens:
        extras.append(f"withdraws {len(roster.revoked_tokens)} tokens")
    if build.left_out:
        people = sum(one.whole for one in build.left_out)
        extras.append(f"WITHOUT {people} people and {len(build.left_out) - people} single rows, named above")
    say(
        f"{arguments.out}: version {version} for site {arguments.site}: {len(roster.subjects)} people, "
        f"{len(roster.entitlements)} entitlements, sealed to {', '.join(terminals)}"
        + "".join(f"; {extra}" for extra in extras)
        + f"; {took_s:.1f} s"
    )
    if count := build_report.without_entitlement(build):
        say(f"{count} people have nothing to receive in this roster; right for proxies and officers only")
    if count := build_report.only_online(build, terminals):
        say(
            f"{count} entitlements have no home: none of these terminals gives them without the centre; "
            "give them a home (--home-column, `villages:` in the columns file), or leave them to the centre"
        )
    for home, count in build_report.homes_elsewhere(build, terminals).items():
        say(f"{count} entitlements are at home in {home}, to which this roster is not sealed; is the id right?")
