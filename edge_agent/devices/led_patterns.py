"""What the five LEDs show for each signal, as data, and how to read a signal back from the LEDs.

`left` and `right` flank the camera (from the recipient's own left and right); `green`, `yellow`, `red` stand in a row.

Rules, each kept by a test:
- every `Signal` has exactly one pattern; no two can be mistaken for each other by position and rhythm, without colour;
- a side LED alone always means "turn that way"; both side LEDs and nothing else always mean "look straight ahead";
- red alone is about the terminal, never about the person: a public red light would shame somebody;
- nothing starts to light more than 2.5 times a second. WCAG 2.3.1 allows three flashes in any second, because flashing
  from 3 to 30 Hz can start a seizure in people with photosensitive epilepsy;
- steps last multiples of 0.1 s, the agent's tick; each step differs from the one before it; every pattern but STOPPED
  starts lit, so that its start can be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_agent.core.model import Signal

LEDS = ("left", "right", "green", "yellow", "red")
"""All LEDs, in the order in which they are drawn and wired."""

TOLERANCE_S = 0.15
"""How far a step seen on the LEDs may differ from the pattern: one late tick (0.1 s) and a half."""

_WINDOW_S = 8.0
"""How far back `recognise` looks: over two cycles of the longest pattern (READY, 3 s)."""

Lit = frozenset[str]


@dataclass(frozen=True)
class Step:
    """These LEDs and no others are on for duration_s seconds."""

    duration_s: float
    lit: Lit


@dataclass(frozen=True)
class Told:
    """One text in both languages of the technicians' page."""

    id: str
    en: str


@dataclass(frozen=True)
class LedPattern:
    """One signal on the LEDs. The steps repeat; a single step is simply held.

    meaning: what the terminal is doing, for technicians; action: what the person in front should do.
    """

    steps: tuple[Step, ...]
    meaning: Told
    action: Told

    @property
    def cycle_s(self) -> float:
        """Length of one round of the steps."""
        return sum(step.duration_s for step in self.steps)

    @property
    def held(self) -> bool:
        """Whether the LEDs don't change."""
        return len(self.steps) == 1


def lit_at(pattern: LedPattern, elapsed_s: float) -> Lit:
    """The LEDs that are on `elapsed_s` seconds after the pattern began. Raises ValueError for a negative time."""
    if elapsed_s < 0:
        raise ValueError(f"elapsed_s: {elapsed_s:g} is before the pattern began; give seconds since its start")
    # A nanosecond forgives the float sum of ticks that should land exactly on a step's edge.
    left_s = (elapsed_s + 1e-9) % pattern.cycle_s
    for step in pattern.steps:
        if left_s < step.duration_s:
            return step.lit
        left_s -= step.duration_s
    return pattern.steps[-1].lit


def _steps(*steps: tuple[float, str]) -> tuple[Step, ...]:
    return tuple(Step(duration_s, frozenset(names.split())) for duration_s, names in steps)


_WAIT = Told("Tunggu sebentar.", "Wait a moment.")

