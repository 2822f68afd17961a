"""What simulated sound drivers would have sounded, kept and, when wanted, written to a file.

Rules: main thread only; one line of JSON a sound. The file names signals and prompts, never a person.
"""

from __future__ import annotations

import json
from pathlib import Path

from edge_agent.ports import SoundError


class SoundLog:
    """path: appended to at each sound; None: only kept. `heard` holds the last sounds, oldest first."""

    LIMIT = 1000

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.heard: list[str] = []

    def add(self, device: str, sound: str, now_s: float) -> None:
        """device: buzzer or voice; sound: of what. Raises SoundError when the file can't be written."""
        self.heard = [*self.heard[-self.LIMIT + 1 :], sound]
        if self._path is None:
            return
        line = json.dumps({"monotonic_s": round(now_s, 2), "device": device, "sound": sound})
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as problem:
            raise SoundError(
                f"sound.log: {self._path} can't be written ({problem.strerror}); name another"
            ) from problem
