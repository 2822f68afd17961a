"""The words of docs/recipients.md, in Indonesian and English, and how lights and sounds are put into words.

Rules: what a light means and what to do is the patterns' own text; what is said is the prompts' own. Only headings and
what no code holds stand here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge_agent.core.model import QualityProblem, Signal
from edge_agent.core.serving import _GUIDANCE as GUIDANCE
from edge_agent.devices.buzzes import BUZZES, Beeps
from edge_agent.devices.led_patterns import LEDS, PATTERNS, Told
from edge_agent.devices.prompts import PROMPTS
from recipients_page.pictures import frames

LONG_S = 0.4
"""A beep from this length on is called long."""

STEPS = (
    Signal.READY,
    Signal.LOOK_HERE,
    Signal.SHOW_CARD,
    Signal.CARD_READ,
    Signal.CARD_REFUSED,
    Signal.TURN_LEFT,
    Signal.TURN_RIGHT,
    Signal.LOOK_AHEAD,
    Signal.HOLD_STILL,
    Signal.WORKING,
    Signal.ASKING_CENTRE,
    Signal.GIVEN,
    Signal.REFERRED,
    Signal.NOT_ENTITLED,
    Signal.TAKE_SLIP_FAILED,
    Signal.ABANDONED,
    Signal.PAPER_OUT,
    Signal.CLOSED_BY_OFFICER,
    Signal.OUT_OF_SERVICE,
    Signal.STARTING,
    Signal.STOPPED,
)
"""From stepping up to the slip, and what can come between; guidance by quality has a table of its own."""

OFFICERS = (Signal.BADGE_READ, Signal.NEXT_CARD, Signal.ACT_DONE, Signal.ACT_REFUSED)


@dataclass(frozen=True)
class Words:
    """What the page itself says in one language. led: names of the LEDs, and of none."""

    language: str
    led: dict[str, str]
    title: str
    intro: tuple[str, ...]
    steps: str
    quality: str
    quality_intro: str
    officers: str
    slips: str
    slip: dict[str, str]
    help_title: str
    help: tuple[str, ...]
    columns: tuple[str, str, str, str]
    problem: str
    problems: dict[QualityProblem, str]
    beep: dict[str, str]
    silent: str

    def told(self, told: Told) -> str:
        """A pattern's text in this language."""
        return told.id if self.language == "id" else told.en

    def meaning(self, signal: Signal) -> str:
        """What it means, without what is for technicians: its first sentence, up to a colon or a bracket."""
        first = re.split(r"(?<=\.) |: | \(", self.told(PATTERNS[signal].meaning))[0]
        return first if first.endswith(".") else f"{first}."

    def action(self, signal: Signal) -> str:
        """What to do."""
        return self.told(PATTERNS[signal].action)

    def pattern(self, signal: Signal) -> str:
        """The strip in words, for who can't see it: "left + right 0.6 s, dark 0.6 s"."""
        told = [
            (" + ".join(self.led[name] for name in LEDS if name in lit) or self.led[""], seconds)
            for lit, seconds in frames(signal)
        ]
        return told[0][0] if len(told) == 1 else ", ".join(f"{lit} {seconds:.1f} s" for lit, seconds in told)

    def sounds(self, signal: Signal) -> str:
        """The beeps in words, and the words that are spoken."""
        parts = [self._beeps(BUZZES[signal])] if BUZZES[signal] else []
        prompt = PROMPTS.get(signal)
        if prompt is not None:
            parts.append(f"“{prompt.id}” / “{prompt.jv}”" if self.language == "id" else f"“{prompt.en}”")
        return "<br>".join(parts) or self.silent

    def _beeps(self, beeps: Beeps) -> str:
        lengths = ["long" if duration_s >= LONG_S else "short" for duration_s in beeps[::2]]
        if len(set(lengths)) == 1:
            return f"{len(lengths)} × {self.beep[lengths[0]]}"
        return " + ".join(self.beep[length] for length in lengths)


