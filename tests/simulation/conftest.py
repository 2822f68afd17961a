"""One day with every kind of person in it, played once for all tests that look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from edge_agent.simulation.audit import gather
from edge_agent.simulation.books import Balance, BookData, balance
from edge_agent.simulation.day import Day, Played
from edge_agent.simulation.plan import Plan


@dataclass(frozen=True)
class Closed:
    """A day that was played, and its books."""

    played: Played
    data: BookData
    balance: Balance


def play(folder: Path, plan: Plan) -> Closed:
    """Play it and hold its books against it."""
    played = Day(folder, plan).play()
    data = gather(played)
    return Closed(played, data, balance(data))


@pytest.fixture(scope="package")
def full_day(tmp_path_factory: pytest.TempPathFactory) -> Closed:
    """A day with everybody, with power cuts, a network and paper that ends."""
    return play(tmp_path_factory.mktemp("day"), Plan(subjects=44, seed=5))
