"""What happens in front of the puppet camera: YAML -> validated script.

Rules: as settings: unknown keys, wrong types and values out of range are errors with file, line, field and remedy;
relative paths are relative to the script.
"""

from __future__ import annotations

import difflib
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from edge_agent.ports import CameraError
from edge_agent.settings_errors import SettingsError
from edge_agent.settings_yaml import Document, read_document

ASSETS = Path(__file__).parents[1] / "assets"
"""Faces that ship with the terminal: `NAME.json`, see README.md there."""

Seconds = Annotated[float, Field(ge=0, le=86_400)]


class Behaviour(str, Enum):
    """How a person answers the LEDs."""

    COOPERATIVE = "cooperative"
    LATE = "late"
    WRONG = "wrong"
    IGNORES = "ignores"
    LOOKS_AWAY = "looks_away"
    WALKS_OFF = "walks_off"


class Attack(str, Enum):
    """What is held before the camera instead of a living face (ISO/IEC 30107-3: presentation attack instruments)."""

    NONE = "none"
    PHOTO = "photo"
    REPLAY = "replay"


class Backdrop(str, Enum):
    """What stands behind the person: a plain wall, or the portrait's own background out of focus."""

    PLAIN = "plain"
    BLURRED = "blurred"


class Then(str, Enum):
    """What follows the last visit: nobody, the end of the footage (FootageEnded), or the first visit again."""

    STAY_EMPTY = "stay_empty"
    END = "end"
    REPEAT = "repeat"


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Visit(_Closed):
    """One person's visit.

    face: name of a shipped face, or a face file. who: a label for the demo's timeline. reaction_s: shortest and longest
    time to answer a cue; people take 0.35 to 0.9 s to see a light, understand it and begin to move. clip: for a replay,
    the video shown; unset: a clip of the face turning at random. stay_after_s: from the outcome's light to leaving.
    pause_s: empty picture before this visit, which begins at the next READY. at_most_s: leaves then, come what may.
    """

    face: Path = Path("nasa_astronaut")
    who: Annotated[str, Field(max_length=80)] = ""
    behaviour: Behaviour = Behaviour.COOPERATIVE
    reaction_s: tuple[Seconds, Seconds] = (0.35, 0.9)
    turn_deg: Annotated[float, Field(ge=0, le=35)] = 22.0
    attack: Attack = Attack.NONE
    clip: Path | None = None
    stay_after_s: Seconds = 2.5
    pause_s: Seconds = 2.0
    at_most_s: Annotated[float, Field(ge=1, le=3600)] = 60.0

    @field_validator("reaction_s")
    @classmethod
    def _in_order(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1]:
            raise ValueError("the shortest is longer than the longest; give [shortest, longest]")
        return value

    @model_validator(mode="after")
    def _clip_is_shown(self) -> Visit:
        if self.clip is not None and self.attack is not Attack.REPLAY:
            raise ValueError("clip without `attack: replay` is never shown; add the attack or remove the clip")
        return self


class PuppetScript(_Closed):
    """Visits one after another. seed: of everything random; the same seed, clock and LEDs give the same pictures."""

    seed: Annotated[int, Field(ge=0)] = 1
    background: Backdrop = Backdrop.PLAIN
    visits: Annotated[tuple[Visit, ...], Field(min_length=1)]
    then: Then = Then.STAY_EMPTY

    @model_validator(mode="after")
    def _faces_are_found(self) -> PuppetScript:
        visits = tuple(_with_shipped_face(visit) for visit in self.visits)
        return self if visits == self.visits else self.model_copy(update={"visits": visits})


def load_script(path: Path) -> PuppetScript:
    """The script in this file, its paths absolute. Raises CameraError, one fault a line: file:line: field: fault."""
    if not path.is_file():
        raise CameraError(f"puppet script {path}: no such file; correct camera.path (examples: config/puppet)")
    try:
        document = read_document(path)
    except SettingsError as error:
        raise CameraError(f"puppet script: {error}") from error
    if document.problems:
        raise CameraError("\n".join(f"puppet script: {problem}" for problem in document.problems))
    try:
        script = PuppetScript.model_validate(document.data)
    except ValidationError as error:
        faults: list[dict[str, Any]] = [dict(fault) for fault in error.errors(include_url=False)]
        # Pydantic counts visits with faults as absent, and says so of the list as well.
        within = [fault for fault in faults if fault["type"] != "too_short" or len(faults) == 1]
        within.sort(key=lambda fault: document.line(tuple(fault["loc"])))
        raise CameraError("\n".join(_told(fault, document) for fault in within)) from error
    folder = path.absolute().parent
    visits = tuple(
        visit.model_copy(update={"face": folder / visit.face, "clip": folder / visit.clip if visit.clip else None})
        for visit in script.visits
    )
    return script.model_copy(update={"visits": visits})


def _with_shipped_face(visit: Visit) -> Visit:
    """A bare name becomes the path of the shipped face; a path stays. An unknown name is left for `load_face`."""
    if visit.face.suffix or len(visit.face.parts) > 1:
        return visit
    return visit.model_copy(update={"face": ASSETS / f"{visit.face}.json"})


def _told(fault: dict[str, Any], document: Document) -> str:
    where = tuple(fault["loc"])
    field = ".".join(map(str, where)) or "script"
    what = str(fault.get("ctx", {}).get("error", fault["msg"]))
    if fault["type"] == "extra_forbidden":
        known = list((PuppetScript if len(where) == 1 else Visit).model_fields)
        near = difflib.get_close_matches(str(where[-1]), known, 1, 0.6)
        what = f"unknown key; did you mean '{near[0]}'?" if near else f"unknown key; known here: {', '.join(known)}"
    elif fault["type"] == "missing":
        what = "is missing; add it"
    elif not isinstance(fault["input"], dict | list):
        what = f"{fault['input']!r}: {what}"
    return f"puppet script {document.path}:{document.line(where)}: {field}: {what}"
