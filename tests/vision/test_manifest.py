"""The manifest: what is accepted, how errors read, hashes, and thresholds from measured curves."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from edge_agent.vision import manifest as manifests
from edge_agent.vision.manifest import ManifestError, ModelHashMismatchError
from edge_agent.vision.operating_points import OperatingPointError

MODELS = Path(__file__).resolve().parents[2] / "models"

EMBEDDERS = ("sface_int8_weights", "dlib_resnet_int8")

POINTS = {
    "fused": 1,
    "mirrored": True,
    "measured_on": "made up",
    "n_subjects": 100,
    "n_impostor": 1_000_000,
    "impostor_curve": [
        {"fmr": 0.1, "threshold": 0.5, "false_matches": 100_000},
        {"fmr": 0.001, "threshold": 0.7, "false_matches": 1000},
        {"fmr": 1e-5, "threshold": 0.8, "false_matches": 10},
    ],
}


@pytest.fixture
def content() -> dict[str, Any]:
    """The shipped manifest with the embedder chosen and first that has every field, the mirrored look's included."""
    loaded: dict[str, Any] = yaml.safe_load((MODELS / "manifest.yaml").read_text())
    loaded["models"].sort(key=lambda model: model["name"] != "dlib_resnet_int8")
    loaded["active"]["embedder"] = "dlib_resnet_int8"
    return loaded


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        path = tmp_path / "manifest.yaml"
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return write


def embedder_of(content: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = next(m for m in content["models"] if m["role"] == "embedder")
    return entry


def test_the_shipped_manifest_loads_and_names_both_models() -> None:
    manifest = manifests.load(MODELS / "manifest.yaml")
    assert manifest.active.embedder == "sface_int8_weights"
    assert manifest.active_embedder.name == manifest.active.embedder
    assert manifest.active_landmarker.points == 478
    assert manifest.active_embedder.template_px.shape == (5, 2)
    assert set(manifest.model_hashes()) == {manifest.active.embedder, manifest.active.landmarker}


def test_the_shipped_models_are_those_of_the_manifest() -> None:
    checks = manifests.verify(manifests.load(MODELS / "manifest.yaml"), MODELS)
    assert [check.error for check in checks] == [None] * len(checks)
    assert {check.role for check in checks if check.active} == {"embedder", "landmarker"}


@pytest.mark.parametrize("name", EMBEDDERS)
def test_the_shipped_thresholds_cover_the_default_settings(name: str) -> None:
    (spec,) = (model for model in manifests.load(MODELS / "manifest.yaml").models if model.name == name)
    assert isinstance(spec, manifests.EmbedderSpec)
    assert 0 < spec.threshold_for_fmr(1e-4) < spec.threshold_for_fpir(0.01, 500) < 1
    for fused in (1, 2):
        for mirrored in (True, False):
            at_500 = spec.threshold_for_fpir(0.01, 500, fused=fused, mirrored=mirrored)
            assert spec.threshold_for_fmr(1e-4, fused=fused, mirrored=mirrored) < at_500 < 1
    for mirrored in (True, False):
        fused = [spec.threshold_for_fmr(1e-3, fused=k, mirrored=mirrored) for k in (1, 2, 3)]
        assert all(0 < threshold < 1 for threshold in fused)


def test_a_changed_model_is_refused_by_name_and_both_hashes(tmp_path: Path) -> None:
    for file in MODELS.iterdir():
        shutil.copy(file, tmp_path)
    manifest = manifests.load(tmp_path / "manifest.yaml")
    manifests.require_verified(manifest, tmp_path)
    victim = tmp_path / manifest.active_embedder.file
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    with pytest.raises(ModelHashMismatchError) as caught:
        manifests.require_verified(manifest, tmp_path)
    error = caught.value
    assert error.name == manifest.active.embedder
    assert error.found not in (None, error.expected)
    for part in (error.name, error.expected, str(error.found), "git checkout models"):
        assert part in str(error)


def test_a_missing_model_is_refused_and_only_it(tmp_path: Path) -> None:
    shutil.copy(MODELS / "manifest.yaml", tmp_path)
    manifest = manifests.load(tmp_path / "manifest.yaml")
    shutil.copy(MODELS / manifest.active_embedder.file, tmp_path)
    errors = {check.role: check.error for check in manifests.verify(manifest, tmp_path) if check.active}
    assert errors["embedder"] is None
    assert "the file is missing" in str(errors["landmarker"])


def test_a_model_not_in_use_does_not_stop_a_terminal(content: dict[str, Any], tmp_path: Path) -> None:
    spare = copy.deepcopy(embedder_of(content))
    spare.update(name="spare", file="spare.tflite")
    content["models"].append(spare)
    for file in MODELS.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(content))
    manifest = manifests.load(tmp_path / "manifest.yaml")
    manifests.require_verified(manifest, tmp_path)
    assert [check.name for check in manifests.verify(manifest, tmp_path) if check.error] == ["spare"]


