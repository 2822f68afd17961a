"""Numbers read out on the telephone: short, distinct, and a slip of the tongue is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.store.case_number import ALPHABET, case_number, is_case_number

terminals = st.text("abcdefgh-0123456789", min_size=1, max_size=20)
sequences = st.integers(1, 2**30)


def test_it_looks_like_this() -> None:
    assert case_number("kiosk-1", 12) == "3T9Q-00CV"
    assert len(case_number("kiosk-1", 10_000)) == len("3T9Q-00CV")


@given(terminals, sequences)
def test_any_single_wrong_character_is_noticed(terminal: str, sequence: int) -> None:
    number = case_number(terminal, sequence)
    assert is_case_number(number)
    for place, character in enumerate(number):
        if character != "-":
            wrong = [number[:place] + other + number[place + 1 :] for other in ALPHABET if other != character]
            assert not any(is_case_number(text) for text in wrong)


@given(terminals, st.lists(sequences, unique=True, min_size=2, max_size=20))
def test_numbers_of_one_terminal_differ(terminal: str, numbers: list[int]) -> None:
    assert len({case_number(terminal, number) for number in numbers}) == len(numbers)


@pytest.mark.parametrize("spoken", ["3t9q-00cv", "3T9Q00CV", " 3T9Q-OOCV ", "3T9Q-oocv"])
def test_as_people_write_it(spoken: str) -> None:
    assert is_case_number(spoken)


@pytest.mark.parametrize("text", ["", "3T9Q", "3T9Q-00C4", "3T9Q-00C!", "3T9U-00C3"])
def test_what_is_none(text: str) -> None:
    assert not is_case_number(text)
