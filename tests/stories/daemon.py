"""The real daemon as its own process for stories: a folder with keys, roster, settings and footage, and its log.

Rules: keys and the enrolled roster are made once (`Ground`) and copied, because enrolling loads the models; a story
waits for what the log or the broker says, never for a time to pass.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import yaml

from edge_agent import key_files
from edge_agent.clock import SystemClock
from edge_agent.core.model import Benefit, Embedding, Entitlement
from edge_agent.core.policy import Policy
from edge_agent.demo.command import PORTRAIT
from edge_agent.demo.daemon import Daemon
from edge_agent.ports import EmbedderId
from edge_agent.roster_file import Roster, RosterSubject, sign_roster
from edge_agent.settings import SHIPPED_MANIFEST, VisionSettings, load
from edge_agent.store import keys
from edge_agent.store.ledger import Verification, read_records, verify
from edge_agent.vision.loading import load_examiner
from edge_agent.vision.photo import load_photo
from edge_agent.wiring import load_manifest, open_store
from tests.brokers import Broker, Subscriber, wait_until

SITE, TERMINAL, GUEST = "desa-contoh", "t-1", "s1"
FPS = 8.0
"""Of the footage: as much as a busy two-core machine keeps up with."""


@dataclass(frozen=True)
class Ground:
    """What all stories build upon. template: the astronaut's, as the terminal's own vision sees her portrait."""

    folder: Path
    template: Embedding
    embedder: EmbedderId

    @property
    def roster_file(self) -> Path:
        return self.folder / "roster.bin"


def lay_ground(folder: Path, display_name: str = "") -> Ground:
    """Keys, the portrait enrolled beside two strangers, the signed roster of it and a database that holds it."""
    keys.make_terminal_keys(folder / "keys")
    keys.make_roster_keys(folder / "keys")
    examiner = load_examiner(VisionSettings(manifest=SHIPPED_MANIFEST))
    try:
        seen, embedder = examiner.examine(load_photo(PORTRAIT)), examiner.embedder
    finally:
        examiner.close()
    assert seen.probe is not None, seen.problems
    ground = Ground(folder, seen.probe, embedder)
    ground.roster_file.write_bytes(signed_roster(ground, 1, display_name))
    settings = load(write_settings(folder, {}, 1)).settings
    with open_store(settings, load_manifest(settings)) as store:
        store.import_roster(ground.roster_file, SystemClock().now())
    return ground


def signed_roster(ground: Ground, version: int, display_name: str = "") -> bytes:
    """A roster file of the astronaut and two strangers, each entitled to 10 kg of rice now, at this terminal."""
    return seal(ground, roster_of(ground, version, display_name), TERMINAL)


def seal(ground: Ground, roster: Roster, *terminals: str) -> bytes:
    """Signed by the office; all these terminals have this one's key."""
    office = key_files.load_signing_key(ground.folder / "keys" / keys.ROSTER_KEY)
    exchange = key_files.load_exchange_public_key(ground.folder / "keys" / keys.EXCHANGE_PUBLIC)
    return sign_roster(roster, office, dict.fromkeys(terminals, exchange))


def roster_of(ground: Ground, version: int, display_name: str = "") -> Roster:
    """What `signed_roster` signs."""
    rng = np.random.default_rng(7)
    strangers = rng.normal(size=(2, ground.template.shape[0])).astype(np.float32)
    strangers /= np.linalg.norm(strangers, axis=1, keepdims=True)
    now = datetime.now(timezone.utc)
    people = {GUEST: (ground.template, display_name), "s2": (strangers[0], ""), "s3": (strangers[1], "")}
    subjects = tuple(RosterSubject(key, row[None, :], name) for key, (row, name) in people.items())
    rights = tuple(
        Entitlement(
            entitlement_id=f"{key}-rice",
            subject_id=key,
            programme="Bantuan Pangan",
            cycle=f"{now:%Y-%m}",
            benefit=Benefit("goods", Decimal(10), "kg", "beras"),
            valid_from=(now - timedelta(days=2)).date(),
            valid_until=(now + timedelta(days=30)).date(),
            home=TERMINAL,
            lease_until=now + timedelta(days=30),
        )
        for key in people
    )
    policy = Policy(show_names=bool(display_name))
    return Roster(SITE, version, now, ground.embedder, subjects, rights, policy=policy)


def write_settings(folder: Path, changes: Mapping[str, Mapping[str, object]], port: int) -> Path:
    """terminal.yaml in this folder. changes: section -> keys that differ from the usual."""
    usual: dict[str, dict[str, object]] = {
        "terminal": {"id": TERMINAL, "site": SITE, "place": "Balai Desa", "complaint_channel": "0800-1"},
        "camera": {"driver": "file", "path": "footage.avi", "loop": True, "fps_awake": FPS, "fps_idle": FPS},
        "vision": {"manifest": str(SHIPPED_MANIFEST)},
        "session": {"settle_s": 1.0, "absent_s": 1.0, "probe_frames": 4},
        "pad": {"mode": "disabled"},
        "printer": {"driver": "simulated", "folder": "slips"},
        "leds": {"driver": "simulated"},
        "store": {
            "path": "data/terminal.db",
            "template_key": f"keys/{keys.TEMPLATE_KEY}",
            "signing_key": f"keys/{keys.SIGNING_KEY}",
            "roster_key": f"keys/{keys.ROSTER_PUBLIC}",
        },
        "uplink": {"host": "localhost", "port": port, "heartbeat_s": 1, "backoff_min_s": 0.2, "backoff_max_s": 1},
        "log": {"format": "json"},
    }
    for section, keys_of_it in changes.items():
        usual[section] = {**usual[section], **keys_of_it}
    path = folder / "terminal.yaml"
    path.write_text(yaml.safe_dump(usual, sort_keys=False), encoding="utf-8")
    return path


