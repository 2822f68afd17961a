"""The courier against a model broker that refuses, dies and reorders answers as it likes."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.ports import OutboxRow, StoreError
from edge_agent.uplink.backoff import Backoff
from edge_agent.uplink.courier import NO_MATCHING_SUBSCRIBERS, Courier
from tests.uplink.terminals import record

NOT_AUTHORISED = 0x87
QUOTA_EXCEEDED = 0x97


class ListOutbox:
    """ports.Outbox in memory; `full` makes deletes fail."""

    def __init__(self, count: int) -> None:
        self.rows = [record(number) for number in range(1, count + 1)]
        self.full = False

    def oldest(self, limit: int) -> Sequence[OutboxRow]:
        return self.rows[:limit]

    def delete(self, sequence: int) -> None:
        if self.full:
            raise StoreError("disk full")
        self.rows = [row for row in self.rows if row.sequence != sequence]

    def depth(self) -> int:
        return len(self.rows)

    def close(self) -> None:
        pass


class Wire:
    """What was sent: (mid, sequence), in order."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []
        self.open = True

    def send(self, row: OutboxRow) -> int | None:
        if not self.open:
            return None
        self.sent.append((len(self.sent) + 1, row.sequence))
        return len(self.sent)

    @property
    def sequences(self) -> list[int]:
        return [sequence for _, sequence in self.sent]


def courier(window: int = 4) -> Courier:
    made = Courier(Backoff(1.0, 8.0, lambda: 0.0))
    made.link_opened(window)
    return made


def test_no_more_than_the_window_is_on_its_way() -> None:
    carrier, outbox, wire = courier(window=4), ListOutbox(10), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    carrier.pump(outbox, wire.send, 0.0)
    assert wire.sequences == [1, 2, 3, 4]
    carrier.answered(1, 0, 0.0)
    carrier.pump(outbox, wire.send, 0.0)
    assert wire.sequences == [1, 2, 3, 4, 5]


def test_nothing_is_sent_before_the_link_is_open_or_after_it_is_lost() -> None:
    carrier, outbox, wire = Courier(Backoff(1.0, 8.0, lambda: 0.0)), ListOutbox(3), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    assert wire.sent == []
    carrier.link_opened(4)
    carrier.link_lost()
    carrier.pump(outbox, wire.send, 0.0)
    assert wire.sent == []


def test_an_answer_out_of_order_waits_for_the_older_one() -> None:
    carrier, outbox, wire = courier(), ListOutbox(3), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    carrier.answered(2, 0, 0.0)
    carrier.pump(outbox, wire.send, 0.0)
    assert outbox.depth() == 3
    carrier.answered(1, 0, 0.0)
    carrier.pump(outbox, wire.send, 0.0)
    assert [row.sequence for row in outbox.rows] == [3]


def test_a_refused_row_stays_and_is_tried_alone_after_the_back_off_then_everything_follows_in_order() -> None:
    carrier, outbox, wire = courier(), ListOutbox(6), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    assert carrier.answered(1, 0, 0.0) is True
    assert carrier.answered(2, QUOTA_EXCEEDED, 0.0) is False
    assert carrier.answered(3, 0, 0.0) is None, "sent behind a refused row: it will be sent again"
    carrier.answered(4, QUOTA_EXCEEDED, 0.0)
    carrier.pump(outbox, wire.send, 0.5)
    assert [row.sequence for row in outbox.rows] == [2, 3, 4, 5, 6]
    assert wire.sequences == [1, 2, 3, 4], "held back"
    carrier.pump(outbox, wire.send, 1.0)
    assert wire.sequences == [1, 2, 3, 4, 2], "one alone"
    carrier.answered(5, 0, 1.0)
    carrier.pump(outbox, wire.send, 1.0)
    assert wire.sequences == [1, 2, 3, 4, 2, 3, 4, 5, 6]


def test_answers_still_out_after_a_refusal_are_waited_for_before_anything_is_sent() -> None:
    """Else more would be on its way than the broker said it takes."""
    carrier, outbox, wire = courier(), ListOutbox(6), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    carrier.answered(1, NOT_AUTHORISED, 0.0)
    carrier.pump(outbox, wire.send, 100.0)
    assert len(wire.sent) == 4
    for mid in (2, 3, 4):
        carrier.answered(mid, NOT_AUTHORISED, 100.0)
    carrier.pump(outbox, wire.send, 100.0)
    assert wire.sequences[4:] == [1]


