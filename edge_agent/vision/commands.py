"""`edge-agent models verify|list`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from edge_agent.command_line import say
from edge_agent.settings import SHIPPED_MANIFEST
from edge_agent.vision import manifest


def add_commands(subparsers: Any) -> None:
    """Register `models`."""
    models = subparsers.add_parser("models", help="the models this release carries: list them, verify their files")
    which = models.add_subparsers(dest="models_command", required=True, metavar="COMMAND")
    for name, run, words in (
        ("verify", _verify, "Compare every model file with the SHA-256 in the manifest. Exit status 1 if one differs."),
        ("list", _list, "List the models: which are in use, version, licence, and the error rates measured."),
    ):
        parser = which.add_parser(name, help=words.split(".")[0], description=words)
        parser.add_argument("--manifest", type=Path, default=SHIPPED_MANIFEST, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="for machines")
        parser.set_defaults(run=run)


def _verify(arguments: argparse.Namespace) -> int:
    checks = manifest.verify(manifest.load(arguments.manifest), arguments.manifest.parent)
    if arguments.json:
        rows = [
            {"model": one.name, "role": one.role, "file": str(one.path), "active": one.active, "ok": one.error is None}
            | ({} if one.error is None else {"expected": one.error.expected, "found": one.error.found})
            for one in checks
        ]
        say(json.dumps(rows, indent=2))
    else:
        for one in checks:
            say(f"ok    {one.name}: {one.path} is {one.sha256}" if one.error is None else f"FAIL  {one.error}")
    return 0 if all(one.error is None for one in checks) else 1


def _list(arguments: argparse.Namespace) -> int:
    models = manifest.load(arguments.manifest)
    used = models.active.names
    if arguments.json:
        say(json.dumps([model.model_dump(mode="json") | {"active": model.name in used} for model in models.models]))
        return 0
    for model in models.models:
        say(f"{model.name} ({model.role}{', in use' if model.name in used else ''})")
        say(f"  file     {model.file}, {model.input.size_px} px, {model.input.colour_order}")
        say(f"  version  {model.version}\n  licence  {model.licence}\n  source   {model.source}")
        if isinstance(model, manifest.EmbedderSpec):
            _say_embedder(model)
        elif isinstance(model, manifest.PassivePadSpec):
            say(f"  crop     {model.crop_scale:g} times the face's box")
            say(f"  output   {model.output}, class {model.bona_fide_class} is bona fide from {model.threshold:g}")
            say(f"  measured {model.measured}")
    return 0


def _say_embedder(model: manifest.EmbedderSpec) -> None:
    say(f"  output   {model.output_length} numbers, compared by {model.metric}")
    for points in model.operating_points:
        for point in points.verification:
            say(
                f"  measured FMR {point.fmr:g}: FNMR {point.fnmr:.2%} ({point.n_mated} mated comparisons), "
                f"{points.fused} fused, mirrored {'on' if points.mirrored else 'off'}, {points.measured_on}"
            )
