"""`verify-slip` and `ledger` as an auditor types them: each kind of forgery, and what is genuine."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image

from edge_agent.certificate_file import sign_certificate
from edge_agent.core.model import Receipt
from edge_agent.core.officer_acts import Act, ActRequest
from edge_agent.key_files import key_id, write_public_key
from edge_agent.ports import TerminalError
from edge_agent.proof import command
from edge_agent.proof.verdict import EXIT_CODES, Verdict
from edge_agent.slip_code import PREFIX, code_of, sign_slip
from edge_agent.store import Store
from edge_agent.store.record_files import records_of
from edge_agent.token_file import from_base45, to_base45
from tests.proof.papers import photographed, printed
from tests.store.ledger_day import give, live_a_day
from tests.store.terminal import NOON, OFFICE, SIGNING, TERMINAL, Clock, claim_of, referral

Run = Callable[..., tuple[int, str]]
HELD: list[dict[str, float]] = [
    {},
    {"rotation_deg": 90.0},
    {"rotation_deg": -12.0, "tilt_deg": 25.0, "blur_px": 1.0, "noise": 8.0},
]
ISSUED, LAST = date(2026, 1, 1), date(2026, 12, 31)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "terminal.cert"
    key = SIGNING.public_key()
    path.write_bytes(sign_certificate(TERMINAL.id, TERMINAL.site, key, OFFICE, issued_on=ISSUED, last_day=LAST))
    return path


@pytest.fixture
def lived(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    with live_a_day(tmp_path, clock) as store:
        yield store


@pytest.fixture
def run(certificate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    write_public_key(tmp_path / "roster.pub.pem", OFFICE.public_key())

    def verify_slip(
        *words: object, office: bool = True, certificates: tuple[Path, ...] = (certificate,)
    ) -> tuple[int, str]:
        parser = argparse.ArgumentParser()
        command.add_command(parser.add_subparsers())
        given = [str(word) for word in words]
        for one in certificates:
            given += ["--certificate", str(one)]
        if office:
            given += ["--office-key", str(tmp_path / "roster.pub.pem")]
        arguments = parser.parse_args(["verify-slip", *given])
        code: int = arguments.run(arguments)
        return code, capsys.readouterr().out

    return verify_slip


def receipt_of(store: Store, clock: Clock, subject: str = "s5") -> Receipt:
    return give(store, clock, subject, f"slip-{subject}")


def verdict(result: tuple[int, str]) -> Verdict:
    code, text = result
    found = Verdict(json.loads(text)["verdict"])
    assert code == EXIT_CODES[found]
    return found


def test_a_genuine_slip_is_told_in_two_languages(lived: Store, clock: Clock, run: Run) -> None:
    receipt = receipt_of(lived, clock)
    code, text = run(lived.slip_code(receipt, 0), "--ledger", lived.path)
    assert code == 0
    for told in ("[id] ASLI", "[en] GENUINE, the original", "10 kg beras", "BPNT", receipt.case_number, "WIB"):
        assert told in text
    assert "Cocokkan dengan kertasnya" in text
    assert "a photocopy of a genuine slip carries the same code" in text
    assert "s5" not in text


def test_a_copy_is_told_with_its_number(lived: Store, clock: Clock, run: Run) -> None:
    code, text = run(lived.slip_code(receipt_of(lived, clock), 2))
    assert code == EXIT_CODES[Verdict.COPY]
    assert "SALINAN KE-2" in text
    assert "SALINAN 2" in text
    assert "no ledger at hand" in text


@pytest.mark.parametrize("how", HELD, ids=str)
def test_a_photograph_of_a_printed_slip(
    lived: Store, clock: Clock, run: Run, tmp_path: Path, how: dict[str, float]
) -> None:
    slip = printed(receipt_of(lived, clock), tmp_path / "slips")
    assert verdict(run(photographed(slip, tmp_path, **how), "--ledger", lived.path, "--json")) is Verdict.ORIGINAL  # type: ignore[arg-type]


def test_a_picture_without_a_code_is_no_verdict(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    Image.fromarray(np.full((400, 300, 3), 200, np.uint8)).save(path)
    with pytest.raises(TerminalError, match="no QR code"):
        run(path)
    with pytest.raises(TerminalError, match="neither a slip's code"):
        run(tmp_path / "none.png")
    with pytest.raises(TerminalError, match="exactly one"):
        run()


def test_held_before_a_camera(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    slip = printed(receipt_of(lived, clock), tmp_path / "slips")
    footage = tmp_path / "footage"
    footage.mkdir()
    for n in range(3):
        photographed(slip, footage, size_px=(720, 960), rotation_deg=4.0 * n)
    assert verdict(run("--camera", f"file:{footage}", "--wait", "20", "--json")) is Verdict.ORIGINAL
    with pytest.raises(TerminalError, match="--camera wrong"):
        run("--camera", "wrong")


def test_each_changed_field_is_an_alteration(lived: Store, clock: Clock, run: Run) -> None:
    text = lived.slip_code(receipt_of(lived, clock), 0)
    raw = bytearray(from_base45(text[len(PREFIX) :]))
    raw[raw.index(b"beras")] ^= 1
    code, told = run(PREFIX + to_base45(bytes(raw)), "--ledger", lived.path)
    assert code == EXIT_CODES[Verdict.ALTERED]
    assert "TIDAK terbukti" in told
    assert verdict(run(text[:-9], "--json")) is Verdict.ALTERED


def test_a_forgers_own_key_is_foreign(lived: Store, clock: Clock, run: Run) -> None:
    forger = Ed25519PrivateKey.generate()
    forged = code_of(receipt_of(lived, clock), TERMINAL.id, TERMINAL.site, key_id(forger.public_key()))
    code, text = run(sign_slip(forged, forger))
    assert code == EXIT_CODES[Verdict.FOREIGN]
    assert "another key" in text


def test_a_terminal_without_a_certificate_and_other_codes_are_foreign(lived: Store, clock: Clock, run: Run) -> None:
    elsewhere = code_of(
        lived.record_outcome(referral("x"), clock()).receipt, "kiosk-9", TERMINAL.site, key_id(SIGNING.public_key())
    )
    assert verdict(run(sign_slip(elsewhere, SIGNING), "--json")) is Verdict.FOREIGN
    assert verdict(run("aid:1:kiosk-1:2:ABC:0123", "--json")) is Verdict.FOREIGN
    assert verdict(run("AT1:ABC", "--json")) is Verdict.FOREIGN


def test_an_expired_certificate_speaks_for_nothing_later(lived: Store, clock: Clock, run: Run) -> None:
    clock.utc = NOON + timedelta(days=400)
    late = lived.record_outcome(referral("late"), clock()).receipt
    assert verdict(run(lived.slip_code(late, 0), "--json")) is Verdict.FOREIGN


def test_a_certificate_by_another_office_stops_the_check(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "forged.cert"
    other, key = Ed25519PrivateKey.generate(), SIGNING.public_key()
    path.write_bytes(sign_certificate(TERMINAL.id, TERMINAL.site, key, other, issued_on=ISSUED, last_day=LAST))
    text = lived.slip_code(receipt_of(lived, clock), 0)
    with pytest.raises(TerminalError, match="not by this office"):
        run(text, certificates=(path,))
    code, told = run(text, certificates=(path,), office=False)
    assert (code, "the certificate itself was not checked" in told) == (0, True)


def test_a_voided_claim(lived: Store, clock: Clock, run: Run) -> None:
    receipt = receipt_of(lived, clock)
    text = lived.slip_code(receipt, 0)
    assert verdict(run(text, "--ledger", lived.path, "--json")) is Verdict.ORIGINAL
    act = lived.record_act(ActRequest("v", Act.VOID, "o1", "o2", receipt.case_number), clock()).receipt
    assert verdict(run(text, "--ledger", lived.path, "--json")) is Verdict.VOIDED
    assert verdict(run(text, "--json")) is Verdict.ORIGINAL, "without the ledger nobody can know, and the notes say so"
    assert act.copy is not None
    assert verdict(run(lived.slip_code(act.copy, 0), "--json")) is Verdict.VOIDED


def test_signed_with_a_stolen_key_but_not_in_the_ledger(lived: Store, clock: Clock, run: Run) -> None:
    """Whoever has the key signs what they like; the record's hash and content give them away."""
    receipt = receipt_of(lived, clock)
    genuine = code_of(receipt, TERMINAL.id, TERMINAL.site, key_id(SIGNING.public_key()))
    more = replace(genuine, benefits=tuple(replace(one, amount=one.amount * 9) for one in genuine.benefits))
    for forged, told in (
        (replace(genuine, record_hash="00" * 16), "hash"),
        (more, "benefits"),
        (replace(genuine, case_number="XXXX-0000"), "case number"),
        (replace(genuine, sequence=1), "no outcome"),
    ):
        code, text = run(sign_slip(forged, SIGNING), "--ledger", lived.path)
        assert (code, told in text) == (EXIT_CODES[Verdict.DIFFERS], True), text


