"""Run as a process: give something, then let two officers void it, and die by SIGKILL at the named step.

Arguments: database, roster file, step. Steps are the store's checkpoints.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from edge_agent.core.officer_acts import Act, ActRequest
from tests.store.terminal import Clock, claim_of, open_store


def main(database: Path, roster_file: Path, step: str) -> None:
    clock = Clock()
    begun = False

    def checkpoint(name: str) -> None:
        nonlocal begun
        begun = begun or name == "act:begun"
        if begun and name == step:
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(database, checkpoint=checkpoint)
    store.import_roster(roster_file, clock())
    receipt = store.record_claim(claim_of("s1", "session-1"), clock()).receipt  # type: ignore[union-attr]
    store.record_act(ActRequest("act-killed", Act.VOID, "o1", "o2", receipt.case_number), clock())


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
