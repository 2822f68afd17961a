"""`edge-agent bench match`: one probe against a thousand to a million templates, beside two search engines.

Rules: ours is `core.matching.identify` as the terminal calls it, threshold and margin included, on a gallery laid out
as the store gives it. The peers get the same float32 rows and are asked for the best two, which a margin needs; all
three take turns with the same probes, half of which are mates of a row. Each has the same number of threads, one unless
asked otherwise: their pools wait in busy loops, and would take the cores from whoever's turn it is. Libraries read
that number when they are loaded, so the measuring is done in a child process. The result's keys:

- `machine`: `cpu`, `cores`, `python`, `numpy`, `load`. `threads`: of each.
- `dimension`: numbers in a template. `peers`: per peer (`faiss`, `usearch`) `version`, or `missing` with what to do.
- `sizes`: per gallery size `templates`, `gallery_mb` (the rows), `ids_mb` (whose they are), `ours` and each peer that
  is there: `median_ms`, `p99_ms`, `n`; a peer also `ratio` (its median over ours), `same_best` (in how many of `n` it
  found the same best row, or one whose score differs by less than 1e-5) and `gallery_mb` of its own copy (0: none).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import numpy.typing as npt

from edge_agent.bench.machine import machine
from edge_agent.bench.match_peers import PEERS, Answer, MatchPeer, PeerMissingError
from edge_agent.core.matching import identify
from edge_agent.core.model import Embedding, Gallery
from edge_agent.core.rules import MatchRules
from edge_agent.ports import TerminalError
from edge_agent.progress import Progress

SIZES = (1_000, 10_000, 100_000, 1_000_000)
DIMENSION = 128
RULES = MatchRules(verification_threshold=0.45, identification_threshold=0.49, margin=0.06)
"""About the scores of the shipped model; what they are doesn't change the time."""

_MATE_NOISE = 0.055
"""Of each number of a mate's probe, so that its cosine with its row is about 0.85, over the threshold."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_TIE = 1e-5
_MB = 1e6


class MatchBenchError(TerminalError):
    """The measurement can't be made as asked; the text says why."""


def add_arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=list(SIZES),
        metavar="N",
        help="templates in the gallery; a million takes 0.5 GB and faiss as much again (1000 10000 100000 1000000)",
    )
    parser.add_argument("--probes", type=int, default=200, help="probes for each size (200; from 100,000 on a quarter)")
    parser.add_argument("--threads", type=int, default=1, help="threads of each contestant (1)")
    parser.add_argument("--seed", type=int, default=1, help="of templates and probes (1)")
    parser.add_argument("--no-peers", action="store_true", help="leave faiss and usearch out")
    parser.add_argument("--json", action="store_true", help="the result as JSON, keys as in edge_agent/bench/match.py")


def execute(options: Namespace) -> int:
    """Run as the command line says; 0, or 1 with the reason on standard error."""
    if any(os.environ.get(name) != str(options.threads) for name in _THREADS):
        return _in_child(options)
    try:
        result = run(
            tuple(options.sizes), options.probes, options.seed, {} if options.no_peers else PEERS, options.threads
        )
    except TerminalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if options.json else describe(result))
    return 0


def _in_child(options: Namespace) -> int:
    """The same command in a process whose libraries find the number of threads when they are loaded."""
    command = [sys.executable, "-m", "edge_agent", "bench", "match", "--sizes", *map(str, options.sizes)]
    command += [f"--probes={options.probes}", f"--threads={options.threads}", f"--seed={options.seed}"]
    command += [flag for flag, given in (("--no-peers", options.no_peers), ("--json", options.json)) if given]
    threads = dict.fromkeys(_THREADS, str(options.threads))
    return subprocess.run(command, env=os.environ | threads, check=False).returncode


