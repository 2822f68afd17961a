"""A distribution day from the first arrival to the last record, at one or several terminals.

Rules: no threads and no sleeping; only the schedule moves the time. The same plan gives the same day, but for what the
store itself draws by lot (ids and nonces), which nobody in the hall sees.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge_agent.core.model import Outcome
from edge_agent.core.officer_acts import Act, AssistReason
from edge_agent.ports import TerminalError
from edge_agent.simulation.accidents import Accidents
from edge_agent.simulation.centre import Centre
from edge_agent.simulation.duty import PATIENCE_S, Duty
from edge_agent.simulation.hall import Hall
from edge_agent.simulation.intentions import ELSEWHERE, HERE, Coming, SeeOfficer, Visit, afterwards, comings
from edge_agent.simulation.network import Broker, Link
from edge_agent.simulation.officer import Job
from edge_agent.simulation.plan import Plan
from edge_agent.simulation.schedule import Schedule
from edge_agent.simulation.site import Site, build_site
from edge_agent.simulation.truth import Arrival, Truth
from edge_agent.simulation.village import Kind
from edge_agent.simulation.visitor import Errand

BREAK_AT, BREAK_S = 0.55, 480.0
"""The officer closes for a prayer at this share of the time of arrivals."""
LONGEST_S = 24 * 3600.0
AFTER_VOID_S = 1200.0
"""Whoever gave something back that was not theirs to take comes again for what is."""


@dataclass
class Played:
    """A day that is over. closed_s: second at which the last terminal was switched off."""

    plan: Plan
    site: Site
    truth: Truth
    broker: Broker
    halls: list[Hall]
    duties: list[Duty]
    closed_s: float = 0.0


class StuckDayError(TerminalError):
    """A day doesn't end: somebody or something waits for ever."""


