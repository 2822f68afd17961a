"""A filling disk is told once, and once more when there is space again."""

from __future__ import annotations

from edge_agent.disk_watch import LOOK_EVERY_S, DiskWatch
from edge_agent.ports import StoreError


def test_low_and_recovered_are_each_told_once() -> None:
    low = False

    def check() -> None:
        if low:
            raise StoreError("/data: 3 MB free; free space")

    watch = DiskWatch(check)
    assert watch.look(0.0) is None
    low = True
    assert watch.look(1.0) is None  # not looked at yet
    assert watch.look(LOOK_EVERY_S) == ("disk.low", {"problem": "/data: 3 MB free; free space"})
    assert watch.look(2 * LOOK_EVERY_S) is None
    low = False
    assert watch.look(3 * LOOK_EVERY_S) == ("disk.recovered", {})
    assert watch.look(4 * LOOK_EVERY_S) is None
