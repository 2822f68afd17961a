"""One frame in, one observation out, on the real models and the portrait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest

from edge_agent.core.model import Embedding, QualityProblem
from edge_agent.ports import Frame, Image
from edge_agent.settings import VisionSettings
from edge_agent.vision.embedder import Embedder
from edge_agent.vision.fingerprint import fingerprint
from edge_agent.vision.landmarks import Landmarker, Mesh
from edge_agent.vision.manifest import load
from edge_agent.vision.observer import Observer
from edge_agent.vision.shape import shape_of
from edge_agent.vision.timings import Stage, StageTimings, summarise
from tests.vision.faces import LANDMARKER_FILE, REPOSITORY, portrait, portrait_mesh

SETTINGS = VisionSettings()


class CountingEmbedder:
    """The real embedder, counting what it is asked for."""

    def __init__(self) -> None:
        folder = REPOSITORY / "models"
        self.inner = Embedder(load(folder / "manifest.yaml").active_embedder, folder, mirrored_average=True)
        self.embedded = 0

    def chip(self, image_rgb: Image, mesh_px: Mesh) -> Image:
        return self.inner.chip(image_rgb, mesh_px)

    def embed_chip(self, chip: Image) -> Embedding:
        self.embedded += 1
        return self.inner.embed_chip(chip)


class ScriptedLandmarker:
    """Gives prepared meshes and remembers the timestamps."""

    def __init__(self, script: Sequence[list[Mesh]]) -> None:
        self.script = list(script)
        self.timestamps_ms: list[int] = []

    def detect(self, image_rgb: Image, timestamp_ms: int) -> list[Mesh]:
        self.timestamps_ms.append(timestamp_ms)
        return self.script.pop(0)

    def close(self) -> None:
        self.script.clear()


@pytest.fixture
def embedder() -> CountingEmbedder:
    return CountingEmbedder()


@pytest.fixture
def observer(embedder: CountingEmbedder) -> Iterator[Observer]:
    observer = Observer(Landmarker(LANDMARKER_FILE), embedder, SETTINGS)
    yield observer
    observer.close()


def test_a_good_frame_gives_everything(observer: Observer) -> None:
    seen = [observer.observe(Frame(portrait(), i / 15, i)) for i in range(3)][-1]
    assert seen.captured_s == pytest.approx(2 / 15)
    assert seen.track_id == 1
    assert seen.problems == ()
    assert seen.parallax == pytest.approx(0.0, abs=0.05)
    assert seen.eye_distance_px == pytest.approx(62, abs=3)
    assert 0.6 < seen.quality <= 1.0
    assert seen.probe is not None
    assert seen.probe.dtype == np.float32
    assert np.linalg.norm(seen.probe) == pytest.approx(1.0, abs=1e-5)


def test_a_bad_frame_gives_no_probe_and_costs_no_embedding(observer: Observer, embedder: CountingEmbedder) -> None:
    blurred = np.ascontiguousarray(cv2.GaussianBlur(portrait(), (0, 0), 3))
    seen = observer.observe(Frame(blurred, 0.0, 0))
    assert seen.problems == (QualityProblem.BLURRED,)
    assert seen.probe is None
    assert seen.track_id is not None
    assert seen.parallax is not None
    assert embedder.embedded == 0


def test_nobody_there(observer: Observer) -> None:
    seen = observer.observe(Frame(np.full((480, 640, 3), 90, np.uint8), 1.0, 0))
    assert (seen.track_id, seen.problems, seen.parallax, seen.eye_distance_px) == (
        None,
        (QualityProblem.NO_FACE,),
        None,
        None,
    )
    assert seen.quality == 0.0


def test_an_idle_terminal_sees_the_face_but_embeds_nothing(observer: Observer, embedder: CountingEmbedder) -> None:
    seen = observer.observe(Frame(portrait(), 0.0, 0), embed=False)
    assert seen.problems == ()
    assert seen.track_id is not None
    assert seen.probe is None
    assert embedder.embedded == 0


def test_the_frame_is_not_changed(observer: Observer) -> None:
    image = portrait().copy()
    observer.observe(Frame(image, 0.0, 0))
    assert np.array_equal(image, portrait())


def test_the_main_face_is_the_largest_and_company_is_told(embedder: CountingEmbedder) -> None:
    large, small = portrait_mesh(), portrait_mesh() * np.float32(0.8)
    observer = Observer(ScriptedLandmarker([[large, small]]), embedder, SETTINGS)
    seen = observer.observe(Frame(portrait(), 0.0, 0))
    assert seen.problems == (QualityProblem.MANY_FACES,)
    assert seen.eye_distance_px == pytest.approx(62, abs=3)


def test_when_the_main_face_changes_so_does_the_track(embedder: CountingEmbedder) -> None:
    beside = portrait_mesh() + np.array([200, 0, 0], np.float32)
    observer = Observer(ScriptedLandmarker([[portrait_mesh()], [beside, portrait_mesh()]]), embedder, SETTINGS)
    before = observer.observe(Frame(portrait(), 0.0, 0))
    after = observer.observe(Frame(portrait(), 0.1, 1))
    assert before.track_id != after.track_id


def test_another_face_in_the_same_place_is_another_track_from_that_very_frame() -> None:
    class TwoPeople:
        def __init__(self) -> None:
            self.probes = [np.array(p, np.float32) for p in ([1, 0], [1, 0], [0, 1])]

        def chip(self, image_rgb: Image, mesh_px: Mesh) -> Image:
            return image_rgb

        def embed_chip(self, chip: Image) -> Embedding:
            return self.probes.pop(0)

    observer = Observer(ScriptedLandmarker([[portrait_mesh()]] * 3), TwoPeople(), SETTINGS, same_face_min=0.9)
    ids = [observer.observe(Frame(portrait(), i / 15, i)).track_id for i in range(3)]
    assert ids[0] == ids[1] != ids[2]


def test_somebody_else_s_turned_face_is_another_track_and_gives_no_probe() -> None:
    class TwoPeople(CountingEmbedder):
        """The chip's own embedding, but the second face there is somebody else."""

        def embed_chip(self, chip: Image) -> Embedding:
            own = super().embed_chip(chip)
            return own if self.embedded < 4 else np.roll(own, 1)

    straight, turned = portrait_mesh(), portrait_mesh().copy()
    turned[1, 0] += 0.2 * float(np.linalg.norm(turned[263, :2] - turned[33, :2]))
    landmarker = ScriptedLandmarker([[straight], [straight], [turned], [turned], [turned]])
    observer = Observer(landmarker, TwoPeople(), SETTINGS, same_face_min=0.94, turned_face_min=0.9)
    seen = [observer.observe(Frame(portrait(), i / 15, i)) for i in range(5)]
    assert [one.probe is not None for one in seen] == [True, True, False, False, False]
    assert all(one.problems == (QualityProblem.TURNED,) for one in seen[2:])
    assert [one.track_id for one in seen] == [1, 1, 1, 2, 2]


