"""Photographs of one person -> one template, with a word on every photograph.

Rules: the template is the mean of the accepted photographs' probes, at unit length: several photographs of different
pose and day recognise far better than the best one. A refused photograph never stops the others. Photographs are read
and examined by what is passed in, so this package knows nothing of vision; no image is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

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
    QualityProblem.EYES_CLOSED: "the eyes are closed; let the person look into the lens",
}
"""Why a photograph was refused and what to do."""


STRANGER = "does not look like the same person as the other photographs; check whose it is"


@dataclass(frozen=True)
class Seen:
    """What a photograph showed: a probe, or in words why not and what to do."""

    probe: Embedding | None
    reason: str = ""


class Looker(Protocol):
    """Whoever looks at photographs."""

    @property
    def embedder(self) -> EmbedderId:
        """What makes the probes."""

    def look(self, path: Path) -> Seen:
        """Look at one; never raises for what the file holds."""

    def close(self) -> None:
        """Free what was opened."""


@dataclass(frozen=True)
class PhotoTools:
    """load: file -> RGB image, raising TerminalError for a file that is no photograph; examiner: looks at it.

    close: frees the models; called by whoever opened the tools.
    """

    load: Callable[[Path], Image]
    examiner: PhotoExaminer
    close: Callable[[], None] = lambda: None

    @property
    def embedder(self) -> EmbedderId:
        """What makes the probes."""
        return self.examiner.embedder

    def look(self, path: Path) -> Seen:
        """Load and examine."""
        try:
            image = self.load(path)
        except TerminalError as error:
            return Seen(None, str(error).removeprefix(f"{path}: "))
        observation = self.examiner.examine(image)
        if observation.probe is None:
            problems = observation.problems or (QualityProblem.NO_FACE,)
            return Seen(None, "; ".join(WORDS[problem] for problem in problems))
        return Seen(observation.probe)


@dataclass(frozen=True)
class PhotoReport:
    """One photograph: accepted, or refused with the reason in words. where: what to call it; empty: its path."""

    path: Path
    accepted: bool
    reason: str = ""
    where: str = ""
    subject_id: str = ""

    def __str__(self) -> str:
        return f"{self.where or self.path}: {'accepted' if self.accepted else 'refused: ' + self.reason}"


@dataclass(frozen=True, eq=False)
class Enrolment:
    """template: (d,) float32 of unit length, None when no photograph was accepted; photos: how many went into it."""

    subject_id: str
    embedder: EmbedderId
    template: Embedding | None
    photos: int
    reports: tuple[PhotoReport, ...] = ()


def enrol(
    subject_id: str,
    photos: Sequence[Path],
    looker: Looker,
    same_person_min: float | None = None,
    where: Mapping[Path, str] | None = None,
) -> Enrolment:
    """Examine every photograph once and fuse the accepted ones.

    same_person_min: cosine that each must reach with the mean of the others, so that somebody else's picture
    among them is noticed (with two, neither can be trusted); None leaves that check out. where: what to call them.
    """
    names = where or {}
    seen = {path: looker.look(path) for path in dict.fromkeys(photos)}
    probes = {path: one.probe for path, one in seen.items() if one.probe is not None}
    strangers = _strangers(probes, same_person_min) if same_person_min is not None else set()
    reports = tuple(
        PhotoReport(
            path,
            path in probes and path not in strangers,
            STRANGER if path in strangers else one.reason,
            names.get(path, ""),
            subject_id,
        )
        for path, one in seen.items()
    )
    accepted = [probe for path, probe in probes.items() if path not in strangers]
    template = fuse(accepted) if accepted else None
    return Enrolment(subject_id, looker.embedder, template, len(accepted), reports)


def fuse(probes: Sequence[Embedding]) -> Embedding:
    """The mean direction, shape (d,), float32, unit length."""
    mean = np.mean(np.stack(probes).astype(np.float64), axis=0)
    return np.asarray(mean / np.linalg.norm(mean), dtype=np.float32)


def _strangers(probes: dict[Path, Embedding], same_person_min: float) -> set[Path]:
    """Photographs that don't look like the mean of the others."""
    if len(probes) < 2:
        return set()
    return {
        path
        for path, probe in probes.items()
        if float(probe @ fuse([other for name, other in probes.items() if name != path])) < same_person_min
    }
