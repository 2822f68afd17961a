"""Two people, a gallery, and the frames they make: the raw material of the session's tests."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from edge_agent.core.messages import ClaimRecorded, ClaimRefused, FaceObserved, OutcomeRecorded
from edge_agent.core.model import (
    Embedding,
    FaceObservation,
    FrameCues,
    Gallery,
    Outcome,
    PadMode,
    QualityProblem,
    Reason,
    Receipt,
)
from edge_agent.core.rules import Limits, MatchRules, PadRules, Rules
from tests.core.heads import SHEET, cues, seen

ANA, BUDI, STRANGER, TWIN = "ana", "budi", "stranger", "twin"
TRACK_OF = {ANA: 1, BUDI: 2, STRANGER: 3, TWIN: 4}
SUBJECT_OF = {track: who for who, track in TRACK_OF.items()}


def embedding(axis: int, d: int = 8) -> Embedding:
    """A unit vector along one axis: people as far apart as can be."""
    vector = np.zeros(d, np.float32)
    vector[axis] = 1.0
    return vector


FACES = {who: embedding(track) for who, track in TRACK_OF.items()}
FACES[TWIN] = ((FACES[ANA] + FACES[BUDI]) / np.float32(np.sqrt(2))).astype(np.float32)
"""Looks as much like ana as like budi: over the threshold for both, and so for neither."""
SHEET_TILTED = seen(SHEET, 60)
GALLERY = Gallery((ANA, BUDI), np.stack([FACES[ANA], FACES[BUDI]]))
MATCH = MatchRules(verification_threshold=0.75, identification_threshold=0.7, margin=0.1)
SHORT = Limits(
    max_s=11.0,
    arrive_s=0.4,
    acquire_s=2.0,
    acquire_frames=1,
    identify_s=2.0,
    record_s=1.0,
    print_s=2.0,
    settle_s=1.0,
    absent_s=1.0,
    probe_frames=2,
    recheck_s=2.0,
    authorise_s=1.0,
    desk_s=2.0,
    card_s=2.0,
)


def rules(mode: PadMode = PadMode.ENFORCED, limits: Limits = SHORT, turns: int = 1, attempts: int = 2) -> Rules:
    """Rules with short limits, so that every corner is near."""
    pad = PadRules(mode=mode, turns=turns, attempts=attempts, answer_max_s=1.0, centre_s=1.0, gap_max_s=0.3)
    return Rules(gallery=GALLERY, match=MATCH, limits=limits, pad=pad)


def frame(
    now_s: float, who: str | None, parallax: float = 0.0, problems: tuple[QualityProblem, ...] = ()
) -> FaceObserved:
    """A frame of this person (None: nobody) looking this way."""
    if who is None:
        return FaceObserved(FaceObservation(now_s, None, (QualityProblem.NO_FACE,)))
    if not problems and abs(parallax) > 0.12:
        problems = (QualityProblem.TURNED,)
    probe = None if problems else FACES[who]
    return FaceObserved(
        FaceObservation(now_s, TRACK_OF[who], problems, parallax, 80.0, 0.8, probe, cues(parallax, now_s))
    )


def flat_frame(now_s: float, who: str, parallax: float = 0.2) -> FaceObserved:
    """A frame in which a photograph of this person, tilted far, shows as much parallax as a small turn."""
    shown = FrameCues(SHEET_TILTED, 0.3, hash(("flat", now_s)))
    return FaceObserved(
        FaceObservation(now_s, TRACK_OF[who], (QualityProblem.TURNED,), parallax, 80.0, 0.8, None, shown)
    )


def receipt(session_id: str, outcome: Outcome = Outcome.GIVEN, reason: Reason | None = None) -> Receipt:
    """What a store would answer."""
    return Receipt(session_id, outcome, reason, "T1-0001", datetime(2026, 1, 5, tzinfo=timezone.utc), 1, "ab" * 32)


def claim_recorded(session_id: str) -> ClaimRecorded:
    return ClaimRecorded(receipt(session_id))


def claim_refused(session_id: str) -> ClaimRefused:
    return ClaimRefused(receipt(session_id, Outcome.NOT_ENTITLED, Reason.ALREADY_CLAIMED))


def outcome_recorded(session_id: str, reason: Reason) -> OutcomeRecorded:
    return OutcomeRecorded(receipt(session_id, reason.outcome, reason))