def test_a_record_nobody_subscribed_to_is_not_delivered_unless_listeners_are_unseen() -> None:
    carrier, outbox, wire = courier(), ListOutbox(1), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    assert carrier.answered(1, NO_MATCHING_SUBSCRIBERS, 0.0) is False
    unseen = Courier(Backoff(1.0, 8.0, lambda: 0.0), needs_subscriber=False)
    unseen.link_opened(4)
    unseen.pump(outbox, wire.send, 0.0)
    assert unseen.answered(2, NO_MATCHING_SUBSCRIBERS, 0.0) is True


def test_after_a_lost_link_everything_unacknowledged_is_sent_again_from_the_oldest_on() -> None:
    carrier, outbox, wire = courier(), ListOutbox(5), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    carrier.answered(1, 0, 0.0)
    carrier.link_lost()
    assert carrier.answered(2, 0, 0.0) is None, "an answer of the dead link"
    carrier.link_opened(4)
    carrier.pump(outbox, wire.send, 1.0)
    assert wire.sequences == [1, 2, 3, 4, 2, 3, 4, 5]


def test_a_full_disk_neither_loses_nor_repeats_an_acknowledged_row() -> None:
    carrier, outbox, wire = courier(), ListOutbox(2), Wire()
    carrier.pump(outbox, wire.send, 0.0)
    carrier.answered(1, 0, 0.0)
    outbox.full = True
    for _ in range(3):
        try:
            carrier.pump(outbox, wire.send, 1.0)
        except StoreError:
            continue
    carrier.link_lost()
    carrier.link_opened(4)
    outbox.full = False
    carrier.pump(outbox, wire.send, 2.0)
    assert wire.sequences == [1, 2, 2]
    assert [row.sequence for row in outbox.rows] == [2]


def test_how_long_the_broker_has_been_silent_is_known() -> None:
    carrier, outbox, wire = courier(window=2), ListOutbox(3), Wire()
    assert carrier.unanswered_since_s() is None
    carrier.pump(outbox, wire.send, 5.0)
    carrier.answered(1, 0, 6.0)
    carrier.pump(outbox, wire.send, 6.0)
    assert carrier.unanswered_since_s() == 5.0


class ModelBroker:
    """Takes what is sent in the order it was sent, or refuses it; its answers may come in any order."""

    def __init__(self) -> None:
        self.arriving: list[tuple[int, int]] = []
        self.answers: list[tuple[int, int]] = []
        self.taken: list[int] = []

    def judge(self, code: int) -> None:
        if self.arriving:
            mid, sequence = self.arriving.pop(0)
            self.answers.append((mid, code))
            if code == 0:
                self.taken.append(sequence)

    def forget_the_link(self) -> None:
        self.arriving.clear()
        self.answers.clear()


@settings(max_examples=300, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["accept", "accept", "refuse", "answer", "answer", "lose", "full", "wait"]),
            st.integers(min_value=0, max_value=3),
        ),
        max_size=80,
    ),
    window=st.integers(min_value=1, max_value=4),
)
def test_whatever_happens_every_record_arrives_and_can_be_taken_in_order(
    steps: list[tuple[str, int]], window: int
) -> None:
    """The broker takes, refuses, answers in any order, loses the link; the disk is full, time passes; then all is well.

    Invariants: never more on the way than the window; a row is gone only after it was taken; in the end all were; and a
    receiver that drops whatever is not the next number, as a strict centre does, has received everything.
    """
    carrier, outbox, wire, broker = courier(window), ListOutbox(12), Wire(), ModelBroker()
    now_s = 0.0

    def pump() -> None:
        before = len(wire.sent)
        try:
            carrier.pump(outbox, wire.send, now_s)
        except StoreError:
            return
        broker.arriving.extend(wire.sent[before:])
        assert len(broker.arriving) + len(broker.answers) <= window
        assert {row.sequence for row in outbox.rows} >= set(range(1, 13)) - set(broker.taken)

    def answer(place: int) -> None:
        if broker.answers:
            carrier.answered(*broker.answers.pop(place % len(broker.answers)), now_s)

    for step, place in steps:
        outbox.full = step == "full"
        pump()
        if step == "accept":
            broker.judge(0)
        elif step == "refuse":
            broker.judge(QUOTA_EXCEEDED)
        elif step == "answer":
            answer(place)
        elif step == "lose":
            broker.forget_the_link()
            carrier.link_lost()
            carrier.link_opened(window)
        elif step == "wait":
            now_s += 10.0
    outbox.full = False
    for _ in range(100):
        now_s += 10.0
        pump()
        broker.judge(0)
        answer(0)
    assert outbox.depth() == 0
    assert next_in_turn(broker.taken) == 12


def next_in_turn(taken: list[int]) -> int:
    """The last number a receiver has that takes them strictly in turn and drops the rest."""
    have = 0
    for sequence in taken:
        if sequence == have + 1:
            have = sequence
    return have