def test_a_cut_off_ledger_and_a_broken_one(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    bodies = list(records_of(lived.path).bodies)
    receipt = receipt_of(lived, clock)
    text = lived.slip_code(receipt, 0)
    short, broken = tmp_path / "short.jsonl", tmp_path / "broken.jsonl"
    short.write_bytes(b"\n".join(bodies))
    assert verdict(run(text, "--ledger", short, "--json")) is Verdict.CUT_OFF
    whole = list(records_of(lived.path).bodies)
    whole[3] = whole[3].replace(b"desa-sukamaju", b"desa-sukamakmur")
    broken.write_bytes(b"\n".join(whole))
    assert verdict(run(text, "--ledger", broken, "--json")) is Verdict.LEDGER_BROKEN


def test_the_centres_copy_may_be_unordered_doubled_and_mixed(
    lived: Store, clock: Clock, run: Run, tmp_path: Path
) -> None:
    text = lived.slip_code(receipt_of(lived, clock), 0)
    bodies = list(records_of(lived.path).bodies)
    other = [body.replace(b"terminal:kiosk-1", b"terminal:kiosk-2") for body in bodies[:3]]
    copy = tmp_path / "centre.jsonl"
    copy.write_bytes(b"\n".join([*reversed(bodies), *other, *bodies[:4]]))
    assert verdict(run(text, "--ledger", copy, "--json")) is Verdict.ORIGINAL


def test_a_photocopy_shows_only_in_the_register(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    receipt, register = receipt_of(lived, clock), tmp_path / "shown.jsonl"
    original, again = lived.slip_code(receipt, 0), lived.slip_code(receipt, 1)
    words = ("--register", register, "--json")
    assert verdict(run(original, *words)) is Verdict.ORIGINAL
    code, text = run(original, "--register", register)
    assert (code, "fotokopi" in text, "this very paper" in text) == (EXIT_CODES[Verdict.SEEN_BEFORE], True, True)
    code, text = run(again, "--register", register)
    assert (code, "another paper (the original)" in text) == (EXIT_CODES[Verdict.SEEN_BEFORE], True)
    assert register.stat().st_mode & 0o077 == 0
    assert "s5" not in register.read_text()
    register.write_text("nonsense\n")
    with pytest.raises(TerminalError, match=r"shown\.jsonl:1"):
        run(original, *words)


def test_a_forgery_is_never_entered_in_the_register(lived: Store, clock: Clock, run: Run, tmp_path: Path) -> None:
    register = tmp_path / "shown.jsonl"
    run(lived.slip_code(receipt_of(lived, clock), 0)[:-9], "--register", register)
    assert not register.exists()


def test_every_refusal_can_be_verified_too(lived: Store, clock: Clock, run: Run) -> None:
    refused = lived.record_claim(claim_of("s1", "third"), clock()).receipt  # type: ignore[union-attr]
    code, text = run(lived.slip_code(refused, 0), "--ledger", lived.path)
    assert (code, "BELUM DAPAT DIBERIKAN" in text) == (0, True)


def test_the_page_tells_every_verdict_with_its_exit_status() -> None:
    page = (Path(__file__).parents[2] / "docs" / "proof.md").read_text(encoding="utf-8")
    for name, code in EXIT_CODES.items():
        assert f"| `{name.value}` | {code} |" in page
    assert set(EXIT_CODES) == set(Verdict)
    assert len(set(EXIT_CODES.values())) == len(EXIT_CODES)
    assert 2 not in EXIT_CODES.values()
