"""`edge-agent evaluate verify|identify`: measures the models and thresholds in use on labelled photographs."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edge_agent.evaluation.acquisition import GATES, Acquired, Sight, acquire, open_sight
from edge_agent.evaluation.identification import Identification, Protocol, identification, subjects_in
from edge_agent.evaluation.pairs import PairList, PairsError, read_pairs
from edge_agent.evaluation.verification import Verification, verify
from edge_agent.settings import SHIPPED_MANIFEST, MatchingSettings, VisionSettings, load

GATE_WORDS = {
    "open": "every face found passes",
    "enrolment": "the bounds of the settings, as for enrolment photographs",
}


def add_commands(commands: Any) -> Any:
    """Register `evaluate` with its own commands; returns their subparsers, for others to add theirs."""
    parser = commands.add_parser("evaluate", help="measure error rates on labelled photographs")
    what = parser.add_subparsers(dest="evaluate_command", required=True, metavar="WHAT")
    words = "Compare listed pairs of photographs (1:1) by the whole path of the product. Failures to acquire count."
    one = what.add_parser("verify", help="1:1 over a list of pairs", description=words)
    one.add_argument("pairs", type=Path, metavar="PAIRS", help="LFW pair file, or CSV path_a,path_b,mated")
    one.add_argument("--images", type=Path, required=True, metavar="DIR", help="where the photographs lie")
    one.add_argument("--train", type=Path, metavar="PAIRS", help="choose the threshold on these (default: other folds)")
    one.set_defaults(run=_verify)
    words = "Search galleries (1:N): half the subjects may be enrolled, the others are impostors. Failures count."
    many = what.add_parser("identify", help="1:N in an open set", description=words)
    many.add_argument("images", type=Path, metavar="DIR", help="one folder per subject")
    many.add_argument("--gallery", type=_sizes, metavar="N,N,…", help="gallery sizes (default: half the subjects)")
    many.add_argument("--photos", type=_positive, default=2, metavar="K", help="photographs per template (default 2)")
    many.add_argument(
        "--probe-photos", type=_positive, default=1, metavar="K", help="photographs per probe (default 1)"
    )
    many.add_argument("--seeds", type=_positive, default=5, metavar="N", help="random divisions (default 5)")
    many.set_defaults(run=_identify)
    for each in (one, many):
        _add_shared(each)
    return what


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings to take vision and matching from")
    parser.add_argument("--gate", choices=GATES, default="open", help="quality gate of the headline; both are reported")
    parser.add_argument(
        "--face", choices=("largest", "central"), default="largest", help="which of several faces is the subject's"
    )
    parser.add_argument("--json", metavar="FILE|-", help="the report for machines (docs/evaluation.md)")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="PNG pictures and index.html")


def _verify(arguments: argparse.Namespace) -> int:
    pairs = read_pairs(arguments.pairs, arguments.images)
    train = read_pairs(arguments.train, arguments.images) if arguments.train else None
    files = sorted({*pairs.files, *(train.files if train else ())})
    vision, _ = _settings(arguments)
    with open_sight(vision, arguments.face) as sight:
        acquired = acquire(files, sight)
    found = {gate: verify(pairs, train, acquired.by_gate[gate], sight.spec, vision.mirrored_average) for gate in GATES}
    head = found[arguments.gate]
    about = {"pairs": _pairs_in_numbers(pairs), "train": None if train is None else _pairs_in_numbers(train)}
    report = _whole(
        "verify",
        sight=sight,
        vision=vision,
        acquired=acquired,
        about=about,
        by_gate={gate: one.report for gate, one in found.items()},
        head=head,
    )
    if arguments.plots:
        from edge_agent.evaluation.plots import draw_verification

        _into(arguments.plots, lambda: draw_verification(arguments.plots, head, report))
    _tell(arguments, report, _verify_lines(report))
    return 0


def _identify(arguments: argparse.Namespace) -> int:
    subjects = subjects_in(arguments.images)
    protocol = Protocol(
        arguments.gallery, arguments.photos, arguments.probe_photos, tuple(range(1, arguments.seeds + 1))
    )
    vision, matching = _settings(arguments)
    if max(protocol.galleries or (0,)) > len(subjects) // 2:
        raise PairsError(
            f"--gallery: at most half of the {len(subjects)} subjects can be enrolled: {len(subjects) // 2}"
        )
    with open_sight(vision, arguments.face) as sight:
        acquired = acquire([file for files in subjects.values() for file in files], sight)
    found = {
        gate: identification(
            subjects,
            acquired.by_gate[gate],
            protocol,
            sight.spec,
            mirrored=vision.mirrored_average,
            margin=matching.margin,
        )
        for gate in GATES
    }
    head = found[arguments.gate]
    about = {
        "subjects": len(subjects),
        "template_photographs": protocol.template_photographs,
        "probe_photographs": protocol.probe_photographs,
        "seeds": list(protocol.seeds),
        "margin": matching.margin,
    }
    report = _whole(
        "identify",
        sight=sight,
        vision=vision,
        acquired=acquired,
        about=about,
        by_gate={gate: one.report for gate, one in found.items()},
        head=head,
    )
    if arguments.plots:
        from edge_agent.evaluation.plots import draw_identification

        _into(arguments.plots, lambda: draw_identification(arguments.plots, head, report))
    _tell(arguments, report, _identify_lines(report))
    return 0


def _settings(arguments: argparse.Namespace) -> tuple[VisionSettings, MatchingSettings]:
    if arguments.config:
        settings = load(arguments.config).settings
        return settings.vision, settings.matching
    return VisionSettings(manifest=SHIPPED_MANIFEST), MatchingSettings()


def _whole(
    command: str,
    *,
    sight: Sight,
    vision: VisionSettings,
    acquired: Acquired,
    about: Mapping[str, Any],
    by_gate: Mapping[str, dict[str, Any]],
    head: Verification | Identification,
) -> dict[str, Any]:
    """The report: what was measured, the headline gate's numbers, and every other gate's under `other_gates`."""
    model = {"name": sight.embedder.name, "sha256": sight.embedder.sha256, "mirrored_average": vision.mirrored_average}
    others = {gate: report for gate, report in by_gate.items() if report is not head.report}
    return {
        "command": command,
        "model": model,
        "face": sight.subject,
        **about,
        "presentation_ms": acquired.presentation_ms,
        **head.report,
        "other_gates": others,
    }


def _pairs_in_numbers(pairs: PairList) -> dict[str, Any]:
    mated = int(pairs.mated.sum())
    return {"file": pairs.path.name, "n": len(pairs.pairs), "mated": mated, "non_mated": len(pairs.pairs) - mated}


def _verify_lines(report: Mapping[str, Any]) -> list[str]:
    lines = [f"{report['pairs']['n']:,} pairs, {report['model']['name']}, {_speed(report)}"]
    for gate, one in _gates(report):
        right, fta = one["accuracy"], one["fta"]
        lines += [
            f"gate {gate} ({GATE_WORDS[gate]})",
            f"  failure to acquire  {_share(fta)} photographs, {fta['pairs']} pairs",
            f"  accuracy            {right['mean']:.2%} ± {right['std'] or 0:.2%} over {right['folds']} folds, "
            f"failures counted ({_interval(right)}, n {right['n']:,})",
        ]
        if right["acquired_only"]["mean"] is not None:
            only = right["acquired_only"]
            lines.append(f"  acquired pairs only {only['mean']:.2%} ({_interval(only)}, n {only['n']:,})")
        for fmr, point in one["tmr"].items():
            lines.append(
                f"  TMR at FMR {fmr}     " + (_share(point) if point["ci95"] else f"not given: {point['why']}")
            )
    return lines


def _identify_lines(report: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{report['subjects']:,} subjects, {report['model']['name']}, margin {report['margin']:g}, {_speed(report)}"
    ]
    for gate, one in _gates(report):
        lines += [f"gate {gate} ({GATE_WORDS[gate]})", f"  failure to acquire  {_share(one['fta'])} photographs"]
        for size, found in one["galleries"].items():
            for target, tpir in found["tpir"].items():
                unsupported = "" if tpir["target_supported"] else "  (target beyond what was measured)"
                lines.append(
                    f"  gallery {int(size):,}, target FPIR {target}: score {tpir['threshold']:.4f}, "
                    f"TPIR {_share(tpir)}, FPIR {_share(found['fpir'][target])}{unsupported}"
                )
    return lines


def _gates(report: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(report["gate"], report), *report["other_gates"].items()]


def _speed(report: Mapping[str, Any]) -> str:
    median = report["presentation_ms"].get("median")
    return "too few photographs to time" if median is None else f"{median:g} ms a photograph"


def _share(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return "not measured (n 0)"
    return f"{one['value']:.2%} ({_interval(one)}, {one['count']:,} of {one['n']:,})"


def _interval(one: Mapping[str, Any]) -> str:
    return f"95 % {one['ci95'][0]:.2%}–{one['ci95'][1]:.2%}"


def _tell(arguments: argparse.Namespace, report: Mapping[str, Any], lines: list[str]) -> None:
    if arguments.json == "-":
        sys.stdout.write(json.dumps(report, indent=1) + "\n")
        return
    if arguments.json:
        target = Path(arguments.json)
        _into(target, lambda: target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8"))
    sys.stdout.write("\n".join(lines) + "\n")


def _into(path: Path, write: Any) -> None:
    try:
        write()
    except OSError as error:
        raise PairsError(f"{path}: can't be written ({error.strerror}); choose another place") from error


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(sorted({_positive(word) for word in text.split(",")}))


def _positive(text: str) -> int:
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return int(text)
