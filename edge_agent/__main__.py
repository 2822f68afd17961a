"""The command line: `edge-agent COMMAND`. Each command's module registers itself; this file adds `run`.

Exit status: 0 done, 1 done and something is not as it should be, 2 bad input or a part that can't work, told in words.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from edge_agent import __version__
from edge_agent.ports import TerminalError

DESCRIPTION = """The aid terminal: sees a person, makes sure they live, finds out who, gives what is theirs, prints a
slip and reports it. Try `edge-agent demo` first; `edge-agent run` is what the service runs."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = _parser()
    arguments = parser.parse_args(argv)
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


def _parser() -> argparse.ArgumentParser:
    from edge_agent.demo import command as demo
    from edge_agent.enrolment import commands as enrolment
    from edge_agent.field import commands as field
    from edge_agent.store import commands as store
    from edge_agent.vision import commands as vision

    parser = argparse.ArgumentParser(prog="edge-agent", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"edge-agent {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    for module in (demo, field, enrolment, store, vision):
        module.add_commands(commands)
    return parser


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
    from edge_agent import logs
    from edge_agent.settings import load

    loaded = load(arguments.config)
    logs.configure(loaded.settings.log)
    from edge_agent.wiring import build_terminal

    terminal = build_terminal(loaded)

    def stop(_signal: int, _frame: FrameType | None) -> None:
        terminal.agent.request_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    terminal.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
