"""`edge-agent enrol`; `roster build` has its own file.

Rules: a command returns its exit code and lets TerminalError through to `__main__`. The photo tools come from there,
since this package may not import vision; models are loaded only when there is a photograph.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from edge_agent.command_line import Subparsers, say
from edge_agent.enrolment import build_command
from edge_agent.enrolment.enrolment_file import write_enrolment
from edge_agent.enrolment.photos import enrol
from edge_agent.key_files import load_secret
from edge_agent.ports import RosterError
from edge_agent.roster_schema import SubjectId, first_problem


def add_commands(
    subparsers: Subparsers[argparse.ArgumentParser],
    roster_subparsers: Subparsers[argparse.ArgumentParser],
    open_photo_tools: build_command.OpenPhotoTools,
    face_rules: build_command.GiveFaceRules,
) -> None:
    """Add `enrol` to the first, `build` to the second (of `edge-agent roster`).

    open_photo_tools, face_rules: get the parsed arguments; `config` is the settings file, or None for the default
    vision settings.
    """
    parser = subparsers.add_parser("enrol", help="photographs of one person -> an encrypted enrolment file")
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--subject", required=True, metavar="ID", help="the person's opaque id")
    parser.add_argument("--office-key", required=True, type=Path, metavar="FILE", help="encrypts enrolment files")
    parser.add_argument("--folder", type=Path, default=Path("enrolments"), help="where the file goes (%(default)s)")
    _add_vision_options(parser)
    parser.set_defaults(run=lambda arguments: _enrol(arguments, open_photo_tools))

    build = roster_subparsers.add_parser("build", help="a list and photographs -> a signed roster file")
    build_command.add_options(build, open_photo_tools, face_rules)


def _add_vision_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="a terminal's settings, for its vision section")
    parser.add_argument(
        "--same-person-min",
        type=float,
        metavar="COSINE",
        help="refuse photographs less like the person's others than this",
    )


def _enrol(arguments: argparse.Namespace, open_photo_tools: build_command.OpenPhotoTools) -> int:
    try:
        subject_id = TypeAdapter(SubjectId).validate_python(arguments.subject)
    except ValidationError as error:
        raise RosterError(f"--subject: {first_problem(error)}") from error
    office_key = load_secret(arguments.office_key)
    with closing(open_photo_tools(arguments)) as tools:
        enrolment = enrol(subject_id, arguments.photos, tools, arguments.same_person_min)
    for report in enrolment.reports:
        say(str(report))
    if enrolment.template is None:
        say(f"{subject_id}: not enrolled, no photograph was accepted")
        return 1
    path = write_enrolment(arguments.folder, enrolment, office_key)
    say(f"{subject_id}: enrolled from {enrolment.photos} photograph(s): {path}")
    return 0
