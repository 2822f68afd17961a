"""`edge-agent evaluate pad`: APCER per species, BPCER and non-responses, by the product's own path."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from edge_agent.attacks.material import Material, read_material
from edge_agent.attacks.species import Species
from edge_agent.core.rules import PadRules
from edge_agent.devices.puppet.script import ASSETS
from edge_agent.evaluation import pad
from edge_agent.evaluation.pad_clips import PadListError, list_clips
from edge_agent.evaluation.pad_people import FOLLOWING, NOT_FOLLOWING, Watch
from edge_agent.progress import Progress
from edge_agent.settings import SHIPPED_MANIFEST, VisionSettings
from edge_agent.vision import manifest
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.loading import load_observer

DESCRIPTION = """Present clips, people and attackers to the terminal's own vision and session, in simulated time, and
report by ISO/IEC 30107-3: APCER per species with the worst named, BPCER, non-response rates, with n and 95 % interval.

CLIPS is a folder with one folder per species (print/a.mp4, bona_fide/b.mp4 …) or a CSV `path,species`. Each clip is
presented --seeds times, each time under another random challenge, from a random frame. A recording of a living person
can't follow the lights, so clips in bona_fide/ are presented to everything but the challenge (`bona_fide_clips`); BPCER
is measured on portraits moved as living heads that watch the lights: prompt, slow, very slow and stiff people
(--people). The same portraits as instruments in the hands of an attacker who watches the lights too are the species
`<name>-answering`.

  edge-agent attack make --species print portrait.jpg attacks/print/portrait.mp4
  edge-agent evaluate pad attacks/ --people portrait.jpg --seeds 5 --json report.json

Keys of the report: docs/evaluation-pad.md"""


def add_command(subparsers: Any) -> None:
    """Register `pad` among the commands of `evaluate`."""
    parser = subparsers.add_parser(
        "pad",
        help="presentation attacks by species, and living people",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("clips", type=Path, metavar="CLIPS", help="folder of folders, or CSV")
    parser.add_argument(
        "--people",
        type=Path,
        nargs="+",
        default=[ASSETS / "nasa_astronaut.png"],
        metavar="PORTRAIT",
        help="portraits or videos to move as living heads (default: the shipped one)",
    )
    parser.add_argument("--seeds", type=_count, default=5, metavar="N", help="challenges per clip (default 5)")
    parser.add_argument("--visits", type=_count0, default=2, metavar="N", help="per face and behaviour (default 2)")
    parser.add_argument("--attackers", type=_count0, default=2, metavar="N", help="per face and species (default 2)")
    parser.add_argument("--fps", type=_count, default=12, metavar="N", help="of people and attackers (default 12)")
    parser.add_argument("--seed", type=_count, default=1, metavar="N", help="another seed is another day")
    parser.add_argument(
        "--cues", choices=("enforced", "recorded"), default="enforced", help="recorded: by the challenge alone"
    )
    parser.add_argument("--json", metavar="FILE|-", help="the report for machines")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="PNG pictures and index.html")
    parser.set_defaults(run=_pad)


def _pad(arguments: argparse.Namespace) -> int:
    clips = list_clips(arguments.clips)
    if arguments.json not in (None, "-") and not Path(arguments.json).parent.is_dir():
        raise PadListError(f"--json {arguments.json}: there is no such folder; make it first")
    people = _materials(arguments.people)
    rules = PadRules(cues_decide=arguments.cues == "enforced")
    observer = load_observer(VisionSettings(manifest=SHIPPED_MANIFEST))
    try:
        watch = Watch(observer, float(arguments.fps))
        seeds = [1000 * arguments.seed + index for index in range(arguments.seeds)]
        attacks, passive = pad.judge_clips(clips, watch, rules, seeds, Progress("clips", len(clips)).done)
        visits = [1000 * arguments.seed + index for index in range(arguments.visits)]
        total = len(people) * (len(FOLLOWING) * len(visits) + len(NOT_FOLLOWING) * len(visits[:1]))
        following, others = pad.judge_people(people, watch, rules, visits, Progress("people", total).done)
        holds = [1000 * arguments.seed + index for index in range(arguments.attackers)]
        total = len(people) * len(holds) * sum(one.answers for one in Species)
        attacks |= pad.judge_attackers(people, watch, rules, holds, Progress("attackers", total).done)
    finally:
        observer.close()
    report = {
        "command": "pad",
        "rules": {
            "turns": rules.turns,
            "attempts": rules.attempts,
            "turn_parallax": rules.turn_parallax,
            "cues": arguments.cues,
        },
        "clips": len(clips),
        "people": len(people),
        "seed": arguments.seed,
    } | pad.report(attacks, following, others, passive)
    if arguments.plots:
        from edge_agent.evaluation.pad_plots import draw

        try:
            draw(arguments.plots, attacks, following, passive, report)
        except OSError as error:
            raise PadListError(f"--plots {arguments.plots}: {error.strerror}; give another folder") from error
    return _tell(arguments.json, report)


def _materials(paths: list[Path]) -> list[Material]:
    models = manifest.load(SHIPPED_MANIFEST)
    bundle = SHIPPED_MANIFEST.parent / models.active_landmarker.file
    with Landmarker(bundle, max_faces=1, mode="image") as landmarker:
        return [read_material(path, landmarker) for path in paths]


def _tell(target: str | None, report: dict[str, Any]) -> int:
    text = json.dumps(report, indent=2) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return 0
    if target is not None:
        try:
            Path(target).write_text(text, encoding="utf-8")
        except OSError as error:
            raise PadListError(f"--json {target}: can't be written ({error.strerror}); give another file") from error
    sys.stdout.write("\n".join(lines(report)) + "\n")
    return 0


def lines(report: dict[str, Any]) -> list[str]:
    """The report for people."""
    told = [f"{'':<26}{'rate':>8}  {'95 %':<16}{'errors/n':>10}{'no response':>13}"]
    told += [_line(f"APCER {name}", one) for name, one in report["apcer"].items()]
    told.append(f"worst species: {report['worst_species'] or 'none measured'}")
    told.append(_line("BPCER", report["bpcer"]))
    told += [_line(f"  {name}", one) for name, one in report["bpcer_by_behaviour"].items()]
    told += [_line(f"refused: {name}", one) for name, one in report["not_following"].items()]
    told.append(_line("bona fide clips, passive", report["bona_fide_clips"]))
    return told


def _line(name: str, one: dict[str, Any]) -> str:
    share = "-" if one["value"] is None else f"{one['value']:.1%}"
    low, high = (f"{end:.1%}" for end in one["ci95"])
    silent = one["non_response"]
    return (
        f"{name:<26}{share:>8}  {low + ' – ' + high:<16}{one['count']:>5}/{one['n']:<4}"
        f"{silent['count']:>8}/{silent['n']:<4}"
    )


def _count(text: str, least: int = 1) -> int:
    if not text.isdecimal() or not least <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r}: give a whole number from {least} to 1000")
    return int(text)


def _count0(text: str) -> int:
    return _count(text, 0)
