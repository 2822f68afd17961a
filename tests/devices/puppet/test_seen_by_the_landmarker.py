"""What MediaPipe sees in the puppet: a head that turns has the parallax of a head, a turned photograph has none.

Real heads ran to ±0.24 at about ±20°, planes stayed within ±0.06 up to ±35° (design.md, *Liveness*).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from edge_agent.devices.puppet.backdrop import backdrop
from edge_agent.devices.puppet.face import PuppetFace, load_face
from edge_agent.devices.puppet.flat import draw_sheet
from edge_agent.devices.puppet.motion import Pose
from edge_agent.devices.puppet.person import Person
from edge_agent.devices.puppet.placement import Placement
from edge_agent.devices.puppet.script import ASSETS, Backdrop
from edge_agent.devices.puppet.subjects import print_of
from edge_agent.ports import Image
from edge_agent.vision.landmarks import Landmarker, Mesh
from edge_agent.vision.parallax import parallax
from edge_agent.vision.quality import measure
from tests.devices.puppet.theatre import LANDMARKER

NEAR = Placement((320.0, 192.0), 86.0)


@pytest.fixture(scope="module")
def face() -> PuppetFace:
    return load_face(ASSETS / "nasa_astronaut.json")


@pytest.fixture(scope="module")
def person(face: PuppetFace) -> Person:
    return Person(face, 640, 480)


@pytest.fixture(scope="module")
def wall(face: PuppetFace) -> Image:
    return backdrop(Backdrop.PLAIN, face, 640, 480)


@pytest.fixture(scope="module")
def landmarker() -> Iterator[Landmarker]:
    with Landmarker(LANDMARKER, max_faces=1, mode="image") as made:
        yield made


def mesh_of(landmarker: Landmarker, image: Image) -> Mesh:
    meshes = landmarker.detect(image)
    assert len(meshes) == 1, "no face is seen"
    return meshes[0]


def drawn(person: Person, wall: Image, pose: Pose, placement: Placement = NEAR) -> Image:
    picture = wall.copy()
    person.draw(picture, placement, pose)
    return picture


def test_a_turning_head_has_the_parallax_of_a_head(person: Person, wall: Image, landmarker: Landmarker) -> None:
    yaws = np.arange(-24.0, 25.0, 4.0)
    seen = np.array([parallax(mesh_of(landmarker, drawn(person, wall, Pose(yaw)))) for yaw in yaws])
    assert np.corrcoef(yaws, seen)[0, 1] > 0.98
    assert np.all(np.diff(seen) > -0.02)
    assert abs(seen[len(yaws) // 2]) < 0.03
    at_20 = np.interp([-20.0, 20.0], yaws, seen)
    assert -0.30 < at_20[0] < -0.18
    assert 0.18 < at_20[1] < 0.30


def test_nodding_and_tilting_have_no_parallax(person: Person, wall: Image, landmarker: Landmarker) -> None:
    for pose in (Pose(pitch_deg=10.0), Pose(pitch_deg=-10.0), Pose(roll_deg=10.0), Pose(roll_deg=-10.0)):
        assert abs(parallax(mesh_of(landmarker, drawn(person, wall, pose)))) < 0.06


def test_a_bowed_head_is_seen_as_bowed_and_a_tilted_one_as_tilted(
    person: Person, wall: Image, landmarker: Landmarker
) -> None:
    def measured(pose: Pose) -> tuple[float, float]:
        image = drawn(person, wall, pose)
        face = measure(image, mesh_of(landmarker, image))
        return face.pitch_ratio, face.roll_deg

    straight, bowed, tilted = (measured(pose) for pose in (Pose(), Pose(pitch_deg=12.0), Pose(roll_deg=12.0)))
    assert bowed[0] > straight[0] + 0.05
    assert tilted[1] == pytest.approx(straight[1] + 12.0, abs=3.0)


def test_the_face_is_as_large_and_where_it_was_put(person: Person, wall: Image, landmarker: Landmarker) -> None:
    image = drawn(person, wall, Pose(), Placement((250.0, 220.0), 60.0))
    mesh = mesh_of(landmarker, image)
    assert measure(image, mesh).eye_distance_px == pytest.approx(60.0, rel=0.05)
    assert mesh[[33, 263], :2].mean(axis=0) == pytest.approx([250.0, 220.0], abs=3.0)


def test_closed_eyes_are_seen_closed(person: Person, wall: Image, landmarker: Landmarker) -> None:
    def openness(eyelids: float) -> float:
        image = drawn(person, wall, Pose(eyelids=eyelids))
        return measure(image, mesh_of(landmarker, image)).eye_open

    assert openness(1.0) < 0.75 * openness(0.0)
    # And open again: the eyelids are drawn into a texture that is used again.
    assert openness(0.0) > 0.3


def test_the_body_and_the_wall_stay_when_the_head_turns(person: Person, wall: Image) -> None:
    straight, turned = drawn(person, wall, Pose()), drawn(person, wall, Pose(22.0))
    changed = (straight != turned).any(axis=2)
    assert changed[60:280, 180:470].mean() > 0.2
    assert not changed[400:].any()
    assert not changed[:, :120].any()
    assert not changed[:, 520:].any()
    np.testing.assert_array_equal(turned[:40], wall[:40])


def test_a_tilted_photograph_has_no_parallax(face: PuppetFace, wall: Image, landmarker: Landmarker) -> None:
    sheet = print_of(face)
    for yaw in (-35.0, -25.0, -12.0, 0.0, 12.0, 25.0, 35.0):
        picture = wall.copy()
        draw_sheet(picture, sheet, NEAR, Pose(yaw, 4.0, 3.0))
        assert abs(parallax(mesh_of(landmarker, picture))) < 0.09, yaw


def test_an_empty_scene_shows_no_face(wall: Image, face: PuppetFace, landmarker: Landmarker) -> None:
    assert landmarker.detect(wall) == []
    assert landmarker.detect(backdrop(Backdrop.BLURRED, face, 640, 480)) == []