def test_time_never_falls_for_the_landmarker(embedder: CountingEmbedder) -> None:
    landmarker = ScriptedLandmarker([[], [], []])
    observer = Observer(landmarker, embedder, SETTINGS)
    for at_s in (5.0, 4.5, 5.2):
        observer.observe(Frame(portrait(), at_s, 0))
    assert landmarker.timestamps_ms == [5000, 5000, 5200]


def test_a_blink_is_seen_against_the_face_s_own_usual_opening(embedder: CountingEmbedder) -> None:
    def lids(share: float) -> Mesh:
        mesh = portrait_mesh().copy()
        for upper, lower in ((159, 145), (386, 374)):
            middle = (mesh[upper] + mesh[lower]) / 2
            mesh[upper] = middle + (mesh[upper] - middle) * share
            mesh[lower] = middle + (mesh[lower] - middle) * share
        return mesh

    script = [[lids(1.0)]] * 10 + [[lids(0.6)]] + [[lids(1.0)]]
    observer = Observer(ScriptedLandmarker(script), embedder, SETTINGS)
    seen = [observer.observe(Frame(portrait(), i / 15, i)).problems for i in range(12)]
    assert seen[9:] == [(), (QualityProblem.EYES_CLOSED,), ()]


def test_stages_are_timed(observer: Observer) -> None:
    for i in range(4):
        observer.observe(Frame(portrait(), i / 15, i))
    summary = observer.timings.summary()
    assert set(summary) == {stage.value for stage in Stage}
    assert all(summary[stage]["frames"] == 4 for stage in summary)
    parts = sum(summary[stage.value]["median_ms"] for stage in Stage if stage is not Stage.TOTAL)
    assert parts <= summary["total"]["p99_ms"] * 1.05