Change = Callable[[dict[str, Any]], None]


def set_in(*path: Any, value: Any) -> Change:
    def change(content: dict[str, Any]) -> None:
        target: Any = content
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (set_in("models", 0, "colour", value="rgb"), ["models.0.colour", "unknown key", "dlib_resnet_int8"]),
        (set_in("models", 0, "input", "size", value=1), ["models.0.input.size", "unknown key"]),
        (set_in("models", 0, "sha256", value="abc"), ["models.0.sha256", "'abc'"]),
        (set_in("models", 0, "input", "size_px", value=4), ["input.size_px", "got 4"]),
        (set_in("models", 0, "input", "std", value=[1, 0, 1]), ["std", "above 0"]),
        (set_in("models", 0, "input", "colour_order", value="gbr"), ["colour_order", "'gbr'"]),
        (set_in("models", 0, "metric", value="l2"), ["metric", "'l2'"]),
        (set_in("models", 0, "role", value="detector"), ["models.0", "embedder"]),
        (set_in("models", 0, "file", value="../x.tflite"), ["file", "../x.tflite"]),
        (set_in("models", 0, "alignment", 0, "chip_px", value=[700, 3]), ["left_eye_outer", "150 px", "chip_px"]),
        (set_in("models", 0, "alignment", 0, "mesh", value=[470]), ["left_eye_outer", "470", "468"]),
        (set_in("models", 0, "alignment", 0, "mesh", value=[]), ["alignment.0.mesh"]),
        (set_in("models", 0, "mirrored_alignment", 1, "chip_px", value=[3, 151]), ["mesh_133", "150 px", "chip_px"]),
        (set_in("models", 0, "mirrored_alignment", 0, "mesh", value=[470]), ["mesh_33", "470", "468"]),
        (set_in("models", 1, "name", value="dlib_resnet_int8"), ["dlib_resnet_int8", "twice"]),
        (set_in("active", "embedder", value="nobody"), ["active.embedder", "'nobody'", "dlib_resnet_int8"]),
        (set_in("active", "embedder", value="mediapipe_mesh"), ["active.embedder", "mediapipe_mesh"]),
        (lambda content: content.pop("active"), ["active", "missing"]),
        (lambda content: content["models"][0].pop("licence"), ["models.0.licence", "missing", "dlib_resnet_int8"]),
    ],
)
def test_errors_name_file_field_value_and_remedy(
    content: dict[str, Any], written: Callable[[Any], Path], change: Change, parts: list[str]
) -> None:
    change(content)
    path = written(content)
    with pytest.raises(ManifestError) as caught:
        manifests.load(path)
    for part in (str(path), *parts):
        assert part in str(caught.value)


@pytest.mark.parametrize("text", ["", "- a\n", "models: [", "\x00"])
def test_what_is_not_a_manifest_is_refused(written: Callable[[Any], Path], text: str) -> None:
    path = written(text)
    with pytest.raises(ManifestError, match=str(path)):
        manifests.load(path)


def test_an_absent_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"absent\.yaml.*vision\.manifest"):
        manifests.load(tmp_path / "absent.yaml")


def test_source_points_are_means_of_mesh_points() -> None:
    spec = manifests.load(MODELS / "manifest.yaml").active_embedder
    mesh = np.random.default_rng(0).uniform(0, 640, (478, 3)).astype(np.float32)
    left_eye = spec.source_px(mesh)[0]
    np.testing.assert_allclose(left_eye, sum(mesh[index, :2] for index in (33, 133, 159, 145)) / 4, rtol=1e-6)


@pytest.fixture
def spec(content: dict[str, Any], written: Callable[[Any], Path]) -> manifests.EmbedderSpec:
    fused = {**copy.deepcopy(POINTS), "fused": 2}
    fused["impostor_curve"] = [{**point, "threshold": point["threshold"] + 0.1} for point in POINTS["impostor_curve"]]
    embedder_of(content)["operating_points"] = [POINTS, fused]
    return manifests.load(written(content)).active_embedder


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("meshes", [([33], [133]), ([2, 94], [7]), ([1, 2, 3], [4], [5, 6, 7, 8, 9])])
def test_source_points_are_those_means_but_for_the_order_of_sums(
    content: dict[str, Any],
    written: Callable[[Any], Path],
    meshes: tuple[list[int], ...],
    dtype: type[np.floating[Any]],
) -> None:
    embedder_of(content)["alignment"] = [
        {"name": f"p{number}", "mesh": mesh, "chip_px": [20 + number, 30]} for number, mesh in enumerate(meshes)
    ]
    spec = manifests.load(written(content)).active_embedder
    mesh_px = np.random.default_rng(1).uniform(0, 640, (478, 3)).astype(dtype)
    expected = [mesh_px[mesh, :2].mean(axis=0).astype(np.float64) for mesh in meshes]
    np.testing.assert_array_max_ulp(spec.source_px(mesh_px).astype(dtype), np.array(expected, dtype), maxulp=1)


