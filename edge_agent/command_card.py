"""Command cards: the keyboard of a terminal without a screen, one QR code a key.

Rules: a card is not signed and carries no authority, so that an office, or the officer, may print and copy as many as
they like: it means nothing without a badge before it. One text for each command, and no other is read.
"""

from __future__ import annotations

from edge_agent.core.officer_acts import Act, AssistReason, Command

PREFIX = "AC1:"

COMMANDS = (
    *(Command(Act.ASSIST, reason) for reason in AssistReason),
    Command(Act.REPRINT),
    Command(Act.VOID),
    Command(Act.REFERRAL_RESOLVED),
    Command(Act.DAY_END),
    Command(Act.CLOSE),
    Command(Act.OPEN),
    Command(Act.CANCEL),
)
"""Every card there is, in the order of the printed sheet."""

_WORDS = {Act.REFERRAL_RESOLVED: "RESOLVED"}


def command_text(command: Command) -> str:
    """`AC1:VOID`, `AC1:ASSIST:FACE_FAILED`."""
    word = _WORDS.get(command.act, command.act.value.upper())
    return PREFIX + word + (f":{command.reason.value.upper()}" if command.reason else "")


def command_key(command: Command) -> str:
    """The command's key in the catalogues: `command.void`, `command.assist.face_failed`."""
    return f"command.{command.act.value}" + (f".{command.reason.value}" if command.reason else "")


def read_command(text: str) -> Command | None:
    """The command of a scanned text; None when it is no card."""
    return _BY_TEXT.get(text)


_BY_TEXT = {command_text(command): command for command in COMMANDS}
