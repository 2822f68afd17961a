"""Heartbeats of the workers, what systemd is told, and how often a worker may be restarted.

Rules: WATCHDOG=1 goes out only while no worker is silent; without `$NOTIFY_SOCKET` nothing is sent and nothing fails.
Protocol: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import structlog

_log = structlog.get_logger("watchdog")


class Heartbeats:
    """Who gave a sign of life when. Thread-safe; a beat from an unregistered worker counts for nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._silence_s: dict[str, float] = {}
        self._last_s: dict[str, float] = {}

    def register(self, name: str, max_silence_s: float) -> None:
        """Count this worker from now on; it is fresh until max_silence_s have passed without a beat."""
        with self._lock:
            self._silence_s[name] = max_silence_s
            self._last_s[name] = self._clock()

    def forget(self, name: str) -> None:
        """Count this worker no longer; unknown names are ignored."""
        with self._lock:
            self._silence_s.pop(name, None)
            self._last_s.pop(name, None)

    def beat(self, name: str) -> None:
        """A sign of life, from any thread."""
        with self._lock:
            if name in self._last_s:
                self._last_s[name] = self._clock()

    def stale(self, now_s: float | None = None) -> tuple[str, ...]:
        """Workers silent for longer than they may be, by name. now_s: monotonic seconds, unset: now."""
        with self._lock:
            at_s = self._clock() if now_s is None else now_s
            return tuple(sorted(name for name, last in self._last_s.items() if at_s - last > self._silence_s[name]))


class SystemdNotifier:
    """Tells systemd READY, STATUS, WATCHDOG and STOPPING. Main thread only."""

    def __init__(
        self,
        address: str | None,
        watchdog_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """address: `$NOTIFY_SOCKET`; "@…" is in the abstract namespace. watchdog_s: longest time between two feeds."""
        self._clock = clock
        self._watchdog_s = watchdog_s
        self._fed_s: float | None = None
        self._status = ""
        self._withheld: tuple[str, ...] = ()
        self._told_failure = False
        self._address = f"\0{address[1:]}" if address and address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        if self._socket is not None:
            # A full queue must not stop the loop that the watchdog watches.
            self._socket.setblocking(False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> SystemdNotifier:
        """From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; a watchdog meant for another process doesn't count."""
        return cls(environment.get("NOTIFY_SOCKET") or None, _watchdog_s(environment))

    @property
    def listening(self) -> bool:
        """Whether there is a service manager to tell."""
        return self._socket is not None

    @property
    def feed_every_s(self) -> float | None:
        """Half the watchdog's time, as sd_watchdog_enabled(3) advises; None without a watchdog."""
        return None if self._watchdog_s is None else self._watchdog_s / 2

    def ready(self) -> None:
        """The start-up is done."""
        self._send("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`; sent only when it changed."""
        line = " ".join(text.split())
        if line != self._status and self._send(f"STATUS={line}"):
            self._status = line

    def stopping(self) -> None:
        """The service has begun to stop."""
        self._send("STOPPING=1")

    def feed(self, stale: Sequence[str] = ()) -> bool:
        """Feed the watchdog if it is due and nobody is stale; whether it was fed. Call as often as you like."""
        if tuple(stale) != self._withheld:
            self._withheld = tuple(stale)
            if stale:
                _log.error("watchdog_withheld", silent=list(stale), remedy="systemd restarts the service if this lasts")
            else:
                _log.info("watchdog_resumed")
        if stale or self.feed_every_s is None:
            return False
        now_s = self._clock()
        if self._fed_s is not None and now_s - self._fed_s < self.feed_every_s:
            return False
        if not self._send("WATCHDOG=1"):
            return False
        self._fed_s = now_s
        return True

    def close(self) -> None:
        """Give the socket back; safe to call twice, and nothing is sent afterwards."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> bool:
        if self._socket is None or self._address is None:
            return False
        try:
            self._socket.sendto(message.encode(), self._address)
        except OSError as error:
            if not self._told_failure:
                _log.warning("systemd_not_told", message=message, problem=str(error))
            self._told_failure = True
            return False
        self._told_failure = False
        return True


class RestartBudget:
    """At most `restarts` restarts within any window_s; after that, give up. Pure: time comes as argument."""

    def __init__(self, restarts: int, window_s: float) -> None:
        self._restarts = restarts
        self._window_s = window_s
        self._spent_s: deque[float] = deque()

    def spend(self, now_s: float) -> bool:
        """Take one restart from the budget. False: none is left, give up; nothing is taken."""
        while self._spent_s and now_s - self._spent_s[0] >= self._window_s:
            self._spent_s.popleft()
        if len(self._spent_s) >= self._restarts:
            return False
        self._spent_s.append(now_s)
        return True


def _watchdog_s(environment: Mapping[str, str]) -> float | None:
    """WATCHDOG_USEC in seconds; None when unset, not a positive number, or meant for another process."""
    usec, pid = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    if pid and pid != str(os.getpid()):
        return None
    return int(usec) / 1_000_000 if usec.isdecimal() and int(usec) > 0 else None
