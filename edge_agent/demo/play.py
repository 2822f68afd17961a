"""Plays the demo: runs the daemon, watches its log, the slips and the broker until all visits are over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from edge_agent.demo.broker import DemoBroker, Received
from edge_agent.demo.daemon import Daemon
from edge_agent.demo.stage import Stage
from edge_agent.demo.timeline import Timeline

_LAST_WORDS_S = 5.0
"""How long after the last session records and slips may still arrive."""

_T = TypeVar("_T")


@dataclass
class Performance:
    """What was seen. sessions: the daemon's `session_ended` records; exit_status: the daemon's."""

    sessions: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)
    slips: list[Path] = field(default_factory=list)
    exit_status: int | None = None
    ready_after_s: float | None = None
    took_s: float = 0.0

    @property
    def outcomes(self) -> list[str]:
        """The outcomes in order."""
        return [str(session["outcome"]) for session in self.sessions]


def play(
    stage: Stage,
    broker: DemoBroker,
    timeline: Timeline,
    *,
    over: Callable[[Performance], bool],
    at_most_s: float,
    show_slip: Callable[[Path], None],
) -> Performance:
    """Run the daemon until `over`, its end, or at_most_s; then stop it and take in its last words."""
    seen = Performance()
    begun_s = time.monotonic()
    with Daemon(stage.config, stage.folder / "daemon.log") as daemon:

        def take_in() -> None:
            for record in _drain(daemon.records):
                _note(seen, record, begun_s)
                timeline.log(record)
            for message in _drain(broker.received):
                _note_message(seen, message)
                timeline.received(message)
            for path in sorted(stage.slips.glob("*.txt")):
                if path not in seen.slips:
                    seen.slips.append(path)
                    show_slip(path)
            timeline.run_along()

        done_s: float | None = None
        while daemon.running and time.monotonic() - begun_s < at_most_s:
            take_in()
            if over(seen):
                done_s = time.monotonic() if done_s is None else done_s
                if time.monotonic() - done_s > _LAST_WORDS_S:
                    break
            time.sleep(0.05)
        if not daemon.running:
            timeline.say("the daemon ended by itself; its log tells why")
        seen.exit_status = daemon.stop()
        time.sleep(0.5)  # the subscriber is another process: give the last messages time to be printed
        take_in()
    seen.took_s = round(time.monotonic() - begun_s, 1)
    return seen


def _note(seen: Performance, record: dict[str, Any], begun_s: float) -> None:
    if record.get("event") == "session_ended":
        seen.sessions.append(record)
    elif record.get("event") == "serving":
        seen.ready_after_s = round(time.monotonic() - begun_s, 2)


def _note_message(seen: Performance, message: Received) -> None:
    leaf = message.topic.rsplit("/", 1)[-1]
    if leaf == "events":
        seen.events.append(message.payload)
    elif leaf == "status":
        seen.statuses.append(str(message.payload.get("state")))


def _drain(waiting: SimpleQueue[_T]) -> list[_T]:
    taken: list[_T] = []
    while True:
        try:
            taken.append(waiting.get_nowait())
        except Empty:
            return taken
