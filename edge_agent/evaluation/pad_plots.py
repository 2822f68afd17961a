"""The report of `evaluate pad` as pictures and one page: error rates by species, and each cue's scores.

Rules: as `plots.py`: nothing global, and no picture of anybody on the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from edge_agent.core.cues import CONCLUSIVE, DOUBT, Cue
from edge_agent.evaluation.pad import Presentations
from edge_agent.evaluation.plots import write_page

PEOPLE, CLIPS = "living people", "bona fide clips"


def draw(
    folder: Path,
    attacks: Mapping[str, Presentations],
    following: Mapping[str, Presentations],
    passive: Presentations,
    report: Mapping[str, Any],
) -> None:
    """Write rates.png, cues.png and index.html into `folder`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    living = Presentations()
    for each in following.values():
        living.judged += each.judged
        living.owners += each.owners
    groups = {PEOPLE: living, CLIPS: passive} | dict(sorted(attacks.items()))
    _rates(report).savefig(folder / "rates.png", dpi=110)
    _cues({name: each.scores() for name, each in groups.items() if each.judged}).savefig(folder / "cues.png", dpi=110)
    write_page(folder, "Presentation attack detection", ("rates.png", "cues.png"), report)


def _rates(report: Mapping[str, Any]) -> Figure:
    """APCER and BPCER with their intervals; what got no response is written beside."""
    rows = [(f"APCER {name}", one) for name, one in report["apcer"].items()]
    rows += [("BPCER", report["bpcer"]), ("BPCER of clips, passive", report["bona_fide_clips"])]
    rows = [(name, one) for name, one in rows if one["n"]][::-1]
    figure = Figure(figsize=(7.5, 1.2 + 0.32 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for row, (name, one) in enumerate(rows):
        low, high = one["ci95"]
        colour = "tab:red" if name.startswith("APCER") else "tab:blue"
        axes.plot((low, high), (row, row), color=colour, lw=3, alpha=0.4, solid_capstyle="butt")
        axes.plot(one["value"], row, "o", color=colour)
        axes.annotate(f"{one['count']}/{one['n']}", (1.02, row), annotation_clip=False, va="center", fontsize="small")
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.set(xlim=(0, 1), xlabel="error rate, 95 % interval; at the right errors / answered")
    axes.grid(True, axis="x", alpha=0.3)
    return figure


def _cues(groups: Mapping[str, Mapping[str, list[float]]]) -> Figure:
    """One strip of scores for each cue and group: left of the bounds is doubt, further left decides."""
    cues = [cue.value for cue in Cue if any(cue.value in scores for scores in groups.values())]
    names = list(groups)[::-1]
    figure = Figure(figsize=(2.2 + 2.0 * max(len(cues), 1), 1.4 + 0.3 * len(names)), layout="constrained")
    for axes, cue in zip(figure.subplots(1, max(len(cues), 1), sharey=True, squeeze=False)[0], cues, strict=False):
        for row, name in enumerate(names):
            scores = groups[name].get(cue, [])
            spread = [row + 0.3 * ((index * 7 % 11) / 10 - 0.5) for index in range(len(scores))]
            colour = "tab:blue" if name in (PEOPLE, CLIPS) else "tab:red"
            axes.plot(scores, spread, ".", color=colour, alpha=0.5, ms=4)
        axes.axvspan(0, CONCLUSIVE, color="0.8")
        axes.axvspan(CONCLUSIVE, DOUBT, color="0.9")
        axes.set(xlim=(-0.03, 1.03), title=cue)
        axes.set_yticks(range(len(names)), names)
    figure.supxlabel("score: 1 living; light grey: doubt; grey: decides alone")
    return figure
