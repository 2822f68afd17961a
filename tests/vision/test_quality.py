"""Every quality reason, provoked by spoiling a real portrait; and bona fide frames, that must pass."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edge_agent.core.model import QualityProblem
from edge_agent.ports import Image
from edge_agent.settings import QualitySettings
from edge_agent.vision import quality
from edge_agent.vision.landmarks import Mesh
from edge_agent.vision.parallax import parallax
from tests.vision.faces import meshes, portrait, portrait_mesh, shared, video

BOUNDS = QualitySettings()


def seen(image: Image) -> tuple[QualityProblem, ...]:
    """The whole chain on a picture: real landmarks, measures, verdict."""
    found = meshes(image)
    face = quality.measure(image, found[0]) if found else None
    return quality.assess(face, quality.second_face_ratio(found), BOUNDS)


def exposed(image: Image, gain: float) -> Image:
    """The picture as a shorter or longer exposure would give it: scaled in linear light (gamma 2.2)."""
    linear = (image / 255.0) ** 2.2 * gain
    return (np.clip(linear, 0, 1) ** (1 / 2.2) * 255 + 0.5).astype(np.uint8)


def scaled(image: Image, factor: float) -> Image:
    return np.asarray(cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def around_the_face(image: Image, reach: float) -> Image:
    """A square cut of `reach` eye distances to each side of the nose."""
    mesh = portrait_mesh()
    x, y = mesh[1, :2].astype(int)
    half = int(reach * quality.eye_distance_px(mesh))
    return np.ascontiguousarray(image[max(y - half, 0) : y + half, max(x - half, 0) : x + half])


def test_portrait_passes() -> None:
    assert seen(portrait()) == ()


def test_no_face() -> None:
    assert seen(np.full((480, 640, 3), 128, np.uint8)) == (QualityProblem.NO_FACE,)


def test_two_faces_side_by_side() -> None:
    half = portrait()[:, 90:420]
    assert QualityProblem.MANY_FACES in seen(np.hstack([half, half]))


def test_a_much_smaller_second_face_is_a_bystander() -> None:
    pair = [portrait_mesh() * np.float32(0.4), portrait_mesh()]
    assert quality.second_face_ratio(pair) == pytest.approx(0.4)
    assert quality.second_face_ratio(pair[:1]) == 0.0
    measured = quality.measure(portrait(), portrait_mesh())
    assert quality.assess(measured, quality.second_face_ratio(pair), BOUNDS) == ()


def test_too_far() -> None:
    assert seen(scaled(portrait(), 0.6)) == (QualityProblem.TOO_FAR,)


def test_too_near() -> None:
    image = scaled(around_the_face(portrait(), 1.1), 3.0)
    assert QualityProblem.TOO_NEAR in seen(image)


def test_cut_off_by_the_frame() -> None:
    mesh = portrait_mesh()
    chin_y = int(mesh[152, 1])
    assert QualityProblem.CUT_OFF in seen(np.ascontiguousarray(portrait()[: chin_y - 14]))


def test_dark() -> None:
    assert QualityProblem.DARK in seen(exposed(portrait(), 0.015))


def test_two_stops_underexposed_is_not_dark() -> None:
    assert seen(exposed(portrait(), 0.25)) == ()


def test_a_dark_face_with_a_few_highlights_is_not_dark_and_the_same_face_without_them_is() -> None:
    # Dark skin in good light: most of the face is as dark as a badly lit one, only its highlights tell the two apart.
    face = np.full((512, 512, 3), 25, np.uint8)
    inside = np.zeros((512, 512), np.uint8)
    outline = cv2.convexHull(portrait_mesh()[: quality.MESH_POINTS, :2].astype(np.int32))
    cv2.fillConvexPoly(inside, outline, 1)
    rows = np.flatnonzero(inside.any(axis=1))
    highlit = face.copy()
    highlit[rows[0] : rows[0] + len(rows) // 4] = 90
    dull, lit = (quality.measure(image, portrait_mesh()) for image in (face, highlit))
    assert float(np.median(highlit[inside == 1])) < BOUNDS.brightness_min
    assert QualityProblem.DARK in quality.assess(dull, 0.0, BOUNDS)
    assert QualityProblem.DARK not in quality.assess(lit, 0.0, BOUNDS)


def test_glare() -> None:
    assert QualityProblem.GLARE in seen(exposed(portrait(), 3.5))


def test_bright_background_is_neither_glare_nor_a_dark_face() -> None:
    image = portrait().copy()
    mesh = portrait_mesh()[: quality.MESH_POINTS, :2]
    face = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(mesh.astype(np.int32)), 1)
    image[cv2.dilate(face, np.ones((25, 25), np.uint8)) == 0] = 255
    measured = quality.measure(image, portrait_mesh())
    assert quality.assess(measured, 0.0, BOUNDS) == ()


@pytest.mark.parametrize("sigma_px", [2.5, 4.0])
def test_blurred(sigma_px: float) -> None:
    assert seen(cv2.GaussianBlur(portrait(), (0, 0), sigma_px)) == (QualityProblem.BLURRED,)


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.0])
def test_blur_is_judged_alike_at_every_size(factor: float) -> None:
    large = np.asarray(cv2.resize(portrait(), None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC), np.uint8)
    mesh = portrait_mesh() * np.float32(factor)
    measured = [
        quality.measure(cv2.GaussianBlur(large, (0, 0), sigma * factor), mesh).sharpness for sigma in (1.0, 3.0)
    ]
    at_one = [
        quality.measure(cv2.GaussianBlur(portrait(), (0, 0), sigma), portrait_mesh()).sharpness for sigma in (1.0, 3.0)
    ]
    assert measured == pytest.approx(at_one, abs=0.03)
    assert measured[1] < BOUNDS.sharpness_min < measured[0]


@pytest.mark.parametrize(("gain", "offset"), [(0.35, 5), (0.5, 20)])
def test_low_contrast_skin_is_not_called_blurred(gain: float, offset: int) -> None:
    dim = (portrait() * gain + offset).astype(np.uint8)
    plain = quality.measure(portrait(), portrait_mesh())
    measured = quality.measure(dim, portrait_mesh())
    assert measured.sharpness == pytest.approx(plain.sharpness, abs=0.05)
    assert quality.assess(measured, 0.0, BOUNDS) == ()


def test_turned_by_parallax() -> None:
    mesh = portrait_mesh().copy()
    mesh[1, 0] += 0.2 * quality.eye_distance_px(mesh)
    assert quality.assess(quality.measure(portrait(), mesh), 0.0, BOUNDS) == (QualityProblem.TURNED,)


def test_turned_by_roll() -> None:
    turn = cv2.getRotationMatrix2D(tuple(portrait_mesh()[1, :2].astype(float)), -40, 1.0)
    image = cv2.warpAffine(portrait(), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    found = meshes(image)
    measured = quality.measure(image, found[0])
    assert measured.roll_deg == pytest.approx(40, abs=6)
    assert QualityProblem.TURNED in quality.assess(measured, 0.0, BOUNDS)


@pytest.mark.parametrize("shift", [-0.35, 0.25])
def test_turned_by_pitch(shift: float) -> None:
    mesh = portrait_mesh().copy()
    mesh[1, 1] += shift * quality.eye_distance_px(mesh)
    assert quality.assess(quality.measure(portrait(), mesh), 0.0, BOUNDS) == (QualityProblem.TURNED,)


def with_lids(mesh: Mesh, share: float) -> Mesh:
    """The mesh with both eyes open by this share of what they were."""
    mesh = mesh.copy()
    for upper, lower in ((159, 145), (386, 374)):
        middle = (mesh[upper] + mesh[lower]) / 2
        mesh[upper] = middle + (mesh[upper] - middle) * share
        mesh[lower] = middle + (mesh[lower] - middle) * share
    return mesh


def test_eyes_closed() -> None:
    measured = quality.measure(portrait(), with_lids(portrait_mesh(), 0.3))
    assert quality.assess(measured, 0.0, BOUNDS) == (QualityProblem.EYES_CLOSED,)


def test_narrow_eyes_are_open_and_their_closing_shows_against_themselves() -> None:
    narrow = quality.measure(portrait(), with_lids(portrait_mesh(), 0.55))
    closing = quality.measure(portrait(), with_lids(portrait_mesh(), 0.45))
    assert quality.assess(narrow, 0.0, BOUNDS, narrow.eye_open) == ()
    assert quality.assess(closing, 0.0, BOUNDS) == ()
    assert quality.assess(closing, 0.0, BOUNDS, closing.eye_open / 0.65) == (QualityProblem.EYES_CLOSED,)


def test_reasons_come_in_the_order_to_tell_them() -> None:
    image = cv2.GaussianBlur(exposed(scaled(portrait(), 0.6), 0.01), (0, 0), 2.5)
    measured = quality.measure(image, with_lids(portrait_mesh() * np.float32(0.6), 0.2))
    problems = quality.assess(measured, 0.9, BOUNDS)
    order = list(QualityProblem)
    assert len(problems) >= 4
    assert list(problems) == sorted(problems, key=order.index)


def test_a_face_outside_the_frame_is_cut_off_not_a_crash() -> None:
    measured = quality.measure(portrait(), portrait_mesh() + np.float32(2000))
    assert QualityProblem.CUT_OFF in quality.assess(measured, 0.0, BOUNDS)
    degenerate = quality.measure(portrait(), np.zeros_like(portrait_mesh()))
    assert QualityProblem.TOO_FAR in quality.assess(degenerate, 0.0, BOUNDS)
    assert 0.0 <= quality.score(degenerate, BOUNDS) <= 1.0


@pytest.mark.parametrize(
    "spoilt", [lambda i: cv2.GaussianBlur(i, (0, 0), 2.0), lambda i: exposed(i, 0.05), lambda i: exposed(i, 5.0)]
)
def test_score_falls_as_a_frame_gets_worse(spoilt) -> None:  # type: ignore[no-untyped-def]
    good = quality.score(quality.measure(portrait(), portrait_mesh()), BOUNDS)
    worse = quality.score(quality.measure(spoilt(portrait()), portrait_mesh()), BOUNDS)
    assert 0.0 <= worse < good <= 1.0


def test_mirroring_a_picture_mirrors_only_the_turn() -> None:
    image = np.ascontiguousarray(portrait()[:, ::-1])
    measured, plain = quality.measure(image, meshes(image)[0]), quality.measure(portrait(), portrait_mesh())
    assert measured.parallax == pytest.approx(-plain.parallax, abs=0.03)
    assert measured.sharpness == pytest.approx(plain.sharpness, abs=0.03)
    assert measured.eye_open == pytest.approx(plain.eye_open, abs=0.04)


def test_parallax_is_positive_when_the_head_turns_to_its_own_left() -> None:
    # Looked at: at 1.48 s the nose points to the picture's left, the person's own right; at 7.08 s the other way.
    turns = [
        parallax(meshes(image)[0]) for at_s, image in video(shared("videos/speaker_a.mp4")) if at_s in (1.48, 7.08)
    ]
    assert turns[0] < -0.15
    assert turns[1] > 0.15


def test_parallax_of_coinciding_eye_corners_is_zero() -> None:
    assert parallax(np.zeros((478, 3), np.float32)) == 0.0


@pytest.mark.parametrize("name", ["speaker_a.mp4", "speaker_b.mp4"])
def test_frames_of_real_speakers_that_look_ahead_pass(name: str) -> None:
    passed = ahead = 0
    for _, image in video(shared(f"videos/{name}"), every=8):
        measured = quality.measure(image, meshes(image)[0])
        if abs(measured.parallax) <= BOUNDS.parallax_max:
            ahead += 1
            passed += quality.assess(measured, 0.0, BOUNDS) == ()
    assert ahead >= 10
    assert passed == ahead


def test_news_photographs_pass_but_for_turned_heads_and_company(record_property) -> None:  # type: ignore[no-untyped-def]
    files = sorted(shared("lfw_view1/images").glob("*/*.jpg"))[::25]
    fine = alone = 0
    counts: dict[str, int] = {}
    for file in files:
        image = np.ascontiguousarray(cv2.imread(str(file))[:, :, ::-1])
        problems = seen(image)
        for problem in problems:
            counts[problem.value] = counts.get(problem.value, 0) + 1
        if not {QualityProblem.TURNED, QualityProblem.MANY_FACES} & set(problems):
            alone += 1
            fine += problems == ()
    record_property("counts", json.dumps(counts))
    assert alone >= 90
    assert fine / alone >= 0.97
