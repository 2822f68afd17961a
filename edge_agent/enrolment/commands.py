"""`edge-agent enrol` and `edge-agent roster build`.

Rules: a command returns its exit code and lets TerminalError through to `__main__`. The photo tools come from there,
since this package may not import vision; models are loaded only when there is a photograph.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from edge_agent.enrolment.build import Build, RosterLabel, build_roster, problems_text
from edge_agent.enrolment.enrolment_file import write_enrolment
from edge_agent.enrolment.photos import PhotoTools, enrol
from edge_agent.enrolment.revoked_list import read_revoked
from edge_agent.key_files import exchange_key, load_exchange_public_key, load_secret, load_signing_key
from edge_agent.ports import RosterError
from edge_agent.roster_file import sign_roster
from edge_agent.roster_schema import Identifier, SubjectId, first_problem

OpenPhotoTools = Callable[[argparse.Namespace], PhotoTools]
Subparsers = argparse._SubParsersAction  # argparse has no public name for it


def add_commands(
    subparsers: Subparsers[argparse.ArgumentParser],
    roster_subparsers: Subparsers[argparse.ArgumentParser],
    open_photo_tools: OpenPhotoTools,
) -> None:
    """Add `enrol` to the first, `build` to the second (of `edge-agent roster`).

    open_photo_tools: gets the parsed arguments; `config` is the settings file, or None for the default vision settings.
    """
    parser = subparsers.add_parser("enrol", help="photographs of one person -> an encrypted enrolment file")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--subject", required=True, metavar="ID", help="the person's opaque id")
    parser.add_argument("--office-key", required=True, type=Path, metavar="FILE", help="encrypts enrolment files")
    parser.add_argument("--folder", type=Path, default=Path("enrolments"), help="where the file goes (%(default)s)")
    _add_vision_options(parser)
    parser.set_defaults(run=lambda arguments: _enrol(arguments, open_photo_tools))

    parser = roster_subparsers.add_parser("build", help="a list and photographs -> a signed roster file")
    parser.add_argument("source", type=Path, metavar="SOURCE", help="a CSV, or a folder with entitlements.csv")
    parser.add_argument("--sign", required=True, type=Path, metavar="KEY", help="the office's Ed25519 key (roster.pem)")
    parser.add_argument("--site", required=True, help="whom the roster is for: terminal.site of the terminals")
    parser.add_argument(
        "--terminal",
        required=True,
        action="append",
        metavar="ID=FILE",
        help="a terminal's id and its exchange.pub.pem; again for each terminal of the site",
    )
    parser.add_argument("--out", type=Path, default=Path("roster.aid"), help="the file to write (%(default)s)")
    parser.add_argument("--version", type=int, help="higher than the last (default: the time, as YYYYMMDDhhmmss)")
    parser.add_argument("--office-key", type=Path, metavar="FILE", help="opens enrolment files and older rosters")
    parser.add_argument("--revoked", type=Path, metavar="FILE", help="serials of withdrawn tokens, one a line")
    _add_vision_options(parser)
    parser.set_defaults(run=lambda arguments: _build(arguments, open_photo_tools))


def _add_vision_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="a terminal's settings, for its vision section")
    parser.add_argument(
        "--same-person-min",
        type=float,
        metavar="COSINE",
        help="refuse photographs less like the person's others than this",
    )


def _enrol(arguments: argparse.Namespace, open_photo_tools: OpenPhotoTools) -> int:
    try:
        subject_id = TypeAdapter(SubjectId).validate_python(arguments.subject)
    except ValidationError as error:
        raise RosterError(f"--subject: {first_problem(error)}") from error
    office_key = load_secret(arguments.office_key)
    with closing(open_photo_tools(arguments)) as tools:
        enrolment = enrol(subject_id, arguments.photos, tools, arguments.same_person_min)
    for report in enrolment.reports:
        _say(str(report))
    if enrolment.template is None:
        _say(f"{subject_id}: not enrolled, no photograph was accepted")
        return 1
    path = write_enrolment(arguments.folder, enrolment, office_key)
    _say(f"{subject_id}: enrolled from {enrolment.photos} photograph(s): {path}")
    return 0


def _build(arguments: argparse.Namespace, open_photo_tools: OpenPhotoTools) -> int:
    key = load_signing_key(arguments.sign)
    terminals = dict(_terminal(text) for text in arguments.terminal)
    office_key = load_secret(arguments.office_key) if arguments.office_key else None
    revoked = read_revoked(arguments.revoked) if arguments.revoked else frozenset()
    now = datetime.now(timezone.utc)
    version = arguments.version if arguments.version is not None else int(now.strftime("%Y%m%d%H%M%S"))
    build = build_roster(
        arguments.source,
        RosterLabel(arguments.site, version, now),
        lambda: open_photo_tools(arguments),
        office_key,
        arguments.same_person_min,
    )
    _report(build)
    if build.roster is None:
        return 1
    roster = replace(build.roster, revoked_tokens=revoked)
    content = sign_roster(
        roster,
        key,
        {name: load_exchange_public_key(path) for name, path in terminals.items()},
        exchange_key(office_key).public_key() if office_key is not None else None,
    )
    partial = arguments.out.with_name(arguments.out.name + ".partial")
    try:
        partial.write_bytes(content)
        partial.replace(arguments.out)
    except OSError as error:
        raise RosterError(f"{arguments.out}: can't be written ({error.strerror}); choose another --out") from error
    _say(
        f"{arguments.out}: version {version} for site {arguments.site}: {len(build.roster.subjects)} people, "
        f"{len(build.roster.entitlements)} entitlements, sealed to {', '.join(sorted(terminals))}"
        + (f"; withdraws {len(revoked)} tokens" if revoked else "")
    )
    return 0


def _terminal(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    try:
        if not equals or not path:
            raise RosterError(f"--terminal {text}: write the terminal's id and its key file: kiosk-1=exchange.pub.pem")
        return TypeAdapter(Identifier).validate_python(name), Path(path)
    except ValidationError as error:
        raise RosterError(f"--terminal {text}: {first_problem(error)}") from error


def _report(build: Build) -> None:
    refused = [report for report in build.reports if not report.accepted]
    for report in refused:
        _say(str(report))
    if build.reports:
        _say(f"{len(build.reports)} photographs, {len(refused)} refused")
    if build.problems:
        sys.stderr.write(problems_text(build.problems) + "\n")
        sys.stderr.write(f"{len(build.problems)} problem(s); no roster was written\n")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
