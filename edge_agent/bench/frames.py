"""`edge-agent bench vision`: milliseconds per frame by stage, beside the bare models and beside another library.

Rules: everything that is compared sees the same frames in the same run, frame by frame in turns, so that whatever else
the machine does hits all alike. Images stay in memory and in the peer's pipe. The result's keys:

- `machine`: `cpu`, `cores`, `python`, `numpy`, `load`, `interpreter`, `mediapipe`.
- `source`, `frame_px` [width, height], `frames`, `frames_with_probe`.
- `stages`: per stage (`landmarks`, `quality`, `cues`, `chip`, `embed`, `total`) `median_ms`, `p99_ms`, `frames`;
  `total` counts only frames that gave a probe.
- `bare`: the same for `landmarks` (MediaPipe's own call alone, looking for two faces as the terminal does), `embed`
  (the interpreter's own calls on a fixed input, `embed_invocations` times a frame) and `total`, their sum.
- `ratio_to_bare`: median `total` over median bare `total`, over frames that gave a probe; `ratio_to_bare_p99`: of p99.
- `plain_loop`: `plain_loop.PlainLoop` with the same models, faces looked for and invocations as ours: `median_ms`,
  `p99_ms`, `frames`, `ratio` (our median over its), `cosine_to_ours` (median: it computes the same thing).
- `plain_loop_least`: the same for one face and one invocation: no word of a second face, no mirrored average.
- `peer`: `name`, `version`, `median_ms`, `p99_ms`, `frames`, `faces_found`, `ratio` (its median over ours on the same
  frames), or `missing` with what to do.
- `idle`: `cpu_percent` of one core while the worker looks at an empty scene at `fps`, for `seconds`; without a camera's
  own cost.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_agent.bench.dlib_peer_link import Peer, PeerMissingError
from edge_agent.bench.idle import measure_idle
from edge_agent.bench.machine import machine
from edge_agent.core.model import Embedding, FaceObservation
from edge_agent.ports import Frame, Image, TerminalError
from edge_agent.progress import Progress
from edge_agent.settings import SHIPPED_MANIFEST, VisionSettings
from edge_agent.vision import interpreter, manifest
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.loading import load_observer
from edge_agent.vision.observer import Observer
from edge_agent.vision.photo import load_photo
from edge_agent.vision.timings import Stage, summarise

FRAME_PX = (640, 480)
FRAME_S = 1 / 15
WARM_UP = 10
PEER_EVERY = 5
"""The peer takes a turn only at every so-many-th frame: it needs a large part of a second for one."""
_PORTRAIT = Path(__file__).resolve().parents[1] / "devices" / "assets" / "nasa_astronaut.png"


class BenchError(TerminalError):
    """The footage can't be used; the text says why."""


def add_arguments(parser: ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--manifest", type=Path, default=SHIPPED_MANIFEST, help="models to measure (the shipped ones)")
    parser.add_argument(
        "--footage", type=Path, help="a video with a face; without it the built-in portrait moves a little"
    )
    parser.add_argument("--frames", type=int, default=200, help="frames to measure (200)")
    parser.add_argument("--idle-s", type=float, default=10.0, help="seconds of the idle measurement; 0: none (10)")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has face_recognition installed")
    parser.add_argument("--no-peer", action="store_true", help="leave face_recognition out")
    parser.add_argument("--json", action="store_true", help="the result as JSON, keys as in edge_agent/bench/frames.py")


def execute(options: Namespace) -> int:
    """Run as the command line says; 0, or 1 with the reason on standard error."""
    try:
        result = run(
            VisionSettings(manifest=options.manifest),
            options.footage,
            options.frames,
            peer_python=None if options.no_peer else options.peer_python,
            idle_s=options.idle_s,
        )
    except TerminalError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(json.dumps(result, indent=2) + "\n" if options.json else describe(result))
    return 0


def run(
    settings: VisionSettings,
    footage: Path | None = None,
    count: int = 200,
    *,
    peer_python: str | None = sys.executable,
    idle_s: float = 10.0,
) -> dict[str, Any]:
    """Measure; keys as in the module's text. peer_python None: no peer; idle_s 0: no idle. Raises TerminalError."""
    frames = portrait_frames(count) if footage is None else footage_frames(footage, count)
    height, width = frames[0].shape[:2]
    result: dict[str, Any] = {
        "machine": machine()
        | {
            "interpreter": f"{interpreter.runtime_name()} {interpreter.runtime_version()}",
            "mediapipe": metadata.version("mediapipe"),
        },
        "source": "built-in portrait" if footage is None else footage.name,
        "frame_px": [width, height],
        "frames": len(frames),
    }
    result |= _measure(settings, frames, peer_python)
    if idle_s > 0:
        result["idle"] = measure_idle(lambda: load_observer(settings), idle_s)
    return result


def portrait_frames(count: int) -> list[Image]:
    """The committed portrait at kiosk size (78 px between the outer eye corners), swaying by a few pixels."""
    portrait = load_photo(_PORTRAIT)
    frames: list[Image] = []
    for index in range(count):
        sway_x, sway_y = 8 * np.sin(index / 9), 5 * np.sin(index / 13)
        matrix = np.array([[1.25, 0, sway_x], [0, 1.25, sway_y]])
        frames.append(np.asarray(cv2.warpAffine(portrait, matrix, FRAME_PX, borderMode=cv2.BORDER_REPLICATE), np.uint8))
    return frames


def footage_frames(path: Path, count: int) -> list[Image]:
    """The first frames of a video, as they are. Raises BenchError."""
    capture = cv2.VideoCapture(str(path))
    frames: list[Image] = []
    while len(frames) < count:
        found, frame = capture.read()
        if not found:
            break
        frames.append(np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8))
    capture.release()
    if len(frames) <= WARM_UP:
        raise BenchError(f"{path}: gave {len(frames)} frames, more than {WARM_UP} are needed; give a video with a face")
    return frames


