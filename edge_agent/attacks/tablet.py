"""A tablet that plays a clip: gamma, pixel moiré, refresh bands and glare on the glass, and a bezel around it.

Rules: the moiré is the screen's own pixels, sampled by the camera's: it comes and goes with distance and tilt, as on
real screens. Some screens are so fine or matt that hardly any is left, and some so large or near that no bezel is in
view. Everything is a function of time and of the generator given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from edge_agent.devices.puppet.behaviour import Stance
from edge_agent.devices.puppet.flat import Sheet, sheet_to_picture
from edge_agent.devices.puppet.layers import lay_over, layer
from edge_agent.devices.puppet.motion import Pose, Sway
from edge_agent.devices.puppet.person import Person
from edge_agent.devices.puppet.placement import Placement
from edge_agent.ports import Image

_BEZEL = (18, 18, 20)
_BEZEL_SHARE = 0.045
_SHOWN_SIZE = 0.9
"""Of the face on the screen, against a living one at the same distance."""
_COLOUR_CAST = np.array([0.95, 0.99, 1.06])
"""A display's white beside indoor light: red, green, blue."""
_FILLING_SHARE = 0.35
"""Of screens that reach beyond the camera's view: large, or held near with a clip shot from further away."""
_SURROUNDINGS = 1.0
"""What such a clip shows more on each side, in widths and heights of the one given."""
_SURROUNDINGS_BLUR = 0.06
"""Standard deviation of that, in heights: so far out of focus that no second face is in it."""
_FINE_SHARE = 0.3
_FINE_MOIRE = (0.0, 0.3)
"""Screens with pixels too fine for the camera's lens, or a matt film over them: of the moiré of the others."""


@dataclass(frozen=True, eq=False)
class Playing:
    """picture_at: seconds since the start (rising) -> RGB picture, always of one size; the rest: of its face."""

    picture_at: Callable[[float], Image]
    eyes_px: tuple[float, float]
    eye_distance_px: float


@dataclass(frozen=True, eq=False)
class _Glass:
    """matrix: from the tablet's pixels (size: rows, columns, bezel included) to the picture's."""

    matrix: npt.NDArray[np.float64]
    size: tuple[int, int]
    bezel_px: int


