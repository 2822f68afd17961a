"""One person served from end to end, and then everything that left the terminal's memory is searched for her.

Only the slip may name her, and only because this terminal's settings say so.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_agent.core.model import Embedding
from tests.brokers import Broker, Subscriber, needs_mosquitto
from tests.stories.daemon import GUEST, begin, lay_ground

pytestmark = [needs_mosquitto, pytest.mark.mosquitto, pytest.mark.slow]

FIRST_NAME, NIK = "Sitiaminah", "3510123456789012"
NAME = f"{FIRST_NAME} {NIK}"
NIK_SHAPED = re.compile(rb"(?<![0-9A-Za-z.])[0-9]{16}(?![0-9A-Za-z])")
ROW_OF_NUMBERS = re.compile(rb"(?:-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?[\s,;]+){31,}-?[0-9]")
IMAGES = {"PNG": re.compile(rb"\x89PNG\r\n"), "JPEG": re.compile(rb"\xff\xd8\xff[\xdb\xe0\xe1\xee]")}
PIECE = 24
"""Bytes of a template that can't turn up by chance: six numbers."""


def findings(blob: bytes, template: Embedding) -> list[str]:
    """What of her is in these bytes."""
    found = [
        what for what, word in {"name": FIRST_NAME.encode(), "national number": NIK.encode()}.items() if word in blob
    ]
    if NIK_SHAPED.search(blob):
        found.append("sixteen digits")
    raw = template.astype("<f4").tobytes()
    if any(raw[start : start + PIECE] in blob for start in range(0, len(raw) - PIECE, 4)):
        found.append("template")
    # Base64 looks different for each of the three ways bytes can fall into its groups.
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + raw)[4:]
        url_safe = encoded.replace(b"+", b"-").replace(b"/", b"_")
        if any(kind[at : at + 32] in blob for kind in (encoded, url_safe) for at in range(0, len(encoded) - 32, 4)):
            found.append("template in base64")
            break
    if ROW_OF_NUMBERS.search(blob):
        found.append("row of numbers")
    return found + [kind for kind, magic in IMAGES.items() if magic.search(blob)]


def test_the_search_finds_each_kind_of_leak() -> None:
    template = np.linspace(-0.2, 0.2, 128, dtype=np.float32)
    leaks: Mapping[str, bytes] = {
        "name": json.dumps({"event": "served", "who": f"{FIRST_NAME} binti A"}).encode(),
        "national number": f"nik={NIK}".encode(),
        "sixteen digits": b'{"id": "1234567890123456"}',
        "template": b"xx" + template[40:60].tobytes(),
        "template in base64": b"blob:" + base64.b64encode(b"abcd" + template.tobytes()),
        "row of numbers": json.dumps([round(float(one), 4) for one in template]).encode(),
        "PNG": b"data\x89PNG\r\n\x1a\n",
        "JPEG": b"\xff\xd8\xff\xe0",
    }
    for what, blob in leaks.items():
        assert what in findings(blob, template), what
    harmless = json.dumps({"time": "2026-03-10T05:00:00.000Z", "score": 0.9123, "sequence": "0000000002"}).encode()
    assert findings(harmless, template) == []


def files_of(folder: Path) -> Iterator[Path]:
    """Everything the terminal keeps, but the database, what it prints, and the portrait its camera was shown."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "slips" not in path.parts and not path.name.startswith("terminal.db"):
            yield path


def test_nothing_that_leaves_the_terminal_tells_who_was_served(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    ground = lay_ground(tmp_path_factory.mktemp("ground"), NAME)
    script = {"seed": 11, "visits": [{"who": "visitor", "behaviour": "cooperative"}], "then": "stay_empty"}
    changes: dict[str, dict[str, Any]] = {
        "terminal": {"show_name_on_slip": True},
        "camera": {"driver": "puppet", "path": "visits.yaml"},
        "pad": {"mode": "enforced"},
        "log": {"level": "debug"},
    }
    with Broker(tmp_path_factory.mktemp("broker")) as broker, Subscriber(broker) as centre:
        story = begin(ground, tmp_path, broker, centre, **changes)
        (tmp_path / "footage.avi").unlink()
        (tmp_path / "visits.yaml").write_text(json.dumps(script))
        with story:
            story.await_log("session_ended", outcome="GIVEN")
            told = story.await_told("events", type="aid.slip.printed.v1")
            wal = {path.name: path.read_bytes() for path in story.database.parent.glob("terminal.db*")}
            assert story.stop() == 0
        story.check_nothing_lost()
        messages = [(message.topic, bytes(message.payload), message.properties) for message in centre.messages()]
    slip = next((tmp_path / "slips").glob("*.txt")).read_text(encoding="utf-8")
    assert FIRST_NAME in slip, "she was served under her name, so there was something to leak"
    assert told["data"]["case_number"] in slip
    assert any(GUEST.encode() in payload for _, payload, _ in messages), "the opaque id is what goes out"

    left: dict[str, bytes] = {f"message {number} on {topic}": body for number, (topic, body, _) in enumerate(messages)}
    left |= {f"properties of message {n}": str(properties).encode() for n, (_, _, properties) in enumerate(messages)}
    left |= {str(path.relative_to(tmp_path)): path.read_bytes() for path in files_of(tmp_path)}
    left["the roster file"] = ground.roster_file.read_bytes()
    out, err = capfd.readouterr()
    left["standard output"], left["standard error"] = out.encode(), err.encode()
    assert {"daemon.log", "terminal.yaml", "the roster file"} <= left.keys()
    assert len(left["daemon.log"]) > 1000
    leaks = {where: found for where, blob in left.items() if (found := findings(blob, ground.template))}
    assert leaks == {}

    # At rest, running and stopped: encrypted.
    for name, blob in {**wal, "terminal.db at rest": story.database.read_bytes()}.items():
        assert not {"name", "national number", "template", "template in base64"} & set(
            findings(blob, ground.template)
        ), name
    assert any(name.endswith("-wal") and content for name, content in wal.items())
