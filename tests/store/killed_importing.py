"""Run as a process: open the store, import a roster, and die by SIGKILL at the named step.

Arguments: database, roster file, step, occurrence.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.store.terminal import Clock, open_store


def main(database: Path, roster_file: Path, step: str, occurrence: int) -> None:
    seen: list[str] = []

    def checkpoint(name: str) -> None:
        seen.append(name)
        if name == step and seen.count(name) == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    open_store(database, checkpoint=checkpoint).import_roster(roster_file, Clock()())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