def run(
    sizes: tuple[int, ...] = SIZES,
    probes: int = 200,
    seed: int = 1,
    peers: dict[str, Callable[[int], MatchPeer]] = PEERS,
    threads: int = 1,
) -> dict[str, Any]:
    """Measure; keys as in the module's text. probes: for each size. threads: of each peer; NumPy's are settled when it
    is loaded. Raises MatchBenchError.
    """
    if probes < 4 or min(sizes, default=0) < 2:
        raise MatchBenchError(f"{probes} probes, sizes {list(sizes)}: give at least 4 probes and sizes of at least 2")
    ready: dict[str, MatchPeer] = {}
    told: dict[str, dict[str, str]] = {}
    for name, make in peers.items():
        try:
            ready[name] = make(threads)
            told[name] = {"version": ready[name].version}
        except PeerMissingError as error:
            told[name] = {"missing": str(error)}
    counts = [probes if size < 100_000 else max(4, probes // 4) for size in sizes]
    progress = Progress("probes", sum(counts))
    rows: list[dict[str, Any]] = []
    for size, count in zip(sizes, counts, strict=True):
        before = sum(counts[: len(rows)])

        def tell(done: int, note: str, before: int = before) -> None:
            progress.done(before + done, note)

        rows.append(_measure(size, count, np.random.default_rng(seed), ready, tell))
    return {"machine": machine(), "threads": threads, "dimension": DIMENSION, "peers": told, "sizes": rows}


def describe(result: dict[str, Any]) -> str:
    """The result for people."""
    known = result["machine"]
    lines = [
        f"{known['cpu']}, {known['cores']} cores, NumPy {known['numpy']}; one probe, {result['dimension']} numbers"
    ]
    present = [name for name, peer in result["peers"].items() if "version" in peer]
    lines.append(f"{'templates':>10}{'gallery MB':>12}{'ours ms':>10}{'p99':>9}" + "".join(f"{n:>24}" for n in present))
    for row in result["sizes"]:
        ours = row["ours"]
        line = f"{row['templates']:>10,}{row['gallery_mb']:>12.1f}{ours['median_ms']:>10.3f}{ours['p99_ms']:>9.3f}"
        for name in present:
            peer = row[name]
            line += f"{peer['median_ms']:>12.3f} ({peer['ratio']:.2f} times)"
        lines.append(line)
    for name in present:
        same = sum(row[name]["same_best"] for row in result["sizes"])
        of = sum(row[name]["n"] for row in result["sizes"])
        lines.append(f"{name} {result['peers'][name]['version']}: the same best row as ours for {same} of {of} probes")
    lines += [peer["missing"] for peer in result["peers"].values() if "missing" in peer]
    return "\n".join(lines) + "\n"


def _measure(
    size: int, count: int, rng: np.random.Generator, peers: dict[str, MatchPeer], tell: Callable[[int, str], None]
) -> dict[str, Any]:
    gallery = make_gallery(size, rng)
    own_mb = {name: peer.load(gallery.templates) / _MB for name, peer in peers.items()}
    contestants: dict[str, Callable[[Embedding], Answer]] = {"ours": lambda probe: _ours(probe, gallery)}
    contestants |= {name: peer.search for name, peer in peers.items()}
    times_ms: dict[str, list[float]] = {name: [] for name in contestants}
    same = dict.fromkeys(contestants, 0)
    warm_up = max(2, count // 10)
    for turn in range(warm_up + count):
        probe, mate = probe_for(gallery.templates, turn, rng)
        scores = gallery.templates @ probe
        best = int(np.argmax(scores))
        order = [*contestants][turn % len(contestants) :] + [*contestants][: turn % len(contestants)]
        for name in order:
            began = perf_counter()
            row = contestants[name](probe)
            took_ms = (perf_counter() - began) * 1000
            if turn >= warm_up:
                times_ms[name].append(took_ms)
                found = best if row is None and not mate else row
                same[name] += found is not None and bool(scores[best] - scores[found] < _TIE)
        tell(max(0, turn + 1 - warm_up), f"{size:,} templates")
    if same["ours"] != count:
        raise MatchBenchError(f"identify found the best of {size} rows for {same['ours']} of {count} probes only")
    ours_ms = float(np.median(times_ms["ours"]))
    result: dict[str, Any] = {
        "templates": size,
        "gallery_mb": round(gallery.templates.nbytes / _MB, 3),
        "ids_mb": round((sys.getsizeof(gallery.subject_ids) + sum(map(sys.getsizeof, gallery.subject_ids))) / _MB, 3),
        "ours": _summary(times_ms["ours"]),
    }
    for name, peer in peers.items():
        ratio = round(float(np.median(times_ms[name])) / ours_ms, 2)
        mb = round(own_mb[name], 3)
        result[name] = _summary(times_ms[name]) | {"ratio": ratio, "same_best": same[name], "gallery_mb": mb}
        peer.unload()
    return result


def make_gallery(size: int, rng: np.random.Generator) -> Gallery:
    """Random templates, one a subject, laid out as the store gives them: contiguous float32 rows of unit length."""
    templates = rng.standard_normal((size, DIMENSION), dtype=np.float32)
    templates /= np.linalg.norm(templates, axis=1, keepdims=True)
    return Gallery(tuple(f"subject-{number:07d}" for number in range(size)), templates)


def probe_for(templates: npt.NDArray[np.float32], turn: int, rng: np.random.Generator) -> tuple[Embedding, bool]:
    """A probe of unit length, and whether it is the mate of a row: every other one is."""
    mate = turn % 2 == 0
    probe = rng.standard_normal(DIMENSION, dtype=np.float32)
    if mate:
        probe = templates[int(rng.integers(len(templates)))] + np.float32(_MATE_NOISE) * probe
    return np.asarray(probe / np.linalg.norm(probe), np.float32), mate


def _ours(probe: Embedding, gallery: Gallery) -> Answer:
    """The row of whom `identify` recognised; None: nobody."""
    match = identify(probe, gallery, RULES)
    return None if match.subject_id is None else int(match.subject_id.rpartition("-")[2])


def _summary(times_ms: list[float]) -> dict[str, float]:
    return {
        "median_ms": round(float(np.median(times_ms)), 4),
        "p99_ms": round(float(np.percentile(times_ms, 99)), 4),
        "n": len(times_ms),
    }
