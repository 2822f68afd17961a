"""Presentation attack detection measured: APCER per species, BPCER, non-responses (ISO/IEC 30107-3).

A presentation is one visit: a clip shown under a fresh random challenge, or somebody who watches the lights.

Rules: APCER = accepted / (accepted + rejected), BPCER = rejected / (accepted + rejected), both over presentations that
got a response; non-responses (no usable view, out of time, gone) are a rate of their own, never dropped. Intervals
(95 %) are the wider of Wilson's and a bootstrap over clips or faces, whose presentations hang together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import cv2
import numpy as np

from edge_agent.attacks.material import Material
from edge_agent.attacks.species import Species
from edge_agent.core.cues import CONCLUSIVE, DOUBT
from edge_agent.core.model import FaceObservation
from edge_agent.core.rules import PadRules
from edge_agent.devices.camera_file import VideoFootage
from edge_agent.evaluation import pad_people
from edge_agent.evaluation.pad_clips import BONA_FIDE, Clip, PadListError
from edge_agent.evaluation.pad_people import FOLLOWING, NOT_FOLLOWING, Watch
from edge_agent.evaluation.pad_trial import Judged, Verdict, acquired, replay
from edge_agent.evaluation.rates import rate
from edge_agent.ports import CameraError, Image

FPS_MAX: Final = 15.0
CLIP_MAX_S: Final = 10.0
ANSWERING: Final = "-answering"
_LONGER_SIDE_MAX_PX: Final = 1280


@dataclass
class Presentations:
    """Verdicts of one species, each with the clip or face it came from (a number)."""

    judged: list[Judged] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)

    def add(self, judged: Judged, owner: int) -> None:
        """One more."""
        self.judged.append(judged)
        self.owners.append(owner)

    def report(self, error: Verdict) -> dict[str, Any]:
        """The error rate (`value`, `count`, `n`, `ci95`), presentations, sources, silence, reasons, time, cues."""
        verdicts = [one.verdict for one in self.judged]
        owners = np.array(self.owners, np.int64)
        answered = np.array([verdict is not Verdict.NO_RESPONSE for verdict in verdicts], np.bool_)
        wrong = np.array([verdict is error for verdict in verdicts], np.bool_)
        reasons = Counter(one.reason for one in self.judged if one.reason is not None)
        seconds = [one.seconds for one in self.judged]
        return rate(wrong[answered], owners[answered]) | {
            "presentations": len(verdicts),
            "sources": len(set(self.owners)),
            "non_response": rate(~answered, owners),
            "reasons": dict(sorted(reasons.items())),
            "median_s": round(float(np.median(seconds)), 2) if seconds else None,
            "cues": self._cues(),
        }

    def scores(self) -> dict[str, list[float]]:
        """Each cue's scores, over the presentations in which it was taken."""
        found: dict[str, list[float]] = {}
        for one in self.judged:
            for cue, score in one.cues:
                found.setdefault(cue, []).append(score)
        return found

    def _cues(self) -> dict[str, Any]:
        return {
            cue: {
                "n": len(scores),
                "median": round(float(np.median(scores)), 3),
                "doubts": sum(score < DOUBT for score in scores),
                "conclusive": sum(score < CONCLUSIVE for score in scores),
            }
            for cue, scores in sorted(self.scores().items())
        }


def report(
    attacks: Mapping[str, Presentations],
    following: Mapping[str, Presentations],
    not_following: Mapping[str, Presentations],
    passive: Presentations,
) -> dict[str, Any]:
    """The report with its documented keys (docs/evaluation-pad.md)."""
    apcer = {species: each.report(Verdict.ACCEPTED) for species, each in sorted(attacks.items())}
    known = [species for species in apcer if apcer[species]["n"]]
    worst = max(known, key=lambda species: (apcer[species]["value"], apcer[species]["ci95"][1]), default=None)
    everybody = Presentations()
    for each in following.values():
        everybody.judged += each.judged
        everybody.owners += each.owners
    return {
        "apcer": apcer,
        "worst_species": worst,
        "apcer_max": apcer[worst]["value"] if worst is not None else None,
        "bpcer": everybody.report(Verdict.REJECTED),
        "bpcer_by_behaviour": {name: each.report(Verdict.REJECTED) for name, each in following.items()},
        "not_following": {name: each.report(Verdict.REJECTED) for name, each in not_following.items()},
        "bona_fide_clips": passive.report(Verdict.REJECTED),
    }


