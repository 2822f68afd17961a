"""`edge-agent demo`: the terminal's main job on this machine, with simulated devices or real footage."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from edge_agent.core.model import Outcome, Reason
from edge_agent.demo.broker import DemoBroker, DemoError
from edge_agent.demo.play import Performance, play
from edge_agent.demo.stage import PREFIX, Scene, Stage, set_stage
from edge_agent.demo.timeline import Timeline
from edge_agent.key_files import load_verifying_key
from edge_agent.ports import FootageEnded, Image
from edge_agent.settings import SHIPPED_MANIFEST, CameraSettings
from edge_agent.store.ledger import read_records, verify
from edge_agent.vision.photo import load_photo
from edge_agent.wiring import make_camera

PORTRAIT = Path(__file__).parents[1] / "devices/assets/nasa_astronaut.png"
ENROL_S = 1.0
"""Footage is enrolled from its first second, and served from the rest."""
ENROL_LIVE_S = 3.0
MOST_S = 150.0

EXPECTED = ((Outcome.GIVEN, None), (Outcome.NOT_ENTITLED, Reason.ALREADY_CLAIMED), (Outcome.REFERRED, Reason.NOT_LIVE))
ATTACKS = {"photo": "somebody with her photograph", "replay": "somebody with a recording of her"}

DESCRIPTION = """Serve one person, end to end: the real daemon runs as its own process with a simulated camera,
printer and LEDs against a mosquitto started for it. A portrait moved as a living head steps up, follows the lights,
is identified among 500 people, receives 10 kg of rice and a slip; steps up again and is told when she received it;
then somebody holds up her photograph and is referred to an officer. Exit status 0 only if exactly that happened."""


def add_commands(subparsers: Any) -> None:
    """Register `demo`."""
    parser = subparsers.add_parser(
        "demo", help="serve one person, end to end, on this machine", description=DESCRIPTION
    )
    footage = parser.add_mutually_exclusive_group()
    footage.add_argument(
        "--video", type=Path, metavar="FILE", help="serve the person in this clip, enrolled from its first second"
    )
    footage.add_argument(
        "--camera", metavar="DRIVER:DEVICE", help="serve whoever stands there, enrolled on the spot: v4l2:0, picamera2"
    )
    parser.add_argument(
        "--pad",
        choices=("disabled", "recorded", "enforced"),
        help="liveness: default enforced; recorded with --video, since a recording can't follow the lights",
    )
    parser.add_argument(
        "--attack",
        choices=tuple(ATTACKS),
        default="photo",
        help="what the third visitor holds up (photo); a recording turns as it likes and so passes by chance now and "
        "then, see docs/liveness.md",
    )
    parser.add_argument("--json", action="store_true", help="print a summary as JSON on standard output")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="keep slips, settings, logs and database here")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Play it; 0 when the expected outcomes came."""
    folder = _folder(arguments.folder)
    timeline = Timeline(sys.stderr)
    timeline.say(f"everything of this run lies in {folder}")
    pad = arguments.pad or ("recorded" if arguments.video else "enforced")
    with DemoBroker(folder, PREFIX) as broker:
        stage = set_stage(folder, SHIPPED_MANIFEST, _scene(arguments, folder, pad), broker.port, timeline.say)
        timeline.say("starting the daemon: edge-agent run --config " + str(stage.config))
        expected = _expected(arguments, pad)
        seen = play(
            stage,
            broker,
            timeline,
            over=lambda seen: len(seen.sessions) >= len(expected),
            at_most_s=MOST_S,
            show_slip=lambda path: _show_slip(path, timeline),
        )
    summary = _summary(stage, seen, expected)
    for problem in summary["problems"]:
        timeline.say(f"NOT AS EXPECTED: {problem}")
    outcomes = ", ".join(seen.outcomes) or "none"
    timeline.say(f"outcomes: {outcomes}; {len(seen.events)} events at the broker; slips in {stage.slips}")
    if arguments.json:
        sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    return 0 if summary["ok"] else 1