@pytest.mark.parametrize("name", EMBEDDERS)
def test_source_points_of_the_shipped_embedders_are_those_means_to_the_last_bit(name: str) -> None:
    """But for points of four, whose sum has no one right order: there the last bits of float32 may differ."""
    (spec,) = (model for model in manifests.load(MODELS / "manifest.yaml").models if model.name == name)
    assert isinstance(spec, manifests.EmbedderSpec)
    few = np.array([len(point.mesh) <= 2 for point in spec.alignment])
    for seed in range(100):
        mesh_px = np.random.default_rng(seed).uniform(0, 640, (478, 3)).astype(np.float32)
        means = np.array([mesh_px[list(point.mesh), :2].mean(axis=0) for point in spec.alignment])
        found = spec.source_px(mesh_px)
        assert np.array_equal(found[few], means[few].astype(np.float64))
        np.testing.assert_array_max_ulp(found.astype(np.float32), means, maxulp=2)


def test_thresholds_are_linear_in_the_logarithm_of_the_rate(spec: manifests.EmbedderSpec) -> None:
    assert spec.threshold_for_fmr(0.1) == pytest.approx(0.5)
    assert spec.threshold_for_fmr(0.01) == pytest.approx(0.6)
    assert spec.threshold_for_fmr(0.001) == pytest.approx(0.7)
    assert spec.threshold_for_fmr(1e-4) == pytest.approx(0.75)
    assert spec.threshold_for_fmr(1e-5) == pytest.approx(0.8)


@pytest.mark.parametrize("fmr", [0.2, 9e-6, 1e-9])
def test_a_rate_that_was_not_measured_is_refused(spec: manifests.EmbedderSpec, fmr: float) -> None:
    with pytest.raises(OperatingPointError, match=r"smallest 1e-05.*1,000,000 comparisons"):
        spec.threshold_for_fmr(fmr)


def test_the_curve_with_most_photographs_up_to_those_fused_holds(spec: manifests.EmbedderSpec) -> None:
    assert spec.threshold_for_fmr(0.001, fused=2) == pytest.approx(0.8)
    assert spec.threshold_for_fmr(0.001, fused=9) == pytest.approx(0.8)
    with pytest.raises(ManifestError, match=r"mirrored: false.*measure-operating-points"):
        spec.threshold_for_fmr(0.001, mirrored=False)


def test_the_threshold_of_a_search_grows_with_the_gallery(spec: manifests.EmbedderSpec) -> None:
    assert spec.threshold_for_fpir(0.1, 1) == pytest.approx(spec.threshold_for_fmr(0.1))
    assert spec.threshold_for_fpir(0.01, 500) == pytest.approx(spec.threshold_for_fmr(1 - 0.99 ** (1 / 500)))
    assert spec.threshold_for_fpir(0.01, 1000) > spec.threshold_for_fpir(0.01, 500)
    assert spec.threshold_for_fpir(0.5, 2) == pytest.approx(0.5)  # needs less than the curve's most lenient point


def test_a_gallery_beyond_the_measurement_is_refused_with_the_largest_allowed(spec: manifests.EmbedderSpec) -> None:
    with pytest.raises(OperatingPointError, match=r"at most 1,005 people.*token"):
        spec.threshold_for_fpir(0.01, 1006)
    assert spec.threshold_for_fpir(0.01, 1005) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize(("fpir", "size"), [(0.0, 10), (1.0, 10), (0.01, 0)])
def test_senseless_searches_are_refused(spec: manifests.EmbedderSpec, fpir: float, size: int) -> None:
    with pytest.raises(OperatingPointError):
        spec.threshold_for_fpir(fpir, size)


def test_a_curve_out_of_order_is_refused(content: dict[str, Any], written: Callable[[Any], Path]) -> None:
    points = copy.deepcopy(POINTS)
    points["impostor_curve"][1]["threshold"] = 0.4
    embedder_of(content)["operating_points"] = [points]
    with pytest.raises(ManifestError, match=r"operating_points\.0.*falling fmr and rising threshold"):
        manifests.load(written(content))
