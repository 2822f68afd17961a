"""docs/officers.md tells of every card and of every code that is not taken."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_agent.badge_file import BadgeProblem
from edge_agent.command_card import COMMANDS, command_key, command_text
from edge_agent.core.officer_acts import Command
from edge_agent.core.policy import OfficerLimits
from edge_agent.language.phrases import CataloguePhrases
from edge_agent.token_desk import MANY_COMMANDS, UNKNOWN_COMMAND

PAGE = (Path(__file__).parents[2] / "docs" / "officers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS, ids=command_text)
def test_every_card_is_told_by_the_name_printed_on_it(command: Command) -> None:
    assert f"| **{CataloguePhrases('id').text(command_key(command))}** |" in PAGE
    assert f"`{command_text(command)}`" in PAGE


def test_every_problem_of_a_code_is_told() -> None:
    for problem in (*(problem.value for problem in BadgeProblem), UNKNOWN_COMMAND, MANY_COMMANDS):
        assert f"| `{problem}` |" in PAGE


def test_the_bounds_told_are_the_defaults() -> None:
    limits = OfficerLimits()
    assert f"| {limits.assisted_per_day} with the four below (`assisted_per_day`) |" in PAGE
    assert f"| {limits.reprints_per_day} (`reprints_per_day`) |" in PAGE
    assert f"| {limits.voids_per_day}, counted for both officers (`voids_per_day`) |" in PAGE
