"""A store with a roster of three, and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.store import Store
from tests.store.terminal import Clock, open_store, roster, write_roster


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "terminal.db"


@pytest.fixture
def store(database: Path, tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with open_store(database) as opened:
        opened.import_roster(write_roster(tmp_path / "roster.aid", roster()), clock())
        yield opened
