"""Cards for tests: a token's code as it would be printed, held up before a camera."""

from __future__ import annotations

from datetime import date

import cv2
import numpy as np
import numpy.typing as npt
import qrcode
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.token_file import Token, sign_token

Grey = npt.NDArray[np.uint8]
LAST_DAY = date(2099, 12, 31)
SERIAL = "0123456789ab"


def token_text(subject: str, key: Ed25519PrivateKey, serial: str = SERIAL, last_day: date = LAST_DAY) -> str:
    return sign_token(Token(subject, last_day, serial), key)


def code_image(text: str) -> Grey:
    """The printed code with its quiet zone, 8 pixels a module."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4, box_size=8)
    code.add_data(text)
    code.make(fit=True)
    return np.asarray(code.make_image().convert("L"), np.uint8).copy()


def held_up(
    text: str,
    side_px: int = 240,
    *,
    rotation_deg: float = 0.0,
    tilt_deg: float = 0.0,
    blur_px: float = 0.0,
    noise: float = 0.0,
    size_px: tuple[int, int] = (640, 480),
) -> npt.NDArray[np.uint8]:
    """An RGB frame of this card in the middle of a grey room; tilt is about the upright axis, seen in perspective."""
    code = code_image(text)
    width, height = size_px
    edge = float(code.shape[0])
    turn, tilt, far = np.deg2rad(rotation_deg), np.deg2rad(tilt_deg), 800.0
    corners = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], float) * side_px / 2
    corners = corners @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))])
    scale = far / (far + corners[:, 0] * np.sin(tilt))
    seen = np.stack([width / 2 + corners[:, 0] * np.cos(tilt) * scale, height / 2 + corners[:, 1] * scale], axis=1)
    flat = np.array([(0, 0), (edge, 0), (edge, edge), (0, edge)], np.float32)
    matrix = cv2.getPerspectiveTransform(flat, seen.astype(np.float32))
    small = max(1, round(edge / side_px))
    soft = cv2.blur(code, (small, small)) if small > 1 else code
    frame = np.full((height, width), 110, np.uint8)
    inside = cv2.warpPerspective(np.full_like(code, 255), matrix, (width, height)) > 127
    frame[inside] = cv2.warpPerspective(soft, matrix, (width, height), flags=cv2.INTER_LINEAR)[inside]
    if blur_px:
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), blur_px), np.uint8)
    if noise:
        grain = np.random.default_rng(7).normal(0.0, noise, frame.shape)
        frame = np.clip(frame + grain, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(frame[:, :, None], 3, axis=2))