INDONESIAN = Words(
    language="id",
    led={"left": "kiri", "right": "kanan", "green": "hijau", "yellow": "kuning", "red": "merah", "": "padam"},
    title="Untuk penerima bantuan",
    intro=(
        "Terminal ini tidak punya layar. Lima lampu, bunyi dan suara (bila dipasang) menunjukkan apa yang "
        "terjadi. Anda tidak "
        "perlu menghafal: lihat ke kamera, ikuti lampu, dan tanyakan kepada petugas bila ragu.",
        "**Terminal tidak pernah menolak Anda karena wajah atau jaringan.** Bila ada yang belum cocok, Anda "
        "mendapat struk "
        "untuk ditunjukkan kepada petugas.",
        "Gambar: kamera di tengah atas, lampu kiri dan kanan di sampingnya, di bawahnya hijau, kuning, merah. "
        "Lampu yang "
        "menyala bercincin. Beberapa gambar berarti bergantian; di bawahnya lamanya. Satu gambar berarti "
        "menyala tetap. "
        "Semua dapat dibedakan dari tempat dan irama, tanpa melihat warna.",
    ),
    steps="Langkah demi langkah",
    quality="Bila kamera belum melihat Anda dengan baik",
    quality_intro="Lampu meminta satu hal setiap kali. Lakukan perlahan; terminal menunggu.",
    officers="Untuk petugas: tanda petugas dan kartu perintah",
    slips="Struk",
    slip={
        "given": "Bantuan diterima. Cocokkan barang dengan struk, dan simpan struk.",
        "referred": (
            "Perlu bantuan petugas. Ini bukan penolakan. Struk menyebut sebab, langkah berikutnya dan nomor kasus."
        ),
        "not_entitled": "Menurut data belum dapat diberikan. Struk menyebut sebab dan cara mengajukan keberatan.",
    },
    help_title="Bila ada yang sulit",
    help=(
        "Tidak dapat menoleh, memakai cadar, terluka, atau tidak dapat melihat lampu: petugas dapat melayani "
        "Anda dengan cara lain.",
        "Tidak dapat datang sendiri: bantuan dapat diambil wakil yang terdaftar; struk mencatatnya.",
        "Tidak dapat membaca: minta petugas membacakan struk. Kode alasan (misalnya R03) sama dalam semua bahasa.",
        "Merasa belum menerima, atau tidak setuju: hubungi alamat pengaduan di struk dengan nomor kasus.",
        "Suara tidak pernah menyebut nama, bantuan, atau alasan: orang lain dalam antrean tidak perlu tahu.",
    ),
    columns=("Lampu", "Bunyi dan suara", "Artinya", "Yang Anda lakukan"),
    problem="Sebab",
    problems={
        QualityProblem.NO_FACE: "wajah tidak terlihat",
        QualityProblem.MANY_FACES: "ada beberapa wajah",
        QualityProblem.TOO_FAR: "terlalu jauh",
        QualityProblem.TOO_NEAR: "terlalu dekat",
        QualityProblem.CUT_OFF: "sebagian wajah di luar pandangan",
        QualityProblem.DARK: "terlalu gelap",
        QualityProblem.GLARE: "terlalu silau",
        QualityProblem.TURNED: "wajah menoleh",
        QualityProblem.BLURRED: "bergerak, gambar kabur",
        QualityProblem.EYES_CLOSED: "mata terpejam",
    },
    beep={"short": "bunyi pendek", "long": "bunyi panjang"},
    silent="–",
)

