"""The phases with a person in front of the terminal: ACQUIRING, CHALLENGING, IDENTIFYING.

Rules: challenge and probes belong to one track; another track, or a second face, voids both and starts again. Every
turn ends with a probe of whoever made it, and only probes since the challenge began are fused. A claim is asked for
only when live (as `pad.mode` demands), identified (threshold, and margin for 1:N), and the printer, asked after the
challenge, said that it can print.
"""

from __future__ import annotations

import math
from dataclasses import replace

from edge_agent.core import cues, liveness, matching
from edge_agent.core.ending import forget, refer
from edge_agent.core.messages import AskPrinterStatus, RecordClaim
from edge_agent.core.model import Evidence, FaceObservation, PadMode, PadVerdict, QualityProblem, Reason, Signal
from edge_agent.core.rules import Now, PadRules, Rules
from edge_agent.core.state import Move, Phase, Probe, Session, elapsed_s, enter, may_ask, show
from edge_agent.core.witness import NOTHING_SEEN, begin_try, see

PROBE_SPACING_S = 0.2
"""Frames closer than this show the same moment; only the better one is kept for fusion."""

GUIDANCE_HOLD_S = 0.8
"""A quality signal stays at least this long, so that a person can read it."""

STEADY_PARALLAX = 0.04
"""A head that moves more than this over the frames of acquiring is on its way; its straight look isn't known yet."""

BETWEEN_TRIES_S = 1.0

WATCH_ON_S = 8.0
"""Longest further look at somebody with one doubt who hasn't blinked yet; nine in ten people blink in that time."""

_UNSEEN = frozenset({liveness.Failure.NO_ANSWER, liveness.Failure.NO_RETURN})

_GUIDANCE = {
    QualityProblem.NO_FACE: Signal.LOOK_HERE,
    QualityProblem.MANY_FACES: Signal.ONE_AT_A_TIME,
    QualityProblem.TOO_FAR: Signal.COME_CLOSER,
    QualityProblem.TOO_NEAR: Signal.STEP_BACK,
    QualityProblem.CUT_OFF: Signal.STAND_IN_THE_MIDDLE,
    QualityProblem.DARK: Signal.MORE_LIGHT,
    QualityProblem.GLARE: Signal.LESS_LIGHT,
    QualityProblem.TURNED: Signal.FACE_THE_CAMERA,
    QualityProblem.BLURRED: Signal.HOLD_STILL,
    QualityProblem.EYES_CLOSED: Signal.OPEN_YOUR_EYES,
}


def on_face(session: Session, seen: FaceObservation, now: Now, rules: Rules) -> Move:
    """A frame with a face, while somebody is being served."""
    if session.asked_card_s is not None:
        return advance(session, now, rules)  # their face has been seen; a card may hide it now
    if seen.track_id != session.track_id:
        return _again(replace(session, track_id=seen.track_id, witness=NOTHING_SEEN), now, rules)
    if QualityProblem.MANY_FACES in seen.problems:
        return _again(session, now, rules)
    session = _keep(session, seen)
    pad = _pad_rules(session, rules)
    session = replace(session, witness=see(session.witness, seen, now.monotonic_s, pad.turn_parallax))
    if session.challenge is not None and seen.parallax is not None:
        usable = seen.probe is not None
        looked = liveness.look(session.challenge, pad, seen.parallax, seen.captured_s, usable)
        session = replace(session, challenge=looked)
    return advance(session, now, rules)


def _keep(session: Session, seen: FaceObservation) -> Session:
    """Take what a frame offers: a probe for fusion and, while acquiring, the straight-ahead parallax."""
    if seen.probe is None:
        return replace(session, straight=()) if session.phase is Phase.ACQUIRING else session
    if session.phase is Phase.ACQUIRING and seen.parallax is not None:
        session = replace(session, straight=(*session.straight, seen.parallax))
    probe = Probe(seen.captured_s, seen.quality, seen.probe)
    last = session.probes[-1] if session.probes else None
    if last is None or probe.captured_s - last.captured_s >= PROBE_SPACING_S:
        return replace(session, probes=(*session.probes, probe))
    return replace(session, probes=(*session.probes[:-1], probe)) if probe.quality > last.quality else session


