"""Owns the range of every activation in the int8 embedder, measured on variations of one public-domain portrait.

Rules: the measured ranges are kept in ``activation_ranges.json`` and a build reads them from there, so that a rebuild
on another processor, where sums differ in their last bits, still gives the same model byte for byte. Everything is
seeded. No data that accuracy is measured on is read here; but which statistic makes a range, and TAIL, were chosen by
what they bring on LFW's training pairs (models/README.md, *int8 beside float32*).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from model_build.dlib_weights import Floats, ResnetWeights
from model_build.resnet import INPUT, INPUT_SIZE_PX, embed_float

Ranges = dict[str, tuple[float, float]]

RANGES_FILE = Path(__file__).with_name("activation_ranges.json")

VARIATIONS = 256
SEED = 20260101
TAIL = {"block10.sum": 0.001, "block11.sum": 0.001, "block12.sum": 0.001, "block13.sum": 0.001}
"""Share of a chip's values that lies beyond the range, at either end; 0 for activations not named here. Few and very
high values of the last features outweigh all others in a cosine; cut off, they tell strangers apart better."""
PORTRAIT_POINTS_PX = np.array(
    [[194.65, 100.94], [213.82, 103.65], [237.44, 104.77], [256.71, 104.08], [223.97, 133.75]]
)
"""Eye corners and nose base in the portrait (mesh points 33, 133, 362, 263, mean of 2 and 94), fixed here so that no
landmark model is needed to build."""
TEMPLATE_POINTS_PX = 25.0 + 100.0 * np.array(
    [
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.6460604764104, 0.2289674387677],
        [0.8595674595992, 0.2134981538014],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""dlib's mean face of five points (``dlib/image_transforms/interpolation.h``), padding 0.25, 150 pixels."""


def chips(portrait: Path) -> npt.NDArray[np.uint8]:
    """Varied aligned faces (VARIATIONS, 150, 150, 3), RGB, from one portrait file."""
    bgr = cv2.imread(str(portrait))
    if bgr is None:
        raise FileNotFoundError(f"{portrait}: not a readable image")
    image = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
    rng = np.random.default_rng(SEED)
    return np.stack([_variation(image, rng) for _ in range(VARIATIONS)])


def _variation(image: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    jitter = rng.normal(0.0, 2.5, TEMPLATE_POINTS_PX.shape)  # alignment error, chip pixels
    # Different widths and heights make one face stand for many: faces differ in shape more than landmarks do in error.
    stretch = 1.0 + rng.normal(0.0, 0.06, 2)
    target = (TEMPLATE_POINTS_PX + jitter - 75.0) * stretch + 75.0
    matrix, *_ = np.linalg.lstsq(np.c_[PORTRAIT_POINTS_PX, np.ones(5)], target, rcond=None)
    size = (INPUT_SIZE_PX, INPUT_SIZE_PX)
    chip = np.asarray(cv2.warpAffine(image, matrix.T, size, flags=cv2.INTER_LINEAR), np.float64)
    if rng.random() < 0.5:
        chip = chip[:, ::-1]
    if rng.random() < 0.5:
        chip = np.asarray(cv2.GaussianBlur(chip, (0, 0), float(rng.uniform(0.5, 2.5))), np.float64)
    chip = 255.0 * (chip / 255.0) ** np.exp(rng.normal(0.0, 0.35))  # gamma: also darker and lighter skin
    chip = (chip - 128.0) * rng.uniform(0.6, 1.4) + 128.0 + rng.normal(0.0, 25.0)
    chip = chip * (1.0 + rng.normal(0.0, 0.08, 3))  # colour of the light
    shade = np.linspace(-1.0, 1.0, INPUT_SIZE_PX) * rng.uniform(-0.4, 0.4)
    chip = chip * (1.0 + shade)[None, :, None]  # light from one side
    chip = chip + rng.normal(0.0, rng.uniform(0.0, 8.0), chip.shape)
    pixels: npt.NDArray[np.uint8] = np.clip(np.rint(chip), 0, 255).astype(np.uint8)
    return pixels


def measure(weights: ResnetWeights, images: npt.NDArray[np.uint8]) -> Ranges:
    """Range of every activation, rounded outward to three digits: the mean of each image's least and greatest value.

    The mean, because one image's extremes would stretch the range for all. See TAIL for what counts as an extreme.
    """
    extremes: dict[str, list[Floats]] = {}

    def tap(name: str, tensor: Any) -> Any:
        values: Floats = tensor.numpy().reshape(len(tensor), -1)
        tail = TAIL.get(name, 0.0)
        extremes.setdefault(name, []).append(np.quantile(values, [tail, 1.0 - tail], axis=1))
        return tensor

    for start in range(0, len(images), 32):
        embed_float(weights, images[start : start + 32].astype(np.float32), tap)
    means = {name: np.concatenate(parts, axis=1).mean(axis=1) for name, parts in extremes.items()}
    # Zero (a padded pixel, the floor of a ReLU) must be representable.
    ranges = {n: (_outward(min(0.0, float(low))), _outward(max(0.0, float(high)))) for n, (low, high) in means.items()}
    ranges[INPUT] = (0.0, 255.0)  # scale exactly 1: a pixel minus 128 is the int8 input
    return ranges


def _outward(value: float) -> float:
    """``value`` with three digits, rounded away from zero."""
    if value == 0.0:
        return 0.0
    decimals = 2 - int(np.floor(np.log10(abs(value))))
    return round(float(np.sign(value) * np.ceil(abs(value) * 10.0**decimals) / 10.0**decimals), decimals)


def read_ranges() -> Ranges:
    """The ranges of the last calibration."""
    stored: dict[str, list[float]] = json.loads(RANGES_FILE.read_text())
    return {name: (low, high) for name, (low, high) in stored.items()}


def write_ranges(ranges: Ranges) -> None:
    """Replace the stored ranges, one activation a line."""
    lines = [f"  {json.dumps(name)}: {json.dumps(limits)}" for name, limits in ranges.items()]
    RANGES_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
