"""What is said aloud for each signal, as data, and when. Shared by every voice driver.

Rules: a queue listens, so nothing says who somebody is, what they receive or why not: whatever the reason, it is "take
the slip, ask the officer". Guidance is said while nothing else is, and again only after AGAIN_S; a cue or an outcome is
said at once, and cuts guidance short. The files are made from these texts by `scripts/make-prompts`.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

from edge_agent.core.model import Signal
from edge_agent.ports import SoundError

SPOKEN = Path(__file__).parent / "spoken"
"""One folder a language, one WAV file a prompt."""

AGAIN_S = 8.0
"""Guidance that still holds is said again after so long."""

LAPSE_S = 4.0
"""Something urgent that could not be said for so long is not said any more: it would come at the wrong moment."""


@dataclass(frozen=True)
class Prompt:
    """name: of its file. id, jv: what is said, Indonesian and Javanese (krama); en: what that means. urgent: said at
    once, and once; otherwise it is guidance."""

    name: str
    id: str
    jv: str
    en: str
    urgent: bool = False

    def text(self, language: str) -> str:
        """What is said in this language, "id" or "jv"."""
        return {"id": self.id, "jv": self.jv}[language]


_ASK = Prompt("ask_officer", "Silakan tanya petugas.", "Mangga nyuwun pirsa petugas.", "Please ask the officer.", True)
_WAIT = Prompt("wait", "Mohon tunggu sebentar.", "Mangga ngentosi sekedhap.", "Please wait a moment.")
_SLIP_AND_ASK = Prompt(
    "take_slip_and_ask",
    "Silakan ambil struk, lalu tanya petugas.",
    "Mangga strukipun kapundhut, lajeng nyuwun pirsa petugas.",
    "Please take the slip, then ask the officer.",
    True,
)

PROMPTS: dict[Signal, Prompt] = {
    Signal.LOOK_HERE: Prompt(
        "look_here", "Silakan lihat ke kamera.", "Mangga mirsani kamera.", "Please look at the camera."
    ),
    Signal.FACE_THE_CAMERA: Prompt(
        "face_the_camera",
        "Hadapkan wajah ke kamera.",
        "Mangga pasuryanipun ngadhep kamera.",
        "Turn your face to the camera.",
    ),
    Signal.OPEN_YOUR_EYES: Prompt(
        "open_your_eyes",
        "Buka mata, lihat ke kamera.",
        "Mangga soca kabuka, mirsani kamera.",
        "Open your eyes, look at the camera.",
    ),
    Signal.COME_CLOSER: Prompt("come_closer", "Maju sedikit.", "Mangga majeng sekedhik.", "Come a little closer."),
    Signal.STEP_BACK: Prompt("step_back", "Mundur sedikit.", "Mangga mundur sekedhik.", "Step back a little."),
    Signal.STAND_IN_THE_MIDDLE: Prompt(
        "stand_in_the_middle", "Berdiri di tengah.", "Mangga jumeneng ing tengah.", "Stand in the middle."
    ),
    Signal.ONE_AT_A_TIME: Prompt("one_at_a_time", "Satu orang saja.", "Namung satunggal tiyang.", "One person only."),
    Signal.MORE_LIGHT: Prompt(
        "more_light",
        "Kurang terang. Menghadap ke cahaya.",
        "Kirang padhang. Mangga ngadhep pepadhang.",
        "Too dark. Face the light.",
    ),
    Signal.LESS_LIGHT: Prompt(
        "less_light",
        "Terlalu silau. Geser sedikit.",
        "Kepadhangen. Mangga geser sekedhik.",
        "Too much glare. Move a little.",
    ),
    Signal.HOLD_STILL: Prompt(
        "hold_still",
        "Diam sebentar, lihat ke kamera.",
        "Mangga kendel sekedhap, mirsani kamera.",
        "Keep still a moment, look at the camera.",
    ),
    Signal.TURN_LEFT: Prompt("turn_left", "Menoleh ke kiri.", "Mangga noleh ngiwa.", "Turn to the left.", True),
    Signal.TURN_RIGHT: Prompt("turn_right", "Menoleh ke kanan.", "Mangga noleh nengen.", "Turn to the right.", True),
    Signal.LOOK_AHEAD: Prompt("look_ahead", "Lihat lurus ke depan.", "Mangga mirsani lurus.", "Look ahead.", True),
    Signal.SHOW_CARD: Prompt(
        "show_card",
        "Tunjukkan kartu Anda ke kamera.",
        "Mangga kertunipun dipun tedahaken dhateng kamera.",
        "Show your card to the camera.",
        True,
    ),
    Signal.CARD_READ: Prompt(
        "card_read",
        "Kartu diterima. Lihat ke kamera.",
        "Kartu sampun katampi. Mangga mirsani kamera.",
        "The card is taken. Look at the camera.",
        True,
    ),
    Signal.CARD_REFUSED: _ASK,
    Signal.ASKING_CENTRE: _WAIT,
    Signal.WORKING: _WAIT,
    Signal.GIVEN: Prompt(
        "take_slip", "Silakan ambil struk Anda.", "Mangga strukipun kapundhut.", "Please take your slip.", True
    ),
    Signal.REFERRED: _SLIP_AND_ASK,
    Signal.NOT_ENTITLED: _SLIP_AND_ASK,
    Signal.TAKE_SLIP_FAILED: _ASK,
    Signal.PAPER_OUT: _ASK,
    Signal.OUT_OF_SERVICE: _ASK,
    Signal.CLOSED_BY_OFFICER: _ASK,
}
"""Signals that are not here are silent: nobody is there, or only an officer is spoken to, who hears the buzzer."""

LANGUAGES = ("id", "jv")
"""Languages there are prompts in."""


def spoken_file(prompt: Prompt, language: str) -> Path:
    """Where the WAV file of a prompt lies."""
    return SPOKEN / language / f"{prompt.name}.wav"


def spoken_s(prompt: Prompt, language: str) -> float:
    """How many seconds a prompt takes. Raises SoundError when its file is missing or damaged."""
    path = spoken_file(prompt, language)
    try:
        with wave.open(str(path)) as file:
            return float(file.getnframes() / file.getframerate())
    except (OSError, wave.Error, EOFError) as problem:
        raise SoundError(f"{path}: no prompt can be read from it ({problem}); run scripts/make-prompts") from problem


class PromptPlan:
    """What to say when. A driver tells what is shown, and asks at each tick."""

    def __init__(self) -> None:
        self._signal = Signal.STOPPED
        self._owed = False
        self._shown_s = 0.0
        self._said_s: dict[str, float] = {}

    def show(self, signal: Signal, now_s: float) -> None:
        """This signal is shown from now on (monotonic seconds); the same again changes nothing."""
        if signal is not self._signal:
            self._signal, self._shown_s = signal, now_s
            self._owed = signal in PROMPTS and PROMPTS[signal].urgent

    @property
    def interrupts(self) -> bool:
        """Whether what is being said now must end: something urgent waits."""
        return self._owed

    def due(self, now_s: float) -> Prompt | None:
        """What to begin to say now, when nothing is being said (monotonic seconds). It then counts as said."""
        prompt = PROMPTS.get(self._signal)
        if now_s - self._shown_s > LAPSE_S:
            self._owed = False
        if prompt is None or (prompt.urgent and not self._owed):
            return None
        if not prompt.urgent and now_s - self._said_s.get(prompt.name, -AGAIN_S) < AGAIN_S:
            return None
        self._owed = False
        self._said_s[prompt.name] = now_s
        return prompt
