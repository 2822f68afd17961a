"""The nouns of the terminal, as immutable values.

Rules: no behaviour that needs time, randomness or I/O; amounts are `Decimal`, instants are aware UTC `datetime`s,
durations and monotonic instants are seconds as `float`. Arrays are NumPy float32 unless said.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

import numpy as np
import numpy.typing as npt

Embedding = npt.NDArray[np.float32]
"""One face embedding, shape (d,), float32, unit length."""


Shape = npt.NDArray[np.float32]
"""Where the points of a face mesh lie, shape (n, 2), float32: in outer eye corner distances from their middle, x along
the eye line to the recipient's own left, y down. Place, size and roll are taken out, turning and tilting are not."""


class Outcome(str, Enum):
    """How a session ended. There is no "denied by the face"."""

    GIVEN = "GIVEN"
    REFERRED = "REFERRED"
    NOT_ENTITLED = "NOT_ENTITLED"
    ABANDONED = "ABANDONED"


class Reason(str, Enum):
    """Why a session ended without a claim. `outcome` says whether it is data or circumstance."""

    NOT_RECOGNISED = "not_recognised"
    AMBIGUOUS = "ambiguous"
    NOT_LIVE = "not_live"
    COULD_NOT_TURN = "could_not_turn"
    TOKEN_REFUSED = "token_refused"
    NO_USABLE_VIEW = "no_usable_view"
    TOOK_TOO_LONG = "took_too_long"
    PRINTER_UNAVAILABLE = "printer_unavailable"
    TERMINAL_FAULT = "terminal_fault"
    NOT_HOME = "not_home"
    LEASE_EXPIRED = "lease_expired"
    CLOCK_UNTRUSTED = "clock_untrusted"
    ROSTER_TOO_OLD = "roster_too_old"
    OFFLINE_TOO_LONG = "offline_too_long"
    OFFLINE_LIMIT = "offline_limit"
    PROXY_ON_DUTY = "proxy_on_duty"
    ASSISTED_LIMIT = "assisted_limit"
    NO_ENTITLEMENT = "no_entitlement"
    ALREADY_CLAIMED = "already_claimed"
    CLAIMED_ELSEWHERE = "claimed_elsewhere"
    NOT_YET_VALID = "not_yet_valid"
    NO_LONGER_VALID = "no_longer_valid"
    SUSPENDED = "suspended"
    WALKED_AWAY = "walked_away"

    @property
    def outcome(self) -> Outcome:
        """Only data can say NOT_ENTITLED; every circumstance refers; leaving abandons."""
        if self in _DATA_REASONS:
            return Outcome.NOT_ENTITLED
        return Outcome.ABANDONED if self is Reason.WALKED_AWAY else Outcome.REFERRED


_DATA_REASONS = frozenset(
    {
        Reason.NO_ENTITLEMENT,
        Reason.ALREADY_CLAIMED,
        Reason.CLAIMED_ELSEWHERE,
        Reason.NOT_YET_VALID,
        Reason.NO_LONGER_VALID,
        Reason.SUSPENDED,
    }
)


class QualityProblem(str, Enum):
    """Why a frame can't be used, in terms a person can act on. Order is the order in which to tell them."""

    NO_FACE = "no_face"
    MANY_FACES = "many_faces"
    TOO_FAR = "too_far"
    TOO_NEAR = "too_near"
    CUT_OFF = "cut_off"
    DARK = "dark"
    GLARE = "glare"
    TURNED = "turned"
    BLURRED = "blurred"
    EYES_CLOSED = "eyes_closed"


