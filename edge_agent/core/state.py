"""The state of a session, and the two moves every phase shares: entering a phase and showing a signal.

Rules: immutable; all `_s` are monotonic seconds.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from enum import Enum

from edge_agent.core.desk import NOBODY, Desk
from edge_agent.core.liveness import Challenge
from edge_agent.core.messages import Effect, RecordClaim, ShowSignal
from edge_agent.core.model import (
    Embedding,
    Outcome,
    PadVerdict,
    Part,
    PrinterStatus,
    QualityProblem,
    Reason,
    Receipt,
    Signal,
)
from edge_agent.core.rules import Now, Rules
from edge_agent.core.witness import NOTHING_SEEN, Witness


class Phase(str, Enum):
    """Where a session is."""

    IDLE = "IDLE"
    ACQUIRING = "ACQUIRING"
    CHALLENGING = "CHALLENGING"
    IDENTIFYING = "IDENTIFYING"
    RECORDING = "RECORDING"
    AUTHORISING = "AUTHORISING"
    PRINTING = "PRINTING"
    SETTLING = "SETTLING"
    ASSISTING = "ASSISTING"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"


WITH_PERSON = frozenset({Phase.ACQUIRING, Phase.CHALLENGING, Phase.IDENTIFYING})
"""Phases in which the face matters; before them nobody is served, after them the decision stands."""

UNDECIDED = WITH_PERSON | {Phase.AUTHORISING, Phase.ASSISTING}
"""Phases in which somebody may still be waiting for a decision."""


@dataclass(frozen=True, eq=False)
class Probe:
    """An embedding kept for fusion."""

    captured_s: float
    quality: float
    embedding: Embedding


@dataclass(frozen=True, eq=False)
class Session:
    """The whole state of a terminal's service.

    signal, signal_s: what the LEDs show, since when. armed: whoever was served last has gone, so that the next face is
    a new person. track_id, seen_s: the face being served (after it, the one just served), and when it was last seen.
    last_id: the session whose slip may still be reported on. asked_s: when a closed terminal last asked its printer.
    token, token_s: the subject a token named, and when. token_refused_s: when a code was held up that isn't taken.
    desk: of officers. closed_by: id of the officer who closed the terminal. waiting_s: since when somebody else was
    seen near while the one before was still served.

    The fields from `session_id` on belong to the person present:
    straight holds their straight-ahead parallaxes, probes what will be fused, witness what frames showed of an attack.
    slow: the latest try failed because a turn wasn't seen, so the next is the slower one. wrong: a try failed for
    something else. pad_cues: the scores of the latest try. helped: the subject an officer vouches for. request: the
    claim asked for, kept while the centre is asked. asked_card_s: since when the card of somebody who looks like two on
    the list is awaited. waited_s: how long they had been seen waiting before their turn.
    """

    phase: Phase = Phase.IDLE
    entered_s: float = 0.0
    signal: Signal = Signal.STARTING
    signal_s: float = 0.0
    faults: frozenset[Part] = frozenset()
    printer: PrinterStatus | None = None
    armed: bool = False
    last_id: str = ""
    asked_s: float = 0.0
    token: str | None = None
    token_s: float = 0.0
    token_refused_s: float = float("-inf")
    desk: Desk = NOBODY
    closed_by: str = ""
    waiting_s: float | None = None

    session_id: str = ""
    started_s: float = 0.0
    seen_s: float = float("-inf")
    arriving_s: float | None = None
    track_id: int | None = None
    problems: tuple[QualityProblem, ...] = ()
    straight: tuple[float, ...] = ()
    witness: Witness = NOTHING_SEEN
    slow: bool = False
    wrong: bool = False
    pad_cues: tuple[tuple[str, float], ...] = ()
    probes: tuple[Probe, ...] = ()
    challenge: Challenge | None = None
    pad: PadVerdict = PadVerdict.NOT_ASKED
    pad_attempts: int = 0
    helped: str = ""
    request: RecordClaim | None = None
    asked_card_s: float | None = None
    waited_s: float = 0.0
    outcome: Outcome | None = None
    reason: Reason | None = None
    receipt: Receipt | None = None
    phases_s: tuple[tuple[str, float], ...] = ()


Move = tuple[Session, tuple[Effect, ...]]
"""What every step and part of a step returns: the next state, and effects to perform in order."""


def enter(session: Session, phase: Phase, now: Now) -> Session:
    """Change phase, keeping how long the one before took."""
    took = (session.phase.value, round(now.monotonic_s - session.entered_s, 3))
    return replace(session, phase=phase, entered_s=now.monotonic_s, phases_s=(*session.phases_s, took))


def without_verdict(session: Session) -> Session:
    """Nothing is known yet of whether somebody lives, nor how their visit ends."""
    return replace(
        session, pad=PadVerdict.NOT_ASKED, pad_attempts=0, pad_cues=(), outcome=None, reason=None, receipt=None
    )


def new_id(now: Now) -> str:
    """A random UUID (version 4) for a session or an act; one a step, since a step has entropy for one."""
    return str(uuid.UUID(bytes=now.entropy[:16], version=4))


def elapsed_s(session: Session, now: Now) -> float:
    """Seconds in the present phase."""
    return now.monotonic_s - session.entered_s


def show(session: Session, signal: Signal, now: Now) -> Move:
    """Show a signal, unless it is shown already."""
    if session.signal is signal:
        return session, ()
    return replace(session, signal=signal, signal_s=now.monotonic_s), (ShowSignal(signal),)


def may_ask(session: Session, rules: Rules) -> bool:
    """Whether it makes sense to ask the centre: policy lets, and the link is not known to be down."""
    return rules.ask_centre and Part.UPLINK not in session.faults