PATTERNS: dict[Signal, LedPattern] = {
    Signal.STARTING: LedPattern(
        _steps((0.5, "green"), (0.5, "yellow"), (0.5, "red")),
        Told("Terminal sedang menyala.", "The terminal is starting."),
        _WAIT,
    ),
    Signal.READY: LedPattern(
        _steps((0.3, "green"), (2.7, "")),
        Told("Siap; tidak ada orang.", "Ready; nobody is there."),
        Told("Silakan maju ke depan kamera.", "Step up to the camera."),
    ),
    Signal.LOOK_HERE: LedPattern(
        _steps((0.6, "left right green"), (0.6, "")),
        Told("Ada orang; wajah belum terlihat baik.", "Somebody is there; the face is not seen well yet."),
        Told("Lihat ke kamera, di antara dua lampu.", "Look at the camera, between the two lights."),
    ),
    Signal.FACE_THE_CAMERA: LedPattern(
        _steps((0.3, "left right green"), (0.3, ""), (0.3, "left right green"), (0.9, "")),
        Told("Wajah menoleh, menunduk atau mendongak.", "The face is turned away, bowed or thrown back."),
        Told("Hadapkan wajah lurus ke kamera.", "Turn your face straight to the camera."),
    ),
    Signal.OPEN_YOUR_EYES: LedPattern(
        _steps((1.2, "left right green"), (0.3, "")),
        Told("Mata terpejam atau tertutup.", "The eyes are closed or covered."),
        Told("Buka mata dan lihat ke kamera.", "Open your eyes and look at the camera."),
    ),
    Signal.COME_CLOSER: LedPattern(
        _steps((0.4, "left right yellow"), (0.4, "yellow"), (0.4, "")),
        Told("Wajah terlalu jauh.", "The face is too far away."),
        Told("Maju selangkah.", "Take a step forward."),
    ),
    Signal.STEP_BACK: LedPattern(
        _steps((0.4, "yellow"), (0.4, "left right yellow"), (0.4, "")),
        Told("Wajah terlalu dekat.", "The face is too near."),
        Told("Mundur selangkah.", "Take a step back."),
    ),
    Signal.STAND_IN_THE_MIDDLE: LedPattern(
        _steps((0.6, "left right green red"), (0.6, "yellow")),
        Told("Sebagian wajah di luar pandangan kamera.", "Part of the face is outside the camera's view."),
        Told("Berdirilah tepat di tengah, di depan kamera.", "Stand in the middle, right in front of the camera."),
    ),
    Signal.ONE_AT_A_TIME: LedPattern(
        _steps((0.6, "green red"), (0.6, "yellow")),
        Told("Lebih dari satu wajah terlihat.", "More than one face is seen."),
        Told("Satu orang saja di depan kamera.", "Only one person in front of the camera."),
    ),
    Signal.MORE_LIGHT: LedPattern(
        _steps((0.8, "left right green yellow red"), (0.8, "")),
        Told("Wajah terlalu gelap.", "The face is too dark."),
        Told("Menghadap ke cahaya; petugas: nyalakan lampu.", "Face the light; officer: turn on a lamp."),
    ),
    Signal.LESS_LIGHT: LedPattern(
        _steps((0.3, "left right green yellow red"), (1.3, "")),
        Told("Cahaya di wajah terlalu silau.", "There is glare on the face."),
        Told(
            "Bergeser sedikit dari cahaya silau; petugas: tutup cahayanya.",
            "Move a little out of the glare; officer: shade it.",
        ),
    ),
    Signal.HOLD_STILL: LedPattern(
        _steps((1.0, "left right green")),
        Told(
            "Wajah sedang dikenali, atau gambarnya kabur karena bergerak.",
            "The face is being recognised, or its picture is blurred by movement.",
        ),
        Told("Tetap diam dan lihat ke kamera.", "Keep still and look at the camera."),
    ),
    Signal.SHOW_CARD: LedPattern(
        _steps((0.2, "left green right"), (0.2, ""), (0.2, "left green right"), (0.2, ""), (1.0, "green")),
        Told(
            "Wajah mirip dengan orang lain di daftar; kartu ditunggu beberapa detik.",
            "The face is like somebody else's on the list; a card is awaited for some seconds.",
        ),
        Told("Tunjukkan kartu Anda ke kamera.", "Show your card to the camera."),
    ),
    Signal.CARD_READ: LedPattern(
        _steps((0.2, "green yellow"), (0.2, "")),
        Told("Kartu terbaca dan berlaku.", "A card was read and is taken."),
        Told("Turunkan kartu dan lihat ke kamera.", "Put the card down and look at the camera."),
    ),
    Signal.CARD_REFUSED: LedPattern(
        _steps((0.4, "green yellow"), (0.4, "yellow red")),
        Told(
            "Kode ini bukan kartu yang berlaku: rusak, asing, kedaluwarsa atau dicabut (lihat catatan terminal).",
            "This code is no card that is taken: damaged, foreign, expired or withdrawn (see the terminal's log).",
        ),
        Told("Tunjukkan kartu yang benar, atau lihat ke kamera.", "Show the right card, or look at the camera."),
    ),
    Signal.BADGE_READ: LedPattern(
        _steps((0.2, "green red"), (0.2, "")),
        Told("Tanda petugas terbaca dan berlaku.", "An officer's badge was read and is taken."),
        Told("Petugas: tunjukkan kartu perintah.", "Officer: show a command card."),
    ),
    Signal.NEXT_CARD: LedPattern(
        _steps((0.3, "green red"), (1.2, "")),
        Told(
            "Perintah terbaca; kode berikutnya ditunggu.",
            "The command was read; the code that it needs is awaited.",
        ),
        Told(
            "Petugas: tunjukkan kartu penerima, struk, atau tanda petugas kedua.",
            "Officer: show the recipient's card, the slip, or the second officer's badge.",
        ),
    ),
    Signal.ACT_DONE: LedPattern(
        _steps((1.0, "green red")),
        Told("Perintah petugas selesai dan tercatat.", "The officer's command is done and recorded."),
        Told("Petugas: ambil struk, jika ada.", "Officer: take the slip, if there is one."),
    ),
    Signal.ACT_REFUSED: LedPattern(
        _steps((0.4, "green red"), (0.4, "yellow red")),
        Told(
            "Perintah petugas tidak dilakukan (sebabnya di struk atau catatan terminal).",
            "The officer's command was not done (the slip or the terminal's log says why).",
        ),
        Told(
            "Petugas: baca struk, lalu mulai lagi dari tanda petugas.",
            "Officer: read the slip, then begin again with the badge.",
        ),
    ),
    Signal.TURN_LEFT: LedPattern(
        _steps((0.2, "left"), (0.2, "")),
        Told("Pemeriksaan orang hidup: minta menoleh ke kiri.", "Liveness check: a turn to the left is asked for."),
        Told("Tolehkan kepala ke kiri Anda, ke arah lampu.", "Turn your head to your left, towards the light."),
    ),
    Signal.TURN_RIGHT: LedPattern(
        _steps((0.2, "right"), (0.2, "")),
        Told("Pemeriksaan orang hidup: minta menoleh ke kanan.", "Liveness check: a turn to the right is asked for."),
        Told("Tolehkan kepala ke kanan Anda, ke arah lampu.", "Turn your head to your right, towards the light."),
    ),
    Signal.LOOK_AHEAD: LedPattern(
        _steps((1.0, "left right")),
        Told("Pemeriksaan orang hidup: minta melihat lurus.", "Liveness check: a straight look is asked for."),
        Told("Lihat lurus ke kamera.", "Look straight at the camera."),
    ),
    Signal.WORKING: LedPattern(
        _steps((0.4, "yellow"), (0.4, "")),
        Told("Mencatat dan mencetak.", "Recording and printing."),
        _WAIT,
    ),
    Signal.ASKING_CENTRE: LedPattern(
        _steps((0.2, "yellow"), (0.2, ""), (0.2, "yellow"), (1.0, "")),
        Told(
            "Bertanya ke pusat, karena terminal ini tidak boleh memutuskan sendiri.",
            "Asking the centre, because this terminal may not decide alone.",
        ),
        _WAIT,
    ),
    Signal.GIVEN: LedPattern(
        _steps((1.0, "green")),
        Told("Bantuan dicatat dan struk tercetak.", "The aid is recorded and the slip printed."),
        Told("Ambil struk, lalu terima bantuan.", "Take the slip, then receive the aid."),
    ),
    Signal.REFERRED: LedPattern(
        _steps((1.2, "yellow"), (0.4, "")),
        Told("Perlu bantuan petugas; alasan ada di struk.", "An officer is needed; the slip says why."),
        Told("Ambil struk dan tunjukkan kepada petugas.", "Take the slip and show it to the officer."),
    ),
    Signal.NOT_ENTITLED: LedPattern(
        _steps((0.9, "yellow red"), (0.3, ""), (0.3, "yellow red"), (0.3, "")),
        Told("Data menyatakan belum dapat diberikan.", "The data says that nothing can be given now."),
        Told("Ambil struk; di situ ada cara mengajukan keberatan.", "Take the slip; it says how to object."),
    ),
    Signal.ABANDONED: LedPattern(
        _steps((0.5, "green yellow"), (1.5, "")),
        Told("Orang pergi sebelum selesai; tidak ada yang diberikan.", "The person left early; nothing was given."),
        Told("Silakan kembali ke depan kamera.", "Please come back to the camera."),
    ),
    Signal.TAKE_SLIP_FAILED: LedPattern(
        _steps((0.5, "green yellow red"), (0.5, "")),
        Told(
            "Hasil sudah dicatat, tetapi struk tidak tercetak. Periksa printer, lalu minta orang itu maju lagi: "
            "struk dicetak.",
            "The outcome is recorded but its slip did not print. Check the printer, then let the person step up again: "
            "the slip is printed then.",
        ),
        Told("Jangan pergi dulu; panggil petugas.", "Please don't leave yet; call the officer."),
    ),
    Signal.PAPER_OUT: LedPattern(
        _steps((0.4, "red"), (0.4, ""), (0.4, "red"), (1.6, "")),
        Told("Kertas habis. Pasang gulungan baru.", "Out of paper. Put in a new roll."),
        Told("Tunggu; petugas akan mengganti kertas.", "Wait; the officer will change the paper."),
    ),
    Signal.OUT_OF_SERVICE: LedPattern(
        _steps((1.0, "red")),
        Told(
            "Terminal tidak dapat melayani. Jalankan `edge-agent doctor`.",
            "The terminal can't serve anybody. Run `edge-agent doctor`.",
        ),
        Told("Terminal rusak; mintalah bantuan petugas.", "The terminal is broken; ask the officer for help."),
    ),
    Signal.CLOSED_BY_OFFICER: LedPattern(
        _steps((1.0, "red"), (1.0, "")),
        Told("Ditutup oleh petugas; terminal tidak rusak.", "Closed by an officer; the terminal is not broken."),
        Told("Terminal sedang ditutup; tanyakan kepada petugas.", "The terminal is closed now; ask the officer."),
    ),
    Signal.STOPPED: LedPattern(
        _steps((1.0, "")),
        Told("Program berhenti atau listrik mati.", "The program has stopped, or there is no power."),
        Told("Mintalah bantuan petugas.", "Ask the officer for help."),
    ),
}

