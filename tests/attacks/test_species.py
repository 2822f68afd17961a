"""Every species is rendered from the shipped portrait and looked at by the real landmarker."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from edge_agent.attacks.curved import draw_curved
from edge_agent.attacks.material import Material, read_material
from edge_agent.attacks.rendering import SIZE, Footage, frames
from edge_agent.attacks.species import WHAT_IT_IS, Species
from edge_agent.core.rules import PadRules
from edge_agent.devices.puppet.motion import Pose
from edge_agent.devices.puppet.placement import Placement
from edge_agent.devices.puppet.subjects import print_of
from edge_agent.ports import Image
from edge_agent.vision.bezel import bezel
from edge_agent.vision.landmarks import Landmarker
from edge_agent.vision.parallax import parallax
from tests.vision.faces import LANDMARKER_FILE, PORTRAIT_FILE, meshes, shared

FOOTAGE = Footage(seconds=5.0, fps=6.0, seed=3)


@pytest.fixture(scope="module")
def material() -> Material:
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        return read_material(PORTRAIT_FILE, landmarker)


def rendered(species: Species, material: Material, footage: Footage = FOOTAGE) -> list[Image]:
    return list(frames(species, material, footage))


def parallaxes(pictures: list[Image]) -> list[float]:
    return [parallax(found[0]) for found in map(meshes, pictures) if found]


def digest(pictures: list[Image]) -> str:
    return hashlib.sha256(b"".join(picture.tobytes() for picture in pictures)).hexdigest()


@pytest.mark.parametrize("species", Species)
def test_a_face_is_found_in_every_species(species: Species, material: Material) -> None:
    pictures = rendered(species, material)
    assert len(pictures) == 30
    assert {picture.shape for picture in pictures} == {(SIZE[1], SIZE[0], 3)}
    assert len(parallaxes(pictures)) >= 0.9 * len(pictures)


@pytest.mark.parametrize("species", [one for one in Species if one.flat])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_plane_shows_no_parallax_however_it_is_turned(species: Species, seed: int, material: Material) -> None:
    seen = parallaxes(rendered(species, material, Footage(8.0, 5.0, seed)))
    assert max(np.abs(seen)) < PadRules().turn_parallax


def test_a_print_bent_round_a_head_has_depth_and_a_straight_one_has_not(material: Material) -> None:
    def seen(radius: float) -> float:
        picture = np.full((480, 640, 3), 150, np.uint8)
        sheet = print_of(material.face)
        draw_curved(picture, sheet, Placement((320.0, 200.0), 86.0), Pose(yaw_deg=33.0), radius)
        return parallax(meshes(picture)[0])

    assert seen(0.9) > PadRules().turn_parallax
    assert abs(seen(50.0)) < 0.06


@pytest.mark.parametrize("species", [Species.PARTIAL, Species.SCREEN_REPLAY])
def test_a_turning_head_shows_parallax_behind_a_cover_and_on_a_screen(species: Species, material: Material) -> None:
    seen = parallaxes(rendered(species, material, Footage(8.0, 5.0, 3)))
    assert max(seen) > PadRules().turn_parallax
    assert min(seen) < -PadRules().turn_parallax


def test_some_screens_reach_beyond_the_view_and_none_shows_a_second_face(material: Material) -> None:
    shown = [rendered(Species.SCREEN_REPLAY, material, Footage(0.2, 5.0, seed))[0] for seed in range(1, 11)]
    found = [meshes(picture) for picture in shown]
    assert [len(faces) for faces in found] == [1] * len(shown)
    framed = [bezel(picture, faces[0]) >= 0.5 for picture, faces in zip(shown, found, strict=True)]
    assert 0 < sum(framed) < len(framed)


@pytest.mark.parametrize("species", Species)
def test_the_same_seed_gives_the_same_pixels_and_another_gives_others(species: Species, material: Material) -> None:
    short = Footage(1.0, 5.0, 4)
    once, again = (digest(rendered(species, material, short)) for _ in range(2))
    assert once == again
    assert once != digest(rendered(species, material, Footage(1.0, 5.0, 5)))


def test_only_still_repeats_itself(material: Material) -> None:
    for species in Species:
        pictures = rendered(species, material, Footage(1.0, 5.0, 1))
        assert all(np.array_equal(pictures[0], other) for other in pictures) is (species is Species.STILL)


def test_living_eyes_behind_a_cut_out_close_and_open(material: Material) -> None:
    def openness(picture: Image) -> float:
        mesh = meshes(picture)[0]
        return float(np.linalg.norm(mesh[159, :2] - mesh[145, :2]) / np.linalg.norm(mesh[33, :2] - mesh[133, :2]))

    def closing(species: Species) -> float:
        seen = [openness(picture) for picture in rendered(species, material, Footage(8.0, 12.0, 3))]
        return min(seen) / float(np.median(seen))

    # The mesh model draws closed lids of wide eyes still rather open (`vision/quality.py`).
    assert closing(Species.CUT_OUT) < 0.8 < closing(Species.PRINT)


def test_a_print_of_the_lower_face_changes_the_lower_face_only(material: Material) -> None:
    path = shared("portraits/person_1_a.jpg")
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        other = read_material(path, landmarker)
    first = Footage(1.0, 5.0, 1)
    own, worn = (rendered(Species.PARTIAL, one, first)[0].astype(int) for one in (material, other))
    rows = np.flatnonzero((np.abs(own - worn).max(axis=2) > 40).any(axis=1))
    nose_y = float(meshes(own.astype(np.uint8))[0][1, 1])
    assert rows.size > 20
    assert rows.min() > nose_y - 5


@pytest.mark.parametrize("species", Species)
def test_a_video_is_material_too(species: Species) -> None:
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        video = read_material(shared("videos/speaker_b.mp4"), landmarker)
    assert video.moves
    assert len(parallaxes(rendered(species, video, Footage(2.0, 4.0, 1)))) == 8


def test_each_species_is_told_of_in_help_and_in_the_page() -> None:
    assert set(WHAT_IT_IS) == set(Species)
    page = (LANDMARKER_FILE.parents[1] / "docs" / "attacks.md").read_text("utf-8")
    assert all(f"`{species.value}`" in page for species in Species)
