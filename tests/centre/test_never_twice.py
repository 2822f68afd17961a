"""Random days at two and at five terminals that share homes: nothing is ever given twice, and in the end it is given.

People ask anywhere, at any time. Messages are lost, repeated, delayed and overtaken, terminals lose their network for
as long as it takes, power is cut at any step of any transaction of terminals and centre, records are lost that the
broker had taken. After every step no entitlement, and no portion of one, stands claimed twice over all terminals. At
the end everything is connected, and each person gets all of what is theirs, wherever they go.
"""

from __future__ import annotations

import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.core.model import Outcome
from tests.centre.fleet import Fleet
from tests.store.terminal import entitlement

PORTIONS = 3
HALF_DAYS_MAX = 20
"""The cycle must not end meanwhile."""
subjects = st.sampled_from(["s1", "s2", "s3"])


class Days(RuleBasedStateMachine):
    """size terminals, three people with two entitlements each, one of which comes in three portions."""

    size = 2
    half_days = 0

    @initialize(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.half_days = 0
        self.folder = Path(tempfile.mkdtemp())
        self.names = [f"t{number}" for number in range(1, self.size + 1)]
        homes = st.sampled_from([*self.names, None])
        rights = []
        for subject in ("s1", "s2", "s3"):
            rights.append(entitlement(subject, "whole", home=data.draw(homes)))
            rights.append(entitlement(subject, "parts", home=data.draw(homes), portion=Decimal(4)))
        self.fleet = Fleet(self.folder, self.size, rights)

    def node_name(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.names))

    @rule(data=st.data(), subject=subjects)
    def arrive(self, data: st.DataObject, subject: str) -> None:
        node = self.fleet.nodes[self.node_name(data)]
        node.powered(lambda: node.arrive(subject))

    @rule(data=st.data(), rounds=st.integers(1, 3))
    def go_on(self, data: st.DataObject, rounds: int) -> None:
        """Some messages flow as they should."""
        self.fleet.run(rounds)

    @rule(data=st.data())
    def tick(self, data: st.DataObject) -> None:
        self.fleet.tick(self.node_name(data))

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        node = self.fleet.nodes[self.node_name(data)]
        node.powered(node.end_visit)

    @rule(data=st.data(), count=st.integers(1, 4), acknowledged=st.booleans())
    def upload(self, data: st.DataObject, count: int, acknowledged: bool) -> None:
        self.fleet.upload(self.node_name(data), count, acknowledged)

    def packet(self, data: st.DataObject) -> int:
        return data.draw(st.integers(0, len(self.fleet.packets) - 1))

    @precondition(lambda self: self.fleet.packets)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        self.fleet.deliver(self.fleet.packets.pop(self.packet(data)))

    @precondition(lambda self: self.fleet.packets)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        self.fleet.deliver(self.fleet.packets[self.packet(data)])

    @precondition(lambda self: self.fleet.packets)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """Records too: a broker that dies loses what it had acknowledged."""
        self.fleet.packets.pop(self.packet(data))

    @rule(data=st.data(), up=st.booleans())
    def link(self, data: st.DataObject, up: bool) -> None:
        self.fleet.link(self.node_name(data), up)

    @rule(seconds=st.sampled_from([1, 4, 11]))
    def wait(self, seconds: int) -> None:
        self.fleet.now_s += seconds

    @precondition(lambda self: self.half_days < HALF_DAYS_MAX)
    @rule()
    def half_a_day(self) -> None:
        self.half_days += 1
        for node in self.fleet.nodes.values():
            node.clock(days=0.5)

    @rule(data=st.data(), steps=st.integers(0, 8))
    def cut_power(self, data: st.DataObject, steps: int) -> None:
        self.fleet.nodes[self.node_name(data)].fuse.steps = steps

    @rule(steps=st.integers(0, 3))
    def cut_power_of_the_centre(self, steps: int) -> None:
        self.fleet.fuse.steps = steps

    @rule(data=st.data())
    def restart(self, data: st.DataObject) -> None:
        self.fleet.nodes[self.node_name(data)].restart()

    @rule()
    def restart_the_centre(self) -> None:
        self.fleet.restart_centre()

    @invariant()
    def nothing_is_given_twice(self) -> None:
        if hasattr(self, "fleet"):
            self.fleet.assert_nothing_given_twice()

    def teardown(self) -> None:
        if not hasattr(self, "fleet"):
            return
        try:
            self.everybody_gets_what_is_theirs()
        finally:
            self.fleet.close()
            shutil.rmtree(self.folder)

    def everybody_gets_what_is_theirs(self) -> None:
        fleet = self.fleet
        fleet.fuse.steps = None
        fleet.now_s += 60
        fleet.packets.clear()
        for name, node in fleet.nodes.items():
            node.fuse.steps = None
            node.end_visit()
            fleet.link(name, True)
        fleet.run(4)
        for day in range(PORTIONS):
            for place, subject in enumerate(("s1", "s2", "s3")):
                node = fleet.nodes[self.names[(day + place) % self.size]]
                visit = node.arrive(subject)
                fleet.run(6)
                assert visit.receipt is not None, f"{subject} was told nothing at {node.name}"
                assert visit.receipt.outcome is not Outcome.REFERRED, visit.receipt.reason
                fleet.assert_nothing_given_twice()
            for node in fleet.nodes.values():
                node.clock(days=1)
        given = {one: sum(amount for _, amount in parts) for one, parts in fleet.given().items()}
        whole: dict[str, Any] = {one.entitlement_id: one.benefit.amount for one in fleet.entitlements}
        assert given == whole


class DaysAtFive(Days):
    size = 5


_SETTINGS = settings(
    max_examples=20, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestTwoTerminals = Days.TestCase
TestTwoTerminals.settings = _SETTINGS
TestFiveTerminals = DaysAtFive.TestCase
TestFiveTerminals.settings = _SETTINGS
