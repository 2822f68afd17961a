"""A terminal that is killed: run as `python -m tests.stories.killed_terminal FOLDER PORT [POINT]`.

With a POINT it kills itself with SIGKILL the first time that point is reached after somebody was identified; with `-`
it serves one person and writes every point it passed to FOLDER/points. Without one it is the restart: it only lets the
uplink empty the outbox.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from edge_agent.core.model import Signal
from edge_agent.settings_uplink import UplinkSettings
from edge_agent.store import SqliteOutbox
from tests.box import terminal_box


def main(folder: Path, port: int, point: str | None) -> None:
    passed: list[str] = []
    armed = False

    def checkpoint(name: str) -> None:
        nonlocal armed
        armed = armed or name == "claim:begun"
        if not armed:
            return
        passed.append(name)
        if name == point:
            os.kill(os.getpid(), signal.SIGKILL)

    uplink = UplinkSettings(host="127.0.0.1", port=port, backoff_min_s=0.1, backoff_max_s=0.5, heartbeat_s=3600)
    with terminal_box(folder, uplink=uplink, checkpoint=checkpoint) as box:
        box.shows(Signal.READY)
        if point is not None:
            box.serve(1)
        outbox = SqliteOutbox(box.path)
        box.wait(lambda: outbox.depth() == 0, "the outbox to empty")
        outbox.close()
    if point == "-":
        (folder / "points").write_text("\n".join(dict.fromkeys(passed)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