class Direction(str, Enum):
    """A head turn, from the recipient's own point of view."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, eq=False)
class FrameCues:
    """What one frame shows of a presentation attack, besides its parallax; judged over a session by `core/cues.py`.

    shape: of the face. eye_open: eye height over width, mean of both. fingerprint: 64 bits of all pixels; a living
    sensor's noise never gives the same twice. moire, bezel, cast: 0..1, traces of a screen, 1 the surest. passive: bona
    fide score of the passive PAD model, 0..1. None: not looked for in this frame.
    """

    shape: Shape
    eye_open: float
    fingerprint: int
    moire: float | None = None
    bezel: float | None = None
    cast: float | None = None
    passive: float | None = None


@dataclass(frozen=True, eq=False)
class FaceObservation:
    """What one frame showed; the frame itself never leaves `vision`.

    captured_s: monotonic seconds at capture.
    track_id: the same number while the same face is followed; None when there is no face.
    problems: empty when the frame may be used as a probe.
    parallax: nose tip (mesh 1) minus the middle of the outer eye corners (33, 263), along the eye line, over the outer
        eye corner distance; positive when the head turns to the recipient's own left. None without a face.
    eye_distance_px: outer eye corner distance in the frame; None without a face.
    quality: 0..1, how well the frame suits matching; orders frames for fusion.
    probe: embedding, present only when `problems` is empty.
    cues: of presentation attacks; None without a face, or while nobody is being served.
    """

    captured_s: float
    track_id: int | None
    problems: tuple[QualityProblem, ...]
    parallax: float | None = None
    eye_distance_px: float | None = None
    quality: float = 0.0
    probe: Embedding | None = None
    cues: FrameCues | None = None


class PadMode(str, Enum):
    """What a liveness verdict may do: nothing is asked; asked and recorded; asked, recorded and required."""

    DISABLED = "disabled"
    RECORDED = "recorded"
    ENFORCED = "enforced"


class PadVerdict(str, Enum):
    """The liveness verdict that goes into the record."""

    NOT_ASKED = "not_asked"
    LIVE = "live"
    NOT_LIVE = "not_live"


class MatchKind(str, Enum):
    """1:1 against the subject a token named, or 1:N against the site's gallery."""

    VERIFICATION = "verification"
    IDENTIFICATION = "identification"


@dataclass(frozen=True)
class Evidence:
    """How the person was recognised, for the record: numbers only, no biometric data.

    score, runner_up: cosine similarity, -1..1; threshold: the score required; margin: required lead over the runner-up
    (None for 1:1). frames: probes fused. pad_attempts: challenges begun. pad_cues: scores of `core/cues.py` by name.
    """

    kind: MatchKind
    score: float
    threshold: float
    runner_up: float | None
    margin: float | None
    gallery_size: int
    frames: int
    pad: PadVerdict
    pad_attempts: int
    pad_cues: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Benefit:
    """What is given. kind "money": unit is an ISO 4217 code; kind "goods": item ("beras") and unit ("kg")."""

    kind: str
    amount: Decimal
    unit: str
    item: str = ""


class EntitlementState(str, Enum):
    """State as the roster says it; what this terminal itself gave is in its claims."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Entitlement:
    """One subject's right to one benefit of one programme in one cycle (OpenSPP's words).

    valid_from, valid_until: local calendar days, both inclusive. home: the one terminal that may redeem it offline
    (None: the centre, unless the roster is for one terminal alone); lease_until: last instant (UTC) at which the home
    may redeem it offline. portion: the most that is given at one visit (None: all of it); portion_days: days from one
    portion to the next.
    """

    entitlement_id: str
    subject_id: str
    programme: str
    cycle: str
    benefit: Benefit
    valid_from: date
    valid_until: date
    state: EntitlementState = EntitlementState.ACTIVE
    home: str | None = None
    lease_until: datetime | None = None
    portion: Decimal | None = None
    portion_days: int = 1


@dataclass(frozen=True)
class Claim:
    """An entitlement, or one portion of it, redeemed: one row, once.

    benefit: what was given now. portion: counts from 1; left: what stays of the entitlement after it. proxy_id: subject
    id of the proxy who fetched it; assisted_by: id of the officer who vouched, with assist_reason. voided: taken back
    by two officers. grant_number: the centre's grant it rests on.
    """

    claim_id: str
    claim_number: str
    entitlement_id: str
    subject_id: str
    programme: str
    cycle: str
    benefit: Benefit
    claimed_at: datetime
    terminal_id: str
    place: str
    portion: int = 1
    left: Decimal = Decimal(0)
    proxy_id: str | None = None
    assisted_by: str | None = None
    assist_reason: str | None = None
    grant_number: int | None = None
    voided: bool = False


@dataclass(frozen=True, eq=False)
class Gallery:
    """The site's templates. subject_ids[i] owns templates[i]; templates: (n, d) float32 rows of unit length."""

    subject_ids: tuple[str, ...]
    templates: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.subject_ids)


