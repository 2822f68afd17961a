"""Checks, what they find, and running them so that none can spoil the examination.

Rules: every finding that isn't ok says what to do. A check that raises or hangs is a `fail` like any other and the next
one runs; a technician never sees a traceback.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from edge_agent.ports import TerminalError


class State(str, Enum):
    """ok; warn: it works, but mind this; fail: the terminal can't serve, or not for long."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """What a check found. remedy: what to do, empty only when the state is ok."""

    state: State
    seen: str
    remedy: str = ""


def ok(seen: str) -> Finding:
    """All is well."""
    return Finding(State.OK, seen)


def warn(seen: str, remedy: str) -> Finding:
    """It works, but mind this."""
    return Finding(State.WARN, seen, remedy)


def fail(seen: str, remedy: str) -> Finding:
    """The terminal can't serve with this."""
    return Finding(State.FAIL, seen, remedy)


def failed(error: TerminalError) -> Finding:
    """The finding for a part's own error, whose text is "what happened; what to do"."""
    seen, _, remedy = str(error).partition("; ")
    return fail(seen, remedy or "see docs/technician.md")


@dataclass(frozen=True)
class Check:
    """One question to the terminal. name: as the technician knows the part. timeout_s: longest time it may take."""

    name: str
    run: Callable[[], Finding]
    timeout_s: float = 15.0


@dataclass(frozen=True)
class Result:
    """A check's finding and how long it took."""

    name: str
    finding: Finding
    took_s: float


def examine(checks: Iterable[Check]) -> Iterator[Result]:
    """Run the checks one after the other, each in a thread of its own; results as they come."""
    for check in checks:
        began_s = time.monotonic()
        finding = _run(check)
        yield Result(check.name, finding, time.monotonic() - began_s)


def _run(check: Check) -> Finding:
    answers: queue.SimpleQueue[Finding] = queue.SimpleQueue()
    # A daemon: a driver that hangs for ever must not keep the examination from ending.
    thread = threading.Thread(target=lambda: answers.put(_guarded(check)), name=f"check-{check.name}", daemon=True)
    thread.start()
    try:
        return answers.get(timeout=check.timeout_s)
    except queue.Empty:
        return fail(
            f"no answer within {check.timeout_s:g} s",
            "check its cable and power, restart the terminal, then examine again",
        )


def _guarded(check: Check) -> Finding:
    try:
        return check.run()
    except TerminalError as error:
        return failed(error)
    except PermissionError as error:
        return fail(f"{error.filename or 'a file or device'}: permission denied", "examine with sudo")
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is a finding
        return fail(f"{type(error).__name__}: {error}", "this is a fault of the software: report it with this text")
