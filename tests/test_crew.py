"""A worker whose thread died is built anew within its budget; after that its part stays failed and says so."""

from __future__ import annotations

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Part
from edge_agent.crew import Slot
from edge_agent.ports import PrinterError
from edge_agent.watchdog import Heartbeats, RestartBudget


class Mortal:
    """A worker that dies when told to."""

    def __init__(self) -> None:
        self.alive = False
        self.stopped = False

    def start(self) -> None:
        self.alive = True

    def stop(self) -> None:
        self.stopped = True
        self.alive = False

    def join(self, timeout_s: float) -> bool:
        return not self.alive


def test_deaths_within_the_budget_are_replaced_and_one_more_is_told_once() -> None:
    now_s = 0.0
    heartbeats = Heartbeats(lambda: now_s)
    slot = Slot(Part.VISION, Mortal, heartbeats, RestartBudget(2, 60.0), 10.0)
    slot.start()
    workers = [slot.worker]
    for _ in range(2):
        slot.worker.alive = False
        # What the dead one said is taken back before the new one says anything.
        assert slot.watch(now_s) == [PartRecovered(Part.VISION), PartRecovered(Part.CAMERA)]
        assert not slot.worker.alive
        assert slot.watch(now_s) == []
        workers.append(slot.worker)
        assert slot.worker.alive
    assert len(set(map(id, workers))) == 3
    slot.worker.alive = False
    told = slot.watch(now_s)
    assert [type(event) for event in told] == [PartFailed]
    assert slot.watch(now_s) == []
    now_s = 100.0
    assert heartbeats.stale() == ()  # a given-up worker must not make systemd restart the terminal for ever


def test_a_hung_worker_is_stale_and_a_stopped_one_is_not_replaced() -> None:
    now_s = 0.0
    heartbeats = Heartbeats(lambda: now_s)
    slot = Slot(Part.PRINTER, Mortal, heartbeats, RestartBudget(2, 60.0), 10.0)
    slot.start()
    now_s = 11.0
    assert heartbeats.stale() == ("printer",)
    worker = slot.worker
    slot.stop()
    assert worker.stopped
    assert slot.watch(now_s) == []
    assert slot.worker is worker
    assert heartbeats.stale() == ()


def test_a_worker_that_can_not_be_rebuilt_is_a_failed_part_and_not_the_end() -> None:
    built: list[Mortal] = []

    def build() -> Mortal:
        if built:
            raise PrinterError("printer.script: gone; put it back")
        built.append(Mortal())
        return built[0]

    slot = Slot(Part.PRINTER, build, Heartbeats(lambda: 0.0), RestartBudget(1, 60.0), 10.0)
    slot.start()
    slot.worker.alive = False
    assert slot.watch(0.0) == [PartFailed(Part.PRINTER, "printer.script: gone; put it back")]
    assert [type(event) for event in slot.watch(0.0)] == [PartFailed]
    assert slot.watch(0.0) == []


def test_a_worker_that_was_never_started_is_not_waited_for() -> None:
    slot = Slot(Part.PRINTER, Mortal, Heartbeats(lambda: 0.0), RestartBudget(1, 60.0), 10.0)
    slot.worker.alive = True
    assert slot.join(0.0)