class Tablet:
    """A puppet `Subject`. Turns unasked as the clip does; its holder can't change that."""

    def __init__(self, playing: Playing, rng: np.random.Generator, begun_s: float) -> None:
        self._playing = playing
        self._begun_s = begun_s
        self._yaw, self._pitch, self._roll = Sway(rng, 9.0), Sway(rng, 6.0), Sway(rng, 2.5)
        levels = np.arange(256)[:, None] / 255
        gamma = float(rng.uniform(1.05, 1.3))
        self._shown = np.clip(255 * _COLOUR_CAST * levels**gamma, 0, 255).astype(np.uint8).reshape(256, 1, 3)
        self._pixels = float(rng.uniform(900, 1600))
        self._moire = float(rng.uniform(0.02, 0.06))
        self._band_depth, self._band_hz = float(rng.uniform(0.03, 0.08)), float(rng.uniform(0.3, 2.0))
        self._glare = float(rng.uniform(30, 90))
        self._glare_at = rng.uniform(0.1, 0.9, 2)
        # A stream of its own, so that what was drawn before for a seed stays as it was.
        build = rng.spawn(1)[0]
        self._fills_view = bool(build.random() < _FILLING_SHARE)
        if build.random() < _FINE_SHARE:
            self._moire *= float(build.uniform(*_FINE_MOIRE))

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:  # noqa: ARG002
        """As the clip goes on, whatever is asked."""
        shown = np.asarray(cv2.LUT(self._playing.picture_at(now_s - self._begun_s), self._shown), np.uint8)
        x, y = self._playing.eyes_px
        if self._fills_view:
            (height, width), wider = shown.shape[:2], _with_surroundings(shown)
            x, y = x + (wider.shape[1] - width) // 2, y + (wider.shape[0] - height) // 2
            shown = wider
        bezel = round(_BEZEL_SHARE * shown.shape[1])
        pixels = np.asarray(
            cv2.copyMakeBorder(shown, bezel, bezel, bezel, bezel, cv2.BORDER_CONSTANT, value=_BEZEL), np.uint8
        )
        opaque = np.full(pixels.shape[:2], 255, np.uint8)
        unit_px = self._playing.eye_distance_px / _SHOWN_SIZE
        sheet = Sheet(layer(pixels, opaque), (bezel + x, bezel + y), unit_px)
        tilt = Pose(self._yaw.at(now_s), self._pitch.at(now_s), placement.lean_deg + self._roll.at(now_s))
        matrix = sheet_to_picture(sheet, placement, tilt)
        size = (picture.shape[1], picture.shape[0])
        # Reduced as a lens would, before it is seen small: what aliases is the screen's grid alone.
        drawn = np.asarray(cv2.warpPerspective(sheet.texture, matrix, size, flags=cv2.INTER_AREA), np.uint8)
        self._light(drawn, _Glass(matrix, pixels.shape[:2], bezel), tilt, now_s)
        lay_over(picture, drawn)

    def _light(self, drawn: npt.NDArray[np.uint8], glass: _Glass, tilt: Pose, now_s: float) -> None:
        """Moiré, bands and glare on the glass as it is seen (RGBA, changed)."""
        left, top, width, height = cv2.boundingRect(np.ascontiguousarray(drawn[:, :, 3]))
        if width == 0:
            return
        box = drawn[top : top + height, left : left + width]
        xs, ys = np.meshgrid(np.arange(left, left + width), np.arange(top, top + height))
        back = np.linalg.inv(glass.matrix)
        depth = back[2, 0] * xs + back[2, 1] * ys + back[2, 2]
        across = (back[0, 0] * xs + back[0, 1] * ys + back[0, 2]) / depth
        down = (back[1, 0] * xs + back[1, 1] * ys + back[1, 2]) / depth
        rows, columns = glass.size
        bezel = glass.bezel_px
        on_screen = (across > bezel) & (across < columns - bezel) & (down > bezel) & (down < rows - bezel)
        per_pixel = self._pixels / columns
        band = 0.5 + 0.5 * np.cos(2 * np.pi * (1.7 * ys / max(height, 1) - self._band_hz * now_s))
        gain = 1.0 - self._band_depth * band
        lines = np.cos(2 * np.pi * per_pixel * down)
        spot_x = (self._glare_at[0] + 0.02 * tilt.yaw_deg) * columns
        spot_y = (self._glare_at[1] + 0.02 * tilt.pitch_deg) * rows
        far = ((across - spot_x) ** 2 + (down - spot_y) ** 2) / (0.12 * columns) ** 2
        glare = self._glare * np.exp(-far)
        for channel in range(3):
            grid = np.cos(2 * np.pi * (per_pixel * across + channel / 3)) + lines
            lit = box[:, :, channel] * gain * (1 + self._moire * grid) + glare
            box[:, :, channel] = np.where(on_screen, np.clip(lit, 0, 255), box[:, :, channel]).astype(np.uint8)
        np.minimum(box, box[:, :, 3:], out=box)


def _with_surroundings(shown: Image) -> Image:
    """The clip in the middle of a wider one: what is around it is an enlargement of it, far out of focus."""
    height, width = shown.shape[:2]
    beside, above = round(_SURROUNDINGS * width), round(_SURROUNDINGS * height)
    small = cv2.resize(shown, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), 0.125 * _SURROUNDINGS_BLUR * height)
    wider = np.asarray(cv2.resize(soft, (width + 2 * beside, height + 2 * above)), np.uint8)
    wider[above : above + height, beside : beside + width] = shown
    return wider


class OperatedTablet:
    """A tablet whose operator watches the lights and plays, at each cue, the clip that turns that way.

    person: whose clips they are; wall: what stands behind them in the clips, RGB of the clips' size.
    """

    def __init__(self, person: Person, wall: Image, rng: np.random.Generator, begun_s: float) -> None:
        self._person = person
        self._wall = wall
        height, width = wall.shape[:2]
        self._recorded = Placement((width / 2, 0.42 * height), 0.2 * height)
        self._pose = Pose()
        self._tablet = Tablet(Playing(self._clip, self._recorded.eyes_px, 0.2 * height), rng, begun_s)

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:
        """The clip is as far as a head would be that follows the lights."""
        self._pose = stance.pose
        self._tablet.draw(picture, placement, stance, now_s)

    def _clip(self, _since_s: float) -> Image:
        shown: Image = self._wall.copy()
        self._person.draw(shown, self._recorded, self._pose)
        return shown
