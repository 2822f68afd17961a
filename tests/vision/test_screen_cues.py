"""Traces of a screen: known grids, frames and casts drawn over a real face, and living people, who must show none."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from edge_agent.attacks.material import read_material
from edge_agent.attacks.rendering import Footage, frames, living
from edge_agent.attacks.species import Species
from edge_agent.devices.puppet.behaviour import Stance
from edge_agent.devices.puppet.motion import Pose
from edge_agent.ports import Image
from edge_agent.vision.bezel import bezel_sides
from edge_agent.vision.colour_cast import MOST
from edge_agent.vision.landmarks import Landmarker, Mesh
from edge_agent.vision.screen_cues import ScreenScores, bezel, cast, moire, screen_scores
from tests.vision.faces import LANDMARKER_FILE, PORTRAIT_FILE, meshes, portrait, portrait_mesh, read, shared, video

NOISE = np.random.default_rng(3).normal(0, 2.2, (512, 512, 3))
"""Of a cheap camera's sensor."""
DOUBT, SURE = 0.5, 0.75
SMALL = 0.55
"""Of the portrait, where it is to stand inside something."""


def recorded(picture: np.ndarray) -> Image:
    """With the sensor's noise."""
    height, width = picture.shape[:2]
    return np.clip(picture.astype(float) + NOISE[:height, :width], 0, 255).astype(np.uint8)


def grid(cycles_across: float, cycles_down: float, depth: float, colour: bool) -> Image:
    """The portrait with a wave over it, at these cycles a pixel; in colour each channel is a third of a wave behind."""
    ys, xs = np.mgrid[:512, :512]
    phases = np.arange(3) / 3 if colour else np.zeros(3)
    wave = np.cos(2 * np.pi * ((cycles_across * xs + cycles_down * ys)[:, :, None] + phases))
    return recorded(portrait() * (1 + depth * wave))


