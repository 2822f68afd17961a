"""What can stand before the camera: a living person, a printed photograph, a screen that plays a clip.

Rules: a photograph and a screen are given the same cues as a person, and do with them what their holder can: tilt the
paper, or nothing at all. One subject serves one visit; faces are shared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from edge_agent.devices.puppet.behaviour import Stance
from edge_agent.devices.puppet.face import PuppetFace
from edge_agent.devices.puppet.flat import Sheet, draw_sheet
from edge_agent.devices.puppet.layers import layer
from edge_agent.devices.puppet.motion import Blinks, LookingAbout, Pose, Sway
from edge_agent.devices.puppet.person import Person
from edge_agent.devices.puppet.placement import Placement
from edge_agent.ports import Image

PHOTO_TILT_DEG = 35.0
"""Furthest a held photograph is tilted: beyond it, the face is no longer found."""

_CROP = (2.3, 2.2, 2.9)
"""Photograph: left and right of the eyes, above, below, in eye distances."""
_SKIN, _PAPER, _BEZEL = (176, 128, 104), (238, 237, 232), (18, 18, 20)
_SCREEN_WIDTH = 6.0
"""Of the clip, in eye distances of a face at the same distance: a large phone or small tablet held up close."""
_SCREEN_GAMMA = 1.15
_REPLAYED_TURN_DEG = 24.0


class Subject(Protocol):
    """Something to look at."""

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:
        """Draw into the picture (RGB uint8). now_s: monotonic seconds that must not fall."""


class Living:
    """The person themselves."""

    def __init__(self, person: Person) -> None:
        self._person = person

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:  # noqa: ARG002
        """As the stance says."""
        self._person.draw(picture, placement, stance.pose)


class Photograph:
    """A print with a white border, held in two hands that are never still; tilted towards the light that asks."""

    def __init__(self, face: PuppetFace, rng: np.random.Generator) -> None:
        self._sheet = print_of(face)
        self._yaw, self._pitch, self._roll = Sway(rng, 14.0), Sway(rng, 12.0), Sway(rng, 6.0)

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:
        """Tilted half as far again as a head would turn."""
        yaw = 1.5 * stance.pose.yaw_deg + self._yaw.at(now_s)
        tilt = Pose(
            min(max(yaw, -PHOTO_TILT_DEG), PHOTO_TILT_DEG),
            self._pitch.at(now_s),
            placement.lean_deg + self._roll.at(now_s),
        )
        draw_sheet(picture, self._sheet, placement, tilt)


class Screen:
    """A tablet that plays a clip. clip: seconds since the start (rising) -> RGB picture, always of one size."""

    def __init__(self, clip: Callable[[float], Image], rng: np.random.Generator, begun_s: float) -> None:
        self._clip = clip
        self._begun_s = begun_s
        self._yaw, self._pitch, self._roll = Sway(rng, 6.0), Sway(rng, 5.0), Sway(rng, 2.5)
        self._shown = (255 * (np.arange(256) / 255) ** _SCREEN_GAMMA).astype(np.uint8)

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:  # noqa: ARG002
        """As the clip goes on, whatever the LEDs ask."""
        shown = np.asarray(cv2.LUT(self._clip(now_s - self._begun_s), self._shown), np.uint8)
        height, width = shown.shape[:2]
        bezel = round(0.045 * width)
        pixels = _bordered(shown, bezel, bezel, _BEZEL)
        sheet = Sheet(
            layer(pixels, np.full(pixels.shape[:2], 255, np.uint8)),
            (bezel + width / 2, bezel + 0.42 * height),
            width / _SCREEN_WIDTH,
        )
        tilt = Pose(self._yaw.at(now_s), self._pitch.at(now_s), placement.lean_deg + self._roll.at(now_s))
        draw_sheet(picture, sheet, placement, tilt)


class TurningClip:
    """The clip an attacker would record: the person turning the head this way and that, blinking. For `Screen`."""

    def __init__(self, person: Person, background: Image, rng: np.random.Generator) -> None:
        self._person = person
        self._background = background
        self._about = LookingAbout(rng, _REPLAYED_TURN_DEG, 0.0)
        self._pitch = Sway(rng, 3.0)
        self._blinks = Blinks(rng, 0.0)

    def __call__(self, since_s: float) -> Image:
        """The picture at this time of the clip."""
        picture: Image = self._background.copy()
        height, width = picture.shape[:2]
        pose = Pose(self._about.at(since_s), self._pitch.at(since_s), 0.0, self._blinks.at(since_s))
        self._person.draw(picture, Placement((width / 2, 0.42 * height), 0.2 * height), pose)
        return picture


def print_of(face: PuppetFace) -> Sheet:
    """The portrait around the face, twice as fine as it was, on white paper, with a hand at each side."""
    unit, (x, y) = face.unit_px, face.eyes.tolist()
    beside, above, below = (part * unit for part in _CROP)
    height, width = face.image.shape[:2]
    left, top = max(0, round(x - beside)), max(0, round(y - above))
    crop = face.image[top : min(height, round(y + below)), left : min(width, round(x + beside))]
    fine = np.asarray(cv2.resize(crop, None, fx=2, fy=2, interpolation=cv2.INTER_LANCZOS4), np.uint8)
    border, hands = round(0.3 * unit), round(0.7 * unit)
    sheet = _bordered(_bordered(fine, border, border, _PAPER), 0, hands, _SKIN)
    height, width = sheet.shape[:2]
    alpha = np.zeros((height, width), np.uint8)
    alpha[:, hands : width - hands] = 255
    finger_y = round(0.72 * height)
    for finger_x in (hands, width - hands):
        centre, axes = (finger_x, finger_y), (round(0.75 * hands), round(0.42 * hands))
        cv2.ellipse(alpha, centre, axes, 0, 0, 360, (255,), -1, cv2.LINE_AA)
        cv2.ellipse(sheet, centre, axes, 0, 0, 360, _SKIN, -1, cv2.LINE_AA)
    anchor = (2 * (x - left) + border + hands, 2 * (y - top) + border)
    return Sheet(layer(sheet, alpha), anchor, 2 * unit)


def _bordered(picture: Image, rows: int, columns: int, colour: tuple[int, int, int]) -> Image:
    """The picture with a border of one colour: `rows` above and below, `columns` at the sides."""
    wider = cv2.copyMakeBorder(picture, rows, rows, columns, columns, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(wider, np.uint8)