def test_timings_keep_only_the_newest() -> None:
    timings = StageTimings(keep=3)
    for _ in range(5):
        timings.add(Stage.EMBED, 0.0)
    assert len(timings.samples_ms(Stage.EMBED)) == 3
    assert summarise((1.0, 2.0, 9.0)) == {"median_ms": 2.0, "p99_ms": 8.86, "frames": 3}


class ScriptedPassive:
    """A passive model that gives 0.7, counting what it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def score(self, image_rgb: Image, mesh_px: Mesh) -> float:
        assert image_rgb.shape[2] == 3
        assert mesh_px.shape[0] == 478
        self.asked += 1
        return 0.7


def test_every_frame_of_a_face_gives_cues_and_a_usable_one_now_and_then_those_that_take_longer(
    embedder: CountingEmbedder,
) -> None:
    passive = ScriptedPassive()
    observer = Observer(Landmarker(LANDMARKER_FILE), embedder, SETTINGS, passive=passive)
    seen = [observer.observe(Frame(portrait(), index / 10, index)) for index in range(10)]
    observer.close()
    cues = [one.cues for one in seen]
    assert all(one is not None and one.shape.shape == (468, 2) for one in cues)
    looked = [index for index, one in enumerate(cues) if one is not None and one.moire is not None]
    assert looked == [0, 4, 8]
    assert passive.asked == 3
    closer = cues[0]
    assert closer is not None
    assert (closer.passive, closer.bezel, closer.cast) == (
        0.7,
        pytest.approx(0.0, abs=0.3),
        pytest.approx(0.0, abs=0.5),
    )
    assert len({one.fingerprint for one in cues if one is not None}) == 1, "the same picture, the same fingerprint"


def test_a_frame_that_cannot_be_used_is_not_looked_at_more_closely(embedder: CountingEmbedder) -> None:
    passive = ScriptedPassive()
    observer = Observer(Landmarker(LANDMARKER_FILE), embedder, SETTINGS, passive=passive)
    dark = (portrait() // 16).astype(np.uint8)
    seen = observer.observe(Frame(dark, 0.0, 0))
    observer.close()
    assert seen.problems
    assert seen.cues is not None
    assert (seen.cues.moire, seen.cues.passive, passive.asked) == (None, None, 0)


def test_a_fingerprint_changes_with_a_single_pixel_of_its_rows(observer: Observer) -> None:
    image = portrait()
    other = image.copy()
    other[0, 0, 0] ^= 1
    assert fingerprint(image) == fingerprint(image.copy())
    assert fingerprint(image) != fingerprint(other)


def test_a_shape_has_no_place_size_or_roll() -> None:
    mesh = portrait_mesh()
    turn = cv2.getRotationMatrix2D((100.0, 50.0), 25.0, 1.7)
    moved = mesh.copy()
    moved[:, :2] = mesh[:, :2] @ turn[:, :2].T + turn[:, 2]
    assert np.allclose(shape_of(mesh), shape_of(moved), atol=1e-4)
    assert shape_of(mesh)[263] == pytest.approx((0.5, 0.0), abs=1e-5)
    assert not shape_of(np.zeros((478, 3), np.float32)).any()
