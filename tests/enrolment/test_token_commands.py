"""`edge-agent token make`, as an office types it; what comes out is read as a terminal reads it."""

from __future__ import annotations

import csv
import stat
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image as Pillow

from edge_agent.__main__ import main
from edge_agent.enrolment.token_cards import CARD_PX, PAGE_PX, _sheets, signed_card
from edge_agent.key_files import make_signing_key
from edge_agent.token_file import TOKEN_FORM, RefusedToken, SignedCode, Token, new_serial, read_token, sign_code
from edge_agent.vision.codes import QrReader
from tests.store.terminal import SETTINGS

DAY = "2099-12-31"


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ed25519PrivateKey:
    monkeypatch.chdir(tmp_path)
    return make_signing_key(tmp_path / "roster.pem")


def make(*words: object) -> int:
    return main(["token", "make", "--sign", "roster.pem", *map(str, words)])


def register() -> list[dict[str, str]]:
    with Path("tokens.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def tokens_in(picture: Pillow.Image, office: Ed25519PrivateKey, scale: float = 1.0) -> list[Token]:
    """What a terminal reads when this lies before its camera."""
    grey = np.asarray(picture.convert("L"))
    seen = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    now = datetime(2026, 3, 1, tzinfo=timezone.utc)
    found = [
        read_token(text, office.public_key(), now, frozenset(), _Everybody())
        for text in QrReader().read(np.ascontiguousarray(np.repeat(seen[:, :, None], 3, axis=2)))
    ]
    assert not [token for token in found if isinstance(token, RefusedToken)]
    return [token for token in found if isinstance(token, Token)]


def test_a_card_is_read_as_the_register_says(office: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str]) -> None:
    assert make("--subject", "kpm-0017", "--expires", DAY, "--out", "card.png", "--label", "Ibu Contoh") == 0
    (entry,) = register()
    picture = Pillow.open("card.png")
    assert picture.size == CARD_PX
    for scale in (1.0, 0.5, 0.35):  # 0.35: the card fills half the width of a 640-pixel frame
        assert tokens_in(picture, office, scale) == [Token("kpm-0017", date(2099, 12, 31), entry["serial"])]
    assert (entry["subject_id"], entry["last_day"]) == ("kpm-0017", DAY)
    assert stat.S_IMODE(Path("tokens.csv").stat().st_mode) == 0o600
    told = capsys.readouterr().out
    assert told == f"{entry['serial']} kpm-0017 until {DAY}\n"


def test_a_longest_id_still_fits_its_card(office: Ed25519PrivateKey) -> None:
    assert make("--subject", "k" * 64, "--expires", DAY, "--out", "card.png") == 0
    assert [token.subject_id for token in tokens_in(Pillow.open("card.png"), office)] == ["k" * 64]


def test_a_sheet_of_many_people(office: Ed25519PrivateKey) -> None:
    people = [f"kpm-{number:04}" for number in range(11)]
    Path("people.csv").write_text("subject_id,label\n" + "".join(f"{one},RT 3\n" for one in people))
    assert make("--sheet", "people.csv", "--expires", DAY, "--out", "cards.pdf") == 0
    assert [entry["subject_id"] for entry in register()] == people
    assert len({entry["serial"] for entry in register()}) == len(people)
    content = Path("cards.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") == 2
    assert make("--subject", "later", "--expires", DAY, "--out", "card.png") == 0
    assert [entry["subject_id"] for entry in register()] == [*people, "later"]


def test_every_card_of_a_page_is_read(office: Ed25519PrivateKey) -> None:
    codes = [SignedCode(f"kpm-{number}", date(2099, 1, 1), new_serial()) for number in range(9)]
    first, second = _sheets([signed_card(code, sign_code(TOKEN_FORM, code, office)) for code in codes])
    tokens = [Token(code.holder, code.last_day, code.serial) for code in codes]
    assert first.size == PAGE_PX
    width, height = CARD_PX
    for page, expected in ((first, tokens[:8]), (second, tokens[8:])):
        for place, token in enumerate(expected):
            corner = place % 2 * width, place // 2 * height
            cut = page.crop((*corner, corner[0] + width, corner[1] + height))
            assert tokens_in(cut, office, 0.5) == [token]


def test_on_the_receipt_printer(office: Ed25519PrivateKey) -> None:
    Path("terminal.yaml").write_text(SETTINGS)
    assert make("--subject", "kpm-0017", "--expires", DAY, "--print", "--config", "terminal.yaml") == 0
    (entry,) = register()
    (slip,) = Path("slips").glob("*.png")
    assert entry["serial"] in slip.name
    assert [token.serial for token in tokens_in(Pillow.open(slip), office)] == [entry["serial"]]
    assert entry["serial"] in slip.with_suffix(".txt").read_text()


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (("--subject", "kpm-17", "--expires", DAY), "--out FILE.png"),
        (("--subject", "kpm-17", "--expires", DAY, "--print"), "--config"),
        (("--subject", "kpm-17", "--expires", "31.12.2099", "--out", "c.png"), "2027-12-31"),
        (("--subject", "kpm-17", "--expires", "2024-12-31", "--out", "c.png"), "a day to come"),
        (("--subject", "3201234567890001", "--expires", DAY, "--out", "c.png"), "opaque id"),
        (("--subject", "kpm-17", "--expires", DAY, "--out", "c.jpg"), ".png"),
        (("--sheet", "two.csv", "--expires", DAY, "--out", "c.png"), ".pdf"),
        (("--sheet", "twice.csv", "--expires", DAY, "--out", "c.pdf"), "twice.csv:3: subject_id: is named twice"),
        (("--sheet", "empty.csv", "--expires", DAY, "--out", "c.pdf"), "names nobody"),
        (("--sheet", "none.csv", "--expires", DAY, "--out", "c.pdf"), "correct the path"),
        (("--subject", "kpm-17", "--expires", DAY, "--out", "c.png", "--register", "no/t.csv"), "no card was made"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    office: Ed25519PrivateKey, capsys: pytest.CaptureFixture[str], words: tuple[Any, ...], remedy: str
) -> None:
    Path("two.csv").write_text("subject_id\na\nb\n")
    Path("twice.csv").write_text("subject_id\na\na\n")
    Path("empty.csv").write_text("name\n")
    assert make(*words) == 2
    assert remedy in capsys.readouterr().err
    assert not Path("tokens.csv").exists()
    assert not list(Path().glob("c.*"))


class _Everybody(frozenset[str]):
    """A roster that knows every id."""

    def __contains__(self, _: object) -> bool:
        return True
