"""What the settings say about tokens is what gets built, and a code is wanted until a challenge begins."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

from edge_agent.core.messages import TokenPresented, TokenRefused
from edge_agent.core.state import Phase, Session
from edge_agent.ports import Frame
from edge_agent.settings import TokenSettings
from edge_agent.token_desk import TokenBook, TokenDesk
from edge_agent.wiring import make_code_watch
from tests.cards import held_up, token_text
from tests.store.terminal import OFFICE

FRAME = Frame(held_up(token_text("s1", OFFICE)), time.monotonic(), 0)


def desk(posted: list[TokenPresented | TokenRefused]) -> TokenDesk:
    book = TokenBook(OFFICE.public_key(), frozenset({"s1"}), frozenset(), None)
    return TokenDesk(book, lambda: datetime(2026, 3, 1, tzinfo=timezone.utc), posted.append)


def test_the_camera_looks_unless_the_settings_say_otherwise() -> None:
    agent: Any = SimpleNamespace(session=Session())
    assert make_code_watch(TokenSettings(), agent, desk([])) is not None
    assert make_code_watch(TokenSettings(camera=False), agent, desk([])) is None


def test_a_code_is_wanted_until_a_challenge_begins() -> None:
    wanted = set()
    for phase in Phase:
        posted: list[TokenPresented | TokenRefused] = []
        agent: Any = SimpleNamespace(session=Session(phase=phase))
        watch = make_code_watch(TokenSettings(), agent, desk(posted))
        assert watch is not None
        watch.look(FRAME)
        if posted:
            wanted.add(phase)
            assert posted == [TokenPresented("s1")]
    assert wanted == {Phase.IDLE, Phase.ACQUIRING}
