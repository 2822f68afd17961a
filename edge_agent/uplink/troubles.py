"""What is wrong with the uplink now, told once per change and not once per try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part

Source = Literal["link", "status", "records", "subscription", "outbox", "worker"]


class Report(Protocol):
    """Tells the log: a kind ("uplink_connected") and plain fields. Called from the uplink thread; must not block."""

    def __call__(self, kind: str, **fields: object) -> None: ...


class Troubles:
    """One current problem per source; the part has failed while there is any."""

    def __init__(self, post: Callable[[PartFailed | PartRecovered], None], report: Report) -> None:
        self._post = post
        self._report = report
        self._current: dict[Source, str] = {}

    def get(self, source: Source) -> str | None:
        """The current problem of this source."""
        return self._current.get(source)

    def tell(self, source: Source, problem: str) -> None:
        """There is this problem; silent when it was told already."""
        if self._current.get(source) == problem:
            return
        self._current[source] = problem
        self._report("uplink_problem", source=source, problem=problem)
        self._post(PartFailed(Part.UPLINK, problem))

    def clear(self, source: Source) -> None:
        """It is over. The part has recovered when nothing else is wrong."""
        if self._current.pop(source, None) is None:
            return
        self._report("uplink_problem_over", source=source)
        if self._current:
            self._post(PartFailed(Part.UPLINK, next(iter(self._current.values()))))
        else:
            self._post(PartRecovered(Part.UPLINK))
