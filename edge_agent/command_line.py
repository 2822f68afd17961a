"""What every command shares: where it adds itself, the settings it reads, and how it speaks.

Rules: what was asked for goes to standard output, line by line; progress and faults go to standard error.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

Subparsers = argparse._SubParsersAction  # argparse has no public name for it
CONFIG = Path("config/terminal.yaml")


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config, a terminal's settings, CONFIG unless given."""
    parser.add_argument("--config", type=Path, default=CONFIG, metavar="FILE", help="settings (%(default)s)")


def say(line: str) -> None:
    """One line on standard output."""
    sys.stdout.write(line + "\n")
