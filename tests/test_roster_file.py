"""The roster file: what went in comes out, only for the terminal it is sealed to; nothing unsigned is parsed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from edge_agent import roster_file
from edge_agent.core.model import Benefit, Entitlement, EntitlementState
from edge_agent.core.policy import DEFAULT_POLICY, Policy
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_content import base64url, payload_of
from edge_agent.roster_file import Roster, RosterSubject, read_header, read_roster, sign_roster
from edge_agent.roster_schema import EntitlementId, SubjectId
from edge_agent.roster_sealing import seal_key

OFFICE = Ed25519PrivateKey.generate()
TERMINAL = X25519PrivateKey.generate()
OTHER = X25519PrivateKey.generate()
RECIPIENTS = {"kiosk-1": TERMINAL.public_key(), "kiosk-2": OTHER.public_key()}
EMBEDDER = EmbedderId("test-net", "ab" * 32)
ISSUED = datetime(2026, 3, 1, 2, 3, 4, tzinfo=timezone.utc)


def unit(seed: int) -> np.ndarray:
    vector = np.random.default_rng(seed).normal(size=16)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


RICE = Entitlement(
    "s1.bpnt",
    "s1",
    "BPNT",
    "2026-03",
    Benefit("goods", Decimal("10.500"), "kg", "beras"),
    date(2026, 3, 1),
    date(2026, 3, 31),
    EntitlementState.SUSPENDED,
    "kiosk-1",
    ISSUED + timedelta(days=40),
)
CASH = Entitlement(
    "s2.pkh", "s2", "PKH", "2026-T1", Benefit("money", Decimal("750000"), "IDR"), date(2026, 1, 1), date(2026, 3, 31)
)
ROSTER = Roster(
    "desa-sukamaju",
    7,
    ISSUED,
    EMBEDDER,
    (RosterSubject("s1", np.stack([unit(1), unit(2)]), "Ibu Sri"), RosterSubject("s2", np.stack([unit(3)]))),
    (RICE, CASH),
    revoked_tokens=frozenset({"ba9876543210", "0123456789ab"}),
    policy=Policy(show_names=True),
)


@pytest.fixture(scope="module")
def signed() -> bytes:
    return sign_roster(ROSTER, OFFICE, RECIPIENTS)


@pytest.fixture
def path(tmp_path: Path, signed: bytes) -> Path:
    file = tmp_path / "roster.aid"
    file.write_bytes(signed)
    return file


def read(path: Path, terminal: str = "kiosk-1", key: X25519PrivateKey = TERMINAL) -> Roster:
    return read_roster(path, OFFICE.public_key(), terminal, key, EMBEDDER)


def refused(path: Path) -> str:
    with pytest.raises(RosterError) as error:
        read(path)
    assert str(path) in str(error.value)
    return str(error.value)


def test_what_went_in_comes_out_at_each_terminal(path: Path) -> None:
    for terminal, key in (("kiosk-1", TERMINAL), ("kiosk-2", OTHER)):
        roster = read(path, terminal, key)
        assert (roster.site, roster.version, roster.issued_at, roster.embedder) == (
            "desa-sukamaju",
            7,
            ISSUED,
            EMBEDDER,
        )
        assert roster.entitlements == (RICE, CASH)
        assert roster.revoked_tokens == ROSTER.revoked_tokens
        assert [(s.subject_id, s.display_name) for s in roster.subjects] == [("s1", "Ibu Sri"), ("s2", "")]
        for mine, theirs in zip(roster.subjects, ROSTER.subjects, strict=True):
            np.testing.assert_array_equal(mine.templates, theirs.templates)


def test_the_readable_part_holds_nothing_personal(path: Path, signed: bytes) -> None:
    header = read_header(path, OFFICE.public_key())
    assert [entry.terminal for entry in header.sealed_to] == ["kiosk-1", "kiosk-2"]
    for secret in (b's1"', b"s1.bpnt", b"Ibu Sri", b"BPNT", unit(1).tobytes()[:8]):
        assert secret not in signed


def test_a_terminal_it_is_not_sealed_to(path: Path) -> None:
    with pytest.raises(RosterError, match=r"sealed_to: is for kiosk-1, kiosk-2, not for terminal 'kiosk-3'"):
        read(path, "kiosk-3")
    with pytest.raises(RosterError, match=r"exchange key .* keys show"):
        read(path, "kiosk-1", OTHER)


def test_half_written(path: Path, signed: bytes) -> None:
    path.write_bytes(signed[: len(signed) // 2])
    assert "half-written" in refused(path)


@pytest.mark.parametrize(
    "content", [b"", b"\n\n\n", b"PK\x03\x04 a zip", b"AIDROSTER 1", b"AIDROSTER 1 9\n\n", b"\x00" * 99]
)
def test_not_a_roster(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "copy the file again" in refused(path)


def test_missing_and_too_large(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "correct the path" in refused(tmp_path / "absent")
    monkeypatch.setattr(roster_file, "LARGEST_FILE_BYTES", 100)
    assert "larger than" in refused(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(data=st.data())
def test_any_flipped_bit_is_noticed(path: Path, signed: bytes, data: st.DataObject) -> None:
    # The first line's length is a hint for a message, not content; everything behind it counts.
    start = signed.index(b"\n") + 1
    place = data.draw(st.integers(start, len(signed) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(signed)
    changed[place] ^= 1 << bit
    path.write_bytes(changed)
    try:
        roster = read(path)
    except RosterError:
        return
    # Base64 has spare bits at its end: a signature may be written in two ways, the content may not.
    assert place < start + 90
    assert roster.entitlements == ROSTER.entitlements


def test_nothing_is_parsed_before_the_signature_holds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(*_: object) -> object:
        raise AssertionError("parsed an unverified file")

    path.write_bytes(sign_roster(ROSTER, Ed25519PrivateKey.generate(), RECIPIENTS))
    monkeypatch.setattr(roster_file, "_parse", parse)
    assert "is not by the key in store.roster_key" in refused(path)


def resigned(signed: bytes, **changes: object) -> bytes:
    """The office itself signs a header with these fields changed."""
    head, _, sealed = signed.split(b"\n", 2)[2].partition(b"\n")
    body = json.dumps({**json.loads(head), **changes}).encode() + b"\n" + sealed
    signature = base64url(OFFICE.sign(body)).encode()
    return b"AIDROSTER 1 %d\n%s\n%s" % (len(body), signature, body)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"version": 0}, "version:"),
        ({"version": "seven"}, "version:"),
        ({"embedder_sha256": "xyz"}, "embedder_sha256:"),
        ({"site": "a b"}, "site:"),
        ({"issued_at": "2026-03-01"}, "issued_at:"),
        ({"sealed_to": []}, "sealed_to:"),
        ({"version": 8}, "payload: can't be opened"),
    ],
)
def test_a_signed_mistake_names_its_field(path: Path, signed: bytes, changes: dict[str, object], message: str) -> None:
    path.write_bytes(resigned(signed, **changes))
    assert message in refused(path)


def test_another_embedder_is_refused_by_name(path: Path) -> None:
    with pytest.raises(RosterError, match=r"templates are of test-net .* runs better-net"):
        read_roster(path, OFFICE.public_key(), "kiosk-1", TERMINAL, EmbedderId("better-net", "cd" * 32))
    assert read_roster(path, OFFICE.public_key(), "kiosk-1", TERMINAL).version == 7


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (replace(ROSTER, subjects=ROSTER.subjects * 2), "subjects.2.subject_id: s1 appears twice"),
        (replace(ROSTER, entitlements=(RICE, RICE)), "entitlements.1.entitlement_id: s1.bpnt appears twice"),
        (replace(ROSTER, subjects=ROSTER.subjects[:1]), "entitlements.1.subject_id: s2 is not in subjects"),
        (replace(ROSTER, entitlements=(replace(RICE, valid_until=date(2026, 2, 1)),)), "before valid_from"),
        (replace(ROSTER, entitlements=(replace(RICE, home=None),)), "a lease needs a home"),
        (replace(ROSTER, entitlements=(replace(CASH, benefit=Benefit("money", Decimal(1), "rupiah")),)), "ISO 4217"),
        (replace(ROSTER, entitlements=(replace(RICE, benefit=Benefit("goods", Decimal(1), "kg")),)), "goods need one"),
        (replace(ROSTER, entitlements=(replace(CASH, benefit=Benefit("money", Decimal(0), "IDR")),)), "amount:"),
    ],
)
def test_an_inconsistent_roster_is_not_signed(changed: Roster, message: str) -> None:
    with pytest.raises(RosterError, match=message.replace(".", r"\.")):
        sign_roster(changed, OFFICE, RECIPIENTS)


def test_a_national_number_is_no_subject_id() -> None:
    nik = "3201234567890001"
    people = (RosterSubject(nik, np.stack([unit(1)])),)
    with pytest.raises(RosterError, match="opaque id") as error:
        sign_roster(replace(ROSTER, subjects=people, entitlements=()), OFFICE, RECIPIENTS)
    assert nik not in str(error.value)


def test_a_template_that_is_not_of_unit_length(path: Path) -> None:
    people = (RosterSubject("s1", np.stack([unit(1) * 2])),)
    path.write_bytes(sign_roster(replace(ROSTER, subjects=people, entitlements=()), OFFICE, RECIPIENTS))
    assert "subjects.0.templates.0: is not of unit length" in refused(path)


def test_sealed_to_nobody() -> None:
    with pytest.raises(RosterError, match="at least one terminal"):
        sign_roster(ROSTER, OFFICE, {})


def test_a_file_from_before_policies_still_opens(path: Path) -> None:
    """Header and payload as written by older software: fewer fields."""
    content_key, nonce = bytes(32), bytes(12)
    payload = payload_of(ROSTER).model_dump(mode="json", include={"subjects", "entitlements", "revoked_tokens"})
    for right in payload["entitlements"]:
        del right["portion"], right["portion_days"]
    header = read_header(path, OFFICE.public_key()).model_dump(mode="json", exclude_none=True)
    del header["kind"], header["content_sha256"]
    header |= {
        "nonce": base64url(nonce),
        "sealed_to": [seal_key(content_key, "kiosk-1", TERMINAL.public_key()).model_dump(mode="json")],
    }
    head = json.dumps(header).encode()
    body = head + b"\n" + AESGCM(content_key).encrypt(nonce, json.dumps(payload).encode(), head)
    path.write_bytes(b"AIDROSTER 1 %d\n%s\n%s" % (len(body), base64url(OFFICE.sign(body)).encode(), body))
    roster = read(path)
    assert roster.entitlements == ROSTER.entitlements
    assert (roster.policy, roster.proxies, roster.officers, roster.terminals) == (DEFAULT_POLICY, (), (), 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "delta"}, "a delta needs base_version, base_sha256 and content_sha256"),
        ({"base_version": 6, "base_sha256": "ab" * 32}, "a full roster has no base"),
        ({"kind": "delta", "base_version": 7, "base_sha256": "ab" * 32}, "7 is not older than version 7"),
        ({"kind": "partial"}, "kind:"),
    ],
)
def test_a_header_says_full_or_delta_and_means_it(
    path: Path, signed: bytes, changes: dict[str, object], message: str
) -> None:
    path.write_bytes(resigned(signed, **changes))
    assert message in refused(path)


@pytest.mark.parametrize("number", ["3204125506870001", "3204.1255.0687.0001", "320412-550687-0001"])
def test_a_national_number_is_no_id_however_it_is_written(number: str) -> None:
    with pytest.raises(ValidationError, match="national number"):
        TypeAdapter(SubjectId).validate_python(number)


def test_a_national_number_is_no_part_of_an_entitlements_id() -> None:
    with pytest.raises(ValidationError, match="national number"):
        TypeAdapter(EntitlementId).validate_python("bpnt:3204125506870001:2026-03")
    assert TypeAdapter(EntitlementId).validate_python("n7f3k2.bpnt.2026-03") == "n7f3k2.bpnt.2026-03"
