"""Rosters for tests: two versions of one site's, with everything a roster can hold, and the office that signs them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.core.model import Benefit, Entitlement, EntitlementState
from edge_agent.core.policy import Officer, OfficerLimits, OfflineLimits, Policy, Proxy
from edge_agent.key_files import exchange_key
from edge_agent.ports import EmbedderId
from edge_agent.roster_content import Roster, RosterSubject
from edge_agent.roster_file import RosterFile, open_at_office, sign_delta, sign_roster
from edge_agent.roster_policy import CycleRecord, ProgrammeRecord

SITE = "desa-sukamaju"
EMBEDDER = EmbedderId("test-net", "ab" * 32)
OFFICE = Ed25519PrivateKey.from_private_bytes(b"office key of the tests, 32 byte")
OFFICE_EXCHANGE = exchange_key(b"office's secret of tests, 32 byt")
TEMPLATE_KEY = b"template key of the tests, 32 by"
TERMINALS = {
    "kiosk-1": exchange_key(TEMPLATE_KEY).public_key(),
    "kiosk-2": exchange_key(b"another terminal's key, 32 bytes").public_key(),
}
ISSUED = datetime(2026, 3, 9, 5, 0, tzinfo=timezone.utc)
MARCH = CycleRecord(cycle="2026-03", valid_from=date(2026, 3, 1), valid_until=date(2026, 3, 31))
PROGRAMMES = (
    ProgrammeRecord(programme="BPNT", title="Bantuan Pangan", cycles=(MARCH,)),
    ProgrammeRecord(programme="PKH", title="Program Keluarga Harapan", cycles=(MARCH,)),
)
POLICY = Policy(
    30,
    True,
    OfflineLimits(200, (("IDR", Decimal("90000000")), ("kg", Decimal("2000.5"))), 72.5),
    OfficerLimits(10, 11, 2),
)


def unit(seed: int) -> npt.NDArray[np.float32]:
    """A random direction, shape (8,), float32."""
    vector = np.random.default_rng(seed).normal(size=8)
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def person(name: str, seed: int, display_name: str = "") -> RosterSubject:
    """Somebody with two templates."""
    return RosterSubject(name, np.stack([unit(seed), unit(seed + 1000)]), display_name)


def rice(subject: str) -> Entitlement:
    """60 kg in portions of 10, at home at kiosk-1."""
    return Entitlement(
        f"{subject}.bpnt",
        subject,
        "BPNT",
        "2026-03",
        Benefit("goods", Decimal("60.500"), "kg", "beras"),
        date(2026, 3, 1),
        date(2026, 3, 31),
        home="kiosk-1",
        lease_until=ISSUED + timedelta(days=20),
        portion=Decimal("10.5"),
        portion_days=7,
    )


def cash(subject: str) -> Entitlement:
    """750,000 rupiah, of the centre."""
    benefit = Benefit("money", Decimal("750000"), "IDR")
    return Entitlement(f"{subject}.pkh", subject, "PKH", "2026-03", benefit, date(2026, 3, 1), date(2026, 3, 31))


FIRST = Roster(
    SITE,
    1,
    ISSUED,
    EMBEDDER,
    (person("s1", 1, "Ibu Sri"), person("s2", 2, "Pak Budi"), person("s3", 3), person("s4", 4)),
    (rice("s1"), rice("s2"), cash("s1"), cash("s4")),
    revoked_tokens=frozenset({"0123456789ab", "aaaaaaaaaaaa"}),
    policy=POLICY,
    programmes=PROGRAMMES,
    proxies=(Proxy("s1.bpnt", "2026-03", "s2", date(2026, 3, 20)), Proxy("s4.pkh", "2026-03", "s3")),
    officers=(Officer("officer-1", "s3"), Officer("officer-2")),
    terminals=2,
)
SECOND = replace(
    FIRST,
    version=2,
    issued_at=ISSUED + timedelta(hours=1),
    subjects=(person("s1", 71, "Ibu Sri"), person("s2", 2, "Pak Budi Santoso"), person("s3", 3), person("s5", 5)),
    entitlements=(replace(rice("s1"), state=EntitlementState.SUSPENDED), rice("s2"), cash("s1"), rice("s5")),
    revoked_tokens=frozenset({"0123456789ab", "bbbbbbbbbbbb"}),
    policy=replace(POLICY, roster_max_age_days=20, offline=OfflineLimits(200, (("IDR", Decimal(5)),), None)),
    programmes=(*PROGRAMMES, ProgrammeRecord(programme="BLT", title="Bantuan Langsung", cycles=(MARCH,))),
    proxies=(Proxy("s1.bpnt", "2026-03", "s2", date(2026, 3, 25)), Proxy("s5.bpnt", "2026-03", "s1")),
    officers=(Officer("officer-1", "s2"), Officer("officer-3")),
)
"""Against FIRST: s4 gone, s5 new, s1 with new templates, s2 with another name, and something of everything else."""


def write_full(path: Path, roster: Roster) -> Path:
    """Signed, sealed to both terminals and the office."""
    path.write_bytes(sign_roster(roster, OFFICE, TERMINALS, OFFICE_EXCHANGE.public_key()))
    return path


def opened(path: Path) -> RosterFile:
    """As the office opens it."""
    return open_at_office(path, OFFICE.public_key(), OFFICE_EXCHANGE)


def write_delta(path: Path, old: Path, new: Path) -> Path:
    """What changes from one full file to the other."""
    path.write_bytes(sign_delta(opened(old), opened(new), OFFICE))
    return path