def on_wall(wall: Image, scale: float = SMALL) -> tuple[Image, Mesh, tuple[int, int, int, int]]:
    """The portrait in the middle of a wall, its mesh, and its left, top, right, bottom."""
    small = np.asarray(cv2.resize(portrait(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    side = small.shape[0]
    left, top = (wall.shape[1] - side) // 2, (wall.shape[0] - side) // 2
    picture = wall.copy()
    picture[top : top + side, left : left + side] = small
    mesh = portrait_mesh()[:, :2] * scale + (left, top)
    return picture, np.asarray(mesh, np.float32), (left, top, left + side, top + side)


def wall() -> Image:
    return np.full((480, 640, 3), (178, 170, 160), np.uint8)


def framed(colour: int = 18, thick: int = 14) -> tuple[Image, Mesh]:
    picture, mesh, (left, top, right, bottom) = on_wall(wall())
    cv2.rectangle(picture, (left - thick, top - thick), (right + thick, bottom + thick), (colour,) * 3, -1)
    inner = on_wall(wall())[0]
    picture[top:bottom, left:right] = inner[top:bottom, left:right]
    return picture, mesh


def standing(behind: Image) -> tuple[Image, Mesh]:
    """The portrait's figure before this wall (480, 640, 3): body down to the picture's lower edge."""
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        face = read_material(PORTRAIT_FILE, landmarker).face
    stage = living(face, 1)
    plain = stage.picture(Stance(0.6, 0.0, 0.0, 0.0, Pose(), 0.0), 1, 0.0)
    empty = np.abs(plain.astype(int) - np.median(plain[:60, :60], axis=(0, 1))).max(axis=2) < 22
    kept = cv2.morphologyEx(np.asarray(~empty, np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    picture = np.where(kept[:, :, None] > 0, plain, behind).astype(np.uint8)
    return picture, meshes(plain)[0]


def jpeg(picture: Image, quality: int) -> Image:
    packed = cv2.imencode(".jpg", picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[:, :, ::-1])


@pytest.mark.parametrize("across", [0.17, 0.24, 0.31, 0.38])
def test_a_coloured_grid_over_the_face_is_moire(across: float) -> None:
    assert moire(grid(across, 0.05, 0.05, colour=True), portrait_mesh()) > SURE


@pytest.mark.parametrize("down", [0.27, 0.35, 0.41])
def test_grey_lines_over_the_face_are_a_doubt_and_no_more(down: float) -> None:
    assert DOUBT <= moire(grid(0.0, down, 0.06, colour=False), portrait_mesh()) < SURE


def test_what_is_slower_than_a_face_has_relief_is_not_looked_at() -> None:
    assert moire(grid(0.03, 0.02, 0.06, colour=True), portrait_mesh()) == 0.0


def test_the_deeper_the_grid_the_surer() -> None:
    scores = [moire(grid(0.24, 0.05, depth, colour=True), portrait_mesh()) for depth in (0.0, 0.01, 0.02, 0.05)]
    assert scores == sorted(scores)
    assert scores[0] == 0.0
    assert scores[-1] > 0.9


def darker(picture: Image) -> Image:
    return (picture * 0.6).astype(np.uint8)


def dark_skin(picture: Image) -> Image:
    return np.clip(picture * np.array([0.45, 0.36, 0.30]), 0, 255).astype(np.uint8)


def soft(picture: Image) -> Image:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0), np.uint8)


def compressed(picture: Image) -> Image:
    return jpeg(picture, 75)


SPOILT: list[Callable[[Image], Image]] = [darker, dark_skin, soft, compressed]


@pytest.mark.parametrize("spoil", [darker, dark_skin])
def test_moire_is_seen_in_the_dark_and_on_dark_skin(spoil: Callable[[Image], Image]) -> None:
    assert moire(spoil(grid(0.24, 0.05, 0.05, colour=True)), portrait_mesh()) > SURE


@pytest.mark.parametrize("spoil", SPOILT)
def test_the_bare_portrait_shows_nothing_however_it_is_spoilt(spoil: Callable[[Image], Image]) -> None:
    for picture in (portrait(), recorded(portrait())):
        scores = screen_scores(spoil(picture), portrait_mesh())
        assert max(scores.moire, scores.bezel, scores.cast) < 0.25


@pytest.mark.parametrize("quality", [20, 40, 60, 80, 95])
def test_blocks_of_jpeg_are_no_grid(quality: int) -> None:
    assert moire(jpeg(recorded(portrait()), quality), portrait_mesh()) < DOUBT


@pytest.mark.parametrize("how", [cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA])
@pytest.mark.parametrize("scale", [2.0, 2.1])
def test_a_picture_a_camera_doubled_in_size_is_no_grid(how: int, scale: float) -> None:
    picture = np.asarray(cv2.resize(recorded(portrait()), None, fx=scale, fy=scale, interpolation=how), np.uint8)
    assert moire(picture, portrait_mesh()[:, :2] * scale) < DOUBT


@pytest.mark.parametrize("scale", [1.5, 3.0])
def test_a_picture_enlarged_by_repeating_pixels_is_never_sure_to_be_a_screen(scale: float) -> None:
    picture = cv2.resize(recorded(portrait()), None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
    assert moire(np.asarray(picture, np.uint8), portrait_mesh()[:, :2] * scale) < SURE


def test_colour_at_half_the_resolution_is_no_grid() -> None:
    yuv = cv2.cvtColor(recorded(portrait()), cv2.COLOR_RGB2YUV)
    for colour in (1, 2):
        small = cv2.resize(yuv[:, :, colour], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        yuv[:, :, colour] = cv2.resize(small, None, fx=2.0, fy=2.0, interpolation=cv2.INTER_NEAREST)
    assert moire(np.asarray(cv2.cvtColor(yuv, cv2.COLOR_YUV2RGB), np.uint8), portrait_mesh()) < 0.25


def test_a_checked_shirt_or_a_patterned_wall_is_not_the_face() -> None:
    check = (128 + 90 * np.sign(np.sin(np.arange(512) * 2 * np.pi / 6))).astype(np.uint8)
    cloth = np.dstack([np.minimum(check[:, None], check[None, :])] * 3)
    picture = portrait().copy()
    chin = int(portrait_mesh()[:468, 1].max())
    picture[chin + 4 :] = cloth[chin + 4 :]
    assert screen_scores(picture, portrait_mesh()) == ScreenScores(0.0, 0.0, 0.0)


@pytest.mark.parametrize("upper", [True, False])
def test_a_patterned_mask_or_scarf_over_half_the_face_is_not_moire(upper: bool) -> None:
    patterned = grid(0.24, 0.1, 0.2, colour=True)
    nose = int(portrait_mesh()[1, 1])
    picture = recorded(portrait())
    half = slice(None, nose - 20) if upper else slice(nose, None)
    picture[half] = patterned[half]
    assert moire(picture, portrait_mesh()) < DOUBT
    assert moire(patterned, portrait_mesh()) == 1.0


@pytest.mark.parametrize(("colour", "thick"), [(18, 14), (18, 7), (40, 22)])
def test_a_dark_frame_round_the_face_is_a_bezel(colour: int, thick: int) -> None:
    assert bezel(*framed(colour, thick)) > 0.9


@pytest.mark.parametrize("spoil", SPOILT)
def test_a_bezel_is_seen_in_the_dark_and_out_of_focus(spoil: Callable[[Image], Image]) -> None:
    picture, mesh = framed()
    assert bezel(spoil(picture), mesh) > SURE


def test_a_bezel_held_askew_and_by_a_finger() -> None:
    picture, mesh = framed()
    turn = cv2.getRotationMatrix2D((320, 240), 8.0, 0.95)
    askew = np.asarray(cv2.warpAffine(picture, turn, (640, 480), borderValue=(178, 170, 160)), np.uint8)
    mesh = np.asarray(mesh[:, :2] @ turn[:, :2].T + turn[:, 2], np.float32)
    assert bezel(askew, mesh) > SURE
    held = picture.copy()
    held[230:252, 140:200] = (200, 150, 125)
    assert bezel(held, framed()[1]) >= DOUBT


def test_a_frame_whose_lower_side_is_out_of_the_picture_may_be_a_door() -> None:
    picture, mesh = framed()
    assert bezel(np.ascontiguousarray(picture[:385]), mesh) < DOUBT


def test_white_or_no_frame_is_no_bezel() -> None:
    assert bezel(*framed(230)) == 0.0
    assert bezel(*on_wall(wall())[:2]) == 0.0


def test_a_dark_picture_all_round_has_no_outer_edge() -> None:
    assert bezel(*on_wall(np.full((480, 640, 3), 12, np.uint8))[:2]) < 0.25


@pytest.mark.parametrize(
    ("left", "top", "right", "bottom", "thick"),
    [(200, 30, 440, 479, 16), (150, 20, 490, 479, 30), (180, 20, 460, 400, 14), (120, 15, 520, 465, -1)],
    ids=["door frame", "wide door frame", "picture frame", "blackboard"],
)
def test_a_frame_behind_a_person_is_no_bezel(left: int, top: int, right: int, bottom: int, thick: int) -> None:
    behind = wall()
    cv2.rectangle(behind, (left, top), (right, bottom), (20, 18, 18), thick)
    picture, mesh = standing(behind)
    assert bezel(picture, mesh) < DOUBT


def test_a_black_scarf_round_the_face_is_no_bezel() -> None:
    picture, mesh, _ = on_wall(wall())
    hull = cv2.convexHull(mesh[:468, :2].astype(np.int32))
    face = np.zeros(picture.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, hull, (1,))
    around = cv2.dilate(face, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (45, 45)))
    scarf = wall()
    scarf[around > 0] = (15, 14, 16)
    cv2.ellipse(scarf, (320, 470), (170, 130), 0, 180, 360, (15, 14, 16), -1)
    scarf[face > 0] = picture[face > 0]
    assert bezel(scarf, mesh) < 0.25


def lit(picture: Image, blueness: float) -> Image:
    """Under light with this ln(blue ÷ red), in gamma-coded values."""
    gains = np.exp(np.array([-blueness / 2, 0.0, blueness / 2]))
    return np.clip(picture * gains, 0, 249).astype(np.uint8)


def cast_scene(face: float, room: float, skin: float = 1.0) -> tuple[Image, Mesh]:
    """A face drawn with grey eyes' whites, under one light in a room under another; skin: how light it is."""
    mesh = portrait_mesh()
    picture = lit(np.full((512, 512, 3), 170, np.uint8), room)
    around = cv2.convexHull(mesh[:468, :2].astype(np.int32))
    area = np.zeros((512, 512), np.uint8)
    cv2.fillConvexPoly(area, around, (1,))
    drawn = np.full((512, 512, 3), 0.0) + skin * np.array([190, 140, 115])
    for corners in ((33, 133, 159, 145), (263, 362, 386, 374)):
        middle = mesh[list(corners), :2].mean(axis=0)
        reach = float(np.linalg.norm(mesh[corners[0], :2] - mesh[corners[1], :2]))
        cv2.circle(drawn, tuple(int(v) for v in middle.tolist()), int(reach), (185, 185, 185), -1)
    picture[area > 0] = lit(drawn.astype(np.uint8), face)[area > 0]
    return picture, mesh


def test_a_display_in_a_warm_room_casts() -> None:
    assert cast(*cast_scene(face=0.3, room=-0.25)) > 0.25
    assert cast(*cast_scene(face=0.1, room=0.1)) == 0.0


def test_cast_is_never_a_doubt() -> None:
    assert cast(*cast_scene(face=0.6, room=-0.25)) == pytest.approx(MOST)
    assert MOST < DOUBT


@pytest.mark.parametrize("light", [-0.25, 0.0, 0.25])
@pytest.mark.parametrize("skin", [0.35, 0.7, 1.0])
def test_one_light_on_face_and_room_is_no_cast_whatever_the_skin(light: float, skin: float) -> None:
    assert cast(*cast_scene(light, light, skin)) == 0.0


def test_a_room_without_anything_neutral_gives_no_cast() -> None:
    picture, mesh = cast_scene(0.3, 0.0)
    outside = np.ones((512, 512), bool)
    low, high = (edge.astype(int) for edge in (mesh[:468, :2].min(axis=0), mesh[:468, :2].max(axis=0)))
    outside[low[1] : high[1], low[0] : high[0]] = False
    picture[outside] = (210, 90, 30)
    assert cast(picture, mesh) == 0.0


@pytest.mark.parametrize("shift", [(-400.0, 0.0), (0.0, 5000.0), (-9000.0, -9000.0)])
def test_a_face_mostly_or_wholly_outside_the_frame_scores_nothing(shift: tuple[float, float]) -> None:
    mesh = np.asarray(portrait_mesh()[:, :2] + shift, np.float32)
    scores = screen_scores(portrait(), mesh)
    assert scores.moire == 0.0
    assert scores.bezel < 0.25
    assert scores.cast <= MOST


def test_a_degenerate_mesh_scores_nothing() -> None:
    assert screen_scores(portrait(), np.zeros((478, 3), np.float32)) == ScreenScores(0.0, 0.0, 0.0)


def test_a_pure_function_that_leaves_its_input_alone() -> None:
    picture, mesh = framed()
    before, points = picture.copy(), mesh.copy()
    first = screen_scores(picture, mesh)
    assert first == screen_scores(picture, mesh) == ScreenScores(moire(before, points), 1.0, cast(before, points))
    assert np.array_equal(picture, before)
    assert np.array_equal(mesh, points)


def frontal(pictures: Iterator[Image]) -> Iterator[tuple[Image, Mesh]]:
    for picture in pictures:
        for mesh in meshes(picture)[:1]:
            yield picture, mesh


def medians(pictures: Iterator[Image]) -> tuple[float, float, float]:
    seen = [screen_scores(picture, mesh) for picture, mesh in frontal(pictures)]
    moires, bezels, casts = np.median([(one.moire, one.bezel, one.cast) for one in seen], axis=0).tolist()
    return moires, bezels, casts


def test_puppets_show_nothing_of_a_screen() -> None:
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        face = read_material(PORTRAIT_FILE, landmarker).face
    for seed in (1, 2, 3):
        stage = living(face, seed)
        for sequence in range(3):
            picture = stage.picture(Stance(0.6, 0.0, 0.0, 0.0, Pose(), 0.0), sequence, sequence / 3)
            scores = screen_scores(picture, meshes(picture)[0])
            assert max(scores.moire, scores.bezel, scores.cast) < 0.3, (seed, scores)


def test_rendered_screens_show_moire_or_a_bezel_unless_fine_and_near() -> None:
    with Landmarker(LANDMARKER_FILE, max_faces=1, mode="image") as landmarker:
        material = read_material(PORTRAIT_FILE, landmarker)
    found = [medians(frames(Species.SCREEN_REPLAY, material, Footage(1.5, 4.0, seed)))[:2] for seed in range(1, 9)]
    assert sum(max(scores) >= DOUBT for scores in found) >= 4, found


def test_real_people_on_video_show_nothing_of_a_screen() -> None:
    for name in ("speaker_a", "speaker_b"):
        pictures = (picture for _, picture in video(shared(f"videos/{name}.mp4"), 10))
        assert max(medians(pictures)) < 0.3


def test_real_photographs_show_nothing_of_a_screen_but_one_of_a_television() -> None:
    folder = shared("lfw_view1/images")
    for path in sorted(folder.glob("B*/*_0001.jpg"))[:60]:
        for picture, mesh in frontal(iter([read(path)])):
            scores = screen_scores(picture, mesh)
            assert max(scores.moire, scores.bezel, scores.cast) < DOUBT, (path, scores)
    television = read(folder / "Marion_Fahnestock" / "Marion_Fahnestock_0001.jpg")
    assert DOUBT <= moire(television, meshes(television)[0]) < SURE


def test_bezel_sides_name_the_missing_one() -> None:
    picture, mesh = framed()
    assert min(bezel_sides(picture, mesh)) > 0.9
