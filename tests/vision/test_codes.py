"""Codes in frames: read from real pictures of printed tokens, seldom, and only while it can matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

import numpy as np
import pytest

from edge_agent.ports import Frame, Image
from edge_agent.token_file import Token, read_token
from edge_agent.vision.codes import CodeWatch, QrReader
from tests.cards import LAST_DAY, SERIAL, code_image, held_up, token_text
from tests.store.terminal import OFFICE

TEXT = token_text("kpm-0017", OFFICE)
FRAME = Frame(np.zeros((48, 64, 3), np.uint8), 0.0, 0)


@pytest.mark.parametrize(
    "held",
    [
        {},
        {"side_px": 200},
        {"blur_px": 1.0},
        {"rotation_deg": 20.0},
        {"rotation_deg": 135.0},
        {"tilt_deg": 30.0},
        {"tilt_deg": -30.0, "rotation_deg": 10.0, "blur_px": 0.8},
        {"noise": 20.0},
        {"size_px": (1920, 1080), "side_px": 560, "rotation_deg": 15.0},
    ],
    ids=str,
)
def test_a_printed_token_is_read_as_it_was_signed(held: dict[str, object]) -> None:
    texts = QrReader().read(held_up(TEXT, **held))  # type: ignore[arg-type]
    assert texts == (TEXT,)
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    token = read_token(texts[0], OFFICE.public_key(), now, frozenset(), frozenset({"kpm-0017"}))
    assert token == Token("kpm-0017", LAST_DAY, SERIAL)


def test_ids_of_24_characters_still_fit_the_modest_code() -> None:
    """41 modules a side (version 6), as docs/tokens.md says; one character more needs the next larger code."""
    sides = [code_image(token_text("k" * length, OFFICE)).shape[0] // 8 - 8 for length in (8, 24, 25)]
    assert sides == [41, 41, 45]


def test_two_cards_at_once_are_both_read() -> None:
    other = token_text("kpm-0018", OFFICE)
    both = np.concatenate([held_up(TEXT), held_up(other)], axis=1)
    assert set(QrReader().read(both)) == {TEXT, other}


@pytest.mark.parametrize("shape", [(1, 1, 3), (4, 4, 3), (480, 640, 3), (3, 2000, 3)])
def test_frames_without_a_code(shape: tuple[int, int, int]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    assert QrReader().read(noise) == ()
    assert QrReader().read(np.zeros(shape, np.uint8)) == ()


def test_half_a_card_gives_no_text() -> None:
    frame = held_up(TEXT)
    frame[:, 320:] = 110
    assert QrReader().read(frame) == ()


class Counter:
    """A reader that always sees one code."""

    def __init__(self) -> None:
        self.looks = 0

    def read(self, image_rgb: Image) -> Sequence[str]:
        self.looks += 1
        return ("text",)


def test_it_looks_seldom() -> None:
    reader, now, heard = Counter(), [0.0], []
    watch = CodeWatch(reader, lambda: True, heard.append, 0.25, lambda: now[0])
    for frame in range(31):  # one second at 30 frames
        now[0] = frame / 30
        watch.look(FRAME)
    assert reader.looks == 4
    assert heard == ["text"] * 4


def test_it_does_not_look_while_nobody_wants_a_code_and_at_once_when_somebody_does() -> None:
    reader, now, wanted = Counter(), [0.0], [False]
    watch = CodeWatch(reader, lambda: wanted[0], lambda _: None, 0.25, lambda: now[0])
    for tick in range(10):
        now[0] = tick / 10
        watch.look(FRAME)
    assert reader.looks == 0
    wanted[0] = True
    watch.look(FRAME)
    assert reader.looks == 1
