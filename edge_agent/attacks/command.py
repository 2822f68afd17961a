"""`edge-agent attack make`: render an attack clip from a portrait or a video."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edge_agent.attacks.clip_file import write_clip
from edge_agent.attacks.material import read_material
from edge_agent.attacks.rendering import Footage, frames
from edge_agent.attacks.species import WHAT_IT_IS, Species
from edge_agent.settings import SHIPPED_MANIFEST
from edge_agent.vision import manifest
from edge_agent.vision.landmarks import Landmarker

DESCRIPTION = f"""Render what an attacker may hold before the camera, from a portrait (JPEG, PNG, WebP, TIFF, BMP)
or a video (MP4, AVI, MKV) of the face to attack with: an MP4 of 640×480. The same source, species, seed and rate give
the same frames.

species:
{chr(10).join(f"  {one.value:<14} {WHAT_IT_IS[one]}" for one in Species)}

examples:
  edge-agent attack make --species print portrait.jpg attacks/print/portrait_1.mp4
  edge-agent attack make --species screen-replay --seed 7 talking.mp4 attacks/screen-replay/talking_7.mp4
  edge-agent evaluate pad attacks/     measures the error rates on a folder made so

More: docs/attacks.md"""


def add_commands(subparsers: Any) -> None:
    """Register `attack`."""
    attack = subparsers.add_parser("attack", help="make presentation attacks to test the terminal with")
    what = attack.add_subparsers(dest="attack_command", required=True, metavar="COMMAND")
    parser = what.add_parser(
        "make",
        help="render an attack clip from a portrait or video",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="SOURCE", help="portrait or video that shows the face")
    parser.add_argument("out", type=Path, metavar="OUT", help="the clip to write, *.mp4")
    parser.add_argument("--species", required=True, choices=[one.value for one in Species], metavar="SPECIES")
    parser.add_argument("--seconds", type=_positive(600.0), default=8.0, metavar="N", help="length (default 8)")
    parser.add_argument("--fps", type=_positive(60.0), default=15.0, metavar="N", help="frames a second (default 15)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed is another presentation")
    parser.add_argument("--json", action="store_true", help="print what was made, for machines")
    parser.set_defaults(run=_make)


def _make(arguments: argparse.Namespace) -> int:
    models = manifest.load(SHIPPED_MANIFEST)
    bundle = SHIPPED_MANIFEST.parent / models.active_landmarker.file
    with Landmarker(bundle, max_faces=1, mode="image") as landmarker:
        material = read_material(arguments.source, landmarker)
    species = Species(arguments.species)
    footage = Footage(arguments.seconds, arguments.fps, abs(arguments.seed))
    told = sys.stderr.isatty()

    def progress(done: int) -> None:
        if told:
            sys.stderr.write(f"\r{species.value}: frame {done} of {footage.count}")

    digest = write_clip(arguments.out, frames(species, material, footage), footage.fps, progress)
    if told:
        sys.stderr.write("\n")
    made = {
        "clip": str(arguments.out),
        "species": species.value,
        "frames": footage.count,
        "fps": footage.fps,
        "seed": footage.seed,
        "frames_sha256": digest,
    }
    if arguments.json:
        sys.stdout.write(json.dumps(made) + "\n")
    else:
        sys.stdout.write(
            f"{arguments.out}: {species.value}, {footage.count} frames, {footage.count / footage.fps:g} s\n"
        )
    return 0


def _positive(most: float) -> Any:
    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: give a number above 0, at most {most:g}")
        return value

    return number