def describe(result: dict[str, Any]) -> str:
    """The result for people."""
    known = result["machine"]
    lines = [
        f"{known['cpu']}, {known['cores']} cores, {known['interpreter']}, MediaPipe {known['mediapipe']}",
        f"{result['frames']} frames {result['frame_px'][0]}×{result['frame_px'][1]} of {result['source']}, "
        f"{result['frames_with_probe']} with a probe",
        f"{'':12}{'median ms':>10}{'p99 ms':>10}",
    ]
    rows = [
        *result["stages"].items(),
        *((f"bare {name}", row) for name, row in result["bare"].items() if name != "embed_invocations"),
        ("plain loop", result["plain_loop"]),
        ("plain, least", result["plain_loop_least"]),
    ]
    lines += [f"{name:15}{row['median_ms']:7.2f}{row['p99_ms']:10.2f}" for name, row in rows]
    lines.append(
        f"{result['ratio_to_bare']:.2f} times the bare models (p99 {result['ratio_to_bare_p99']:.2f}), "
        f"{result['plain_loop']['ratio']:.2f} times the plain loop with the same work"
    )
    if "peer" in result:
        peer = result["peer"]
        lines.append(
            peer.get("missing")
            or f"{peer['name']} {peer['version']}: {peer['median_ms']:.0f} ms, {peer['ratio']:.1f} times as long"
        )
    if "idle" in result:
        lines.append(
            f"idle: {result['idle']['cpu_percent']:.1f} % of one core at {result['idle']['fps']:.1f} frames a second"
        )
    return "\n".join(lines) + "\n"


class Models:
    """The product's observer and, beside it, the same models without it."""

    def __init__(self, settings: VisionSettings) -> None:
        # Here, because it loads MediaPipe, which no other command needs for its --help.
        from edge_agent.bench.plain_loop import PlainLoop

        models, folder = manifest.load(settings.manifest), settings.manifest.parent
        manifest.require_verified(models, folder)
        spec, bundle = models.active_embedder, folder / models.active_landmarker.file
        embedder = Embedder(spec, folder, settings.mirrored_average, settings.threads)
        self.invocations = 2 if settings.mirrored_average else 1
        # -1: likeness is computed, as in the field, but never starts another track.
        self.observer = Observer(Landmarker(bundle), embedder, settings, same_face_min=-1.0)
        self.bare = PlainLoop(bundle, spec, folder, faces=2, invocations=self.invocations)
        self.loops = {
            "plain_loop": PlainLoop(bundle, spec, folder, faces=2, invocations=self.invocations),
            "plain_loop_least": PlainLoop(bundle, spec, folder, faces=1, invocations=1),
        }

    def close(self) -> None:
        """Free everything."""
        self.observer.close()
        for loop in (self.bare, *self.loops.values()):
            loop.close()


@dataclass
class _Times:
    """Milliseconds: by stage of ours; of frames with a probe: of the bare models, of each loop, of the peer."""

    stages: dict[Stage, list[float]] = field(default_factory=lambda: {stage: [] for stage in Stage})
    bare: dict[str, list[float]] = field(default_factory=lambda: {"landmarks": [], "embed": [], "total": []})
    loops: dict[str, list[float]] = field(default_factory=dict)
    cosines: dict[str, list[float]] = field(default_factory=dict)
    peer: list[float] = field(default_factory=list)
    ours_beside_peer: list[float] = field(default_factory=list)


