"""An officer at a terminal without a screen: badge, command card, and whatever the command needs, one after the other.

Officers know the sheet of command cards and watch the lights like everybody. What was not done, because the mains
failed or the paper ended, they try again later.

Rules: seconds of the day. Texts held up are the ones offices print; nothing is told to a terminal but by showing it.
"""

from __future__ import annotations

import random
from collections import deque
from dataclasses import dataclass

from edge_agent.command_card import command_text
from edge_agent.core.model import Signal
from edge_agent.core.officer_acts import Act, AssistReason, Command
from edge_agent.simulation.village import Person

HOLD_S, BETWEEN_S = 2.2, 1.0
SHOW_EVERY_S = 0.4
ANSWER_S = 15.0
"""After so long without an answer an officer gives up for now."""
TRIES_MAX = 6
_ENDED = frozenset(
    {
        Signal.ACT_DONE,
        Signal.ACT_REFUSED,
        Signal.TAKE_SLIP_FAILED,
        Signal.GIVEN,
        Signal.REFERRED,
        Signal.NOT_ENTITLED,
        Signal.CLOSED_BY_OFFICER,
    }
)
_LEAVES_DESK = frozenset({Act.ASSIST, Act.CLOSE, Act.OPEN})
"""Acts after which the terminal shows something else than its desk."""


@dataclass(eq=False)
class Job:
    """Something an officer is to do. person: for whom; session_id: which slip it is about. tries: so far.

    unprinted: it was done, and its slip did not come out.
    """

    act: Act
    since_s: float
    person: Person | None = None
    session_id: str = ""
    reason: AssistReason | None = None
    tries: int = 0
    unprinted: bool = False

    @property
    def command(self) -> Command:
        """The card that asks for it."""
        return Command(self.act, self.reason)


@dataclass(frozen=True)
class Task:
    """A job with the texts it needs after its command card."""

    job: Job
    shows: tuple[str, ...] = ()


class DeskVisit:
    """One officer at one terminal with some tasks, in order; an act that leaves the desk must be the last."""

    def __init__(self, badge: str, tasks: list[Task], came_s: float, chance: random.Random) -> None:
        self.tasks = deque(tasks)
        self.over = False
        self.answered = False
        """Whether the terminal has taken any notice."""
        self.person: Person | None = None
        """For whom a claim is asked for now."""
        self._chance = chance
        self._cards = deque([badge])
        self._holds_s = came_s + chance.uniform(1.0, 2.0)
        self._shown_s = 0.0
        self._waits_s: float | None = None
        self._working: Job | None = None
        self._leaving = False

    def see(self, signal: Signal | None, now_s: float) -> Job | None:
        """Watch the lights; a job that has just been answered, one way or the other."""
        if signal in (None, Signal.OUT_OF_SERVICE, Signal.PAPER_OUT) and not self._may_be_dark(signal):
            self.over = True
            return None
        if self._cards:
            if now_s >= self._holds_s + HOLD_S:
                self._cards.popleft()
                self._holds_s = now_s + BETWEEN_S + self._chance.random()
                self._waits_s = None if self._cards else now_s + ANSWER_S
            return None
        return self._await(signal, now_s)

    def codes(self, now_s: float) -> tuple[str, ...]:
        """What is held up now."""
        if not self._cards or now_s < self._holds_s or now_s - self._shown_s < SHOW_EVERY_S:
            return ()
        self._shown_s = now_s
        return (self._cards[0],)

    def _may_be_dark(self, signal: Signal | None) -> bool:
        opening = self.tasks[0].job.act is Act.OPEN if self.tasks else False
        return signal is Signal.OUT_OF_SERVICE and opening

    def _await(self, signal: Signal | None, now_s: float) -> Job | None:
        """All cards are shown: go on when the terminal has answered."""
        late = self._waits_s is not None and now_s > self._waits_s
        if self._leaving or (late and self._working is None):
            self.over = True
            return None
        if self._working is None:
            if signal is Signal.BADGE_READ:
                self.answered = True
                self._next(now_s)
            return None
        job = self._working
        opened = job.act is Act.OPEN and signal in (Signal.READY, Signal.LOOK_HERE)
        if signal not in _ENDED and not opened:
            self.over = late
            return None
        self._working = None
        job.unprinted = signal is Signal.TAKE_SLIP_FAILED
        self.tasks.popleft()
        self._waits_s = now_s + ANSWER_S
        self.over = job.act in _LEAVES_DESK
        return job

    def _next(self, now_s: float) -> None:
        self._holds_s = now_s + self._chance.uniform(0.5, 1.5)
        if not self.tasks:
            self._leaving = True
            self._cards.append(command_text(Command(Act.CANCEL)))
            return
        task = self.tasks[0]
        self._working = task.job
        self.person = task.job.person if task.job.act is Act.ASSIST else None
        task.job.tries += 1
        self._cards.extend((command_text(task.job.command), *task.shows))
