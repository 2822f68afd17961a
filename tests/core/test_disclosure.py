"""Public counts: an attacker who tries every table that fits what is told never finds a small count."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.core.disclosure import LARGE_MIN, SMALL, WITHHELD, Sum, Told, pooled, protect

Counts = Any
"""One count, or many at once."""
SUMS: tuple[Sum, ...] = (
    ("served", ("given", "referred")),
    ("referred", ("r1", "r2")),
    ("given", ("assisted", "alone")),
    ("referred", ("excluded", "made_good")),
    ("exceptions", ("assisted", "referred")),
    ("served", ("exceptions", "alone")),
)
UNTOLD = frozenset(("alone", "made_good"))
MOST = 14


def table(r1: Counts, r2: Counts, assisted: Counts, alone: Counts, excluded: Counts) -> dict[str, Counts]:
    referred, given_ = r1 + r2, assisted + alone
    return {
        "r1": r1,
        "r2": r2,
        "referred": referred,
        "assisted": assisted,
        "alone": alone,
        "given": given_,
        "served": given_ + referred,
        "excluded": excluded,
        "made_good": referred - excluded,
        "exceptions": assisted + referred,
    }


def every_table() -> dict[str, Counts]:
    """All there are with counts below MOST, one a column."""
    free = np.indices((MOST,) * 5, dtype=np.int16).reshape(5, -1)
    return table(*free[:, free[4] <= free[0] + free[1]])


ALL = every_table()


def fitting(told: dict[str, Told]) -> npt.NDArray[np.bool_]:
    """Which of ALL the reader of this table must think possible."""
    fits = np.ones(ALL["r1"].shape, np.bool_)
    for name, shown in told.items():
        if isinstance(shown, int):
            fits &= ALL[name] == shown
        elif shown == SMALL:
            fits &= (ALL[name] > 0) & (ALL[name] < LARGE_MIN)
    return fits


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.floats(0, 1))
@settings(max_examples=150, deadline=None)
def test_no_small_count_can_be_computed(r1: int, r2: int, assisted: int, alone: int, share: float) -> None:
    free = (r1, r2, assisted, alone, round(share * (r1 + r2)))
    counts = {name: int(count) for name, count in table(*(np.int16(count) for count in free)).items()}
    told = protect(counts, SUMS, UNTOLD)
    assert not any(isinstance(shown, int) and 0 < shown < LARGE_MIN for shown in told.values())
    possible = fitting(told)
    for name, count in counts.items():
        if 0 < count < LARGE_MIN:
            assert len(np.unique(ALL[name][possible])) > 1, (name, told)


def test_large_counts_and_zeros_are_told_as_they_are() -> None:
    counts = {"a": 12, "b": 0, "all": 12}
    assert protect(counts, [("all", ("a", "b"))]) == counts


def test_a_lone_small_count_takes_another_with_it() -> None:
    counts = {"a": 20, "b": 7, "c": 2, "all": 29}
    told = protect(counts, [("all", ("a", "b", "c"))])
    assert told == {"a": 20, "b": WITHHELD, "c": SMALL, "all": 29}


def test_two_small_ones_hide_each_other_unless_their_sum_gives_them_away() -> None:
    sums = [("all", ("a", "b", "c"))]
    assert protect({"a": 20, "b": 2, "c": 2, "all": 24}, sums)["a"] == 20
    assert protect({"a": 20, "b": 1, "c": 1, "all": 22}, sums)["a"] == WITHHELD
    assert protect({"a": 20, "b": 4, "c": 4, "all": 28}, sums)["a"] == WITHHELD


def test_a_small_remainder_that_is_not_told_itself_is_protected_too() -> None:
    told = protect({"given": 12, "assisted": 10, "alone": 2}, [("given", ("assisted", "alone"))], frozenset({"alone"}))
    assert "alone" not in told
    assert WITHHELD in told.values()


def test_where_all_are_small_nothing_follows() -> None:
    counts = {"a": 1, "b": 1, "c": 1, "d": 1, "all": 4}
    told = protect(counts, [("all", ("a", "b", "c", "d"))])
    assert set(told.values()) <= {SMALL, WITHHELD}
    assert WITHHELD in told.values(), "four small ones under a small sum would all be one"


def test_what_is_missed_least_is_withheld_first() -> None:
    counts = {"a": 20, "b": 7, "c": 2, "all": 29}
    told = protect(counts, [("all", ("a", "b", "c"))], first=frozenset({"a"}))
    assert (told["a"], told["b"]) == (WITHHELD, 7)


def test_small_reasons_are_told_as_one() -> None:
    assert pooled({"a": 20, "b": 3, "c": 4}, "other") == {"a": 20, "other": 7}
    assert pooled({"a": 20, "b": 6, "c": 1}, "other") == {"a": 20, "other": 7}, "with the smallest large one"
    assert pooled({"a": 20, "b": 6}, "other") == {"a": 20, "b": 6}
    assert pooled({"a": 1, "b": 2}, "other") == {}
    assert pooled({}, "other") == {}


@given(st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 12)))
def test_a_pooled_breakdown_adds_up_and_holds_no_small_count(counts: dict[str, int]) -> None:
    told = pooled(counts, "other")
    assert all(count >= LARGE_MIN for count in told.values())
    assert sum(told.values()) in (sum(counts.values()), 0)
    assert told or sum(counts.values()) < LARGE_MIN