def advance(session: Session, now: Now, rules: Rules) -> Move:
    """What the present phase does next, given what is known and what time it is."""
    limits = rules.limits
    if session.asked_card_s is None and now.monotonic_s - session.seen_s >= limits.absent_s:
        return refer(session, Reason.WALKED_AWAY, now)
    if now.monotonic_s - session.started_s >= limits.decide_s:
        asked = session.asked_card_s is not None
        return refer(session, _without_card(session, now, rules) if asked else _why_too_long(session, rules), now)
    if session.phase is Phase.CHALLENGING:
        return _challenge(session, now, rules)
    if session.phase is Phase.IDENTIFYING:
        return _identify(session, now, rules)
    return _acquire(session, now, rules)


def _why_too_long(session: Session, rules: Rules) -> Reason:
    """Out of time: say the most useful thing that is true of this session."""
    if rules.pad.mode is PadMode.ENFORCED and session.pad is PadVerdict.NOT_LIVE:
        return _why_not_live(session)
    return Reason.TOOK_TOO_LONG if session.probes else Reason.NO_USABLE_VIEW


def _acquire(session: Session, now: Now, rules: Rules) -> Move:
    if _looks_straight(session, now, rules):
        return _begin_challenge(session, now, rules)
    if elapsed_s(session, now) > rules.limits.acquire_s:
        stayed_far = QualityProblem.TOO_FAR in session.problems
        return refer(session, Reason.WALKED_AWAY if stayed_far else Reason.NO_USABLE_VIEW, now)
    guidance = _GUIDANCE[session.problems[0]] if session.problems else Signal.LOOK_HERE
    if now.monotonic_s - session.signal_s < GUIDANCE_HOLD_S:
        return session, ()
    return show(session, guidance, now)


def _looks_straight(session: Session, now: Now, rules: Rules) -> bool:
    """Enough good frames in a row, of a head at rest; after a try, time to understand and to look ahead again."""
    latest = session.straight[-rules.limits.acquire_frames :]
    if len(latest) < rules.limits.acquire_frames or max(latest) - min(latest) > STEADY_PARALLAX:
        return False
    return session.pad_attempts == 0 or elapsed_s(session, now) >= BETWEEN_TRIES_S


