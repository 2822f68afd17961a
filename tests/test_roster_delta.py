"""Deltas: the difference of two rosters, applied to the first, is the second. The office makes, terminals open them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.policy import Officer
from edge_agent.key_files import exchange_key
from edge_agent.ports import EmbedderId, RosterError
from edge_agent.roster_changes import FieldChange, changes
from edge_agent.roster_content import Roster, content_sha256, payload_of
from edge_agent.roster_delta import applied, difference
from edge_agent.roster_file import open_at_office, open_roster, read_header, read_roster, sign_delta, sign_roster
from tests.rosters import (
    FIRST,
    OFFICE,
    OFFICE_EXCHANGE,
    SECOND,
    TEMPLATE_KEY,
    TERMINALS,
    opened,
    person,
    rice,
    write_delta,
    write_full,
)


def some_roster(people: set[int], entitled: set[int], officers: set[int], tokens: set[int]) -> Roster:
    return replace(
        FIRST,
        subjects=tuple(person(f"s{n}", n) for n in sorted(people)),
        entitlements=tuple(rice(f"s{n}") for n in sorted(entitled & people)),
        officers=tuple(Officer(f"o{n}") for n in sorted(officers)),
        revoked_tokens=frozenset(f"{n:012x}" for n in tokens),
        proxies=(),
    )


numbers = st.sets(st.integers(1, 6))
rosters = st.builds(some_roster, numbers, numbers, numbers, numbers)


@given(old=rosters, new=rosters)
def test_the_difference_applied_to_the_first_is_the_second(old: Roster, new: Roster) -> None:
    before, after = payload_of(old), payload_of(new)
    result = applied(before, difference(before, after))
    for field in ("subjects", "entitlements", "officers", "revoked_tokens"):
        assert sorted(map(str, getattr(result, field))) == sorted(map(str, getattr(after, field)))


def test_nothing_changed_is_an_empty_delta() -> None:
    same = payload_of(FIRST)
    empty = difference(same, same).model_dump(exclude_defaults=True)
    assert empty == {}


def test_a_terminal_makes_the_second_roster_of_the_first_and_the_delta(tmp_path: Path) -> None:
    old, new = write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND)
    delta = write_delta(tmp_path / "d", old, new)
    key = exchange_key(TEMPLATE_KEY)
    file = open_roster(delta, OFFICE.public_key(), "kiosk-1", key)
    assert (file.header.kind, file.header.base_version, file.header.version) == ("delta", 1, 2)
    assert file.header.base_sha256 == content_sha256(FIRST)
    made = file.roster(read_roster(old, OFFICE.public_key(), "kiosk-1", key))
    assert content_sha256(made) == content_sha256(SECOND) == file.header.content_sha256
    assert made.terminals == 2


def test_a_delta_is_not_a_roster(tmp_path: Path) -> None:
    delta = write_delta(tmp_path / "d", write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND))
    with pytest.raises(RosterError, match="is a delta; it needs the roster of version 1"):
        read_roster(delta, OFFICE.public_key(), "kiosk-1", exchange_key(TEMPLATE_KEY))


def test_a_delta_shows_nothing_personal(tmp_path: Path) -> None:
    delta = write_delta(tmp_path / "d", write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND))
    content = delta.read_bytes()
    for secret in (b's5"', b"s5.bpnt", b"Pak Budi", b"officer-3", b"BLT"):
        assert secret not in content
    assert [entry.terminal for entry in read_header(delta, OFFICE.public_key()).sealed_to] == ["kiosk-1", "kiosk-2"]


def test_the_office_opens_only_what_it_sealed_to_itself(tmp_path: Path) -> None:
    mine = write_full(tmp_path / "mine", FIRST)
    assert content_sha256(opened(mine).roster()) == content_sha256(FIRST)
    with pytest.raises(RosterError, match="give the office key the file was built with"):
        open_at_office(mine, OFFICE.public_key(), exchange_key(TEMPLATE_KEY))
    sealed_to_terminals_only = tmp_path / "r"
    sealed_to_terminals_only.write_bytes(sign_roster(FIRST, OFFICE, TERMINALS))
    with pytest.raises(RosterError, match="build rosters with --office-key"):
        opened(sealed_to_terminals_only)
    with pytest.raises(RosterError, match="not for terminal 'office'"):
        open_roster(mine, OFFICE.public_key(), "office", OFFICE_EXCHANGE)


def test_rosters_that_do_not_follow_each_other_make_no_delta(tmp_path: Path) -> None:
    old, new = write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND)
    with pytest.raises(RosterError, match=r"version 1 does not follow 2 .* name the older file first"):
        sign_delta(opened(new), opened(old), OFFICE)
    other = write_full(tmp_path / "r3", replace(SECOND, embedder=EmbedderId("other-net", "cd" * 32)))
    with pytest.raises(RosterError, match="another site or embedder"):
        sign_delta(opened(old), opened(other), OFFICE)
    with pytest.raises(RosterError, match="is a delta"):
        sign_delta(opened(write_delta(tmp_path / "d", old, new)), opened(new), OFFICE)


def test_a_delta_whose_result_breaks_a_rule_is_refused(tmp_path: Path) -> None:
    """A base with a right of somebody whom the delta takes away."""
    delta = write_delta(tmp_path / "d", write_full(tmp_path / "r1", FIRST), write_full(tmp_path / "r2", SECOND))
    file = open_roster(delta, OFFICE.public_key(), "kiosk-1", exchange_key(TEMPLATE_KEY))
    base = replace(FIRST, entitlements=(*FIRST.entitlements, rice("s4")))
    with pytest.raises(RosterError, match=r"after the changes: .* is not in subjects"):
        file.roster(base)


def test_what_changed_is_told_by_id_and_field() -> None:
    found = changes(payload_of(FIRST), payload_of(SECOND))
    assert (found.people_added, found.people_removed) == (("s5",), ("s4",))
    assert (found.people_with_new_templates, found.people_with_new_names) == (("s1",), ("s2",))
    assert (found.entitlements_added, found.entitlements_removed) == (("s5.bpnt",), ("s4.pkh",))
    assert found.entitlement_states == (FieldChange("s1.bpnt", "state", "active", "suspended"),)
    assert found.proxies_added == ("s5.bpnt s1",)
    assert found.proxies_changed == ("s1.bpnt s2",)
    assert found.proxies_removed == ("s4.pkh s3",)
    assert (found.officers_added, found.officers_removed) == (("officer-3",), ("officer-2",))
    assert found.officers_changed == ("officer-1",)
    assert (found.tokens_withdrawn, found.tokens_restored) == (("bbbbbbbbbbbb",), ("aaaaaaaaaaaa",))
    assert found.programmes_changed == ("BLT",)
    assert [(c.field, c.before, c.after) for c in found.policy] == [
        ("roster_max_age_days", 30, 20),
        ("offline.value_max.IDR", "90000000", "5"),
        ("offline.value_max.kg", "2000.5", None),
        ("offline.hours_max", 72.5, None),
    ]
    text = "\n".join(found.lines())
    assert "policy: 4 (roster_max_age_days 30 → 20" in text
    assert "Budi" not in text


def test_a_long_list_is_cut_in_words_and_whole_for_machines() -> None:
    many = replace(
        FIRST, subjects=tuple(person(f"n{n}", n) for n in range(50)), entitlements=(), proxies=(), officers=()
    )
    found = changes(payload_of(replace(many, subjects=())), payload_of(many))
    assert "people added: 50 (n0, n1," in found.lines()[0]
    assert found.lines()[0].endswith("… and 30 more)")
    assert len(found.as_data()["people_added"]) == 50
