"""Sets the stage: keys, a roster of 500 with the astronaut in it, settings and the visitors' script, in one folder.

The other templates are synthetic: each is as like the astronaut as strangers' photographs were measured to be (drawn
from the embedder's impostor curve in the manifest), so that the gallery is as hard as a village of strangers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

from edge_agent import key_files
from edge_agent.clock import SystemClock
from edge_agent.core.matching import fuse
from edge_agent.core.model import Benefit, Embedding, Entitlement
from edge_agent.demo.broker import DemoError
from edge_agent.ports import EmbedderId, Image
from edge_agent.roster_file import Roster, RosterSubject, sign_roster
from edge_agent.settings import VisionSettings, load
from edge_agent.store import keys
from edge_agent.vision.loading import load_examiner
from edge_agent.vision.manifest import EmbedderSpec
from edge_agent.vision.manifest import load as load_manifest
from edge_agent.wiring import open_store

GUEST = "subject-0001"
SITE, TERMINAL = "desa-contoh", "demo-1"
GALLERY = 500
PREFIX = "aid/v1"
"""Topics of the demo's broker."""


@dataclass(frozen=True)
class Stage:
    """Where everything lies."""

    folder: Path
    config: Path
    slips: Path
    database: Path
    signing_public: Path


@dataclass(frozen=True)
class Scene:
    """What differs between the demo's variants. camera: that section of the settings; pictures: whom to enrol."""

    camera: dict[str, object]
    pictures: Callable[[], Sequence[Image]]
    pad_mode: str = "enforced"


def set_stage(folder: Path, manifest: Path, scene: Scene, port: int, tell: Callable[[str], None]) -> Stage:
    """Make everything a terminal needs. tell: progress in words. Raises TerminalError when something can't be made."""
    key_folder = folder / "keys"
    tell("keys of the terminal and of the office")
    keys.make_terminal_keys(key_folder)
    keys.make_roster_keys(key_folder)
    config = folder / "terminal.yaml"
    config.write_text(yaml.safe_dump(_settings(manifest, scene, port), sort_keys=False), encoding="utf-8")
    settings = load(config).settings
    tell("enrolling one person")
    guest, embedder = _enrol(settings.vision, scene.pictures())
    models = load_manifest(settings.vision.manifest)
    tell(f"a signed roster of {GALLERY} people, {GALLERY - 1} of them synthetic")
    roster = _roster(guest, models.active_embedder, embedder)
    file = folder / "roster.bin"
    exchange = key_files.load_exchange_public_key(key_folder / keys.EXCHANGE_PUBLIC)
    file.write_bytes(
        sign_roster(roster, key_files.load_signing_key(key_folder / keys.ROSTER_KEY), {TERMINAL: exchange})
    )
    with open_store(settings, models) as store:
        store.import_roster(file, SystemClock().now())
    return Stage(folder, config, folder / "slips", settings.store.path, key_folder / keys.SIGNING_PUBLIC)


def _settings(manifest: Path, scene: Scene, port: int) -> dict[str, object]:
    return {
        "terminal": {
            "id": TERMINAL,
            "site": SITE,
            "place": "Balai Desa Contoh",
            "complaint_channel": "Posko Bansos 0800-000-0000",
        },
        "camera": scene.camera,
        "vision": {"manifest": str(manifest)},
        "pad": {"mode": scene.pad_mode},
        "printer": {"driver": "simulated", "folder": "slips"},
        "leds": {"driver": "simulated"},
        "store": {
            "path": "terminal.db",
            "template_key": f"keys/{keys.TEMPLATE_KEY}",
            "signing_key": f"keys/{keys.SIGNING_KEY}",
            "roster_key": f"keys/{keys.ROSTER_PUBLIC}",
        },
        "uplink": {"host": "127.0.0.1", "port": port, "heartbeat_s": 10, "topic_prefix": PREFIX},
        "log": {"format": "json"},
    }


def _enrol(vision: VisionSettings, pictures: Sequence[Image]) -> tuple[Embedding, EmbedderId]:
    """One template, fused from the pictures that pass the quality gate."""
    examiner = load_examiner(vision)
    try:
        seen = [examiner.examine(picture) for picture in pictures]
    finally:
        examiner.close()
    probes = [one.probe for one in seen if one.probe is not None]
    if not probes:
        reasons = sorted({problem.value for one in seen for problem in one.problems})
        why = ", ".join(reasons) or "no picture"
        raise DemoError(f"nobody could be enrolled from {len(pictures)} pictures ({why}); show one face, near and lit")
    return fuse(probes), examiner.embedder


def _roster(guest: Embedding, spec: EmbedderSpec, embedder: EmbedderId) -> Roster:
    rng = np.random.default_rng(2026)
    strangers = synthetic_templates(guest, spec, GALLERY - 1, rng)
    people = [guest, *strangers]
    ids = [f"subject-{number:04d}" for number in range(1, GALLERY + 1)]
    today = datetime.now(timezone.utc)
    month = f"{today:%Y-%m}"
    rights = tuple(
        Entitlement(
            entitlement_id=f"{subject_id}-beras-{month}",
            subject_id=subject_id,
            programme="Bantuan Pangan",
            cycle=month,
            benefit=Benefit("goods", Decimal(10), "kg", "beras"),
            valid_from=(today - timedelta(days=30)).date(),
            valid_until=(today + timedelta(days=60)).date(),
            home=TERMINAL,
            lease_until=today + timedelta(days=60),
        )
        for subject_id in ids
    )
    subjects = tuple(RosterSubject(name, row[None, :]) for name, row in zip(ids, people, strict=True))
    return Roster(SITE, 1, today, embedder, subjects, rights)


def synthetic_templates(
    like: Embedding, spec: EmbedderSpec, count: int, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Unit vectors (count, d) float32 whose cosine with `like` follows the measured impostor curve of `spec`.

    Below the curve's largest rate (a tenth of all pairs, say) the curve says nothing; those take its lowest score.
    """
    points = min(spec.operating_points, key=lambda one: (one.fused, one.mirrored))
    rates = np.array([point.fmr for point in points.impostor_curve])
    scores = np.array([point.threshold for point in points.impostor_curve])
    order = np.argsort(rates)
    drawn = np.interp(np.log10(rng.uniform(size=count)), np.log10(rates[order]), scores[order])
    random = rng.normal(size=(count, like.shape[0]))
    random -= np.outer(random @ like, like)
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    return np.asarray(drawn[:, None] * like + np.sqrt(1 - drawn[:, None] ** 2) * random, dtype=np.float32)