@dataclass(frozen=True)
class Timestamp:
    """When something was recorded. monotonic_ms counts from boot `boot_id`; clock_trusted as the design's *Time*."""

    utc: datetime
    clock_trusted: bool
    monotonic_ms: int
    boot_id: str


class Paper(str, Enum):
    """Paper sensor of a receipt printer."""

    OK = "ok"
    NEAR_END = "near_end"
    OUT = "out"


@dataclass(frozen=True)
class PrinterStatus:
    """What the printer said when asked. `detail` is for technicians."""

    online: bool
    paper: Paper = Paper.OK
    cover_open: bool = False
    error: bool = False
    detail: str = ""

    @property
    def can_print(self) -> bool:
        """Whether a slip begun now is expected to come out."""
        return self.online and self.paper is not Paper.OUT and not self.cover_open and not self.error


class Part(str, Enum):
    """Parts whose failure takes the terminal out of service, or is at least told to ops."""

    CAMERA = "camera"
    VISION = "vision"
    PRINTER = "printer"
    STORE = "store"
    LEDS = "leds"
    UPLINK = "uplink"
    TOKEN_READER = "token_reader"


ESSENTIAL_PARTS = frozenset({Part.CAMERA, Part.VISION, Part.PRINTER, Part.STORE, Part.LEDS})
"""Nobody can be served without these: dark LEDs can't ask for a turn or tell anything. Without a link
or a card reader aid goes on."""


class Signal(str, Enum):
    """What the LEDs say. Each has one pattern (`devices/led_patterns.py`) and one line on the technicians' page."""

    STARTING = "starting"
    READY = "ready"
    LOOK_HERE = "look_here"
    FACE_THE_CAMERA = "face_the_camera"
    OPEN_YOUR_EYES = "open_your_eyes"
    COME_CLOSER = "come_closer"
    STEP_BACK = "step_back"
    STAND_IN_THE_MIDDLE = "stand_in_the_middle"
    ONE_AT_A_TIME = "one_at_a_time"
    MORE_LIGHT = "more_light"
    LESS_LIGHT = "less_light"
    HOLD_STILL = "hold_still"
    TURN_LEFT = "turn_left"
    TURN_RIGHT = "turn_right"
    LOOK_AHEAD = "look_ahead"
    SHOW_CARD = "show_card"
    CARD_READ = "card_read"
    CARD_REFUSED = "card_refused"
    BADGE_READ = "badge_read"
    NEXT_CARD = "next_card"
    ACT_DONE = "act_done"
    ACT_REFUSED = "act_refused"
    ASKING_CENTRE = "asking_centre"
    CLOSED_BY_OFFICER = "closed_by_officer"
    WORKING = "working"
    GIVEN = "given"
    REFERRED = "referred"
    NOT_ENTITLED = "not_entitled"
    ABANDONED = "abandoned"
    TAKE_SLIP_FAILED = "take_slip_failed"
    PAPER_OUT = "paper_out"
    OUT_OF_SERVICE = "out_of_service"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Receipt:
    """The store's answer to a recorded outcome: what a slip may say.

    case_number: short, speakable number of this outcome ("K7Q4-0012"); for GIVEN it is the claim number.
    record_seq, record_hash: the ledger entry (SHA-256 hex) that proves it.
    display_name: only when policy lets the slip show one; never logged, never on the wire. roster_issued_at: how old
    the data was. tries: challenges begun; two or more, and the slip tells how to stand. open_from: first day on which
    coming again helps.
    """

    session_id: str
    outcome: Outcome
    reason: Reason | None
    case_number: str
    recorded_at: datetime
    record_seq: int
    record_hash: str
    claims: tuple[Claim, ...] = ()
    remaining: tuple[Benefit, ...] = ()
    earlier: Claim | None = None
    entitlement: Entitlement | None = None
    display_name: str = field(default="", repr=False)
    roster_issued_at: datetime | None = None
    tries: int = 0
    open_from: date | None = None
