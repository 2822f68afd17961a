"""Carries records from the outbox to the broker: oldest first, never one lost, never one overtaken for good.

The rules it owns:

- Nothing lives only in the MQTT library. What is on its way is known here, what waits lies in the outbox.
- A row leaves the outbox only after a PUBACK of its own that says success, and only when every older row has left: so
  after a refusal or a broken link everything from the oldest unfinished row on is sent again, in order. Duplicates
  are allowed (receivers know them by `id` and `sequence`), gaps and lasting disorder are not.
- "No matching subscribers" (0x10) is a success by the letter and a loss in fact: the broker threw the record away.
  Such a row stays, as after a refusal. A broker restarted without its sessions answers so until the centre is back.
- After a refusal one row at a time is tried, with back-off, until one is accepted: a pipeline against a closed door
  would only let later rows slip past the refused one.

Pure but for the outbox and the `send` it is given: no clock, no thread, no library. Times are monotonic seconds.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile

from edge_agent.ports import Outbox, OutboxRow
from edge_agent.uplink.backoff import Backoff

NO_MATCHING_SUBSCRIBERS = 0x10
FIRST_FAILURE = 0x80


@dataclass
class _Sent:
    row: OutboxRow
    mid: int
    sent_s: float
    accepted: bool = False


class Courier:
    """The state of delivery over one outbox. needs_subscriber: false where a broker's rule engine, unseen by MQTT,
    listens."""

    def __init__(self, backoff: Backoff, needs_subscriber: bool = True) -> None:
        self._backoff = backoff
        self._needs_subscriber = needs_subscriber
        self._window_max = 0
        self._window = 0
        self._sent: deque[_Sent] = deque()
        self._stale: dict[int, float] = {}
        self.held_until_s: float | None = None
        """After a refusal, when to try again; None otherwise."""

    @property
    def idle(self) -> bool:
        """Nothing is on its way, or held back."""
        return not self._sent and not self._stale and self.held_until_s is None

    def link_opened(self, window: int) -> None:
        """A new connection takes up to `window` unanswered rows; what the last one left unanswered will be sent
        again."""
        self.link_lost()
        self._window_max = window
        self._window = window

    def link_lost(self) -> None:
        """Answers still out will never come. Rows accepted but not yet deleted stay known, so they aren't sent
        again."""
        self._sent = deque(takewhile(lambda sent: sent.accepted, self._sent))
        self._stale.clear()
        self.held_until_s = None
        self.wind_down()

    def wind_down(self) -> None:
        """Send nothing more; answers still count."""
        self._window = self._window_max = 0

    def answered(self, mid: int, code: int, now_s: float) -> bool | None:
        """A PUBACK came. True: its row is accepted; False: refused, and held back for a while; None: no row of ours."""
        if self._stale.pop(mid, None) is not None:
            return None
        place = next((i for i, sent in enumerate(self._sent) if sent.mid == mid and not sent.accepted), None)
        if place is None:
            return None
        if self._succeeded(code):
            self._sent[place].accepted = True
            self._window = self._window_max
            self.held_until_s = None
            self._backoff.reset()
            return True
        while len(self._sent) > place:
            later = self._sent.pop()
            if not later.accepted and later.mid != mid:
                self._stale[later.mid] = later.sent_s
        self._window = min(1, self._window_max)
        self.held_until_s = now_s + self._backoff.next_s()
        return False

    def pump(self, outbox: Outbox, send: Callable[[OutboxRow], int | None], now_s: float) -> None:
        """Delete what is accepted, send what there is room for. `send` gives the message id, or None when the link is
        gone.

        Raises StoreError; nothing is forgotten by it, the next pump goes on where this one stopped.
        """
        while self._sent and self._sent[0].accepted:
            outbox.delete(self._sent[0].row.sequence)
            self._sent.popleft()
        held = self.held_until_s is not None and now_s < self.held_until_s
        if held or self._stale or len(self._sent) >= self._window:
            return
        on_the_way = {sent.row.sequence for sent in self._sent}
        for row in outbox.oldest(self._window):
            if row.sequence in on_the_way:
                continue
            mid = send(row)
            if mid is None:
                return
            self._sent.append(_Sent(row, mid, now_s))

    def unanswered_since_s(self) -> float | None:
        """When the oldest message still unanswered was sent; None when all are answered."""
        times = [sent.sent_s for sent in self._sent if not sent.accepted] + list(self._stale.values())
        return min(times, default=None)

    def _succeeded(self, code: int) -> bool:
        return code < FIRST_FAILURE and not (code == NO_MATCHING_SUBSCRIBERS and self._needs_subscriber)
