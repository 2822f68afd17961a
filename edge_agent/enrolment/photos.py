"""Photographs of one person -> one template, with a word on every photograph.

Rules: the template is the mean of the accepted photographs' probes, at unit length: several photographs of different
pose and day recognise far better than the best one. A refused photograph never stops the others. Photographs are read
and examined by what is passed in, so this package knows nothing of vision; no image is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge_agent.core.model import Embedding, QualityProblem
from edge_agent.ports import EmbedderId, Image, PhotoExaminer, TerminalError

WORDS = {
    QualityProblem.NO_FACE: "no face was found; use a photograph of the face from the front",
    QualityProblem.MANY_FACES: "shows more than one face; cut out the one person",
    QualityProblem.TOO_FAR: "the face is too small; take it from nearer or use a larger picture",
    QualityProblem.TOO_NEAR: "the face is too near; leave room around the head",
    QualityProblem.CUT_OFF: "the face is cut off; show the whole head",
    QualityProblem.DARK: "the face is too dark; turn it to the light",
    QualityProblem.GLARE: "the face is too bright; avoid flash and direct sun",
    QualityProblem.TURNED: "the head is turned or tilted too far; look towards the camera",
    QualityProblem.BLURRED: "the face is blurred; hold still, focus, use the original file",
    QualityProblem.EYES_CLOSED: "the eyes are closed",
}
"""Why a photograph was refused and what to do."""


@dataclass(frozen=True)
class PhotoTools:
    """load: file -> RGB image, raising TerminalError for a file that is no photograph; examiner: looks at it.

    close: frees the models; called by whoever opened the tools.
    """

    load: Callable[[Path], Image]
    examiner: PhotoExaminer
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class PhotoReport:
    """One photograph: accepted, or refused with the reason in words."""

    path: Path
    accepted: bool
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {'accepted' if self.accepted else 'refused: ' + self.reason}"


@dataclass(frozen=True, eq=False)
class Enrolment:
    """template: (d,) float32 of unit length, None when no photograph was accepted; photos: how many went into it."""

    subject_id: str
    embedder: EmbedderId
    template: Embedding | None
    photos: int
    reports: tuple[PhotoReport, ...] = ()


def enrol(
    subject_id: str, photos: Sequence[Path], tools: PhotoTools, same_person_min: float | None = None
) -> Enrolment:
    """One person's template from their photographs.

    same_person_min: cosine that each photograph must reach with the mean of the others, so that somebody else's picture
    among them is noticed (with two, neither can be trusted); None leaves that check out.
    """
    reports: list[PhotoReport] = []
    probes: dict[Path, Embedding] = {}
    for path in dict.fromkeys(photos):
        probe, reason = _probe(path, tools)
        if probe is None:
            reports.append(PhotoReport(path, False, reason))
        else:
            probes[path] = probe
    strangers = _strangers(probes, same_person_min) if same_person_min is not None else set()
    for path in probes:
        reason = "does not look like the same person as the other photographs; check whose it is"
        reports.append(PhotoReport(path, False, reason) if path in strangers else PhotoReport(path, True))
    accepted = [probe for path, probe in probes.items() if path not in strangers]
    reports.sort(key=lambda report: list(photos).index(report.path))
    template = fuse(accepted) if accepted else None
    return Enrolment(subject_id, tools.examiner.embedder, template, len(accepted), tuple(reports))


def fuse(probes: Sequence[Embedding]) -> Embedding:
    """The mean direction, shape (d,), float32, unit length."""
    mean = np.mean(np.stack(probes).astype(np.float64), axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def _probe(path: Path, tools: PhotoTools) -> tuple[Embedding | None, str]:
    """(probe, "") or (None, why not)."""
    try:
        image = tools.load(path)
    except TerminalError as error:
        return None, str(error).removeprefix(f"{path}: ")
    observation = tools.examiner.examine(image)
    if observation.probe is None:
        return None, "; ".join(WORDS[problem] for problem in observation.problems) or WORDS[QualityProblem.NO_FACE]
    return observation.probe, ""


def _strangers(probes: dict[Path, Embedding], same_person_min: float) -> set[Path]:
    """Photographs that don't look like the mean of the others."""
    if len(probes) < 2:
        return set()
    return {
        path
        for path, probe in probes.items()
        if float(probe @ fuse([other for name, other in probes.items() if name != path])) < same_person_min
    }
