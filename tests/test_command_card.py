"""Every command has one card, every card one command, and nothing else is read."""

from __future__ import annotations

import pytest

from edge_agent.command_card import COMMANDS, command_key, command_text, read_command
from edge_agent.core.officer_acts import Act, AssistReason, Command


def test_every_command_has_a_card_of_its_own_and_comes_back() -> None:
    texts = [command_text(command) for command in COMMANDS]
    assert len(set(texts)) == len(COMMANDS) == len(set(map(command_key, COMMANDS)))
    assert [read_command(text) for text in texts] == list(COMMANDS)
    assert {command.act for command in COMMANDS} == set(Act) - {Act.SIGN_IN}, "a badge is no card"
    assert {command.reason for command in COMMANDS if command.act is Act.ASSIST} == set(AssistReason)
    assert [text for text in texts if text.count(":") == 1] == [
        "AC1:REPRINT", "AC1:VOID", "AC1:RESOLVED", "AC1:DAY_END", "AC1:CLOSE", "AC1:OPEN", "AC1:CANCEL",
    ]  # fmt: skip
    assert command_text(Command(Act.ASSIST, AssistReason.FACE_FAILED)) == "AC1:ASSIST:FACE_FAILED"


@pytest.mark.parametrize(
    "text", ["", "AC1:", "AC1:ASSIST", "AC1:ASSIST:", "AC1:VOID:VEIL", "ac1:void", "AC1:VOID ", "VOID"]
)
def test_another_text_is_no_command(text: str) -> None:
    assert read_command(text) is None