def _folder(wanted: Path | None) -> Path:
    if wanted is None:
        return Path(tempfile.mkdtemp(prefix="aid-terminal-demo-"))
    folder = wanted.absolute()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / "visits.yaml").exists() and not (folder / "terminal.yaml").exists():
            raise DemoError(f"{folder}: is not empty and not of an earlier demo; name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def visits(attack: str) -> dict[str, object]:
    """The puppet's script: she comes, comes again, and then somebody else with a picture of her."""
    return {
        "seed": 11,
        "visits": [
            {"who": "the astronaut", "behaviour": "cooperative"},
            {"who": "the astronaut again", "behaviour": "cooperative"},
            {"who": ATTACKS[attack], "attack": attack},
        ],
        "then": "stay_empty",
    }


def _scene(arguments: argparse.Namespace, folder: Path, pad: str) -> Scene:
    if arguments.video is not None:
        return footage_scene(arguments.video, pad)
    if arguments.camera is not None:
        driver, _, device = arguments.camera.partition(":")
        camera = {
            "driver": driver,
            **({"device": f"/dev/video{device}" if device.isdigit() else device} if device else {}),
        }
        return Scene(camera, lambda: _pictures(CameraSettings.model_validate(camera), ENROL_LIVE_S), pad)
    script = folder / "visits.yaml"
    script.write_text(yaml.safe_dump(visits(arguments.attack), sort_keys=False), encoding="utf-8")
    return Scene({"driver": "puppet", "path": str(script)}, lambda: [load_photo(PORTRAIT)], pad)


def footage_scene(video: Path, pad: str) -> Scene:
    """The person in a clip, enrolled from its first second and served from the rest of it."""
    first = CameraSettings(driver="file", path=video.absolute(), realtime=False)
    # A second try of the liveness challenge may need more footage than a short clip has.
    camera = {"driver": "file", "path": str(video.absolute()), "start_s": ENROL_S, "loop": pad == "enforced"}
    return Scene(camera, lambda: _pictures(first, ENROL_S), pad)


def _pictures(settings: CameraSettings, seconds: float) -> list[Image]:
    """About ten pictures from the first seconds of a camera."""
    camera = make_camera(settings)
    pictures: list[Image] = []
    begun_s: float | None = None
    until_s = time.monotonic() + seconds + settings.stalled_after_s
    camera.open()
    try:
        while time.monotonic() < until_s:
            frame = camera.read(1.0)
            if frame is None:
                continue
            begun_s = frame.captured_s if begun_s is None else begun_s
            if frame.captured_s - begun_s >= seconds:
                break
            if frame.captured_s - begun_s >= len(pictures) * seconds / 10:
                pictures.append(frame.image.copy())
    except FootageEnded:
        if not pictures:
            raise
    finally:
        camera.close()
    return pictures


def _expected(arguments: argparse.Namespace, pad: str) -> Sequence[tuple[Outcome, Reason | None]]:
    if arguments.video is None and arguments.camera is None:
        return EXPECTED if pad == "enforced" else EXPECTED[:2]
    if arguments.video is not None and pad == "enforced":
        return ((Outcome.REFERRED, Reason.NOT_LIVE),)
    return ((Outcome.GIVEN, None),)


def _show_slip(path: Path, timeline: Timeline) -> None:
    timeline.say(f"the printer: {path.with_suffix('.png')}")
    for line in path.read_text(encoding="utf-8").splitlines():
        timeline.say("    │ " + line)


def _summary(stage: Stage, seen: Performance, expected: Sequence[tuple[Outcome, Reason | None]]) -> dict[str, Any]:
    """The machine-readable account. problems: everything that was not as it should be."""
    wanted = [[outcome.value, None if reason is None else reason.value] for outcome, reason in expected]
    got = [[session["outcome"], session.get("reason")] for session in seen.sessions]
    problems = [] if got == wanted else [f"outcomes {got}, expected {wanted}"]
    chain = verify(read_records(stage.database), load_verifying_key(stage.signing_public))
    if not chain.intact:
        problems.append(f"the ledger does not verify: {chain.first_broken}")
    sequences = [int(event["sequence"]) for event in seen.events]
    if sequences != list(range(1, chain.count + 1)):
        problems.append(f"the broker saw records {sequences}, the ledger holds {chain.count}")
    if seen.exit_status != 0:
        problems.append(f"the daemon ended with status {seen.exit_status}; see {stage.folder / 'daemon.log'}")
    slips_due = sum(session["outcome"] != Outcome.ABANDONED.value for session in seen.sessions)
    if len(seen.slips) != slips_due:
        problems.append(f"{len(seen.slips)} slips, expected {slips_due}")
    return {
        "ok": not problems,
        "problems": problems,
        "outcomes": [
            {
                "outcome": session["outcome"],
                "reason": session.get("reason"),
                "case": session.get("case"),
                "duration_s": session["duration_s"],
                "phases_s": session["phases_s"],
            }
            for session in seen.sessions
        ],
        "events_received": [{"sequence": e["sequence"], "type": e["type"], "id": e["id"]} for e in seen.events],
        "statuses_received": seen.statuses,
        "slips": [{"text": str(path), "png": str(path.with_suffix(".png"))} for path in seen.slips],
        "ledger": {"records": chain.count, "intact": chain.intact, "head": chain.head_hash},
        "ready_after_s": seen.ready_after_s,
        "took_s": seen.took_s,
        "folder": str(stage.folder),
    }
