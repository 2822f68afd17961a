"""Wall time with a word on whether it can be trusted, and the boot it belongs to.

Rules: a board without a clock battery starts with any time; wall time is trusted only once the kernel says that
something (NTP) keeps it in step. Durations never use wall time.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import time
import uuid
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from edge_agent.core.model import Timestamp

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES = 256
"""Larger than `struct timex` on every Linux (208 bytes on 64-bit); all zero means "only read" (modes = 0)."""
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""
_ASK_AGAIN_S = 10.0


def kernel_clock_synchronised() -> bool:
    """Whether the kernel's clock is kept in step, by adjtimex(2); False where that can't be asked."""
    libc = ctypes.CDLL(ctypes.util.find_library("c") or "libc.so.6", use_errno=True)
    if not hasattr(libc, "adjtimex"):
        return False
    state: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= state < _TIME_ERROR


def to_milliseconds(instant: datetime) -> datetime:
    """The instant in UTC, cut to the precision that records and rosters keep. instant: aware."""
    utc = instant.astimezone(timezone.utc)
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


class SystemClock:
    """The clocks of this machine. The question of trust is asked anew every 10 s. Thread-safe."""

    def __init__(self, synchronised: Callable[[], bool] = kernel_clock_synchronised) -> None:
        self._synchronised = synchronised
        self._trusted = synchronised()
        self._asked_s = time.monotonic()
        self._boot_id = _boot_id()

    @property
    def trusted(self) -> bool:
        """Whether wall time may be believed."""
        if time.monotonic() - self._asked_s > _ASK_AGAIN_S:
            self._asked_s = time.monotonic()
            self._trusted = self._synchronised()
        return self._trusted

    def now(self) -> Timestamp:
        """This instant, for a record."""
        return Timestamp(datetime.now(timezone.utc), self.trusted, time.monotonic_ns() // 1_000_000, self._boot_id)


def _boot_id() -> str:
    """The kernel's id of this boot; where there is none, one made for this process (its monotonic clock's origin)."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return str(uuid.uuid4())
