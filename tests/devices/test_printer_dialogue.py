from __future__ import annotations

from collections.abc import Callable

from edge_agent.core.model import Paper
from edge_agent.devices.printer_dialogue import Dialogue
from tests.devices.printing import StandingClock


class Line:
    """A transport that answers every question after a delay of its own."""

    where = "line"

    def __init__(self, clock: StandingClock, answer: Callable[[bytes], tuple[float, bytes]]) -> None:
        self._clock = clock
        self._answer = answer
        self._coming: list[tuple[float, bytes]] = []

    def write(self, data: bytes) -> None:
        delay_s, answer = self._answer(data)
        self.arrive(delay_s, answer)

    def arrive(self, delay_s: float, data: bytes) -> None:
        self._coming.append((self._clock.now_s + delay_s, data))

    def read(self, timeout_s: float) -> bytes:
        until_s = self._clock.now_s + timeout_s
        while True:
            here = [item for item in self._coming if item[0] <= self._clock.now_s]
            if here or self._clock.now_s >= until_s:
                self._coming = [item for item in self._coming if item not in here]
                return b"".join(data for _, data in here)
            self._clock.sleep(0.01)

    def discard_output(self) -> None:
        pass

    def close(self) -> None:
        pass


def dialogue(answer: Callable[[bytes], tuple[float, bytes]]) -> tuple[Dialogue, Line]:
    clock = StandingClock()
    line = Line(clock, answer)
    return Dialogue(line, 1.0, clock), line


def test_what_lay_there_before_the_question_is_no_answer() -> None:
    talk, line = dialogue(lambda question: (0.1, b"\x1a"))
    line.arrive(0, b"\x12\x12\x12")
    assert talk.ask(1) == 0x1A


def test_a_late_answer_is_not_taken_for_the_next_question() -> None:
    """Offline (1a) read as an answer to `DLE EOT 3` would be a jammed cutter."""
    delays = {1: 0.4, 2: 0.2, 3: 0.2, 4: 0.2}
    answers = {1: b"\x1a", 2: b"\x32", 3: b"\x12", 4: b"\x72"}
    talk, _ = dialogue(lambda question: (delays[question[2]], answers[question[2]]))
    assert talk.ask(1, 0.25) is None
    assert talk.ask(2, 0.25) == 0x32
    status = talk.status()
    assert status is not None
    assert (status.online, status.paper, status.error) == (False, Paper.OUT, False)


def test_an_answer_that_never_comes_is_waited_for_once() -> None:
    lost = iter([b"", b"\x12"])
    talk, _ = dialogue(lambda question: (0.0, next(lost)))
    assert talk.ask(1) is None
    assert talk.ask(2) == 0x12


def test_only_noise_is_no_answer_and_is_counted() -> None:
    talk, _ = dialogue(lambda question: (0.0, b"\xff\x9f\x13"))
    assert talk.status() is None
    assert talk.noise == 3


def test_a_queued_answer_between_real_time_ones_is_kept() -> None:
    talk, _ = dialogue(lambda question: (0.1, b"\x12\x00" if question[0] == 0x10 else b""))
    talk.queue_question()
    assert talk.queued_answer(0.2) is None
    assert talk.ask(1) == 0x12
    assert talk.queued_answer(0.0) == 0x00


def test_a_queued_answer_from_before_does_not_count() -> None:
    talk, line = dialogue(lambda question: (0.0, b""))
    line.arrive(0, b"\x00")
    talk.queue_question()
    assert talk.queued_answer(0.5) is None
