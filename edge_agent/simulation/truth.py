"""What really happened in the hall, as somebody who knows everybody by sight would have written it down.

Rules: plain values that only the hall appends to; nothing here is known to any terminal. The books (`books.py`) are
held against it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from edge_agent.core.model import Outcome, Reason


@dataclass
class Arrival:
    """One session begun with a person before the lens; times are seconds of the day.

    person: `village.Person.number`; subject_id: theirs, None when not enrolled. interrupted: the mains failed before
    the terminal told how it ended. slip: one came out whole for it, so far as anybody in the hall saw.
    """

    person: int
    subject_id: str | None
    terminal: str
    joined_s: float
    came_s: float
    session_id: str
    assisted: bool = False
    ended_s: float | None = None
    outcome: Outcome | None = None
    reason: Reason | None = None
    case_number: str = ""
    interrupted: bool = False


@dataclass(frozen=True)
class Handed:
    """Goods or money that changed hands for one claim. back: given back again after the claim was voided."""

    claim_id: str
    terminal: str
    person: int
    amount: Decimal
    unit: str
    back: bool = False


@dataclass
class Truth:
    """arrivals: in the order they began. slips: (terminal, session) -> how many slips came out whole.

    cuts, networks, rolls: seconds of the day at which the mains failed, a network came, and paper was changed.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    handed: list[Handed] = field(default_factory=list)
    slips: dict[tuple[str, str], int] = field(default_factory=dict)
    cuts: list[float] = field(default_factory=list)
    networks: list[float] = field(default_factory=list)
    rolls: list[float] = field(default_factory=list)
