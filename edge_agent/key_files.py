"""Keys as files: where they are looked for, who may read them, and how they are made.

Rules: a secret is readable by its owner only (0600) and is refused otherwise; a bare name, or a path that does not
exist, is looked for under `$CREDENTIALS_DIRECTORY` (systemd credentials), where systemd guards it. Symmetric keys
are 32 raw bytes; Ed25519 and X25519 keys are PEM. No key and no part of one ever stands in an error text.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from edge_agent.ports import TerminalError

SECRET_BYTES = 32
_LARGEST_KEY_FILE_BYTES = 16_384

PublicKey = Ed25519PublicKey | X25519PublicKey


class KeyFileError(TerminalError):
    """A key file is missing, readable by others, or not the kind of key it should be."""


def key_id(public_key: PublicKey) -> str:
    """Short name of a public key: the first 16 hex digits of the SHA-256 of its 32 raw bytes."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()[:16]


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose only (HKDF-SHA-256, no salt, info `edge-agent <purpose> v1`)."""
    return HKDF(hashes.SHA256(), SECRET_BYTES, None, f"edge-agent {purpose} v1".encode()).derive(secret)


def exchange_key(template_key: bytes) -> X25519PrivateKey:
    """The key that rosters are sealed to. Derived, so that a terminal has one secret less to keep."""
    return X25519PrivateKey.from_private_bytes(derive(template_key, "exchange"))


def load_secret(path: Path) -> bytes:
    """A symmetric key: 32 raw bytes. Raises KeyFileError."""
    found, content = _read_private(path)
    if len(content) != SECRET_BYTES:
        raise KeyFileError(
            f"{found}: has {len(content)} bytes, a secret key has {SECRET_BYTES} raw bytes; "
            "make one with `edge-agent keys make`"
        )
    return content


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """An Ed25519 private key in PEM (PKCS #8, no password). Raises KeyFileError."""
    found, content = _read_private(path)
    try:
        key = serialization.load_pem_private_key(content, None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(
            f"{found}: not a private key in PEM without password; make one with `edge-agent keys make`"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(
            f"{found}: is a {type(key).__name__}, an Ed25519 key is needed; make one with `edge-agent keys make`"
        )
    return key


def load_verifying_key(path: Path) -> Ed25519PublicKey:
    """An Ed25519 public key in PEM. Raises KeyFileError."""
    found, key = _load_public(path)
    if not isinstance(key, Ed25519PublicKey):
        raise KeyFileError(f"{found}: is a {type(key).__name__}, an Ed25519 public key is needed")
    return key


def load_exchange_public_key(path: Path) -> X25519PublicKey:
    """The X25519 public key of a terminal, in PEM. Raises KeyFileError."""
    found, key = _load_public(path)
    if not isinstance(key, X25519PublicKey):
        raise KeyFileError(
            f"{found}: is a {type(key).__name__}; a terminal's exchange key (exchange.pub.pem) is needed"
        )
    return key


def make_secret(path: Path) -> bytes:
    """Write a new random symmetric key. Raises KeyFileError, also when the file exists: keys are never overwritten."""
    secret = secrets.token_bytes(SECRET_BYTES)
    _write_new(path, secret, 0o600)
    return secret


def make_signing_key(path: Path) -> Ed25519PrivateKey:
    """Write a new Ed25519 key. Raises KeyFileError, also when the file exists."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_new(path, pem, 0o600)
    return key


def write_public_key(path: Path, key: PublicKey) -> None:
    """Write a public key in PEM. Raises KeyFileError, also when the file exists."""
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    _write_new(path, pem, 0o644)


def _load_public(path: Path) -> tuple[Path, object]:
    found, _ = _locate(path)
    content = _read(found)
    try:
        return found, serialization.load_pem_public_key(content)
    except (ValueError, TypeError) as error:
        hint = "; it is a private key, give the .pub.pem beside it" if b"PRIVATE KEY" in content else ""
        raise KeyFileError(f"{found}: not a public key in PEM{hint}") from error


def _locate(path: Path) -> tuple[Path, bool]:
    """(the file, whether it is a systemd credential)."""
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(folder) / path.name if folder else None
    if credential is not None and credential.is_file() and (path.name == str(path) or not path.exists()):
        return credential, True
    if not path.exists():
        where = f" (nor {credential})" if credential else ""
        raise KeyFileError(
            f"{path}: no such key file{where}; make keys with `edge-agent keys make` or correct the path"
        )
    return path, False


def _read_private(path: Path) -> tuple[Path, bytes]:
    found, is_credential = _locate(path)
    mode = stat.S_IMODE(found.stat().st_mode)
    if not is_credential and mode & 0o077:
        raise KeyFileError(f"{found}: others may read or change this key (mode {mode:04o}); run: chmod 600 {found}")
    return found, _read(found)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"{path}: can't be read ({error.strerror}); give it to the user of the service") from error
    if len(content) > _LARGEST_KEY_FILE_BYTES:
        raise KeyFileError(f"{path}: too large for a key file; correct the path")
    return content


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    except FileExistsError as error:
        raise KeyFileError(
            f"{path}: exists; keys are never overwritten: choose another folder or move it away"
        ) from error
    except OSError as error:
        raise KeyFileError(f"{path}: can't be written ({error.strerror})") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