def film(path: Path, *scenes: tuple[float, bool]) -> None:
    """A video of scenes (seconds, whether the astronaut is there)."""
    portrait = cv2.imread(str(PORTRAIT))
    assert portrait is not None
    height, width = portrait.shape[:2]
    nobody: npt.NDArray[np.uint8] = np.full_like(portrait, 110)
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (width, height))
    for seconds, there in scenes:
        for _ in range(round(seconds * FPS)):
            video.write(portrait if there else nobody)
    video.release()


@dataclass
class Story:
    """One terminal in its own folder, speaking under a topic of its own; a context manager that runs its daemon."""

    folder: Path
    config: Path
    topic: str
    centre: Subscriber
    log: list[dict[str, Any]] = field(default_factory=list)
    _daemon: Daemon | None = None

    def __enter__(self) -> Story:
        self.log.clear()
        self._daemon = Daemon(self.config, self.folder / "daemon.log")
        self._daemon.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def running(self) -> bool:
        return self._daemon is not None and self._daemon.running

    @property
    def database(self) -> Path:
        return self.folder / "data" / "terminal.db"

    def stop(self) -> int:
        """SIGTERM if it runs; the exit status."""
        assert self._daemon is not None
        status = self._daemon.stop()
        self._take_in()
        return status

    def await_log(self, event: str, **fields: object) -> dict[str, Any]:
        """Wait for a line of the log: this event, with these fields."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            self._take_in()
            found.extend(line for line in self.log if line["event"] == event and fields.items() <= line.items())
            if not found and not self.running:
                self._take_in()
                raise AssertionError(f"the daemon ended without {event} {fields}; its log:\n{self.raw_log()}")
            return bool(found)

        wait_until(there, f"{event} {fields} in {self.folder / 'daemon.log'}")
        return found[0]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """All lines of this event so far."""
        self._take_in()
        return [line for line in self.log if line["event"] == event]

    def signals(self) -> list[str]:
        """What the LEDs were told to show so far."""
        return [line["signal"] for line in self.lines("signal")]

    def raw_log(self) -> str:
        return (self.folder / "daemon.log").read_text(encoding="utf-8")

    def told(self, leaf: str) -> list[dict[str, Any]]:
        """What the broker passed on of this terminal: events, status or telemetry."""
        return [json.loads(body) for body in self.centre.payloads(f"{self.topic}/{SITE}/{TERMINAL}/{leaf}")]

    def await_told(self, leaf: str, **fields: object) -> dict[str, Any]:
        """Wait for such a message at the broker; of an event, the fields are its data's."""
        found: list[dict[str, Any]] = []

        def there() -> bool:
            for one in self.told(leaf):
                seen = {**one, **one["data"]} if leaf == "events" else one
                if fields.items() <= seen.items():
                    found.append(one)
            return bool(found)

        wait_until(there, f"{leaf} with {fields} at the broker")
        return found[0]

    def records(self) -> list[dict[str, Any]]:
        """The ledger, oldest first."""
        return [json.loads(body) for body in read_records(self.database)]

    def chain(self) -> Verification:
        """The ledger examined with the terminal's public key."""
        public = key_files.load_verifying_key(self.folder / "keys" / keys.SIGNING_PUBLIC)
        return verify(self.database, public)

    def check_nothing_lost(self) -> None:
        """After the daemon's end: the chain holds, and every record of it came to the broker in order."""
        assert self.chain().intact, self.chain()
        written = [record["id"] for record in self.records()]
        wait_until(lambda: len(self._arrived()) >= len(written), "every record at the broker")
        assert self._arrived() == written

    def _arrived(self) -> list[str]:
        """Ids of the events in order of their first arrival."""
        return list(dict.fromkeys(one["id"] for one in self.told("events")))

    def _take_in(self) -> None:
        assert self._daemon is not None
        while not self._daemon.records.empty():
            self.log.append(self._daemon.records.get())


def begin(ground: Ground, folder: Path, broker: Broker, centre: Subscriber, **changes: Mapping[str, object]) -> Story:
    """A terminal on this ground, not started; its footage: nobody, then the astronaut, for ever."""
    for name in ("keys", "data"):
        shutil.copytree(ground.folder / name, folder / name, dirs_exist_ok=True)
    film(folder / "footage.avi", (2.5, False), (7.0, True))
    topic = f"aid/{folder.name}"
    settings = {**changes, "uplink": {"topic_prefix": topic, **changes.get("uplink", {})}}
    return Story(folder, write_settings(folder, settings, broker.port), topic, centre)
