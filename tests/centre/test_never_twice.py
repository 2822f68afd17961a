"""Random days at two and at five terminals that share homes: nothing is ever given twice, and in the end it is given.

People ask anywhere, at any time. Messages are lost, repeated, delayed and overtaken, terminals lose their network for
as long as it takes, power is cut at any step of any transaction of terminals and centre, records are lost that the
broker had taken, officers void claims. After every step no entitlement, and no portion of one, stands claimed twice
over all terminals. At the end everything is connected, and each person gets all of what is theirs, wherever they go.
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
MEMORY = Path("/dev/shm")
"""Power is cut by raising, not by pulling plugs, so a disk would only make it slow."""
PEOPLE = ("s1", "s2", "s3", "s4")
subjects = st.sampled_from(PEOPLE)


class Days(RuleBasedStateMachine):
    """size terminals and four people, few enough to run into each other; one entitlement comes in three portions."""

    size = 2
    half_days = 0

    @initialize(data=st.data())
    def start(self, data: st.DataObject) -> None:
        self.half_days = 0
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.names = [f"t{number}" for number in range(1, self.size + 1)]
        homes = st.sampled_from([*self.names, None])
        rights = [
            *(entitlement(subject, "whole", home=data.draw(homes)) for subject in PEOPLE),
            entitlement("s1", "parts", home=data.draw(homes), portion=Decimal(4)),
        ]
        self.fleet = Fleet(self.folder, self.size, rights)

    def node_name(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.names))

    @rule()
    def go_on(self) -> None:
        """All flows as it should, for a moment."""
        self.fleet.run(1)

    @rule(data=st.data())
    def small_step(self, data: st.DataObject) -> None:
        """Somebody comes or goes; a terminal does its work, or sends some records whose acknowledgement may be lost."""
        name = self.node_name(data)
        node = self.fleet.nodes[name]
        step = data.draw(st.sampled_from(["arrive", "leave", "tick", "upload"]))
        if step == "arrive":
            subject = data.draw(subjects)
            node.powered(lambda: node.arrive(subject))
        elif step == "leave":
            node.powered(node.end_visit)
        elif step == "tick":
            self.fleet.tick(name)
        else:
            self.fleet.upload(name, data.draw(st.integers(1, 4)), data.draw(st.booleans()))

    @rule(data=st.data(), subject=subjects)
    def ask(self, data: st.DataObject, subject: str) -> None:
        """A person comes, and the request reaches the centre; what the centre says is still under way."""
        self.ask_at(self.node_name(data), subject)

    @rule(order=st.data(), subject=subjects)
    def ask_everywhere(self, order: st.DataObject, subject: str) -> None:
        """The same person, or somebody who fetches for them, at several terminals at once."""
        for name in order.draw(st.permutations(self.names)):
            self.ask_at(name, subject)

    def ask_at(self, name: str, subject: str) -> None:
        node = self.fleet.nodes[name]
        node.powered(lambda: node.arrive(subject))
        self.fleet.tick(name)
        self.fleet.deliver_all("centre", "request")

    @rule()
    def give_back(self) -> None:
        """Release requests reach the terminals, and their records the centre; its answers are still under way."""
        for name in self.names:
            self.fleet.deliver_all(name, "release")
            self.fleet.tick(name)
            self.fleet.upload(name, 1000)
            self.fleet.deliver_all("centre")

    @rule(data=st.data())
    def hear(self, data: st.DataObject) -> None:
        """The centre's answers reach a terminal."""
        name = self.node_name(data)
        self.fleet.deliver_all(name, "answer")
        self.fleet.tick(name)

    @precondition(lambda self: self.fleet.packets)
    @rule(data=st.data())
    def one_message(self, data: st.DataObject) -> None:
        """It arrives out of turn, arrives and will arrive again, or is lost. Records too: a broker that dies loses what
        it had acknowledged."""
        place = data.draw(st.integers(0, len(self.fleet.packets) - 1))
        fate = data.draw(st.sampled_from(["arrives", "arrives and stays", "is lost"]))
        packet = self.fleet.packets[place]
        if fate != "arrives and stays":
            del self.fleet.packets[place]
        if fate == "is lost" and packet.about == "aid.claim.voided.v1":
            # Lost, it would leave less for the person until somebody brings the record to the centre.
            self.fleet.packets.append(packet)
        if fate != "is lost":
            self.fleet.deliver(packet)

    @rule(seconds=st.sampled_from([1, 4, 11]))
    def wait(self, seconds: int) -> None:
        self.fleet.now_s += seconds

    @rule(data=st.data())
    def mishap(self, data: st.DataObject) -> None:
        node = self.fleet.nodes[self.node_name(data)]
        kind = data.draw(
            st.sampled_from(["void", "half a day", "link", "power", "centre's power", "restart", "centre restarts"])
        )
        if kind == "void" and node.given:
            case_number = data.draw(st.sampled_from(node.given))
            node.powered(lambda: node.void(case_number))
        elif kind == "half a day" and self.half_days < HALF_DAYS_MAX:
            self.half_days += 1
            for each in self.fleet.nodes.values():
                each.clock(days=0.5)
        elif kind == "link":
            self.fleet.link(node.name, not node.linked)
        elif kind == "power":
            node.fuse.steps = data.draw(st.integers(0, 8))
        elif kind == "centre's power":
            self.fleet.fuse.steps = data.draw(st.integers(0, 3))
        elif kind == "restart":
            node.restart()
        elif kind == "centre restarts":
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
        fleet.packets = [packet for packet in fleet.packets if packet.about == "aid.claim.voided.v1"]
        for name, node in fleet.nodes.items():
            node.fuse.steps = None
            node.end_visit()
            fleet.link(name, True)
        fleet.run(4)
        for day in range(PORTIONS):
            for place, subject in enumerate(PEOPLE):
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


def _settings(examples: int) -> settings:
    """The same days in every run, so that a change is judged by what it changes; raise `examples` to search further."""
    return settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )


TestTwoTerminals = Days.TestCase
TestTwoTerminals.settings = _settings(80)
TestFiveTerminals = DaysAtFive.TestCase
TestFiveTerminals.settings = _settings(40)
