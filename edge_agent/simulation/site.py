"""Sets the stage: keys made on the spot, one signed roster sealed to every terminal, and the terminals themselves.

Rules: keys, roster and imports are the product's own; thresholds follow from the shipped model's measured curve. The
same seed gives the same keys, so that a day can be told apart from another only by its seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.badge_file import Badge, sign_badge
from edge_agent.core.policy import OfflineLimits, Policy
from edge_agent.core.rules import Rules
from edge_agent.key_files import exchange_key
from edge_agent.ports import EmbedderId
from edge_agent.roster_content import Roster, RosterSubject
from edge_agent.roster_file import sign_roster
from edge_agent.settings import SHIPPED_MANIFEST, Settings
from edge_agent.simulation.clock import VirtualTime
from edge_agent.simulation.likeness import FaceModel
from edge_agent.simulation.printing import PrinterDesk
from edge_agent.simulation.terminal import SimulatedTerminal, TerminalParts
from edge_agent.simulation.village import Kind, Village, build_village
from edge_agent.store import Keys, Store, TerminalIdentity
from edge_agent.token_file import Token, sign_token
from edge_agent.vision.manifest import Manifest
from edge_agent.vision.manifest import load as load_manifest
from edge_agent.wiring import FUSED, make_phrases, make_rules

SITE, PLACE, TIMEZONE = "desa-sukamaju", "Balai Desa Sukamaju", "Asia/Jakarta"
COMPLAINTS = "Posko Bansos 0800-000-0000"
DAY = date(2026, 3, 10)
OPENS = datetime.fromisoformat("2026-03-10T01:00:00+00:00")
"""Eight in the morning in Jakarta."""
ROSTER_AGE_DAYS = 5


@dataclass
class Site:
    """Everything of one day that doesn't move. cards: subject -> token text; badges: officer -> badge text.

    office: signs rosters, cards and badges, and is the centre that terminals ask.
    """

    folder: Path
    village: Village
    faces: FaceModel
    time: VirtualTime
    terminals: list[SimulatedTerminal]
    office: Ed25519PrivateKey = field(repr=False)
    cards: dict[str, str] = field(repr=False)
    badges: dict[str, str] = field(repr=False)
    keys: dict[str, Keys] = field(repr=False)


def build_site(folder: Path, subjects: int, terminals: int, seed: int, roll_mm: float) -> Site:
    """Make it all in `folder`. roll_mm: what is left on each terminal's first roll."""
    chance = random.Random(f"site {seed}")
    ids = tuple(f"sukamaju-{number}" for number in range(1, terminals + 1))
    manifest = load_manifest(SHIPPED_MANIFEST)
    faces = face_model(manifest)
    village = build_village(subjects, ids, DAY, seed, faces)
    office = _signing_key(chance)
    keys = {name: Keys(chance.randbytes(32), _signing_key(chance), office.public_key()) for name in ids}
    cards, revoked = _cards(village, office, chance)
    badges = {
        officer.officer_id: sign_badge(Badge(officer.officer_id, DAY + timedelta(days=300), _serial(chance)), office)
        for officer in village.officers
    }
    embedder = EmbedderId(manifest.active_embedder.name, manifest.active_embedder.sha256)
    roster = folder / "roster.bin"
    content = _roster(village, revoked, embedder, len(keys))
    sealed_to = {name: exchange_key(key.template).public_key() for name, key in keys.items()}
    roster.write_bytes(sign_roster(content, office, sealed_to))
    time = VirtualTime(OPENS)
    making = _Making(folder, manifest, embedder, time, roll_mm, terminals > 1)
    site = Site(folder, village, faces, time, [], office, cards, badges, keys)
    for name in ids:
        terminal = _terminal(making, name, keys[name], chance)
        with Store.open(terminal.parts.database, keys[name], terminal.parts.identity, embedder=embedder) as store:
            store.import_roster(roster, terminal.clock.now())
        site.terminals.append(terminal)
    return site


def face_model(manifest: Manifest) -> FaceModel:
    """Faces as the embedder in use sees them."""
    points = next(one for one in manifest.active_embedder.operating_points if one.fused == FUSED and one.mirrored)
    return FaceModel.of_curve([(point.fmr, point.threshold) for point in points.impostor_curve])


@dataclass(frozen=True)
class _Making:
    """What every terminal of a site is made with."""

    folder: Path
    manifest: Manifest
    embedder: EmbedderId
    time: VirtualTime
    roll_mm: float
    ask_centre: bool


def _terminal(making: _Making, name: str, keys: Keys, chance: random.Random) -> SimulatedTerminal:
    settings = _settings(name, making.folder)

    def rules(store: Store) -> Rules:
        rules = make_rules(settings, making.manifest, store.gallery())
        return replace(rules, ask_centre=making.ask_centre)

    parts = TerminalParts(
        identity=TerminalIdentity(name, SITE, PLACE, TIMEZONE),
        keys=keys,
        database=making.folder / name / "terminal.db",
        embedder=making.embedder,
        rules=rules,
        phrases=make_phrases("id"),
        complaint_channel=COMPLAINTS,
    )
    printer = PrinterDesk(making.time, making.roll_mm)
    return SimulatedTerminal(parts, making.time, printer, random.Random(chance.getrandbits(64)))


def _settings(name: str, folder: Path) -> Settings:
    return Settings.model_validate(
        {
            "terminal": {"id": name, "site": SITE, "place": PLACE, "complaint_channel": COMPLAINTS},
            "camera": {"driver": "puppet", "path": "unused.yaml"},
            "printer": {"driver": "simulated", "folder": str(folder / name / "slips")},
            "leds": {"driver": "simulated"},
            "store": {
                "path": str(folder / name / "terminal.db"),
                "template_key": "unused",
                "signing_key": "unused",
                "roster_key": "unused",
            },
        }
    )


def _roster(village: Village, revoked: frozenset[str], embedder: EmbedderId, terminals: int) -> Roster:
    subjects = tuple(
        RosterSubject(str(person.subject_id), template[None, :], person.name)
        for person, template in zip(village.subjects, village.templates, strict=True)
    )
    return Roster(
        site=SITE,
        version=1,
        issued_at=OPENS - timedelta(days=ROSTER_AGE_DAYS),
        embedder=embedder,
        subjects=subjects,
        entitlements=village.entitlements,
        revoked_tokens=revoked,
        policy=Policy(show_names=True, offline=OfflineLimits(hours_max=72.0)),
        proxies=village.proxies,
        officers=village.officers,
        terminals=terminals,
    )


def _cards(village: Village, office: Ed25519PrivateKey, chance: random.Random) -> tuple[dict[str, str], frozenset[str]]:
    """Everybody's card, and the serials that the office has withdrawn."""
    cards: dict[str, str] = {}
    revoked: set[str] = set()
    for person in village.subjects:
        serial = _serial(chance)
        cards[str(person.subject_id)] = sign_token(
            Token(str(person.subject_id), DAY + timedelta(days=300), serial), office
        )
        if person.kind is Kind.REVOKED_CARD:
            revoked.add(serial)
    return cards, frozenset(revoked)


def _signing_key(chance: random.Random) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(chance.randbytes(32))


def _serial(chance: random.Random) -> str:
    return chance.randbytes(6).hex()
