"""The gallery is in memory only while people can be served, and a terminal without it stays closed."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.core.messages import PartFailed, PartRecovered
from edge_agent.core.model import Gallery, Part
from edge_agent.core.rules import MatchRules, Rules
from edge_agent.gallery_hold import RETRY_S, GalleryHold
from edge_agent.ports import StoreError


def gallery() -> Gallery:
    return Gallery(("s1", "s2"), np.eye(2, 4, dtype=np.float32))


class Shelf:
    """A store whose gallery can be read, or not."""

    def __init__(self) -> None:
        self.problem = ""
        self.reads = 0
        self.first = gallery()
        self.hold = GalleryHold(Rules(self.first, MatchRules(0.9, 0.9, 0.01)), self.load)

    def load(self) -> Gallery:
        self.reads += 1
        if self.problem:
            raise StoreError(self.problem)
        return gallery()


def test_closing_wipes_the_templates_themselves_and_opening_reads_them_again() -> None:
    shelf = Shelf()
    assert shelf.hold.follow(closed=False, now_s=0.0) == []
    assert shelf.hold.rules.gallery is shelf.first
    assert shelf.hold.follow(closed=True, now_s=1.0) == []
    assert len(shelf.hold.rules.gallery) == 0
    assert not shelf.first.templates.any(), "still readable where it was"
    assert shelf.hold.follow(closed=False, now_s=2.0) == []
    assert np.array_equal(shelf.hold.rules.gallery.templates, gallery().templates)
    assert shelf.reads == 1
    assert shelf.hold.rules.match == MatchRules(0.9, 0.9, 0.01)


def test_a_terminal_that_cannot_read_its_gallery_is_closed_until_it_can() -> None:
    shelf = Shelf()
    shelf.hold.follow(closed=True, now_s=1.0)
    shelf.problem = "the database can't be read"
    assert shelf.hold.follow(closed=False, now_s=2.0) == [PartFailed(Part.STORE, shelf.problem)]
    assert shelf.hold.follow(closed=True, now_s=3.0) == [], "told once, and not tried at every tick"
    assert shelf.reads == 1
    assert shelf.hold.follow(closed=True, now_s=2.0 + RETRY_S) == []
    shelf.problem = ""
    assert shelf.hold.follow(closed=True, now_s=2.0 + 2 * RETRY_S) == [PartRecovered(Part.STORE)]
    assert len(shelf.hold.rules.gallery) == 2


def test_whatever_opens_it_meanwhile_it_closes_again_without_a_gallery() -> None:
    shelf = Shelf()
    shelf.hold.follow(closed=True, now_s=1.0)
    shelf.problem = "the database can't be read"
    for now_s in (2.0, 2.1, 2.2):
        assert shelf.hold.follow(closed=False, now_s=now_s) == [PartFailed(Part.STORE, shelf.problem)]


@pytest.mark.parametrize("closed", [True, False])
def test_nothing_happens_while_nothing_changes(closed: bool) -> None:
    shelf = Shelf()
    for now_s in range(30):
        assert shelf.hold.follow(closed, float(now_s)) == []
    assert shelf.reads == 0
