"""Faults put into a day on purpose: the books notice each of them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from random import Random

import pytest

from edge_agent.core.messages import RecordClaim, SlipPrinted
from edge_agent.core.model import Entitlement, Outcome
from edge_agent.core.policy import Circumstances
from edge_agent.core.slip import Slip
from edge_agent.simulation import village
from edge_agent.simulation.audit import gather
from edge_agent.simulation.books import balance
from edge_agent.simulation.clock import VirtualTime
from edge_agent.simulation.day import Day
from edge_agent.simulation.hall import Hall
from edge_agent.simulation.plan import LinkTime, Plan
from edge_agent.simulation.printing import PrinterDesk
from edge_agent.simulation.site import OPENS
from edge_agent.simulation.terminal import SimulatedTerminal
from edge_agent.simulation.truth import Arrival
from edge_agent.simulation.village import Kind, Person
from edge_agent.simulation.visitor import Errand
from edge_agent.store.surroundings import Surroundings
from tests.simulation.conftest import Closed
from tests.simulation.test_books import CHAINS, ONCE, SECRECY, SLIPS

CALM = Plan(40, 1, seed=5, power_cuts=0)


def red(day: Day) -> list[str]:
    """Play it; the lines that don't hold."""
    return [line.claim for line in balance(gather(day.play())).lines if not line.ok]


class ForgetfulDay(Day):
    """A store that forgets a claim as soon as its owner has gone: without the row nothing says that it was given."""

    def _follow(self, hall: Hall, errand: Errand, arrival: Arrival | None) -> None:
        if errand.person.kind is Kind.TWICE and arrival is not None and arrival.outcome is Outcome.GIVEN:
            with sqlite3.connect(hall.terminal.parts.database) as connection:
                connection.execute("DROP TRIGGER IF EXISTS claim_is_not_deleted")
                connection.execute("DELETE FROM claim WHERE session_id = ?", (arrival.session_id,))
        super()._follow(hall, errand, arrival)


def test_a_store_that_forgets_gives_twice_and_the_books_say_so(tmp_path: Path) -> None:
    assert ONCE in red(ForgetfulDay(tmp_path, CALM))


def test_a_printer_that_lies_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = PrinterDesk.print_slip

    def lie(desk: PrinterDesk, session_id: str, slip: Slip) -> None:
        if len(desk.out) == 3 and not hasattr(desk, "lied"):
            desk.lied = True  # type: ignore[attr-defined]
            desk._tell(SlipPrinted(session_id))
            return
        honest(desk, session_id, slip)

    monkeypatch.setattr(PrinterDesk, "print_slip", lie)
    assert SLIPS in red(Day(tmp_path, CALM))


def test_a_record_changed_afterwards_breaks_the_chain(full_day: Closed, tmp_path: Path) -> None:
    [terminal] = full_day.played.site.terminals
    altered = SimulatedTerminal(
        replace(terminal.parts, database=tmp_path / "terminal.db"), VirtualTime(OPENS), terminal.printer, Random(1)
    )
    shutil.copy(terminal.parts.database, altered.parts.database)
    played = replace(full_day.played, site=replace(full_day.played.site, terminals=[altered]))
    with sqlite3.connect(altered.parts.database) as connection:
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'ledger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        body = json.loads(connection.execute("SELECT body FROM ledger WHERE seq = 9").fetchone()[0])
        body["data"]["note"] = played.site.village.people[0].name
        connection.execute("UPDATE ledger SET body = ? WHERE seq = 9", (json.dumps(body).encode(),))
    lines = [line for line in balance(gather(played)).lines if not line.ok]
    assert {CHAINS, SECRECY} <= {line.claim for line in lines}
    assert "record 9" in lines[0].text


def test_terminals_without_homes_give_twice_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each terminal believes that it is the only one, so whoever comes to two of them receives twice."""
    honest, rights = Surroundings.circumstances, village._rights

    def alone(here: Surroundings, request: RecordClaim, instant: datetime, clock_trusted: bool) -> Circumstances:
        return replace(honest(here, request, instant, clock_trusted), sole=True)

    def homeless(person: Person, terminals: tuple[str, ...], day: date) -> list[Entitlement]:
        return [replace(right, home=None, lease_until=None) for right in rights(person, terminals, day)]

    monkeypatch.setattr(Surroundings, "circumstances", alone)
    monkeypatch.setattr(village, "_rights", homeless)
    assert ONCE in red(Day(tmp_path, replace(CALM, terminals=2, links=(LinkTime(20_000.0),))))
