"""Reports as pictures and one page: DET curve, score histograms, FPIR and FNIR against gallery size; `index.html`.

Rules: drawn with matplotlib's object interface, so no window system is asked for and nothing global is changed. The
page holds counts, rates and file names of pictures only: no photograph, name or embedding.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge_agent.evaluation.identification import FPIRS, Identification, det
from edge_agent.evaluation.rates import Hits
from edge_agent.evaluation.verification import Scores, Verification

LOWEST = 1e-6


def draw_verification(folder: Path, found: Verification, report: Mapping[str, Any]) -> None:
    """Write det.png, scores.png and index.html into `folder`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    _det_1_to_1(found.scores, found.mated, found.impostor).savefig(folder / "det.png", dpi=110)
    _histograms(found.scores, found.mated, found.impostor).savefig(folder / "scores.png", dpi=110)
    write_page(folder, "Verification (1:1)", ("det.png", "scores.png"), report)


def draw_identification(folder: Path, found: Identification, report: Mapping[str, Any]) -> None:
    """Write det.png, gallery.png, scores.png and index.html into `folder`. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    _det_1_to_n(found).savefig(folder / "det.png", dpi=110)
    _by_gallery(found.report["galleries"]).savefig(folder / "gallery.png", dpi=110)
    last = found.searches[max(found.searches)]
    scores = np.array(last.mated_score + last.non_mated_score)
    mated = np.array([True] * len(last.mated_score) + [False] * len(last.non_mated_score), np.bool_)
    others = np.array(last.non_mated_score)
    _histograms(scores, mated, others[np.isfinite(others)]).savefig(folder / "scores.png", dpi=110)
    write_page(folder, "Identification (1:N, open set)", ("det.png", "gallery.png", "scores.png"), report)


def _axes(x: str, y: str, title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.grid(True, alpha=0.3)
    return figure, axes


def _det_1_to_1(scores: Scores, mated: Hits, impostor: Scores) -> Figure:
    figure, axes = _axes("false match rate", "false non-match rate", "DET curve; failures to acquire are non-matches")
    rising = np.sort(impostor)
    thresholds = np.unique(np.concatenate((scores[np.isfinite(scores)], rising[:: max(1, len(rising) // 2000)])))
    fmr = 1 - np.searchsorted(rising, thresholds, side="left") / max(len(rising), 1)
    fnmr = np.searchsorted(np.sort(scores[mated]), thresholds, side="left") / max(int(mated.sum()), 1)
    axes.step(np.maximum(fmr, LOWEST), np.maximum(fnmr, LOWEST), where="post")
    _logarithmic(axes, 1 / max(len(rising), 1), 1 / max(int(mated.sum()), 1))
    return figure


def _det_1_to_n(found: Identification) -> Figure:
    figure, axes = _axes("FPIR", "FNIR", "DET curve by gallery size, margin in force")
    for size, searches in sorted(found.searches.items()):
        fpir, fnir = det(searches)
        axes.step(np.maximum(fpir, LOWEST), np.maximum(fnir, LOWEST), where="post", label=f"gallery {size:,}")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    most = found.searches[max(found.searches)]
    _logarithmic(axes, 1 / max(len(most.non_mated_score), 1), 1 / max(len(most.mated_score), 1))
    return figure


def _logarithmic(axes: Axes, x_min: float, y_min: float) -> None:
    axes.set(xscale="log", yscale="log", xlim=(max(x_min, LOWEST), 1), ylim=(max(y_min, LOWEST), 1))


def _histograms(scores: Scores, mated: Hits, impostor: Scores) -> Figure:
    figure, axes = _axes("score (cosine)", "density", "Scores; failures to acquire have none")
    own = scores[mated & np.isfinite(scores)]
    for values, label in ((impostor, "non-mated"), (own, "mated")):
        if len(values):
            axes.hist(values, bins=80, density=True, alpha=0.6, label=f"{label} ({len(values):,})")
    if axes.get_legend_handles_labels()[0]:
        axes.legend()
    return figure


def _by_gallery(galleries: Mapping[str, Any]) -> Figure:
    figure, axes = _axes("gallery size", "rate", "FPIR and FNIR at the terminal's own thresholds")
    sizes = sorted(galleries, key=int)
    for target in FPIRS:
        fpir = [max(galleries[size]["fpir"][target]["value"] or 0, LOWEST) for size in sizes]
        fnir = [max(1 - (galleries[size]["tpir"][target]["value"] or 0), LOWEST) for size in sizes]
        (line,) = axes.plot([int(size) for size in sizes], fnir, "o-", label=f"FNIR, target FPIR {target}")
        axes.plot([int(size) for size in sizes], fpir, "s--", color=line.get_color(), label=f"FPIR, target {target}")
    axes.set(xscale="log", yscale="log", ylim=(1e-5, 1))
    axes.legend(fontsize="small")
    return figure


def write_page(folder: Path, title: str, pictures: tuple[str, ...], report: Mapping[str, Any]) -> None:
    """`index.html` in `folder`: these pictures, and the report as it is. Raises OSError."""
    images = "\n".join(f'<img src="{name}" alt="{name}">' for name in pictures)
    page = f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font-family:sans-serif;max-width:60em;margin:2em auto}}img{{max-width:100%}}pre{{overflow:auto}}</style>
<h1>{title}</h1>
{images}
<h2>Report</h2>
<pre>{html.escape(json.dumps(report, indent=1))}</pre>
</html>
"""
    (folder / "index.html").write_text(page, encoding="utf-8")
