"""A terminal's store for tests: fixed keys, rosters, requests and a clock that is told the time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.core.messages import RecordClaim, RecordOutcome
from edge_agent.core.model import (
    Benefit,
    Entitlement,
    Evidence,
    MatchKind,
    Outcome,
    PadVerdict,
    Reason,
    Timestamp,
)
from edge_agent.core.policy import Policy
from edge_agent.key_files import exchange_key
from edge_agent.ports import EmbedderId
from edge_agent.roster_file import Roster, RosterSubject, sign_roster
from edge_agent.store import Keys, Store, TerminalIdentity

NOON = datetime(2026, 3, 10, 5, 0, 0, tzinfo=timezone.utc)
EMBEDDER = EmbedderId("test-net", "ab" * 32)
OFFICE = Ed25519PrivateKey.from_private_bytes(b"office key of the tests, 32 byte")
SIGNING = Ed25519PrivateKey.from_private_bytes(b"ledger key of the tests, 32 byte")
TEMPLATE_KEY = b"template key of the tests, 32 by"
KEYS = Keys(TEMPLATE_KEY, SIGNING, OFFICE.public_key())
TERMINAL = TerminalIdentity("kiosk-1", "desa-sukamaju", "Balai Desa Sukamaju", "Asia/Jakarta")
EVIDENCE = Evidence(
    MatchKind.IDENTIFICATION,
    0.912345678,
    0.9,
    0.7,
    0.06,
    3,
    5,
    PadVerdict.LIVE,
    1,
    (("depth", 0.812), ("integrity", 1.0)),
)
SETTINGS = """
terminal:
  id: kiosk-1
  site: desa-sukamaju
  place: Balai Desa Sukamaju
  complaint_channel: "Telp. 0800-000-000"
camera:
  driver: v4l2
printer:
  driver: simulated
  folder: slips
leds:
  driver: simulated
store:
  path: data/terminal.db
  template_key: keys/template.key
  signing_key: keys/signing.pem
  roster_key: keys/roster.pub.pem
"""
"""Its settings file, with keys and database beside it."""


@dataclass
class Clock:
    """Answers with the instant it was last set to."""

    utc: datetime = NOON
    trusted: bool = True
    ticks_ms: int = field(default=1000)

    def __call__(self, **later: float) -> Timestamp:
        self.utc += timedelta(**later)
        self.ticks_ms += 10
        return Timestamp(self.utc, self.trusted, self.ticks_ms, "boot-1")


def unit(seed: int, dimensions: int = 8) -> npt.NDArray[np.float32]:
    """A random direction, float32."""
    vector = np.random.default_rng(seed).normal(size=dimensions)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def entitlement(subject: str, name: str = "bpnt", **changes: Any) -> Entitlement:
    """Valid in March 2026, anywhere, unless changed."""
    values: dict[str, Any] = {
        "entitlement_id": f"{subject}.{name}",
        "subject_id": subject,
        "programme": name.upper(),
        "cycle": "2026-03",
        "benefit": Benefit("goods", Decimal("10"), "kg", "beras"),
        "valid_from": date(2026, 3, 1),
        "valid_until": date(2026, 3, 31),
    }
    return Entitlement(**{**values, **changes})


def roster(
    version: int = 1, subjects: int = 3, entitlements: list[Entitlement] | None = None, **changes: Any
) -> Roster:
    """Subjects s1, s2 … with two templates and one entitlement each."""
    people = tuple(
        RosterSubject(f"s{n}", np.stack([unit(n), unit(n + 1000)]), f"Ibu Nomor {n}") for n in range(1, subjects + 1)
    )
    rights = entitlements if entitlements is not None else [entitlement(p.subject_id) for p in people]
    values: dict[str, Any] = {
        "site": TERMINAL.site,
        "version": version,
        "issued_at": NOON,
        "embedder": EMBEDDER,
        "subjects": people,
        "entitlements": tuple(rights),
        "policy": Policy(show_names=True),
    }
    return Roster(**{**values, **changes})


def write_roster(path: Path, content: Roster, office: Ed25519PrivateKey = OFFICE) -> Path:
    """Sign, seal to kiosk-1 and write."""
    path.write_bytes(sign_roster(content, office, {TERMINAL.id: exchange_key(TEMPLATE_KEY).public_key()}))
    return path


def open_store(path: Path, **changes: Any) -> Store:
    """The test terminal's store."""
    values: dict[str, Any] = {"keys": KEYS, "terminal": TERMINAL, "embedder": EMBEDDER}
    return Store.open(path, **{**values, **changes})


def claim_of(subject: str, session: str = "session-1") -> RecordClaim:
    """What the session asks for once it knows the person."""
    return RecordClaim(session, subject, EVIDENCE)


def referral(session: str = "session-1", reason: Reason = Reason.NOT_RECOGNISED) -> RecordOutcome:
    """An outcome without a claim."""
    outcome: Outcome = reason.outcome
    return RecordOutcome(session, outcome, reason, MatchKind.IDENTIFICATION, PadVerdict.LIVE, 1)
