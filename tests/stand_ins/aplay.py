"""A stand-in for `aplay`: a program that takes as long as it is told, and fails as the real one does.

From alsa-utils 1.2.8 (`aplay/aplay.c`): without a card it writes `aplay: main:831: audio open error: No such file or
directory` to standard error and ends with 1; told to end by SIGTERM it ends with 1.
"""

from __future__ import annotations

import sys
from pathlib import Path

PLAYS = """\
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
with pathlib.Path({heard!r}).open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
time.sleep({takes_s})
"""
NO_CARD = """\
import sys
sys.stderr.write("aplay: main:831: audio open error: No such file or directory\\n")
sys.exit(1)
"""


def make(folder: Path, *, card: bool = True, takes_s: float = 0.0) -> tuple[str, Path]:
    """The program's path, and the file with its arguments, one line a call."""
    heard = folder / "heard.txt"
    heard.touch()
    program = folder / "aplay"
    source = PLAYS.format(heard=str(heard), takes_s=takes_s) if card else NO_CARD
    program.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    program.chmod(0o755)
    return str(program), heard
