"""The inbox: observations may be dropped, nothing else is, and order is kept."""

from __future__ import annotations

import threading

from edge_agent.core.messages import FaceObserved, SlipPrinted
from edge_agent.inbox import Inbox
from tests.core.people import ANA, frame


def test_events_come_in_order_and_none_means_none() -> None:
    inbox = Inbox()
    inbox.post(SlipPrinted("a"))
    inbox.post(SlipPrinted("b"))
    assert inbox.take(0) == SlipPrinted("a")
    assert inbox.take(0.01) == SlipPrinted("b")
    assert inbox.take(0) is None
    assert inbox.take(0.01) is None


def test_only_observations_are_dropped_and_room_returns() -> None:
    inbox = Inbox(observations_max=2)
    for second in range(5):
        inbox.offer(frame(float(second), ANA).observation)
        inbox.post(SlipPrinted(str(second)))
    assert inbox.dropped == 3
    taken = [inbox.take(0) for _ in range(7)]
    assert sum(isinstance(event, FaceObserved) for event in taken) == 2
    assert [event.session_id for event in taken if isinstance(event, SlipPrinted)] == ["0", "1", "2", "3", "4"]
    inbox.offer(frame(9.0, ANA).observation)
    assert isinstance(inbox.take(0), FaceObserved)


def test_many_threads_lose_nothing() -> None:
    inbox = Inbox()

    def post(name: int) -> None:
        for number in range(200):
            inbox.post(SlipPrinted(f"{name}-{number}"))

    threads = [threading.Thread(target=post, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    taken = []
    while len(taken) < 800:
        event = inbox.take(5.0)
        assert event is not None
        taken.append(event)
    for thread in threads:
        thread.join()
    assert len({event.session_id for event in taken if isinstance(event, SlipPrinted)}) == 800
