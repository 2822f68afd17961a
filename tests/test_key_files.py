"""Keys are found, guarded and told apart."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from edge_agent.key_files import (
    KeyFileError,
    exchange_key,
    key_id,
    load_exchange_public_key,
    load_secret,
    load_signing_key,
    load_verifying_key,
    make_secret,
)
from edge_agent.store.keys import make_roster_keys, make_terminal_keys


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    make_terminal_keys(tmp_path / "keys")
    make_roster_keys(tmp_path / "keys")
    return tmp_path / "keys"


def test_made_keys_load_and_belong_together(keys: Path) -> None:
    signing = load_signing_key(keys / "signing.pem")
    assert key_id(signing.public_key()) == key_id(load_verifying_key(keys / "signing.pub.pem"))
    template = load_secret(keys / "template.key")
    assert key_id(exchange_key(template).public_key()) == key_id(load_exchange_public_key(keys / "exchange.pub.pem"))
    assert load_signing_key(keys / "roster.pem")


def test_secrets_are_private_and_public_keys_are_not(keys: Path) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()}
    assert modes == {
        "template.key": 0o600,
        "signing.pem": 0o600,
        "signing.pub.pem": 0o644,
        "exchange.pub.pem": 0o644,
        "roster.pem": 0o600,
        "roster.pub.pem": 0o644,
    }


def test_keys_are_never_overwritten(keys: Path) -> None:
    before = (keys / "template.key").read_bytes()
    with pytest.raises(KeyFileError, match="never overwritten"):
        make_terminal_keys(keys)
    assert (keys / "template.key").read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_secret_others_can_read_is_refused_with_the_remedy(keys: Path, mode: int) -> None:
    (keys / "template.key").chmod(mode)
    with pytest.raises(KeyFileError, match=r"chmod 600 .*template\.key"):
        load_secret(keys / "template.key")


def test_the_wrong_file_is_named_and_its_content_is_not(keys: Path) -> None:
    secret = keys / "template.key"
    for load, file, message in (
        (load_secret, keys / "signing.pem", "32 raw bytes"),
        (load_signing_key, secret, "not a private key in PEM"),
        (load_verifying_key, keys / "signing.pem", r"give the \.pub\.pem"),
        (load_verifying_key, keys / "exchange.pub.pem", "Ed25519 public key"),
        (load_exchange_public_key, keys / "signing.pub.pem", "exchange key"),
        (load_secret, keys / "absent.key", "keys make"),
    ):
        with pytest.raises(KeyFileError, match=message) as error:
            load(file)
        assert file.name in str(error.value)
        assert secret.read_bytes().hex()[:8] not in str(error.value)


def test_a_systemd_credential_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "credentials"
    secret = make_secret(folder / "template.key")
    (folder / "template.key").chmod(0o440)  # as systemd shows it to a service user
    with pytest.raises(KeyFileError):
        load_secret(Path("template.key"))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    assert load_secret(Path("template.key")) == secret
    assert load_secret(Path("/etc/edge-agent/template.key")) == secret, "a settings file makes names absolute"
    here = make_secret(tmp_path / "template.key")
    assert load_secret(tmp_path / "template.key") == here, "a path that exists is meant as it stands"
