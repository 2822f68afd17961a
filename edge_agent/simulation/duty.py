"""What officers have to do on a day, and which of it they do next: one queue of jobs for each terminal.

Rules: an officer acts only by showing cards (`officer.py`); nobody is kept waiting for paperwork while people queue,
unless it has waited long itself.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping

from edge_agent.core.model import Signal
from edge_agent.core.officer_acts import Act, ActProblem, ActReceipt
from edge_agent.simulation.hall import Hall
from edge_agent.simulation.intentions import SeeOfficer
from edge_agent.simulation.officer import TRIES_MAX, DeskVisit, Job, Task

PATIENCE_S = 240.0
AGAIN_S = 60.0
"""So long an officer whose badge got no answer leaves the queue in peace."""
AT_ONCE_MAX = 4
"""Jobs of one visit to the desk; people are waiting."""
_ABOUT_A_SLIP = frozenset({Act.VOID, Act.REFERRAL_RESOLVED})


class Duty:
    """badges: the two officers of this terminal. cards: subject -> text of their card."""

    def __init__(self, badges: tuple[str, str], cards: Mapping[str, str], chance: random.Random) -> None:
        self._badges = badges
        self._cards = cards
        self._chance = chance
        self._visited: DeskVisit | None = None
        self._visited_s = 0.0
        self.jobs: deque[Job] = deque()
        self.given_up: list[Job] = []
        self.acts: list[ActReceipt] = []
        """Every act that the terminal recorded, done or refused."""

    def ask(self, wanted: SeeOfficer, now_s: float) -> None:
        """Somebody stands at the officer's table."""
        for act in wanted.acts:
            reason = wanted.help_with if act is Act.ASSIST else None
            self.jobs.append(Job(act, now_s, wanted.errand.person, wanted.session_id, reason))

    def step_up(self, hall: Hall, now_s: float) -> DeskVisit | None:
        """The visit to make now, if any."""
        signal = hall.terminal.signal
        self._give_up_hopeless(hall)
        if signal is Signal.READY and any(job.act is Act.OPEN for job in self.jobs):
            # The break is over, and the terminal is open: it was never closed.
            self.jobs = deque(job for job in self.jobs if job.act not in (Act.CLOSE, Act.OPEN))
        if self._visited is not None and not self._visited.answered and now_s - self._visited_s < AGAIN_S:
            return None
        if not self.jobs or signal not in (Signal.READY, Signal.CLOSED_BY_OFFICER):
            return None
        if signal is Signal.CLOSED_BY_OFFICER:
            opening = [job for job in self.jobs if job.act is Act.OPEN]
            return self._visit(hall, opening, now_s) if opening else None
        urgent = len(self.jobs) >= AT_ONCE_MAX or now_s - self.jobs[0].since_s > PATIENCE_S
        if hall.queue and not urgent:
            return None
        return self._visit(hall, list(self.jobs)[:AT_ONCE_MAX], now_s)

    def answered(self, hall: Hall) -> None:
        """Take note of what the terminal has answered and recorded."""
        for job in hall.answered:
            if job in self.jobs:
                self.jobs.remove(job)
            if job.unprinted and job.act in (Act.ASSIST, Act.REPRINT):
                self.jobs.append(Job(Act.REPRINT, job.since_s, job.person))
        hall.answered.clear()
        for receipt in hall.terminal.acts:
            self.acts.append(receipt)
            if receipt.act is Act.REPRINT and receipt.copy is not None:
                hall.copies[receipt.act_id] = receipt.copy.session_id
            done = receipt.problem in (None, ActProblem.ALREADY_VOID)
            if receipt.act is Act.VOID and done:
                hall.take_back(receipt.case_number)
        hall.terminal.acts.clear()

    def _visit(self, hall: Hall, jobs: list[Job], now_s: float) -> DeskVisit:
        """Jobs in order, but nothing after an act that leaves the desk."""
        tasks: list[Task] = []
        for job in jobs:
            tasks.append(self._task(hall, job))
            if job.act in (Act.ASSIST, Act.CLOSE, Act.OPEN):
                break
        self._visited, self._visited_s = DeskVisit(self._badges[0], tasks, now_s, self._chance), now_s
        return self._visited

    def _task(self, hall: Hall, job: Job) -> Task:
        card = self._cards.get(job.person.subject_id or "", "") if job.person is not None else ""
        if job.act in (Act.ASSIST, Act.REPRINT):
            return Task(job, (card,))
        if job.act is Act.VOID:
            return Task(job, (hall.codes[job.session_id], self._badges[1]))
        return Task(job, (hall.codes[job.session_id],) if job.act is Act.REFERRAL_RESOLVED else ())

    def _give_up_hopeless(self, hall: Hall) -> None:
        """What needs a slip that never came out, and what was tried too often."""
        for job in list(self.jobs):
            lacks_slip = job.act in _ABOUT_A_SLIP and job.session_id not in hall.codes
            if lacks_slip or job.tries >= TRIES_MAX:
                self.jobs.remove(job)
                self.given_up.append(job)