def _begin_challenge(session: Session, now: Now, rules: Rules) -> Move:
    if rules.pad.mode is PadMode.DISABLED:
        return _begin_identifying(session, now)
    if session.pad_attempts >= rules.pad.attempts:
        return _last_try_void(session, now, rules)
    latest = session.straight[-rules.limits.acquire_frames :]
    neutral = sorted(latest)[len(latest) // 2]
    challenge = liveness.begin(rules.pad, neutral, now.monotonic_s, now.entropy)
    # What was seen before is not fused: it might be a picture held up, with somebody else turning for it.
    session = replace(
        session,
        probes=(),
        challenge=challenge,
        pad_attempts=session.pad_attempts + 1,
        witness=begin_try(session.witness, neutral),
    )
    return show(enter(session, Phase.CHALLENGING, now), challenge.signal, now)


def _challenge(session: Session, now: Now, rules: Rules) -> Move:
    if session.challenge is None:
        raise AssertionError("CHALLENGING without a challenge")
    challenge = liveness.wait(session.challenge, _pad_rules(session, rules), now.monotonic_s)
    session = replace(session, challenge=challenge)
    if not challenge.over:
        return show(session, challenge.signal, now)
    finding = cues.judge(session.witness, challenge.latencies_s, rules.pad.passive_threshold)
    session = replace(session, pad_cues=tuple((cue.value, round(score, 3)) for cue, score in finding.scores))
    passed = challenge.step is liveness.Step.PASSED
    watched_s = now.monotonic_s - challenge.since_s
    if passed and rules.pad.cues_decide and finding.blink_would_tell and watched_s < WATCH_ON_S:
        return show(session, challenge.signal, now)
    if passed and (finding.live or not rules.pad.cues_decide):
        return _begin_identifying(replace(session, pad=PadVerdict.LIVE), now)
    unseen = challenge.failure in _UNSEEN and not finding.conclusive and not cues.flat(session.witness)
    return _try_failed(session, unseen, now, rules)


def _try_failed(session: Session, unseen: bool, now: Now, rules: Rules) -> Move:
    """Go on with the verdict on record (recorded), or try again while tries are left, else refer (enforced).

    unseen: it failed because a turn was not seen in time, and nothing speaks for an attack: the next try is slower.
    """
    session = replace(session, pad=PadVerdict.NOT_LIVE, slow=unseen, wrong=session.wrong or not unseen)
    if rules.pad.mode is PadMode.RECORDED:
        return _begin_identifying(session, now)
    if session.pad_attempts >= rules.pad.attempts:
        return refer(session, _why_not_live(session), now)
    return _again(session, now, rules)


def _why_not_live(session: Session) -> Reason:
    """Who can't turn the head is told so, and not that they might be a picture."""
    return Reason.COULD_NOT_TURN if session.slow and not session.wrong else Reason.NOT_LIVE


def _pad_rules(session: Session, rules: Rules) -> PadRules:
    return rules.pad.slower if session.slow else rules.pad


def _last_try_void(session: Session, now: Now, rules: Rules) -> Move:
    """The last try was neither passed nor failed: a second face or a break in the view ended it. Tries used stay used,
    or an attacker could void every order that doesn't suit them; but nobody is told that their turns were at fault.
    """
    if rules.pad.mode is PadMode.RECORDED:
        return _begin_identifying(session, now)
    return refer(session, Reason.NO_USABLE_VIEW, now)


def _begin_identifying(session: Session, now: Now) -> Move:
    session = enter(replace(session, printer=None, challenge=None), Phase.IDENTIFYING, now)
    session, effects = show(session, Signal.HOLD_STILL, now)
    return session, (*effects, AskPrinterStatus())


def _await_card(session: Session, asked_s: float, now: Now, rules: Rules) -> Move:
    """Who looks like two on the list shows a card, or is referred.

    The face was seen and stays as it was seen: the card, which may hide it now, only says whom to compare it with.
    """
    if now.monotonic_s - asked_s <= rules.limits.card_s:
        return session, ()
    return refer(session, _without_card(session, now, rules), now)


def _without_card(session: Session, now: Now, rules: Rules) -> Reason:
    """No card came: who has left by then, has left."""
    gone = now.monotonic_s - session.seen_s >= rules.limits.absent_s
    return Reason.WALKED_AWAY if gone else Reason.AMBIGUOUS


def _identify(session: Session, now: Now, rules: Rules) -> Move:
    if session.asked_card_s is not None and session.token is None:
        return _await_card(session, session.asked_card_s, now, rules)
    out_of_time = elapsed_s(session, now) > rules.limits.identify_s
    wanted = rules.limits.probe_frames
    if len(session.probes) < wanted and not (out_of_time and len(session.probes) * 2 >= wanted):
        return refer(session, Reason.NO_USABLE_VIEW, now) if out_of_time else (session, ())
    if session.printer is None:
        return refer(session, Reason.PRINTER_UNAVAILABLE, now) if out_of_time else (session, ())
    if not session.printer.can_print:
        return refer(session, Reason.PRINTER_UNAVAILABLE, now)
    best = sorted(session.probes, key=lambda probe: probe.quality, reverse=True)[:wanted]
    probe = matching.fuse([one.embedding for one in best])
    if session.token is None and session.token_refused_s > -math.inf and not rules.token_fallback:
        return refer(session, Reason.TOKEN_REFUSED, now)
    if session.token is not None:
        match = matching.verify(probe, rules.gallery, session.token, rules.match)
    else:
        match = matching.identify(probe, rules.gallery, rules.match)
    if match.reason is Reason.AMBIGUOUS and rules.ask_card:
        return show(replace(session, asked_card_s=now.monotonic_s), Signal.SHOW_CARD, now)
    if match.subject_id is None:
        return refer(session, match.reason or Reason.NOT_RECOGNISED, now)
    evidence = Evidence(
        kind=match.kind,
        score=match.score,
        threshold=match.threshold,
        runner_up=match.runner_up,
        margin=match.margin,
        gallery_size=len(rules.gallery),
        frames=len(best),
        pad=session.pad,
        pad_attempts=session.pad_attempts,
        pad_cues=session.pad_cues,
    )
    request = RecordClaim(session.session_id, match.subject_id, evidence, may_ask=may_ask(session, rules))
    session = replace(forget(session), request=request)
    session, effects = show(enter(session, Phase.RECORDING, now), Signal.WORKING, now)
    return session, (*effects, request)


def _again(session: Session, now: Now, rules: Rules) -> Move:
    """Start over with the face that is there now. A verdict belongs to its track; tries used stay used."""
    pad = PadVerdict.NOT_LIVE if session.pad_attempts else PadVerdict.NOT_ASKED
    session = replace(session, straight=(), probes=(), challenge=None, pad=pad)
    if session.phase is not Phase.ACQUIRING:
        session = enter(session, Phase.ACQUIRING, now)
    return advance(session, now, rules)
