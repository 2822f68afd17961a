"""Run as a process: open the store and serve one person, and die by SIGKILL at the named step.

Arguments: database, roster file, step, occurrence. Steps are the store's checkpoints, and `agent:…` for those between.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from edge_agent.core.messages import ClaimRecorded, MarkSlip
from edge_agent.store import SqliteOutbox
from tests.store.terminal import Clock, claim_of, open_store


def main(database: Path, roster_file: Path, step: str, occurrence: int) -> None:
    clock = Clock()
    seen: list[str] = []

    def checkpoint(name: str) -> None:
        seen.append(name)
        if name == step and seen.count(name) == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    store = open_store(database, checkpoint=checkpoint)
    store.import_roster(roster_file, clock())
    answer = store.record_claim(claim_of("s1", "session-killed"), clock())
    assert isinstance(answer, ClaimRecorded)
    checkpoint("agent:printing")
    store.mark_slip(MarkSlip("session-killed", True), clock())
    outbox = SqliteOutbox(database)
    for row in outbox.oldest(100):
        checkpoint("agent:sending")
        outbox.delete(row.sequence)
    checkpoint("agent:acknowledged")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
