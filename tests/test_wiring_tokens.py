"""What the settings say about tokens is what gets built, and a code is wanted until a challenge begins."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from edge_agent.core.messages import TokenPresented
from edge_agent.core.model import Part
from edge_agent.core.state import Phase, Session
from edge_agent.ports import Frame
from edge_agent.settings import TokenSettings, load
from edge_agent.token_desk import CodeEvent, TokenBook, TokenDesk
from edge_agent.watchdog import SystemdNotifier
from edge_agent.wiring import build_terminal, make_code_watch
from tests.cards import held_up, token_text
from tests.store.terminal import OFFICE
from tests.test_doctor_parts import terminal  # noqa: F401 - a fixture

FRAME = Frame(held_up(token_text("s1", OFFICE)), time.monotonic(), 0)


def desk(posted: list[CodeEvent]) -> TokenDesk:
    book = TokenBook(OFFICE.public_key(), frozenset({"s1"}), frozenset(), None)
    return TokenDesk(book, lambda: datetime(2026, 3, 1, tzinfo=timezone.utc), posted.append)


def test_the_camera_looks_unless_the_settings_say_otherwise() -> None:
    agent: Any = SimpleNamespace(session=Session())
    assert make_code_watch(TokenSettings(), agent, desk([])) is not None
    assert make_code_watch(TokenSettings(camera=False), agent, desk([])) is None


def test_a_terminal_has_the_card_reader_its_settings_name(terminal: Path) -> None:  # noqa: F811
    for line, parts in (("", set()), ("tokens: {reader: serial, device: nowhere}\n", {Part.TOKEN_READER})):
        terminal.write_text(terminal.read_text() + line)
        built = build_terminal(load(terminal), SystemdNotifier(None))
        try:
            assert {slot.part for slot in built.crew.all()} == {Part.VISION, Part.PRINTER, Part.UPLINK} | parts
        finally:
            built.store.close()
            built.agent.leds.close()


def test_a_code_is_wanted_until_a_challenge_begins_and_while_an_officer_may_come() -> None:
    wanted = set()
    for phase in Phase:
        posted: list[CodeEvent] = []
        agent: Any = SimpleNamespace(session=Session(phase=phase))
        watch = make_code_watch(TokenSettings(), agent, desk(posted))
        assert watch is not None
        watch.look(FRAME)
        if posted:
            wanted.add(phase)
            assert posted == [TokenPresented("s1")]
    assert wanted == {Phase.IDLE, Phase.ACQUIRING, Phase.ASSISTING, Phase.OUT_OF_SERVICE}
