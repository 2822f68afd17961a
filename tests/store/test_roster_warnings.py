"""What an import makes somebody look at: a right given here that has another id, a home moved under a running lease."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge_agent.core.model import Entitlement, Timestamp
from edge_agent.key_files import exchange_key
from edge_agent.roster_file import sign_roster
from edge_agent.store import Store
from edge_agent.store.roster_import import RosterChange
from edge_agent.store.roster_warnings import HOME_MOVED, REISSUED
from tests.store.terminal import (
    NOON,
    OFFICE,
    TEMPLATE_KEY,
    TERMINAL,
    Clock,
    claim_of,
    entitlement,
    roster,
    write_roster,
)


def import_it(
    store: Store, tmp_path: Path, clock: Clock, version: int, rights: list[Entitlement], alone: bool = True
) -> RosterChange:
    """alone: the roster is for this terminal only."""
    path = write_roster(tmp_path / f"r{version}", roster(version, entitlements=rights))
    if not alone:
        other = exchange_key(b"template key of another, 32 bytes").public_key()
        both = {TERMINAL.id: exchange_key(TEMPLATE_KEY).public_key(), "kiosk-2": other}
        path.write_bytes(sign_roster(roster(version, entitlements=rights), OFFICE, both))
    return store.import_roster(path, clock())


def warned(
    store: Store, tmp_path: Path, clock: Clock, version: int, rights: list[Entitlement]
) -> list[tuple[str, ...]]:
    change = import_it(store, tmp_path, clock, version, rights)
    return [(warning.code, warning.entitlement_id, warning.other) for warning in change.warnings]


def test_a_right_that_was_given_here_and_comes_under_a_new_id(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    again = entitlement("s1", entitlement_id="s1.bpnt.again")
    assert warned(store, tmp_path, clock, 2, [again]) == [(REISSUED, "s1.bpnt.again", "s1.bpnt")]
    assert warned(store, tmp_path, clock, 3, [again]) == [], "told once"


def test_no_word_of_what_is_in_order(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    rights = [
        entitlement("s1"),
        entitlement("s2", entitlement_id="s2.bpnt.again"),
        entitlement("s1", cycle="2026-04", entitlement_id="s1.bpnt.april"),
        entitlement("s1", "pkh"),
    ]
    assert warned(store, tmp_path, clock, 2, rights) == []


def home(name: str | None, lease_until: datetime | None = None) -> dict[str, Any]:
    return {"home": name, "lease_until": lease_until}


LATER, BEFORE = NOON + timedelta(days=5), NOON - timedelta(days=1)


@pytest.mark.parametrize(
    ("old", "new", "is_warned"),
    [
        (home("kiosk-1", LATER), home("kiosk-2", LATER), True),
        (home("kiosk-1", LATER), home(None), False),  # the roster is for this terminal alone: it stays here
        (home("kiosk-1"), home("kiosk-2"), True),
        (home("kiosk-2", LATER), home("kiosk-1", LATER), True),
        (home("kiosk-1", BEFORE), home("kiosk-2", LATER), False),
        (home("kiosk-1", LATER), home("kiosk-1", BEFORE), False),
        (home(None), home("kiosk-1", LATER), False),
    ],
)
def test_a_home_that_moves_while_its_lease_runs(
    store: Store, tmp_path: Path, clock: Clock, old: dict[str, Any], new: dict[str, Any], is_warned: bool
) -> None:
    warned(store, tmp_path, clock, 2, [entitlement("s1", **old)])
    found = warned(store, tmp_path, clock, 3, [entitlement("s1", **new)])
    assert found == ([(HOME_MOVED, "s1.bpnt", old["home"])] if is_warned else [])


def test_what_comes_here_from_elsewhere_may_have_been_given_there_whenever_its_lease_ended(
    store: Store, tmp_path: Path, clock: Clock
) -> None:
    warned(store, tmp_path, clock, 2, [entitlement("s1", **home("kiosk-2", BEFORE))])
    (found,) = import_it(store, tmp_path, clock, 3, [entitlement("s1", **home("kiosk-1", LATER))]).warnings
    assert (found.code, found.other) == (HOME_MOVED, "kiosk-2")
    assert "what kiosk-2 gave of it is not known here" in found.text


@pytest.mark.parametrize(("here", "alone"), [("kiosk-1", False), (None, True)])
def test_what_was_the_centres_may_have_been_given_by_another(
    store: Store, tmp_path: Path, clock: Clock, here: str | None, alone: bool
) -> None:
    import_it(store, tmp_path, clock, 2, [entitlement("s1", **home(None))], alone=False)
    (found,) = import_it(store, tmp_path, clock, 3, [entitlement("s1", **home(here))], alone).warnings
    assert (found.code, found.entitlement_id, found.other) == (HOME_MOVED, "s1.bpnt", "the centre")
    assert "what the centre let others give of it is not known here" in found.text


def test_what_was_here_and_becomes_the_centres(store: Store, tmp_path: Path, clock: Clock) -> None:
    warned(store, tmp_path, clock, 2, [entitlement("s1", **home("kiosk-1", LATER))])
    (found,) = import_it(store, tmp_path, clock, 3, [entitlement("s1", **home(None))], alone=False).warnings
    assert "moved from kiosk-1 to the centre" in found.text


def test_what_was_given_back_to_the_centre_may_move(store: Store, tmp_path: Path, clock: Clock) -> None:
    warned(store, tmp_path, clock, 2, [entitlement("s1", **home("kiosk-1", LATER))])
    at: Timestamp = clock()
    store.release("s1.bpnt", 0, at)
    assert warned(store, tmp_path, clock, 3, [entitlement("s1", **home("kiosk-2", LATER))]) == []


def test_a_warning_says_what_to_do_and_names_nobody(store: Store, tmp_path: Path, clock: Clock) -> None:
    store.record_claim(claim_of("s1"), clock())
    file = write_roster(tmp_path / "r", roster(2, entitlements=[entitlement("s1", entitlement_id="s1.again")]))
    (warning,) = store.import_roster(file, clock()).warnings
    assert "already received BPNT 2026-03 here as s1.bpnt" in warning.text
    assert "ask the office for a roster with the old id" in warning.text
    assert "Ibu" not in warning.text


@pytest.mark.parametrize(
    ("old", "new", "advice"),
    [
        ("kiosk-2", "kiosk-1", "Bring this roster to kiosk-2 first"),
        ("kiosk-1", "kiosk-2", "here kiosk-2 does not know until the centre has this terminal's records"),
    ],
)
def test_a_moved_home_is_advised_by_where_it_was(
    store: Store, tmp_path: Path, clock: Clock, old: str, new: str, advice: str
) -> None:
    warned(store, tmp_path, clock, 2, [entitlement("s1", **home(old, LATER))])
    file = write_roster(tmp_path / "r", roster(3, entitlements=[entitlement("s1", **home(new, LATER))]))
    (warning,) = store.import_roster(file, clock()).warnings
    assert advice in warning.text
