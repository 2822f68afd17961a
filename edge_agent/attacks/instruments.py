"""The instruments as puppet subjects: each is given a holder's stance and draws itself into the picture.

Rules: a paper is tilted half as far again as a head would turn, because that is what its holder can do when a light
asks for a turn. Everything random comes from the generator given.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from edge_agent.attacks.curved import draw_curved
from edge_agent.attacks.material import Material
from edge_agent.devices.puppet.behaviour import Stance
from edge_agent.devices.puppet.eyelids import STEPS, eye_band
from edge_agent.devices.puppet.face import CHIN, LEFT_EYE_OUTER, NOSE_TIP, RIGHT_EYE_OUTER, PuppetFace, load_face
from edge_agent.devices.puppet.flat import Sheet, draw_sheet
from edge_agent.devices.puppet.head_shape import EYE_DISTANCE_M, rotation
from edge_agent.devices.puppet.layers import layer
from edge_agent.devices.puppet.motion import Blinks, Pose, Sway
from edge_agent.devices.puppet.person import Person
from edge_agent.devices.puppet.placement import Placement
from edge_agent.devices.puppet.script import ASSETS
from edge_agent.devices.puppet.subjects import PHOTO_TILT_DEG, print_of
from edge_agent.ports import Image

BEND_RADIUS = (0.9, 2.5)
"""Of a bent print, eye distances: from round a head (8 cm) to hardly bent (22 cm)."""
_EYE_RINGS = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
_BEHIND = 0.25
"""Living eyes behind a cut-out: so far behind the paper, eye distances."""
_PIVOT_DEPTH = 0.85
_MOUTH = (13, 14)


class _Hands:
    """How a sheet is held: never still, and turned with the holder's stance."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._yaw, self._pitch, self._roll = Sway(rng, 14.0), Sway(rng, 12.0), Sway(rng, 6.0)

    def tilt(self, placement: Placement, stance: Stance, now_s: float) -> Pose:
        yaw = 1.5 * stance.pose.yaw_deg + self._yaw.at(now_s)
        yaw = min(max(yaw, -PHOTO_TILT_DEG), PHOTO_TILT_DEG)
        return Pose(yaw, self._pitch.at(now_s), placement.lean_deg + self._roll.at(now_s))


class BentPrint:
    """A print bent round an upright cylinder."""

    def __init__(self, face: PuppetFace, rng: np.random.Generator) -> None:
        self._sheet = print_of(face)
        self._hands = _Hands(rng)
        self._radius = float(rng.uniform(*BEND_RADIUS))

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:
        """Tilted as a print is."""
        tilt = self._hands.tilt(placement, stance, now_s)
        draw_curved(picture, self._sheet, placement, tilt, self._radius)


class CutOut:
    """A face cut out of a print, eyes cut out of it, and living eyes behind: those of the source, which blink."""

    def __init__(self, material: Material, rng: np.random.Generator, begun_s: float) -> None:
        self._material = material
        self._face = material.face
        self._hands = _Hands(rng)
        self._blinks = Blinks(rng, begun_s)
        self._gaze = Sway(rng, 0.035, 0.4, 3.0)
        self._begun_s = begun_s
        self._band = eye_band(self._face.image, self._face.mesh)
        self._paper = self._sheet(self._face.image, _mask_of_face(self._face))
        self._around_eyes = _mask_of_eyes(self._face, 0.3)

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:
        """Eyes first, the paper over them."""
        tilt = self._hands.tilt(placement, stance, now_s)
        # Further back than the paper, the eyes shift against its holes when it turns.
        aside = self._gaze.at(now_s) - _BEHIND * float(np.sin(np.deg2rad(tilt.yaw_deg)))
        aside = min(max(aside, -0.09), 0.09) * placement.eye_distance_px
        eyes = self._sheet(self._living(now_s), self._around_eyes)
        x, y = placement.eyes_px
        behind = Placement((x + aside, y), placement.eye_distance_px, placement.lean_deg, placement.distance_m)
        draw_sheet(picture, eyes, behind, tilt)
        draw_sheet(picture, self._paper, placement, tilt)

    def _living(self, now_s: float) -> Image:
        """The source's eyes at this time, in the portrait's place: from the video, or the portrait's own, blinking."""
        if self._material.moves:
            index = self._material.index_at(now_s - self._begun_s)
            corners = [RIGHT_EYE_OUTER, LEFT_EYE_OUTER, 168]
            seen = self._material.meshes[index][corners, :2].astype(np.float32)
            wanted = self._face.mesh[corners, :2].astype(np.float32)
            size = (self._face.image.shape[1], self._face.image.shape[0])
            matrix = cv2.getAffineTransform(seen, wanted)
            return np.asarray(cv2.warpAffine(self._material.frames[index], matrix, size), np.uint8)
        alive: Image = self._face.image.copy()
        band = self._band.steps[round(self._blinks.at(now_s) * (STEPS - 1))]
        top, left = self._band.top, self._band.left
        alive[top : top + band.shape[0], left : left + band.shape[1]] = band
        return alive

    def _sheet(self, colour: Image, alpha: Image) -> Sheet:
        x, y = self._face.eyes.tolist()
        return Sheet(layer(colour, alpha), (x, y), self._face.unit_px)


