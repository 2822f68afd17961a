"""Several terminals that share the site's homes, with networks and power cuts at random: nothing is ever given twice.

Real: sessions, stores, the uplink's desk and the centre with its books. Few examples, because each is a whole day.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_agent.core.session import Phase
from edge_agent.simulation.plan import LinkTime, Plan
from tests.simulation.conftest import Closed, play

QUICK = settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def links(terminals: int) -> st.SearchStrategy[tuple[LinkTime, ...]]:
    """Each terminal has its own networks, which come and go when they like."""
    link = st.builds(
        LinkTime,
        at_s=st.floats(10.0, 900.0),
        for_s=st.floats(5.0, 600.0),
        terminal=st.integers(0, terminals - 1),
    )
    return st.lists(link, min_size=1, max_size=2 * terminals).map(tuple)


def closed(plan: Plan) -> Closed:
    with tempfile.TemporaryDirectory() as folder:
        return play(Path(folder), plan)


@QUICK
@given(seed=st.integers(1, 10_000), network=links(2), cuts=st.integers(0, 3))
def test_two_terminals_never_give_the_same_twice(seed: int, network: tuple[LinkTime, ...], cuts: int) -> None:
    day = closed(Plan(40, 2, seed, power_cuts=cuts, links=network))
    assert [line.text for line in day.balance.lines if not line.ok] == []


@QUICK
@given(seed=st.integers(1, 10_000), network=links(5), cuts=st.integers(0, 2))
def test_five_terminals_never_give_the_same_twice(seed: int, network: tuple[LinkTime, ...], cuts: int) -> None:
    day = closed(Plan(40, 5, seed, power_cuts=cuts, links=network))
    assert [line.text for line in day.balance.lines if not line.ok] == []


@pytest.fixture(scope="module")
def linked_day(tmp_path_factory: pytest.TempPathFactory) -> Closed:
    """Two terminals with a network all day."""
    plan = Plan(40, 2, seed=3, power_cuts=0, links=(LinkTime(1.0, 20_000.0),))
    return play(tmp_path_factory.mktemp("linked"), plan)


def test_with_a_network_people_are_served_away_from_home(linked_day: Closed) -> None:
    assert linked_day.balance.ok
    granted = [
        claim
        for ledger in linked_day.data.ledgers
        for event in ledger.events
        if event["type"] == "aid.claim.recorded.v1"
        for claim in event["data"]["claims"]
        if claim["grant"] is not None
    ]
    released = [e for ledger in linked_day.data.ledgers for e in ledger.events if "released" in e["type"]]
    assert granted
    assert released
    assert any(Phase.AUTHORISING in terminal.phases for terminal in linked_day.played.site.terminals)


def test_without_one_they_are_sent_home(tmp_path: Path) -> None:
    day = play(tmp_path, Plan(40, 2, seed=3, power_cuts=0, links=(LinkTime(20_000.0, 1.0),)))
    assert day.balance.ok
    assert any(a.reason is not None and a.reason.value == "not_home" for a in day.data.truth.arrivals)
    assert day.played.broker.asked == 0
