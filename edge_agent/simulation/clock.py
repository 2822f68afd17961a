"""Virtual time: one instant for the whole day, and each terminal's own idea of it.

Rules: only the day's loop moves time, and only forwards. A board without a clock battery comes back from a power cut
with a wrong wall clock that nobody confirmed, until the network is there.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge_agent.core.model import Timestamp


@dataclass
class VirtualTime:
    """start: when the day begins, aware UTC; s: seconds since then."""

    start: datetime
    s: float = 0.0

    @property
    def utc(self) -> datetime:
        """What every right clock shows."""
        return self.start + timedelta(seconds=self.s)


class TerminalClock:
    """What one terminal's clocks say. Its monotonic clock starts again with each boot."""

    def __init__(self, time: VirtualTime, chance: random.Random) -> None:
        self._time = time
        self._chance = chance
        self.trusted = False
        self._off_s = 0.0
        self._booted_s = 0.0
        self._boot_id = ""
        self.boot(off_s=0.0, trusted=True)

    def boot(self, off_s: float, trusted: bool) -> None:
        """The board starts; its wall clock is off by so many seconds."""
        self._off_s, self.trusted = off_s, trusted
        self._booted_s = self._time.s
        self._boot_id = str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def confirm(self) -> None:
        """The network's time was taken over."""
        self._off_s, self.trusted = 0.0, True

    @property
    def monotonic_s(self) -> float:
        """Seconds since boot; starting up takes a while."""
        return 20.0 + self._time.s - self._booted_s

    @property
    def off_s(self) -> float:
        """How far the wall clock is from the right time."""
        return self._off_s

    def now(self) -> Timestamp:
        """This instant, for a record."""
        utc = self._time.utc + timedelta(seconds=self._off_s)
        return Timestamp(utc, self.trusted, round(self.monotonic_s * 1000), self._boot_id)