class Day:
    """tell: called now and then with how many people have been at a terminal, of how many that come."""

    def __init__(self, folder: Path, plan: Plan, tell: Callable[[int, int], None] = lambda *_: None) -> None:
        self._plan = plan
        self._tell = tell
        self._chance = random.Random(f"day {plan.seed}")
        self._site = build_site(folder, plan.subjects, plan.terminals, plan.seed, plan.paper_mm)
        self._schedule = Schedule(self._site.time)
        self._truth = Truth()
        self._centre = Centre(self._site) if plan.terminals > 1 else None
        self._broker = Broker(self._centre.take if self._centre is not None else None)
        self._duties = [self._duty(place) for place in range(plan.terminals)]
        self._halls = [self._hall(place) for place in range(plan.terminals)]
        self._accidents = Accidents(plan, self._halls, self._schedule, self._truth, self._chance)
        self._visits: Counter[int] = Counter()
        self._given: Counter[int] = Counter()
        self._coming = 0
        self._ending: set[Hall] = set()

    def play(self) -> Played:
        """Play it to its end."""
        played = Played(self._plan, self._site, self._truth, self._broker, self._halls, self._duties)
        first = comings(self._site.village, self._site.cards, len(self._halls), self._plan.window_s, self._chance)
        for coming in first:
            self._later(coming)
        self._plan_duties()
        for hall in self._halls:
            hall.terminal.boot()
            hall.link.boot()
            self._tick(hall)
        while self._schedule.next():
            if self._schedule.time.s > self._plan.window_s + LONGEST_S:
                raise StuckDayError(self._what_waits())
            self._tell(len(self._visits), len(first))
        played.closed_s = self._schedule.time.s
        if self._centre is not None:
            self._centre.close()
        return played

    def _hall(self, place: int) -> Hall:
        terminal = self._site.terminals[place]
        chance = random.Random(f"link {self._plan.seed} {place}")
        duty = self._duties[place]
        return Hall(
            terminal,
            self._truth,
            Link(terminal, self._broker, self._schedule.time, self._site.office.public_key(), chance),
            time=self._schedule.time,
            seed=self._plan.seed * 1000 + place,
            faces=self._site.faces,
            follow=self._follow,
            officers=lambda hall: duty.step_up(hall, self._schedule.time.s),
        )

    def _duty(self, place: int) -> Duty:
        site = self._site
        one, two = site.village.officers[2 * place : 2 * place + 2]
        badges = (site.badges[one.officer_id], site.badges[two.officer_id])
        return Duty(badges, site.cards, random.Random(f"duty {self._plan.seed} {place}"))

    def _tick(self, hall: Hall) -> None:
        wait_s = hall.tick()
        self._duties[self._halls.index(hall)].answered(hall)
        self._accidents.watch_paper(hall)
        hall.link.pump()
        if self._goes_on(hall):
            self._schedule.after(wait_s, lambda: self._tick(hall))
        else:
            hall.close()

    def _goes_on(self, hall: Hall) -> bool:
        """People are coming or here, or officers have something to do; at the end, to end the day."""
        busy = any(not one.empty or not one.terminal.powered for one in self._halls if one.open)
        if self._coming or busy or any(duty.jobs for duty in self._duties):
            return True
        if hall in self._ending:
            return False
        self._ending.add(hall)
        self._duties[self._halls.index(hall)].jobs.append(Job(Act.DAY_END, self._schedule.time.s))
        return True

    def _what_waits(self) -> str:
        waiting = [
            f"{hall.terminal.id} shows {hall.terminal.signal}, {len(hall.queue)} in the queue, {len(duty.jobs)} jobs"
            for hall, duty in zip(self._halls, self._duties, strict=True)
        ]
        return f"the day of seed {self._plan.seed} does not end: {'; '.join(waiting)}; report this with its numbers"

    def _follow(self, hall: Hall, errand: Errand, arrival: Arrival | None) -> None:
        """Somebody has left the lens."""
        person = errand.person
        place = self._halls.index(hall)
        self._visits[person.number] += 1
        if arrival is not None and arrival.outcome is Outcome.GIVEN:
            self._given[person.number] += 1
        visit = Visit(
            errand,
            arrival,
            number=self._visits[person.number],
            given=self._given[person.number],
            slip=arrival is not None and (hall.terminal.id, arrival.session_id) in self._truth.slips,
        )
        now_s = self._schedule.time.s
        then = afterwards(visit, now_s, place == person.home, self._site.cards, self._chance)
        if isinstance(then, SeeOfficer):
            self._duties[place].ask(then, now_s)
            if Act.VOID in then.acts:
                self._later(Coming(now_s + AFTER_VOID_S, place, errand))
        elif then is not None:
            self._come_again(then, place)

    def _come_again(self, then: Coming, place: int) -> None:
        """At once to the head of the same queue, or later."""
        terminal = {HERE: place, ELSEWHERE: (place + 1) % len(self._halls)}.get(then.terminal, then.terminal)
        if then.at_s <= self._schedule.time.s + 10.0:
            self._halls[terminal].join(then.errand, first=terminal == place)
        else:
            self._later(Coming(then.at_s, terminal, then.errand))

    def _later(self, coming: Coming) -> None:
        def join() -> None:
            self._coming -= 1
            self._halls[coming.terminal].join(coming.errand)

        self._coming += 1
        self._schedule.at(coming.at_s, join)

    def _plan_duties(self) -> None:
        """A break at noon, and help for those who lie at home."""
        window_s = self._plan.window_s
        for person in self._site.village.people:
            if person.kind is Kind.BEDRIDDEN:
                job = Job(Act.ASSIST, 0.0, person, reason=AssistReason.BEDRIDDEN)
                self._ask(window_s * self._chance.uniform(0.3, 0.9), person.home, job)
        for place in range(len(self._halls)):
            noon_s = window_s * BREAK_AT
            self._ask(noon_s, place, Job(Act.CLOSE, noon_s - PATIENCE_S))
            self._ask(noon_s + BREAK_S, place, Job(Act.OPEN, noon_s))

    def _ask(self, at_s: float, place: int, job: Job) -> None:
        self._schedule.at(at_s, lambda: self._duties[place].jobs.appendleft(job))
