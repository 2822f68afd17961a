"""The clock of the store's tests."""

from __future__ import annotations

import pytest

from tests.store.terminal import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()