def observe_clip(clip: Clip, watch: Watch) -> tuple[tuple[FaceObservation, ...], float]:
    """One cycle of a clip, forwards and back so that it never jumps, as vision sees it; and its frames a second.

    What vision sees doesn't depend on the challenge, so it is looked at once for all of them. Raises PadListError.
    """
    images, fps = _frames(clip)
    begun_s = next(watch.times_s())
    cycle = [*images, *images[-2:0:-1]]
    seen = tuple(watch.look(image, begun_s + index / fps) for index, image in enumerate(cycle))
    watch.pause(images[0])
    return seen, fps


def judge_clips(
    clips: Sequence[Clip], watch: Watch, pad: PadRules, seeds: Sequence[int], done: Callable[[int, str], None]
) -> tuple[dict[str, Presentations], Presentations]:
    """Attacks by species, and clips of living people, each clip presented once per seed."""
    attacks: dict[str, Presentations] = {}
    passive = Presentations()
    for number, clip in enumerate(clips):
        observations, fps = observe_clip(clip, watch)
        for seed in seeds:
            rng = np.random.default_rng((seed, number))
            if clip.species == BONA_FIDE:
                passive.add(acquired(observations, fps, rng), number)
            else:
                attacks.setdefault(clip.species, Presentations()).add(replay(observations, fps, pad, rng), number)
        done(number + 1, clip.species)
    return attacks, passive


def judge_people(
    people: Sequence[Material], watch: Watch, pad: PadRules, seeds: Sequence[int], done: Callable[[int, str], None]
) -> tuple[dict[str, Presentations], dict[str, Presentations]]:
    """Living people with these faces who follow the lights, and who don't: each behaviour once per face and seed."""
    found: dict[str, Presentations] = {}
    count = 0
    for behaviour in (*FOLLOWING, *NOT_FOLLOWING):
        for owner, material in enumerate(people):
            for seed in seeds if behaviour in FOLLOWING else seeds[:1]:
                staged = pad_people.person(material, behaviour, seed * 100 + owner)
                judged = pad_people.present(staged, watch, pad, seed * 100 + owner)
                found.setdefault(behaviour, Presentations()).add(judged, owner)
                count += 1
                done(count, behaviour)
    following = {name: each for name, each in found.items() if name in FOLLOWING}
    return following, {name: each for name, each in found.items() if name in NOT_FOLLOWING}


def judge_attackers(
    people: Sequence[Material], watch: Watch, pad: PadRules, seeds: Sequence[int], done: Callable[[int, str], None]
) -> dict[str, Presentations]:
    """Attackers who watch the lights and turn their instrument: species by species, named `<species>-answering`."""
    found: dict[str, Presentations] = {}
    count = 0
    for species in (one for one in Species if one.answers):
        for owner, material in enumerate(people):
            for seed in seeds:
                staged = pad_people.attacker(material, species, seed * 100 + owner)
                judged = pad_people.present(staged, watch, pad, seed * 100 + owner)
                found.setdefault(species.value + ANSWERING, Presentations()).add(judged, owner)
                count += 1
                done(count, species.value)
    return found


def _frames(clip: Clip) -> tuple[list[Image], float]:
    """The clip's frames, thinned to FPS_MAX and reduced in size, and how many a second those are."""
    try:
        footage = VideoFootage(clip.path)
    except CameraError as error:
        raise PadListError(f"{clip.path}: not a video OpenCV can read; convert it to MP4 (H.264)") from error
    every = max(1, round(footage.fps / FPS_MAX))
    images: list[Image] = []
    while len(images) < CLIP_MAX_S * footage.fps / every:
        image = footage.next_frame()
        if image is None:
            break
        images.append(_reduced(image))
        footage.skip(every - 1)
    footage.close()
    if not images:
        raise PadListError(f"{clip.path}: no frame can be decoded; the file is damaged: replace it")
    return images, footage.fps / every


def _reduced(image: Image) -> Image:
    scale = _LONGER_SIDE_MAX_PX / max(image.shape[:2])
    if scale >= 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
