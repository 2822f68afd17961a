"""The keys one terminal works with.

Rules: loaded once at start from `StoreSettings`; `key_files` says where files are looked for and who may read them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from edge_agent import key_files
from edge_agent.settings import StoreSettings

TEMPLATE_KEY, SIGNING_KEY, SIGNING_PUBLIC = "template.key", "signing.pem", "signing.pub.pem"
EXCHANGE_PUBLIC, ROSTER_KEY, ROSTER_PUBLIC = "exchange.pub.pem", "roster.pem", "roster.pub.pem"
OFFICE_KEY, OFFICE_ID_KEY = "office.key", "office-id.key"


@dataclass(frozen=True)
class Keys:
    """template: 32 bytes, for what lies encrypted; signing: signs the ledger; roster: what rosters are signed by."""

    template: bytes = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)
    roster: Ed25519PublicKey

    @cached_property
    def exchange(self) -> X25519PrivateKey:
        """Opens what the office sealed to this terminal."""
        return key_files.exchange_key(self.template)


def load_keys(settings: StoreSettings) -> Keys:
    """The keys the settings name. Raises KeyFileError with file and remedy."""
    return Keys(
        key_files.load_secret(settings.template_key),
        key_files.load_signing_key(settings.signing_key),
        key_files.load_verifying_key(settings.roster_key),
    )


def make_terminal_keys(folder: Path) -> None:
    """Write template.key, signing.pem and the public keys signing.pub.pem and exchange.pub.pem. Raises KeyFileError."""
    template = key_files.make_secret(folder / TEMPLATE_KEY)
    signing = key_files.make_signing_key(folder / SIGNING_KEY)
    key_files.write_public_key(folder / SIGNING_PUBLIC, signing.public_key())
    key_files.write_public_key(folder / EXCHANGE_PUBLIC, key_files.exchange_key(template).public_key())


def make_roster_keys(folder: Path) -> None:
    """Write the office's roster.pem and roster.pub.pem. Raises KeyFileError."""
    key = key_files.make_signing_key(folder / ROSTER_KEY)
    key_files.write_public_key(folder / ROSTER_PUBLIC, key.public_key())


def make_office_key(folder: Path) -> None:
    """Write office.key, which encrypts enrolment files. Raises KeyFileError."""
    key_files.make_secret(folder / OFFICE_KEY)


def make_office_id_key(folder: Path) -> None:
    """Write office-id.key, which turns national numbers into opaque ids. Raises KeyFileError."""
    key_files.make_secret(folder / OFFICE_ID_KEY)
