"""Liveness by cued head turns: the challenge, and the verdict from a sequence of parallax readings.

A random order of left and right turns is cued by LEDs, with random pauses; each must be answered the right way in a
time window and followed by looking ahead again. A turn is judged by parallax (nose against the eye corners), because a
turned photograph shows none: real heads ran to ±0.24 at ±20°, planes turned ±35° stayed within ±0.06 (measured on two
clips and two portraits).

Rules: pure; readings taken before a cue was shown are not answers; a turn nobody asked for fails the try, because a
recording turns whenever it likes. The windows are wide, because they are for slow people and keep no attacker out:
what an attacker can't know is the order (docs/liveness.md).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import Enum

from edge_agent.core.model import Direction, Signal
from edge_agent.core.rules import PadRules


class Step(str, Enum):
    """Where a challenge is: a pause before the next cue, a cue waiting for its turn, a turn waiting to be undone."""

    PAUSE = "pause"
    TURN = "turn"
    RETURN = "return"
    PASSED = "passed"
    FAILED = "failed"


class Failure(str, Enum):
    """Why a try failed."""

    NO_ANSWER = "no_answer"
    TOO_EARLY = "too_early"
    WRONG_WAY = "wrong_way"
    UNASKED = "unasked"
    NO_RETURN = "no_return"


@dataclass(frozen=True)
class Challenge:
    """One try. `neutral` is this person's own straight-ahead parallax; `since_s` is when the present step began."""

    cues: tuple[Direction, ...]
    pauses_s: tuple[float, ...]
    neutral: float
    step: Step
    since_s: float
    index: int = 0
    latencies_s: tuple[float, ...] = ()
    failure: Failure | None = None

    @property
    def over(self) -> bool:
        """Whether there is a verdict."""
        return self.step in (Step.PASSED, Step.FAILED)

    @property
    def signal(self) -> Signal:
        """What the LEDs must show at this step."""
        if self.step is Step.TURN:
            return Signal.TURN_LEFT if self.cues[self.index] is Direction.LEFT else Signal.TURN_RIGHT
        return Signal.LOOK_AHEAD


def begin(rules: PadRules, neutral: float, now_s: float, entropy: bytes) -> Challenge:
    """Draw a challenge. Directions and pauses come from SHA-256 of `entropy`: one bit a turn, 16 bits a pause."""
    stream = hashlib.shake_256(b"liveness" + entropy).digest(3 * rules.turns)
    cues = tuple(Direction.LEFT if byte & 1 else Direction.RIGHT for byte in stream[: rules.turns])
    span_s = rules.gap_max_s - rules.gap_min_s
    tails = (stream[rules.turns + 2 * i : rules.turns + 2 * i + 2] for i in range(rules.turns))
    pauses_s = tuple(rules.gap_min_s + span_s * int.from_bytes(tail, "big") / 65_535 for tail in tails)
    return Challenge(cues, pauses_s, neutral, Step.PAUSE, now_s)


def look(challenge: Challenge, rules: PadRules, parallax: float, captured_s: float, usable: bool = True) -> Challenge:
    """Judge one reading: `parallax` of a frame captured at `captured_s` (monotonic seconds).

    usable: the frame gave a probe. Only such a frame ends a turn, because only a probe shows whose face turned.
    """
    if challenge.over or captured_s < challenge.since_s:
        return challenge
    shift = parallax - challenge.neutral
    turned = abs(shift) >= rules.turn_parallax
    elapsed_s = captured_s - challenge.since_s
    if challenge.step is Step.PAUSE:
        return _fail(challenge, Failure.UNASKED) if turned else challenge
    if challenge.step is Step.TURN:
        if not turned:
            return challenge
        way = Direction.LEFT if shift > 0 else Direction.RIGHT
        if way is not challenge.cues[challenge.index]:
            return _fail(challenge, Failure.WRONG_WAY)
        if elapsed_s < rules.answer_min_s:
            return _fail(challenge, Failure.TOO_EARLY)
        latencies_s = (*challenge.latencies_s, elapsed_s)
        return replace(challenge, step=Step.RETURN, since_s=captured_s, latencies_s=latencies_s)
    if not usable or not abs(shift) <= rules.centre_parallax:
        return challenge
    if challenge.index + 1 == len(challenge.cues):
        return replace(challenge, step=Step.PASSED, since_s=captured_s)
    return replace(challenge, step=Step.PAUSE, since_s=captured_s, index=challenge.index + 1)


def wait(challenge: Challenge, rules: PadRules, now_s: float) -> Challenge:
    """Let time pass: ends a pause with its cue, and a window with its failure."""
    elapsed_s = now_s - challenge.since_s
    if challenge.step is Step.PAUSE and elapsed_s >= challenge.pauses_s[challenge.index]:
        return replace(challenge, step=Step.TURN, since_s=now_s)
    if challenge.step is Step.TURN and elapsed_s > rules.answer_max_s:
        return _fail(challenge, Failure.NO_ANSWER)
    if challenge.step is Step.RETURN and elapsed_s > rules.centre_s:
        return _fail(challenge, Failure.NO_RETURN)
    return challenge


def _fail(challenge: Challenge, failure: Failure) -> Challenge:
    return replace(challenge, step=Step.FAILED, failure=failure)
