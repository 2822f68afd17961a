"""A distribution day from the first arrival to the last record: a discrete-event loop over one or several halls.

Rules: no threads and no sleeping; only this loop moves the time. What goes wrong, and when, follows from the seed.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

from edge_agent.core.model import Outcome, Signal
from edge_agent.core.officer_acts import Act, AssistReason
from edge_agent.simulation.duty import PATIENCE_S, Duty
from edge_agent.simulation.hall import Hall
from edge_agent.simulation.intentions import Coming, SeeOfficer, Visit, afterwards, comings
from edge_agent.simulation.network import Broker, Link
from edge_agent.simulation.officer import Job
from edge_agent.simulation.site import Site, build_site
from edge_agent.simulation.truth import Arrival, Truth
from edge_agent.simulation.village import Kind
from edge_agent.simulation.visitor import Errand

SECONDS_A_PERSON = 34.0
NETWORK_S = 600.0
ROLL_CHANGE_S = (45.0, 120.0)
OUTAGE_S = (60.0, 240.0)
BREAK_S = 480.0
IMAGE_DATE = datetime(2025, 5, 6, tzinfo=timezone.utc)
"""What a board without a clock battery believes after a power cut: the date of its system image."""
YEAR_S = 365 * 86_400.0


@dataclass(frozen=True)
class Plan:
    """What the day is to be. roll_mm: of the first roll; power_cuts: for each terminal; networks: when (s) it comes."""

    subjects: int
    terminals: int = 1
    seed: int = 1
    power_cuts: int = 2
    networks: tuple[float, ...] = ()
    roll_mm: float | None = None


@dataclass
class Played:
    """A day that is over."""

    plan: Plan
    site: Site
    truth: Truth
    broker: Broker
    halls: list[Hall]
    duties: list[Duty]
    closed_s: float = 0.0


@dataclass(order=True)
class _Due:
    at_s: float
    number: int
    do: Callable[[], None] = field(compare=False)


class Day:
    """tell: called now and then with how many of how many first arrivals have been served."""

    def __init__(self, folder: Path, plan: Plan, tell: Callable[[int, int], None] = lambda *_: None) -> None:
        self._plan = plan
        self._tell = tell
        self._chance = random.Random(f"day {plan.seed}")
        self._window_s = plan.subjects * SECONDS_A_PERSON / plan.terminals
        roll_mm = plan.roll_mm if plan.roll_mm is not None else 0.55 * plan.subjects / plan.terminals * 220.0
        self._site = build_site(folder, plan.subjects, plan.terminals, plan.seed, roll_mm)
        self._time = self._site.time
        self._truth = Truth()
        self._broker = Broker()
        self._duties = [self._duty(place) for place in range(plan.terminals)]
        self._halls = [self._hall(place) for place in range(plan.terminals)]
        self._heap: list[_Due] = []
        self._numbers = count()
        self._visits: Counter[int] = Counter()
        self._given: Counter[int] = Counter()
        self._coming = 0
        self._changing: set[Hall] = set()
        self._ending: set[Hall] = set()

    def play(self) -> Played:
        """Play it to its end."""
        played = Played(self._plan, self._site, self._truth, self._broker, self._halls, self._duties)
        first = comings(self._site.village, self._site.cards, len(self._halls), self._window_s, self._chance)
        for coming in first:
            self._later(coming)
        self._plan_accidents()
        for hall in self._halls:
            hall.terminal.boot()
            self._tick(hall)
        while self._heap:
            due = heapq.heappop(self._heap)
            self._time.s = due.at_s
            due.do()
            self._tell(len(self._visits), len(first))
        played.closed_s = self._time.s
        return played

    def _hall(self, place: int) -> Hall:
        terminal = self._site.terminals[place]
        chance = random.Random(f"link {self._plan.seed} {place}")
        link = Link(terminal.id, terminal.parts.database, self._broker, chance)
        seed = self._plan.seed * 1000 + place
        duty = self._duties[place]
        return Hall(
            terminal,
            self._truth,
            link,
            time=self._time,
            seed=seed,
            follow=self._follow,
            officers=lambda hall: duty.step_up(hall, self._time.s),
        )

    def _duty(self, place: int) -> Duty:
        site = self._site
        one, two = site.village.officers[2 * place : 2 * place + 2]
        badges = (site.badges[one.officer_id], site.badges[two.officer_id])
        return Duty(badges, site.cards, random.Random(f"duty {self._plan.seed} {place}"))

    def _at(self, at_s: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._heap, _Due(at_s, next(self._numbers), do))

    def _joining(self, coming: Coming) -> Callable[[], None]:
        def join() -> None:
            self._coming -= 1
            self._halls[coming.terminal].join(coming.errand)

        return join

    def _tick(self, hall: Hall) -> None:
        wait_s = hall.tick()
        duty = self._duties[self._halls.index(hall)]
        duty.answered(hall)
        if hall.terminal.signal is Signal.PAPER_OUT and hall not in self._changing:
            self._changing.add(hall)
            self._at(self._time.s + self._chance.uniform(*ROLL_CHANGE_S), lambda: self._change_roll(hall))
        hall.link.pump(self._time.s)
        if self._open(hall):
            self._at(self._time.s + wait_s, lambda: self._tick(hall))
        else:
            hall.open = False
            hall.terminal.stop()
            hall.link.close()

    def _open(self, hall: Hall) -> bool:
        """Whether this hall goes on: people are coming or here, or the officer has not ended the day."""
        if self._coming or self._busy():
            return True
        if hall not in self._ending:
            self._ending.add(hall)
            self._duties[self._halls.index(hall)].jobs.append(Job(Act.DAY_END, self._time.s))
            return True
        return False

    def _busy(self) -> bool:
        halls = any(not hall.empty or not hall.terminal.powered for hall in self._halls if hall.open)
        return halls or any(duty.jobs for duty in self._duties)

    def _change_roll(self, hall: Hall) -> None:
        self._changing.discard(hall)
        self._truth.rolls += 1
        hall.terminal.printer.change_roll()

    def _follow(self, hall: Hall, errand: Errand, arrival: Arrival | None) -> None:
        """Somebody has left the lens."""
        person = errand.person
        place = self._halls.index(hall)
        self._visits[person.number] += 1
        visits = self._visits[person.number]
        if arrival is not None and arrival.outcome is Outcome.GIVEN:
            self._given[person.number] += 1
        slip = arrival is not None and (hall.terminal.id, arrival.session_id) in self._truth.slips
        visit = Visit(errand, arrival, visits, self._given[person.number], slip)
        then = afterwards(visit, self._time.s, place == person.home, self._site.cards, self._chance)
        if isinstance(then, Coming):
            terminal = place if then.terminal < 0 else then.terminal
            if then.at_s <= self._time.s + 10.0:
                self._halls[terminal].join(then.errand, first=terminal == place)
            else:
                self._later(Coming(then.at_s, terminal, then.errand))
        elif isinstance(then, SeeOfficer):
            self._duties[place].ask(then, self._time.s)
            if Act.VOID in then.acts:
                self._later(Coming(self._time.s + 1200.0, place, errand))

    def _later(self, coming: Coming) -> None:
        self._coming += 1
        self._at(coming.at_s, self._joining(coming))

    def _plan_accidents(self) -> None:
        """Power cuts, the wrong clock after each, the network; a break at noon, and help for the bedridden."""
        for person in self._site.village.people:
            if person.kind is Kind.BEDRIDDEN:
                job = Job(Act.ASSIST, 0.0, person, reason=AssistReason.BEDRIDDEN)
                self._at(self._window_s * self._chance.uniform(0.3, 0.9), self._asking(person.home, job))
        for place in range(len(self._halls)):
            noon_s = self._window_s * 0.55
            self._at(noon_s, self._asking(place, Job(Act.CLOSE, noon_s - PATIENCE_S)))
            self._at(noon_s + BREAK_S, self._asking(place, Job(Act.OPEN, noon_s)))
        networks = self._plan.networks or (self._window_s * 0.62,)
        for at_s in networks:
            self._at(at_s, self._network_comes)
        for hall in self._halls:
            for number in range(self._plan.power_cuts):
                ahead = number % 2 == 1
                at_s = networks[0] - 400.0 if ahead else self._window_s * self._chance.uniform(0.15, 0.45)
                self._at(at_s, self._cutting(hall, ahead))

    def _asking(self, place: int, job: Job) -> Callable[[], None]:
        return lambda: self._duties[place].jobs.appendleft(job)

    def _cutting(self, hall: Hall, ahead: bool) -> Callable[[], None]:
        """ahead: the clock comes back a year ahead, instead of as old as the system image."""

        def cut() -> None:
            if not hall.terminal.powered or hall.terminal.checkpoints_left is not None:
                self._at(self._time.s + 120.0, cut)  # one at a time
            elif self._chance.random() < 0.75:
                hall.terminal.checkpoints_left = self._chance.randint(1, 14)
                self._at(self._time.s + 1.0, lambda: self._await_cut(hall, ahead))
            else:
                hall.cut_power()
                self._power_back(hall, ahead)

        return cut

    def _await_cut(self, hall: Hall, ahead: bool) -> None:
        if hall.terminal.powered:
            self._at(self._time.s + 1.0, lambda: self._await_cut(hall, ahead))
        else:
            self._power_back(hall, ahead)

    def _power_back(self, hall: Hall, ahead: bool) -> None:
        off_s = YEAR_S if ahead else (IMAGE_DATE - self._time.utc).total_seconds()

        def boot() -> None:
            hall.terminal.clock.boot(off_s, trusted=False)
            hall.terminal.boot()
            if hall.link.up:
                hall.terminal.clock.confirm()

        self._at(self._time.s + self._chance.uniform(*OUTAGE_S), boot)

    def _network_comes(self) -> None:
        self._truth.networks += 1
        for hall in self._halls:
            hall.link.open()
            hall.terminal.clock.confirm()
        self._at(self._time.s + NETWORK_S, self._network_goes)

    def _network_goes(self) -> None:
        for hall in self._halls:
            hall.link.lose()