def _measure(settings: VisionSettings, frames: Sequence[Image], peer_python: str | None) -> dict[str, Any]:
    models, times = Models(settings), _Times()
    peer: Peer | None = None
    peer_result: dict[str, Any] = {}
    progress = Progress("frames", WARM_UP + len(frames))
    try:
        if peer_python is not None:
            try:
                peer = Peer(peer_python)
            except PeerMissingError as error:
                peer_result = {"missing": str(error)}
        for index, image in enumerate([*frames[:WARM_UP], *frames]):
            progress.done(index + 1)
            seen = _take_turns(models, times, image, index)
            if index >= WARM_UP and seen.probe is not None and peer is not None and index % PEER_EVERY == 0:
                times.peer.append(peer.measure(image))
                times.ours_beside_peer.append(times.stages[Stage.TOTAL][-1])
        if peer is not None:
            peer_result = peer.describe(times.peer, times.ours_beside_peer)
    finally:
        models.close()
        if peer is not None:
            peer.close()
    if not times.bare["total"]:
        raise BenchError(
            "no frame gave a probe, so there is nothing to compare; give footage with a well-lit frontal face"
        )
    return _result(times, models.invocations) | ({"peer": peer_result} if peer_result else {})


def _take_turns(models: Models, times: _Times, image: Image, index: int) -> FaceObservation:
    """One frame, each contestant beginning in its turn; what ours saw."""
    at_s = index * FRAME_S
    observed: list[FaceObservation] = []
    bare_ms: list[tuple[float, float]] = []
    looped: dict[str, tuple[float, Embedding | None]] = {}

    def loop(name: str) -> None:
        began = time.perf_counter()
        found = models.loops[name].look(image, int(at_s * 1000))
        looped[name] = (time.perf_counter() - began) * 1000, found

    contestants: list[Callable[[], None]] = [
        lambda: observed.append(models.observer.observe(Frame(image, at_s, index))),
        lambda: bare_ms.append(_bare(models, image, at_s)),
        *(partial(loop, name) for name in models.loops),
    ]
    first = index % len(contestants)
    for contestant in contestants[first:] + contestants[:first]:
        contestant()
    seen = observed[0]
    if index >= WARM_UP:
        _note(models.observer, seen, times.stages)
        if seen.probe is not None:
            for name, value in zip(times.bare, (*bare_ms[0], sum(bare_ms[0])), strict=True):
                times.bare[name].append(value)
            for name, (took_ms, found) in looped.items():
                times.loops.setdefault(name, []).append(took_ms)
                if found is not None:
                    times.cosines.setdefault(name, []).append(float(found @ seen.probe))
    return seen


def _result(times: _Times, invocations: int) -> dict[str, Any]:
    ours, bare = times.stages[Stage.TOTAL], times.bare["total"]
    loops = {
        name: summarise(tuple(values))
        | {
            "ratio": round(float(np.median(ours) / np.median(values)), 3),
            "cosine_to_ours": round(float(np.median(times.cosines.get(name, [0.0]))), 4),
        }
        for name, values in times.loops.items()
    }
    return {
        "frames_with_probe": len(bare),
        "stages": {stage.value: summarise(tuple(values)) for stage, values in times.stages.items() if values},
        "bare": {name: summarise(tuple(values)) for name, values in times.bare.items()}
        | {"embed_invocations": invocations},
        "ratio_to_bare": round(float(np.median(ours) / np.median(bare)), 3),
        "ratio_to_bare_p99": round(float(np.percentile(ours, 99) / np.percentile(bare, 99)), 3),
        **loops,
    }


def _bare(models: Models, image: Image, at_s: float) -> tuple[float, float]:
    began = time.perf_counter()
    models.bare.find(image, int(at_s * 1000))
    between = time.perf_counter()
    models.bare.invoke()
    return (between - began) * 1000, (time.perf_counter() - between) * 1000


def _note(observer: Observer, seen: FaceObservation, stages: dict[Stage, list[float]]) -> None:
    embedded = (Stage.CHIP, Stage.EMBED, Stage.TOTAL)
    for stage, values in stages.items():
        if seen.probe is not None or (stage not in embedded and seen.track_id is not None):
            values.append(observer.timings.samples_ms(stage)[-1])
