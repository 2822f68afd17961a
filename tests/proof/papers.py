"""Slips as people bring them: printed by the simulated printer, photographed with a telephone, photocopied, forged."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_agent.core.model import Receipt
from edge_agent.core.slip import SlipTerminal, compose
from edge_agent.devices import printer_simulated
from edge_agent.key_files import key_id
from edge_agent.language.phrases import CataloguePhrases
from edge_agent.settings import PrinterSettings
from edge_agent.slip_code import code_of, sign_slip
from tests.store.terminal import SIGNING, TERMINAL

Picture = npt.NDArray[np.uint8]
SHOWN = SlipTerminal(TERMINAL.id, TERMINAL.site, TERMINAL.place, "Telp. 0800-000-000", TERMINAL.timezone)


def code_text(receipt: Receipt, copy: int = 0) -> str:
    """As the store signs it."""
    return sign_slip(code_of(receipt, TERMINAL.id, TERMINAL.site, key_id(SIGNING.public_key()), copy), SIGNING)


def printed(receipt: Receipt, folder: Path, copy: int = 0, paper_mm: int = 58, qr: str = "native") -> Path:
    """The slip's picture, as it came out of the printer."""
    settings = PrinterSettings.model_validate({"driver": "simulated", "folder": folder, "paper_mm": paper_mm, "qr": qr})
    printer = printer_simulated.open_printer(settings)
    try:
        printer.print_slip(compose(receipt, SHOWN, CataloguePhrases("id"), copy, code_text(receipt, copy)))
    finally:
        printer.close()
    (picture,) = folder.glob("*.png")
    return picture


def photographed(
    slip: Path,
    out: Path,
    *,
    rotation_deg: float = 0.0,
    tilt_deg: float = 0.0,
    blur_px: float = 0.0,
    noise: float = 0.0,
    fills: float = 0.9,
    size_px: tuple[int, int] = (1200, 1600),
) -> Path:
    """A telephone's photograph of the slip on a table. fills: its height over the picture's."""
    paper = np.asarray(Image.open(slip).convert("L"), np.uint8)
    height, width = paper.shape
    wide, tall = size_px
    turn, tilt, far = np.deg2rad(rotation_deg), np.deg2rad(tilt_deg), 3.0 * tall
    scale = fills * tall / height
    corners = np.array([(-width, -height), (width, -height), (width, height), (-width, height)], float) * scale / 2
    corners = corners @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    near = far / (far + corners[:, 0] * np.sin(tilt))
    seen = np.stack([wide / 2 + corners[:, 0] * np.cos(tilt) * near, tall / 2 + corners[:, 1] * near], axis=1)
    flat = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, seen.astype(np.float32))
    soft = cv2.blur(paper, (2, 2)) if scale < 1 else paper
    table = np.tile(np.linspace(90, 150, wide), (tall, 1)).astype(np.uint8)
    inside = cv2.warpPerspective(np.full_like(paper, 255), matrix, (wide, tall)) > 127
    table[inside] = cv2.warpPerspective(soft, matrix, (wide, tall), flags=cv2.INTER_LINEAR)[inside]
    if blur_px:
        table = np.asarray(cv2.GaussianBlur(table, (0, 0), blur_px), np.uint8)
    if noise:
        table = np.clip(table + np.random.default_rng(5).normal(0, noise, table.shape), 0, 255).astype(np.uint8)
    name = next(out / f"photo-{n}.jpg" for n in itertools.count(1) if not (out / f"photo-{n}.jpg").exists())
    Image.fromarray(table).convert("RGB").save(name, quality=85)
    return name
