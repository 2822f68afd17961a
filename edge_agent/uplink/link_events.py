"""What a connection to the broker says of itself, as values. `link.py` makes them, `worker.py` takes them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Opened:
    """The broker accepted. receive_maximum: QoS 1 messages it takes unanswered. qos_max: 0, 1 or 2."""

    session_present: bool
    receive_maximum: int
    qos_max: int


@dataclass(frozen=True)
class Answered:
    """A PUBACK, with its reason code and the broker's words for it."""

    mid: int
    code: int
    words: str


@dataclass(frozen=True)
class Closed:
    """There is no connection: it could not be made, or it ended. The text says why and what to do."""

    problem: str


@dataclass(frozen=True)
class Received:
    """A message on a topic that was subscribed to; acknowledged already."""

    topic: str
    payload: bytes


@dataclass(frozen=True)
class Subscribed:
    """The broker's word on a subscription. problem: why it refuses one of its topics; empty: it doesn't."""

    problem: str


LinkEvent = Opened | Answered | Closed | Received | Subscribed
