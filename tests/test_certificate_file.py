"""A terminal's certificate: what the office signed comes back, and nothing else is believed."""

from __future__ import annotations

import base64
import json
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.certificate_file import CertificateError, read_certificate, sign_certificate
from edge_agent.key_files import key_id
from tests.store.terminal import OFFICE, SIGNING

ISSUED, LAST = date(2026, 1, 1), date(2026, 12, 31)


def write(path: Path, **changes: object) -> Path:
    content = sign_certificate(
        "kiosk-1", "desa-sukamaju", SIGNING.public_key(), OFFICE, issued_on=ISSUED, last_day=LAST
    )
    path.write_bytes(json.dumps({**json.loads(content), **changes}).encode())
    return path


def test_it_says_whose_key_it_is_until_when_and_by_whom(tmp_path: Path) -> None:
    found = read_certificate(write(tmp_path / "terminal.cert"), OFFICE.public_key())
    assert (found.terminal_id, found.site, found.issued_on, found.last_day) == (
        "kiosk-1",
        "desa-sukamaju",
        ISSUED,
        LAST,
    )
    assert found.key.public_bytes_raw() == SIGNING.public_key().public_bytes_raw()
    assert (found.office, found.trusted) == (key_id(OFFICE.public_key()), True)
    assert found.covers(datetime(2026, 12, 31, 23, tzinfo=timezone.utc))
    assert not found.covers(datetime(2027, 1, 2, tzinfo=timezone.utc))


def test_without_the_offices_key_it_is_not_called_trusted(tmp_path: Path) -> None:
    assert not read_certificate(write(tmp_path / "terminal.cert")).trusted


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"terminal": "kiosk-2"}, "signature"),
        ({"site": "desa-lain"}, "signature"),
        ({"last_day": "2099-12-31"}, "signature"),
        ({"key_id": "0" * 16}, "key_id"),
        ({"signed_by": "0" * 16}, "signed_by"),
        ({"key": "AAAA"}, "no terminal's certificate"),
        ({"form": "another"}, "form"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_was_changed_is_refused(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(CertificateError, match=told):
        read_certificate(write(tmp_path / "terminal.cert", **changes), OFFICE.public_key())


def test_another_offices_certificate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CertificateError, match="not by this office"):
        read_certificate(write(tmp_path / "terminal.cert"), Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{" * 9000, b"x" * 20_000])
def test_other_files_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "terminal.cert"
    path.write_bytes(content)
    with pytest.raises(CertificateError, match=r"terminal\.cert"):
        read_certificate(path)
    with pytest.raises(CertificateError, match="can't be read"):
        read_certificate(tmp_path / "none.cert")


def test_a_certificate_that_has_ended_before_it_began_or_for_no_id_is_not_made() -> None:
    key = SIGNING.public_key()
    with pytest.raises(CertificateError, match="last_day"):
        sign_certificate("kiosk-1", "desa", key, OFFICE, issued_on=LAST, last_day=ISSUED)
    with pytest.raises(CertificateError, match="terminal"):
        sign_certificate("kiosk 1", "desa", key, OFFICE, issued_on=ISSUED, last_day=LAST)


def test_a_rosters_or_records_signature_is_no_certificates(tmp_path: Path) -> None:
    """The same office key signs rosters: without the domain of its own the signature must not hold."""
    path = write(tmp_path / "terminal.cert")
    content = json.loads(path.read_bytes())
    del content["signature"]
    signature = base64.urlsafe_b64encode(OFFICE.sign(rfc8785.dumps(content))).decode()
    path.write_bytes(json.dumps({**content, "signature": signature}).encode())
    with pytest.raises(CertificateError, match="signature"):
        read_certificate(path, OFFICE.public_key())
