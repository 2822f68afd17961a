"""The gallery as the search needs it: float32 rows, one after another, so that a search is one pass over them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge_agent.clock import SystemClock
from tests.store.terminal import open_store, roster, write_roster


def test_templates_are_contiguous_float32_rows_of_unit_length(tmp_path: Path) -> None:
    store = open_store(tmp_path / "terminal.db")
    store.import_roster(write_roster(tmp_path / "roster.aid", roster(subjects=5)), SystemClock(lambda: True).now())
    gallery = store.gallery()
    store.close()
    assert gallery.templates.dtype == np.float32
    assert gallery.templates.dtype.isnative
    assert gallery.templates.flags.c_contiguous
    assert gallery.templates.shape[0] == len(gallery.subject_ids) == 10
    assert np.allclose(np.linalg.norm(gallery.templates, axis=1), 1.0, atol=1e-5)