class Partial:
    """A living head, the shipped astronaut's, with a print of the source's mouth and chin worn over its own."""

    def __init__(self, face: PuppetFace, rng: np.random.Generator, width_px: int, height_px: int) -> None:
        self._wearer = shipped_face()
        self._person = Person(self._wearer, width_px, height_px)
        self._radius = float(rng.uniform(1.0, 1.6))
        unit, top = face.unit_px, face.mesh[NOSE_TIP, 1] + 0.14 * face.unit_px
        mouth = face.mesh[list(_MOUTH), :2].mean(axis=0)
        alpha = np.zeros(face.image.shape[:2], np.uint8)
        corners = cv2.convexHull(face.mesh[:, :2].astype(np.float32)).reshape(-1, 2)
        cv2.fillConvexPoly(alpha, np.rint(corners).astype(np.int32), (255,), cv2.LINE_AA)
        alpha[: round(top)] = 0
        self._print = Sheet(layer(face.image, alpha), (float(mouth[0]), float(mouth[1])), unit)
        own = self._wearer
        below = float(own.mesh[list(_MOUTH), 1].mean() - own.eyes[1]) / own.unit_px
        self._mouth = np.array([0.0, below, -0.2])
        self._pivot = np.array([0.0, float(own.mesh[CHIN, 1] - own.eyes[1]) / own.unit_px, _PIVOT_DEPTH])

    @property
    def wearer(self) -> PuppetFace:
        """Whose head it is."""
        return self._wearer

    def draw(self, picture: Image, placement: Placement, stance: Stance, now_s: float) -> None:  # noqa: ARG002
        """The head as the stance says; the print goes with it."""
        self._person.draw(picture, placement, stance.pose)
        camera = placement.distance_m / EYE_DISTANCE_M
        lean = rotation(Pose(roll_deg=placement.lean_deg))
        x, y, z = (lean @ (rotation(stance.pose) @ (self._mouth - self._pivot) + self._pivot)).tolist()
        nearer = camera / (camera + z)
        unit = placement.eye_distance_px
        at = (placement.eyes_px[0] + x * nearer * unit, placement.eyes_px[1] + y * nearer * unit)
        worn = Placement(at, unit * nearer, placement.lean_deg, placement.distance_m)
        pose = stance.pose
        tilt = Pose(pose.yaw_deg, pose.pitch_deg, pose.roll_deg + placement.lean_deg)
        draw_curved(picture, self._print, worn, tilt, self._radius)


@lru_cache(maxsize=1)
def shipped_face() -> PuppetFace:
    """The astronaut's."""
    return load_face(ASSETS / "nasa_astronaut.json")


def _mask_of_face(face: PuppetFace) -> Image:
    """255 where the paper is: the face and some hair above it, without the eyes."""
    alpha = np.zeros(face.image.shape[:2], np.uint8)
    points = face.mesh[:, :2]
    brow = points[points[:, 1] < face.eyes[1]] - (0.0, 0.35 * face.unit_px)
    hull = cv2.convexHull(np.vstack([points, brow]).astype(np.float32)).reshape(-1, 2)
    cv2.fillConvexPoly(alpha, np.rint(hull).astype(np.int32), (255,), cv2.LINE_AA)
    alpha[_mask_of_eyes(face, 0.05) > 0] = 0
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.8), np.uint8)


def _mask_of_eyes(face: PuppetFace, wider: float) -> Image:
    """255 in and around the eyes. wider: by so many eye distances."""
    mask = np.zeros(face.image.shape[:2], np.uint8)
    for ring in _EYE_RINGS:
        cv2.fillConvexPoly(mask, np.rint(face.mesh[list(ring), :2]).astype(np.int32), (255,))
    side = 2 * max(1, round(wider * face.unit_px)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(mask, kernel), np.uint8)
