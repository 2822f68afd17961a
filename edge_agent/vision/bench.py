"""`edge-agent bench vision`: milliseconds per frame by stage, beside the bare models and beside another library.

Rules: everything that is compared sees the same frames in the same run, frame by frame in turns, so that whatever else
the machine does hits all alike. Images stay in memory and in the peer's pipe. The result's keys:

- `machine`: `cpu`, `cores`, `python`, `interpreter`, `mediapipe`.
- `source`, `frame_px` [width, height], `frames`, `frames_with_probe`.
- `stages`: per stage (`landmarks`, `quality`, `chip`, `embed`, `total`) `median_ms`, `p99_ms`, `frames`; `total` counts
  only frames that gave a probe.
- `bare`: the same for `landmarks` (MediaPipe alone on the same frames), `embed` (the bare interpreter on a fixed input,
  `embed_invocations` times a frame) and `total`, their sum.
- `ratio_to_bare`: median `total` over median bare `total`, over frames that gave a probe.
- `peer`: `name`, `version`, `median_ms`, `p99_ms`, `frames`, `faces_found`, `ratio` (its median over ours on the same
  frames), or `missing` with what to do.
- `idle`: `cpu_percent` of one core while the worker looks at an empty scene at `fps`, for `seconds`; without a camera's
  own cost.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge_agent.core.model import FaceObservation
from edge_agent.ports import Frame, Image, TerminalError
from edge_agent.settings import SHIPPED_MANIFEST, VisionSettings
from edge_agent.vision import interpreter, manifest
from edge_agent.vision.bench_idle import measure_idle
from edge_agent.vision.bench_peer_link import Peer, PeerMissingError
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.landmarks import Landmarker
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
    parser.add_argument("--json", action="store_true", help="the result as JSON, keys as in edge_agent/vision/bench.py")


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
        "machine": _machine(),
        "source": "built-in portrait" if footage is None else footage.name,
        "frame_px": [width, height],
        "frames": len(frames),
    }
    result |= _measure(settings, frames, peer_python)
    if idle_s > 0:
        result["idle"] = measure_idle(lambda: _Models(settings).observer, idle_s)
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
    machine = result["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['interpreter']}, MediaPipe {machine['mediapipe']}",
        f"{result['frames']} frames {result['frame_px'][0]}×{result['frame_px'][1]} of {result['source']}, "
        f"{result['frames_with_probe']} with a probe",
        f"{'':12}{'median ms':>10}{'p99 ms':>10}",
    ]
    rows = [
        *result["stages"].items(),
        *((f"bare {name}", row) for name, row in result["bare"].items() if name != "embed_invocations"),
    ]
    lines += [f"{name:15}{row['median_ms']:7.2f}{row['p99_ms']:10.2f}" for name, row in rows]
    lines.append(f"{result['ratio_to_bare']:.2f} times the bare models")
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


class _Models:
    """The product's observer and, beside it, the bare models."""

    def __init__(self, settings: VisionSettings) -> None:
        models, folder = manifest.load(settings.manifest), settings.manifest.parent
        manifest.require_verified(models, folder)
        spec, bundle = models.active_embedder, folder / models.active_landmarker.file
        embedder = Embedder(spec, folder, settings.mirrored_average, settings.threads)
        # -1: likeness is computed, as in the field, but never starts another track.
        self.observer = Observer(Landmarker(bundle), embedder, settings, same_face_min=-1.0)
        self.landmarker = Landmarker(bundle)
        self.runner = interpreter.load(folder / spec.file, settings.threads)
        self.invocations = 2 if settings.mirrored_average else 1
        tensor = self.runner.inputs[0]
        self.fixed_input = np.random.default_rng(0).integers(0, 128, tensor.shape).astype(tensor.dtype)

    def close(self) -> None:
        self.observer.close()
        self.landmarker.close()


def _measure(settings: VisionSettings, frames: Sequence[Image], peer_python: str | None) -> dict[str, Any]:
    models = _Models(settings)
    stages: dict[Stage, list[float]] = {stage: [] for stage in Stage}
    bare: dict[str, list[float]] = {"landmarks": [], "embed": [], "total": []}
    peer_ms: list[float] = []
    ours_beside_peer_ms: list[float] = []
    peer: Peer | None = None
    peer_result: dict[str, Any] = {}
    try:
        if peer_python is not None:
            try:
                peer = Peer(peer_python)
            except PeerMissingError as error:
                peer_result = {"missing": str(error)}
        for index, image in enumerate([*frames[:WARM_UP], *frames]):
            at_s = index * FRAME_S
            bare_first = index % 2 == 0
            bare_ms = _bare(models, image, at_s) if bare_first else (0.0, 0.0)
            seen = models.observer.observe(Frame(image, at_s, index))
            if not bare_first:
                bare_ms = _bare(models, image, at_s)
            if index < WARM_UP:
                continue
            _note(models.observer, seen, stages)
            if seen.probe is None:
                continue
            for name, value in zip(bare, (*bare_ms, sum(bare_ms)), strict=True):
                bare[name].append(value)
            if peer is not None and index % PEER_EVERY == 0:
                peer_ms.append(peer.measure(image))
                ours_beside_peer_ms.append(stages[Stage.TOTAL][-1])
        if peer is not None:
            peer_result = peer.describe(peer_ms, ours_beside_peer_ms)
    finally:
        models.close()
        if peer is not None:
            peer.close()
    if not bare["total"]:
        raise BenchError(
            "no frame gave a probe, so there is nothing to compare; give footage with a well-lit frontal face"
        )
    result: dict[str, Any] = {
        "frames_with_probe": len(bare["total"]),
        "stages": {stage.value: summarise(tuple(values)) for stage, values in stages.items() if values},
        "bare": {name: summarise(tuple(values)) for name, values in bare.items()}
        | {"embed_invocations": models.invocations},
        "ratio_to_bare": round(float(np.median(stages[Stage.TOTAL]) / np.median(bare["total"])), 3),
    }
    return result | ({"peer": peer_result} if peer_result else {})


def _bare(models: _Models, image: Image, at_s: float) -> tuple[float, float]:
    began = time.perf_counter()
    models.landmarker.detect(image, int(at_s * 1000))
    between = time.perf_counter()
    for _ in range(models.invocations):
        models.runner.run(models.fixed_input)
    return (between - began) * 1000, (time.perf_counter() - between) * 1000


def _note(observer: Observer, seen: FaceObservation, stages: dict[Stage, list[float]]) -> None:
    embedded = (Stage.CHIP, Stage.EMBED, Stage.TOTAL)
    for stage, values in stages.items():
        if seen.probe is not None or (stage not in embedded and seen.track_id is not None):
            values.append(observer.timings.samples_ms(stage)[-1])


def _machine() -> dict[str, Any]:
    return {
        "cpu": _cpu_name(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "interpreter": f"{interpreter.runtime_name()} {interpreter.runtime_version()}",
        "mediapipe": metadata.version("mediapipe"),
    }


def _cpu_name() -> str:
    """The processor as /proc says it: `model name` on PCs, `Model` on a Pi."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    found = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return str(found.get("Model") or found.get("model name") or platform.machine())