ENGLISH = Words(
    language="en",
    led={"left": "left", "right": "right", "green": "green", "yellow": "yellow", "red": "red", "": "dark"},
    title="For recipients",
    intro=(
        "This terminal has no screen. Five lights, beeps and a voice (where they are fitted) show what happens. "
        "Nothing has to "
        "be learned: look at the camera, follow the lights, and ask the officer when in doubt.",
        "**The terminal never turns you away for your face or the network.** Where something does not fit yet, "
        "you get a slip to "
        "show to the officer.",
        "Pictures: the camera at the top in the middle, the left and right light beside it, below them green, "
        "yellow, red. A "
        "light that is on has a ring. Several pictures follow each other, with their seconds; one picture is "
        "steady. All can "
        "be told by place and rhythm, without seeing colour.",
    ),
    steps="Step by step",
    quality="While the camera does not see you well",
    quality_intro="The lights ask for one thing at a time. Do it slowly; the terminal waits.",
    officers="For officers: badge and command cards",
    slips="Slips",
    slip={
        "given": "Aid received. Compare what you got with the slip, and keep the slip.",
        "referred": (
            "Please see an officer. This is not a refusal. The slip says why, what next, and the number of the case."
        ),
        "not_entitled": "By the data, not to be given yet. The slip says why, and how to object.",
    },
    help_title="Where something is hard",
    help=(
        "Who cannot turn the head, wears a veil, is injured or cannot see the lights: the officer can help in "
        "another way.",
        "Who cannot come: a registered proxy may collect the aid; the slip says so.",
        "Who cannot read: ask the officer to read the slip out. The code of the reason (R03, say) is the same "
        "in all languages.",
        "Who has not received it, or does not agree: the complaint channel on the slip, with the number of the case.",
        "The voice never says a name, an aid or a reason: others in the queue need not know.",
    ),
    columns=("Lights", "Beeps and voice", "What it means", "What you do"),
    problem="Reason",
    problems={
        QualityProblem.NO_FACE: "no face is seen",
        QualityProblem.MANY_FACES: "several faces",
        QualityProblem.TOO_FAR: "too far",
        QualityProblem.TOO_NEAR: "too near",
        QualityProblem.CUT_OFF: "part of the face is out of view",
        QualityProblem.DARK: "too dark",
        QualityProblem.GLARE: "glare",
        QualityProblem.TURNED: "the face is turned",
        QualityProblem.BLURRED: "moving, blurred",
        QualityProblem.EYES_CLOSED: "eyes closed",
    },
    beep={"short": "short beep", "long": "long beep"},
    silent="–",
)

TOP = """\
<!-- Made by scripts/make-recipients-page from the patterns, prompts and slips themselves; don't edit it here. -->
# Untuk penerima bantuan · For recipients

[Bahasa Indonesia](#untuk-penerima-bantuan) · [English](#for-recipients) · [all reasons](reasons.md) · [lights, for
technicians](leds.md)
"""


def part(words: Words) -> str:
    """One language's half of the page."""
    return "\n\n".join(
        [
            f"## {words.title}",
            *words.intro,
            f"### {words.steps}",
            _table(words, [((), signal) for signal in STEPS]),
            f"### {words.quality}",
            words.quality_intro,
            _table(
                words,
                [((words.problems[problem],), GUIDANCE[problem]) for problem in QualityProblem],
                (words.problem,),
            ),
            f"### {words.slips}",
            _slips(words),
            f"### {words.help_title}",
            "\n".join(f"- {line}" for line in words.help),
            f"### {words.officers}",
            _table(words, [((), signal) for signal in OFFICERS]),
            "",
        ]
    )


def _table(words: Words, rows: list[tuple[tuple[str, ...], Signal]], first: tuple[str, ...] = ()) -> str:
    columns = (*first, *words.columns)
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    for before, signal in rows:
        picture = f"![{words.pattern(signal)}](recipients/{signal.value}.svg)"
        cells = (*before, picture, words.sounds(signal), words.meaning(signal), words.action(signal))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _slips(words: Words) -> str:
    columns = " | ".join(words.slip.values())
    pictures = " | ".join(
        f'<img src="recipients/slip-{kind}-{words.language}.png" alt="{text}" width="260">'
        for kind, text in words.slip.items()
    )
    return f"| {columns} |\n|{' --- |' * len(words.slip)}\n| {pictures} |"