_LONGEST_DARK_S = max(
    step.duration_s for pattern in PATTERNS.values() if not pattern.held for step in pattern.steps if not step.lit
)


def recognise(history: Sequence[tuple[float, Lit]], now_s: float) -> Signal | None:
    """Read back the signal shown at `now_s` from the changes of the LEDs, oldest first: (monotonic s, LEDs on).

    None while the LEDs don't tell yet. TURN_LEFT, TURN_RIGHT, LOOK_AHEAD and COME_CLOSER are told by their first
    instant, every other signal within about one cycle, STOPPED once it is dark for longer than any pattern ever is.
    The signal that explains the longest stretch up to now is the answer; two equally good ones are none.
    """
    seen = [change for change in history if change[0] <= now_s]
    if not seen:
        return None
    ends_s = [*(start_s for start_s, _ in seen[1:]), now_s]
    pairs = zip(seen, ends_s, strict=True)
    spans = [Step(end_s - start_s, lit) for (start_s, lit), end_s in pairs if end_s > now_s - _WINDOW_S]
    if not spans[-1].lit and spans[-1].duration_s > _LONGEST_DARK_S + TOLERANCE_S:
        return Signal.STOPPED
    found = _explanations(spans, overlong=False) or _explanations(spans, overlong=True)
    return found[0] if len(found) == 1 else None


def _explanations(spans: Sequence[Step], *, overlong: bool) -> list[Signal]:
    """The signals whose pattern, begun at the earliest possible span, explains everything from there up to the last."""
    for begin in range(len(spans)):
        found = [signal for signal, pattern in PATTERNS.items() if _explains(pattern, spans[begin:], overlong=overlong)]
        if found:
            return found
    return []


def _explains(pattern: LedPattern, spans: Sequence[Step], *, overlong: bool) -> bool:
    """Whether the spans are this pattern from its first step on.

    overlong: the first span may last too long, as when the signal before ended with the very LEDs this one begins with;
    that is weaker evidence, so it is asked for only when nothing else explains what is seen.
    """
    if not spans[0].lit:
        return False
    for index, span in enumerate(spans):
        step = pattern.steps[index % len(pattern.steps)]
        last = index == len(spans) - 1
        if span.lit != step.lit or (pattern.held and not last):
            return False
        too_long = not pattern.held and span.duration_s > step.duration_s + TOLERANCE_S
        too_short = not last and span.duration_s < step.duration_s - TOLERANCE_S
        if too_short or (too_long and not (overlong and index == 0 and not last)):
            return False
    return True
