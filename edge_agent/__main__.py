"""The command line: `edge-agent COMMAND`. Each command's module registers itself; this file adds `run`.

Exit status: 0 done, 1 done and something is not as it should be, 2 bad input or a part that can't work, told in words.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_agent import __version__
from edge_agent.clock import SystemClock
from edge_agent.command_line import add_config
from edge_agent.core.slip import Slip
from edge_agent.enrolment.alike import FaceRules
from edge_agent.enrolment.photos import PhotoTools
from edge_agent.ports import EmbedderId, TerminalError
from edge_agent.settings import SHIPPED_MANIFEST, MatchingSettings, Settings, VisionSettings, load

DESCRIPTION = """The aid terminal: sees a person, makes sure they live, finds out who, gives what is theirs, prints a
slip and reports it. Try `edge-agent demo` first; `edge-agent run` is what the service runs."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = sys.argv[1:] if argv is None else argv
    arguments = _parser(run_alone=words[:1] == ["run"]).parse_args(words)
    try:
        status: int = arguments.run(arguments)
    except TerminalError as error:
        sys.stderr.write(f"edge-agent {arguments.command}: {error}\n")
        return 2
    except BrokenPipeError:
        # The reader of our output (head, less) has had enough.
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def _parser(*, run_alone: bool = False) -> argparse.ArgumentParser:
    """run_alone: only `run`, so that a terminal at work starts sooner and doesn't carry the other commands' modules."""
    parser = argparse.ArgumentParser(prog="edge-agent", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"edge-agent {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    if not run_alone:
        _add_others(commands)
    return parser


def _add_others(commands: Any) -> None:
    from edge_agent.attacks import command as attacks
    from edge_agent.bench import commands as bench
    from edge_agent.centre import commands as centre
    from edge_agent.demo import command as demo
    from edge_agent.enrolment import commands as enrolment
    from edge_agent.enrolment import officer_commands as officers
    from edge_agent.enrolment import token_commands as tokens
    from edge_agent.evaluation import command as evaluation
    from edge_agent.evaluation import pad_command
    from edge_agent.language.phrases import LANGUAGES, CataloguePhrases
    from edge_agent.proof import command as proof
    from edge_agent.simulation import command as simulation
    from edge_agent.store import commands as store
    from edge_agent.store import exception_register
    from edge_agent.vision import commands as vision

    demo.add_commands(commands)
    _add_field(commands)
    vision.add_commands(commands)
    bench.add_commands(commands)
    attacks.add_commands(commands)
    centre.add_commands(commands)
    pad_command.add_command(evaluation.add_commands(commands))
    simulation.add_commands(commands)
    roster = commands.add_parser("roster", help="build, change, import or show a roster").add_subparsers(
        required=True, metavar="build|delta|import|show|schema"
    )
    enrolment.add_commands(commands, roster, _photo_tools, _face_rules)
    proof.add_command(commands)
    tokens.add_commands(commands, _print_slips)
    exception_register.add_command(officers.add_commands(commands, _print_slips, CataloguePhrases, tuple(LANGUAGES)))
    store.add_commands(commands, roster, lambda: SystemClock().now(), _embedder_of)


def _add_field(commands: Any) -> None:
    from edge_agent.field.commands import check_config

    parser = commands.add_parser("check-config", help="check a settings file: every problem with its line and remedy")
    parser.add_argument("config", type=Path, metavar="FILE", help="the settings")
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=lambda arguments: check_config(arguments.config, arguments.json, sys.stdout))
    parser = commands.add_parser("doctor", help="examine every part of this terminal: ok, or what to do")
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=_doctor)


def _doctor(arguments: argparse.Namespace) -> int:
    from edge_agent.doctor_parts import parts_of
    from edge_agent.field.doctor import doctor

    return doctor(arguments.config, parts_of, arguments.json, sys.stdout)


def _photo_tools(arguments: argparse.Namespace) -> PhotoTools:
    """Photographs are read and examined with the vision settings of `--config`, or the defaults."""
    from edge_agent.vision.loading import load_examiner
    from edge_agent.vision.photo import load_photo

    vision = load(arguments.config).settings.vision if arguments.config else VisionSettings(manifest=SHIPPED_MANIFEST)
    examiner = load_examiner(vision)
    return PhotoTools(load_photo, examiner, examiner.close)


def _face_rules(arguments: argparse.Namespace) -> FaceRules:
    """What the settings of `--config`, or the defaults, say of faces."""
    from edge_agent.office_faces import face_rules

    if arguments.config:
        settings = load(arguments.config).settings
        return face_rules(settings.vision, settings.matching)
    return face_rules(VisionSettings(manifest=SHIPPED_MANIFEST), MatchingSettings())


def _print_slips(config: Path, slips: Sequence[Slip]) -> None:
    """Print on the printer of these settings; not while the service holds it."""
    from edge_agent.wiring import make_printer

    printer = make_printer(load(config).settings)
    try:
        for slip in slips:
            printer.print_slip(slip)
    finally:
        printer.close()


def _embedder_of(settings: Settings) -> EmbedderId:
    """The embedder a terminal of these settings runs."""
    from edge_agent.wiring import embedder_id, load_manifest

    return embedder_id(load_manifest(settings))


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run", help="serve people until told to stop (what the service does)", description=_run.__doc__
    )
    parser.add_argument(
        "--config", type=Path, required=True, metavar="FILE", help="settings, e.g. config/terminal.yaml"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    """Serve people until SIGTERM or Ctrl-C; whoever is being served then is referred, and their slip comes out."""
    from edge_agent.run_command import run

    return run(arguments.config)


if __name__ == "__main__":
    sys.exit(main())
