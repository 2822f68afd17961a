"""Times of visits, from sessions as the agent would show them, and one real visit to the whole terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge_agent.bench.visits import Watch, person_alone_s
from edge_agent.core.liveness import Challenge, Step
from edge_agent.core.model import Direction, Outcome, QualityProblem
from edge_agent.core.state import Phase, Session

READY = Session(phase=Phase.IDLE, armed=True)
ARRIVING = replace(READY, arriving_s=10.0)
FAR = replace(ARRIVING, problems=(QualityProblem.BLURRED,))
ACQUIRING = Session(phase=Phase.ACQUIRING, entered_s=10.4, pad_attempts=0)
CUES = (Direction.LEFT, Direction.RIGHT)


def challenging(step: Step, index: int, since_s: float, attempt: int = 1, entered_s: float = 10.6) -> Session:
    challenge = Challenge(CUES, (0.5, 0.5), 0.0, step, since_s, index)
    return Session(phase=Phase.CHALLENGING, entered_s=entered_s, challenge=challenge, pad_attempts=attempt)


ANSWERS = (
    (Step.PAUSE, 0, 10.6),
    (Step.TURN, 0, 11.1),
    (Step.RETURN, 0, 12.0),
    (Step.PAUSE, 1, 13.0),
    (Step.TURN, 1, 13.5),
    (Step.RETURN, 1, 14.5),
)
RECORDING = Session(
    phase=Phase.RECORDING,
    entered_s=15.9,
    pad_attempts=1,
    phases_s=(("IDLE", 3.0), ("ACQUIRING", 0.2), ("CHALLENGING", 4.9), ("IDENTIFYING", 0.4)),
)
DONE = Session(phase=Phase.IDLE, armed=False, pad_attempts=1, outcome=Outcome.GIVEN)


def shown(*sessions: tuple[Session, float]) -> Watch:
    watch = Watch()
    for session, now_s in sessions:
        watch.see(session, now_s)
    return watch


def test_the_parts_of_a_visit_add_up_to_the_decision() -> None:
    answers = [(challenging(*answer), answer[2]) for answer in ANSWERS]
    watch = shown(
        (READY, 9.0), (FAR, 9.9), (ARRIVING, 10.1), (ACQUIRING, 10.4), *answers, (RECORDING, 15.91), (DONE, 20)
    )
    (visit,) = watch.finished
    assert visit.acquire == pytest.approx(0.5)
    assert visit.pauses == pytest.approx(1.0)
    assert visit.turning == pytest.approx(1.9)
    assert visit.returning == pytest.approx(2.0)
    assert visit.identify == pytest.approx(0.4)
    assert visit.decision == pytest.approx(5.8)
    parts = (visit.acquire, visit.pauses, visit.turning, visit.returning, visit.watched, visit.identify)
    assert sum(parts) == pytest.approx(visit.decision)
    assert (visit.tries, visit.outcome) == (1, "GIVEN")


def test_looking_on_until_somebody_blinks_is_a_part_of_its_own() -> None:
    seen = [(challenging(*answer), answer[2]) for answer in (*ANSWERS, (Step.PASSED, 1, 15.0))]
    watch = shown((READY, 9.0), (ARRIVING, 10.1), (ACQUIRING, 10.4), *seen, (RECORDING, 15.91), (DONE, 20))
    (visit,) = watch.finished
    assert visit.watched == pytest.approx(0.5)
    parts = (visit.acquire, visit.pauses, visit.turning, visit.returning, visit.watched, visit.identify)
    assert sum(parts) == pytest.approx(visit.decision)


def test_a_recording_too_short_to_be_seen_is_worked_out_from_what_followed() -> None:
    settling = replace(
        RECORDING,
        phase=Phase.SETTLING,
        entered_s=17.4,
        phases_s=(*RECORDING.phases_s, ("RECORDING", 0.5), ("PRINTING", 1)),
    )
    answers = [(challenging(*answer), answer[2]) for answer in ANSWERS]
    watch = shown((ARRIVING, 10.1), *answers, (settling, 17.5), (DONE, 20))
    assert watch.finished[0].decision == pytest.approx(5.8)


def test_an_earlier_try_counts_as_acquiring() -> None:
    first = [(challenging(*answer), answer[2]) for answer in ANSWERS[:3]]
    later = [
        (challenging(step, index, since_s + 10, attempt=2, entered_s=20.6), since_s + 10)
        for step, index, since_s in ANSWERS
    ]
    recording = replace(RECORDING, entered_s=25.9, pad_attempts=2)
    done = replace(DONE, pad_attempts=2)
    watch = shown((ARRIVING, 10.1), (ACQUIRING, 10.4), *first, (ACQUIRING, 13), *later, (recording, 26), (done, 30))
    (visit,) = watch.finished
    assert visit.tries == 2
    assert visit.acquire == pytest.approx(10.5)
    assert visit.turning == pytest.approx(1.9)
    assert visit.decision == pytest.approx(15.8)


def test_who_is_referred_before_any_challenge_only_has_a_decision() -> None:
    referred = Session(phase=Phase.RECORDING, entered_s=18.0, phases_s=(("IDLE", 3.0), ("ACQUIRING", 8.0)))
    watch = shown((ARRIVING, 10.1), (ACQUIRING, 10.4), (referred, 18), (replace(DONE, outcome=Outcome.REFERRED), 20))
    (visit,) = watch.finished
    assert visit.decision == visit.acquire == pytest.approx(7.9)
    assert (visit.turning, visit.outcome) == (0, "REFERRED")


def test_who_passes_by_is_no_visit() -> None:
    assert shown((READY, 9.0), (ARRIVING, 10.0), (READY, 11.0), (ARRIVING, 12.0), (READY, 13.0)).finished == []


def test_two_visits_are_kept_apart() -> None:
    answers = [(challenging(*answer), answer[2]) for answer in ANSWERS]
    one = [(ARRIVING, 10.1), *answers, (RECORDING, 15.9), (DONE, 20), (READY, 21)]
    watch = shown(*one, *one)
    assert [visit.decision for visit in watch.finished] == pytest.approx([5.8, 5.8])


def test_a_person_alone_takes_their_reactions_and_movements() -> None:
    two, three = person_alone_s(2, 1, 20), person_alone_s(3, 1, 20)
    assert two == person_alone_s(2, 1, 20)
    assert min(two) > 4 * 0.35, "each of two turns and two returns begins after a reaction"
    assert max(two) < 4 * (0.9 + 0.7)
    assert sum(three) / sum(two) == pytest.approx(1.5, rel=0.1)
