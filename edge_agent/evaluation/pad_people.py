"""Presentations that watch the lights: living people moved as puppets, and attackers who hold an instrument.

Rules: everything random comes from the seed given; the same seed gives the same presentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edge_agent.attacks.material import Material
from edge_agent.attacks.rendering import Stage, instrument, living, operated_screen
from edge_agent.attacks.species import Species
from edge_agent.core.model import FaceObservation, Signal
from edge_agent.core.rules import PadRules
from edge_agent.devices.puppet.behaviour import Visitor
from edge_agent.devices.puppet.script import Behaviour, Visit
from edge_agent.evaluation.pad_trial import Judged, perform
from edge_agent.ports import Frame, Image
from edge_agent.vision.observer import Observer

FOLLOWING: Final[dict[str, dict[str, Any]]] = {
    "prompt": {"reaction_s": (0.35, 0.9), "turn_deg": 24.0},
    "slow": {"reaction_s": (0.9, 2.2), "turn_deg": 22.0},
    "very_slow": {"reaction_s": (1.5, 3.0), "turn_deg": 22.0},
    "stiff": {"reaction_s": (0.5, 1.2), "turn_deg": 16.0},
}
"""People who do as the lights ask. reaction_s: shortest and longest time to begin; turn_deg: how far, ±8 %."""
NOT_FOLLOWING: Final[dict[str, dict[str, Any]]] = {
    "too_late": {"behaviour": Behaviour.LATE, "reaction_s": (0.35, 0.9)},
    "wrong_way": {"behaviour": Behaviour.WRONG},
    "ignores": {"behaviour": Behaviour.IGNORES},
}
"""Living people who don't, or begin a turn only after 3.4 to 3.9 s; apart: nothing tells them from an attack."""
_GAP_S: Final = 2.0


class Watch:
    """Vision with a clock that only goes forwards: one presentation after another, with a pause between."""

    def __init__(self, observer: Observer, fps: float) -> None:
        self._observer = observer
        self._sequence = 0
        self._now_s = 0.0
        self.fps = fps

    def look(self, image: Image, now_s: float) -> FaceObservation:
        """What vision makes of it."""
        self._sequence += 1
        self._now_s = now_s
        return self._observer.observe(Frame(image, now_s, self._sequence))

    def pause(self, like: Image) -> None:
        """Nobody is there for a while, so that nothing is carried over to the next presentation."""
        blank = np.full_like(like, 128)
        for _ in range(3):
            self.look(blank, self._now_s + _GAP_S)

    def times_s(self) -> Iterator[float]:
        """Instants of the next frames."""
        begun_s, count = self._now_s + _GAP_S, 0
        while True:
            yield begun_s + count / self.fps
            count += 1


@dataclass(frozen=True)
class Staged:
    """A stage and how its visitor behaves."""

    stage: Stage
    visit: Visit


def person(material: Material, behaviour: str, seed: int) -> Staged:
    """A living person with this face. behaviour: of FOLLOWING or NOT_FOLLOWING."""
    visit = Visit(**(FOLLOWING | NOT_FOLLOWING)[behaviour])
    return Staged(living(material.face, seed), visit)


def attacker(material: Material, species: Species, seed: int) -> Staged:
    """Somebody who turns the instrument as the lights ask; `partial`: the head; a screen: that side's clip."""
    screen = species is Species.SCREEN_REPLAY
    stage = operated_screen(material, seed) if screen else instrument(species, material, seed)
    return Staged(stage, Visit(**FOLLOWING["prompt"]))


def present(staged: Staged, watch: Watch, pad: PadRules, seed: int) -> Judged:
    """Walk up, do what the visitor does, until there is a verdict."""
    times_s = watch.times_s()
    begun_s = next(times_s)
    visitor = Visitor(staged.visit, np.random.default_rng((seed, 21)), begun_s)
    sequence = 0

    def seen(signal: Signal | None, now_s: float) -> FaceObservation:
        nonlocal sequence
        visitor.watch(signal, now_s)
        sequence += 1
        image = staged.stage.picture(visitor.stance(now_s), sequence, now_s - begun_s)
        return watch.look(image, now_s)

    judged = perform(seen, times_s, pad, np.random.default_rng((seed, 22)))
    watch.pause(np.zeros((480, 640, 3), np.uint8))
    return judged
