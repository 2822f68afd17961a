"""`edge-agent officer`, as an office types it; what comes out is read as a terminal reads it."""

from __future__ import annotations

import csv
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image as Pillow

from edge_agent.__main__ import main
from edge_agent.badge_file import Badge, read_badge
from edge_agent.command_card import COMMANDS, command_text, read_command
from edge_agent.enrolment.token_cards import CARD_PX, _sheets, command_card
from edge_agent.key_files import make_signing_key
from edge_agent.vision.codes import QrReader
from tests.store.terminal import SETTINGS

DAY = "2099-12-31"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ed25519PrivateKey:
    monkeypatch.chdir(tmp_path)
    return make_signing_key(tmp_path / "roster.pem")


def badge(*words: object) -> int:
    return main(
        ["officer", "badge", "--officer", "petugas-01", "--sign", "roster.pem", "--expires", DAY, *map(str, words)]
    )


def texts_in(picture: Pillow.Image, scale: float = 1.0) -> list[str]:
    """What a terminal reads when this lies before its camera."""
    seen = cv2.resize(np.asarray(picture.convert("L")), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return list(QrReader().read(np.ascontiguousarray(np.repeat(seen[:, :, None], 3, axis=2))))


def register() -> list[dict[str, str]]:
    with Path("badges.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_badge_is_read_as_the_register_says(office: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]) -> None:
    assert badge("--out", "badge.png", "--label", "Posko 1") == 0
    (entry,) = register()
    assert (entry["officer_id"], entry["last_day"]) == ("petugas-01", DAY)
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    for scale in (1.0, 0.35):
        (text,) = texts_in(Pillow.open("badge.png"), scale)
        found = read_badge(text, office.public_key(), now, frozenset(), frozenset({"petugas-01"}))
        assert found == Badge("petugas-01", date(2099, 12, 31), entry["serial"])
    assert capsys.readouterr().out == f"{entry['serial']} petugas-01 until {DAY}\n"


def test_the_sheet_has_every_command_and_each_is_read() -> None:
    cards = [command_card(command_text(command), "BANTU: WAJAH TIDAK DIKENALI", "1, 2, 3") for command in COMMANDS]
    pages = _sheets(cards)
    width, height = CARD_PX
    for place, command in enumerate(COMMANDS):
        corner = place % 2 * width, place % 8 // 2 * height
        cut = pages[place // 8].crop((*corner, corner[0] + width, corner[1] + height))
        assert [read_command(text) for text in texts_in(cut, 0.35)] == [command]


def test_cards_come_as_sheets_or_one_as_a_picture(office: Ed25519PrivateKey) -> None:
    assert main(["officer", "cards", "--out", "cards.pdf"]) == 0
    assert Path("cards.pdf").read_bytes().count(b"/Type /Page\n") == 2
    assert main(["officer", "cards", "--card", "ASSIST:VEIL", "--out", "veil.png", "--language", "en"]) == 0
    assert texts_in(Pillow.open("veil.png"), 0.5) == ["AC1:ASSIST:VEIL"]


def test_on_the_receipt_printer(office: Ed25519PrivateKey) -> None:
    Path("terminal.yaml").write_text(SETTINGS)
    assert main(["officer", "cards", "--card", "VOID", "--print", "--config", "terminal.yaml"]) == 0
    assert badge("--print", "--config", "terminal.yaml") == 0
    (card,), (signed,) = (list(Path("slips").glob(f"*{name}*.png")) for name in ("card", "badge"))
    assert texts_in(Pillow.open(card)) == ["AC1:VOID"]
    assert "BATALKAN BANTUAN" in card.with_suffix(".txt").read_text()
    assert [text[:4] for text in texts_in(Pillow.open(signed))] == ["AO1:"]
    assert "TANDA PETUGAS" in signed.with_suffix(".txt").read_text()


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("cards",), "--out FILE.png"),
        (("cards", "--out", "c.png"), ".pdf"),
        (("cards", "--print"), "--config"),
        (("badge", "--officer", "o 1", "--sign", "roster.pem", "--expires", DAY, "--out", "c.png"), "officer id"),
        (("badge", "--officer", "o1", "--sign", "roster.pem", "--expires", "2024-01-01", "--out", "c.png"), "to come"),
        (("badge", "--officer", "o1", "--sign", "none.pem", "--expires", DAY, "--out", "c.png"), "none.pem"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    office: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str], words: tuple[Any, ...], remedy: str
) -> None:
    assert main(["officer", *words]) == 2
    assert remedy in capsys.readouterr().err
    assert not Path("badges.csv").exists()
    assert not list(Path().glob("c.*"))
