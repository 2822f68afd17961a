"""A whole roster: what must hold across it, and that all of it comes out as it went in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.policy import DEFAULT_POLICY, Officer, OfficerLimits, OfflineLimits, Policy, Proxy
from edge_agent.key_files import exchange_key
from edge_agent.ports import RosterError
from edge_agent.roster_content import Roster, content_sha256
from edge_agent.roster_file import read_header, read_roster, sign_roster
from edge_agent.roster_policy import PolicyRecord
from tests.rosters import FIRST, OFFICE, POLICY, PROGRAMMES, TEMPLATE_KEY, TERMINALS, cash, person, rice, write_full


def read(path: Path) -> Roster:
    return read_roster(path, OFFICE.public_key(), "kiosk-1", exchange_key(TEMPLATE_KEY))


def test_all_of_it_comes_out_as_it_went_in(tmp_path: Path) -> None:
    roster = read(write_full(tmp_path / "r", FIRST))
    assert roster.policy == POLICY
    assert roster.programmes == PROGRAMMES
    assert roster.proxies == FIRST.proxies
    assert roster.officers == FIRST.officers
    assert roster.entitlements == FIRST.entitlements
    assert roster.terminals == 2
    assert [s.display_name for s in roster.subjects] == ["Ibu Sri", "Pak Budi", "", ""]
    promised = read_header(tmp_path / "r", OFFICE.public_key()).content_sha256
    assert promised == content_sha256(roster) == content_sha256(FIRST)


def test_a_name_leaves_the_office_only_when_slips_may_show_it(tmp_path: Path) -> None:
    silent = replace(FIRST, policy=replace(POLICY, show_names=False))
    roster = read(write_full(tmp_path / "r", silent))
    assert {s.display_name for s in roster.subjects} == {""}
    assert content_sha256(silent) == content_sha256(roster)


def test_the_digest_does_not_depend_on_the_order_of_records() -> None:
    turned = replace(
        FIRST,
        subjects=FIRST.subjects[::-1],
        entitlements=FIRST.entitlements[::-1],
        proxies=FIRST.proxies[::-1],
        officers=FIRST.officers[::-1],
    )
    assert content_sha256(turned) == content_sha256(FIRST)


@pytest.mark.parametrize(
    "changed",
    [
        replace(FIRST, version=2),
        replace(FIRST, terminals=1),
        replace(FIRST, entitlements=(replace(rice("s1"), portion_days=8), *FIRST.entitlements[1:])),
        replace(FIRST, policy=replace(POLICY, officers=OfficerLimits(10, 11, 3))),
        replace(FIRST, officers=FIRST.officers[:1]),
        replace(FIRST, proxies=FIRST.proxies[:1]),
        replace(FIRST, revoked_tokens=frozenset()),
        replace(FIRST, programmes=()),
        replace(FIRST, subjects=(person("s1", 9, "Ibu Sri"), *FIRST.subjects[1:])),
    ],
)
def test_the_digest_covers_everything(changed: Roster) -> None:
    assert content_sha256(changed) != content_sha256(FIRST)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"proxies": (Proxy("s9.bpnt", "2026-03", "s2"),)}, "proxies.0.entitlement_id: s9.bpnt is not in entitlements"),
        ({"proxies": (Proxy("s1.bpnt", "2026-04", "s2"),)}, "proxies.0.cycle: 2026-04 is not the entitlement's"),
        ({"proxies": (Proxy("s1.bpnt", "2026-03", "s9"),)}, "proxies.0.proxy_id: s9 is not in subjects"),
        ({"proxies": (Proxy("s1.bpnt", "2026-03", "s1"),)}, "proxies.0.proxy_id: s1 is the entitled person"),
        ({"proxies": FIRST.proxies[:1] * 2}, "proxies.1: s2 appears twice for s1.bpnt"),
        ({"officers": (Officer("o1"), Officer("o1"))}, "officers.1.officer_id: o1 appears twice"),
        (
            {"officers": (Officer("o1", "s1"), Officer("o2"), Officer("o3", "s1"))},
            "officers.2.subject_id: s1 is an officer already (o1)",
        ),
        ({"officers": (Officer("o1", "s9"),)}, "officers.0.subject_id: s9 is not in subjects"),
        ({"officers": (Officer("3201234567890001"),)}, "opaque id"),
        ({"programmes": PROGRAMMES[:1]}, "entitlements.2.programme: PKH is not in programmes"),
        ({"programmes": PROGRAMMES * 2}, "programmes.2.programme: BPNT appears twice"),
        ({"entitlements": (replace(rice("s1"), portion=Decimal(61)),)}, "portion: 61 is more than the amount"),
        ({"entitlements": (replace(rice("s1"), portion=Decimal(0)),)}, "portion: "),
        ({"entitlements": (replace(rice("s1"), portion_days=0),)}, "portion_days: "),
        ({"policy": Policy(roster_max_age_days=0)}, "roster_max_age_days"),
        ({"policy": Policy(offline=OfflineLimits(claims_max=-1))}, "claims_max"),
        ({"policy": Policy(offline=OfflineLimits(hours_max=0))}, "hours_max"),
        ({"policy": Policy(officers=OfficerLimits(voids_per_day=-1))}, "voids_per_day"),
    ],
)
def test_an_inconsistent_roster_is_not_signed(changes: dict[str, object], message: str) -> None:
    values = {"proxies": (), **changes}
    with pytest.raises(RosterError) as error:
        sign_roster(replace(FIRST, **values), OFFICE, TERMINALS)  # type: ignore[arg-type]
    assert message in str(error.value)
    assert "Ibu" not in str(error.value)


def test_an_entitlement_keeps_to_its_programmes_cycle() -> None:
    early = replace(cash("s1"), valid_from=date(2026, 2, 28))
    with pytest.raises(RosterError, match=r"entitlements\.0\.valid_from: 2026-02-28 to .* not within the cycle"):
        sign_roster(replace(FIRST, entitlements=(early,), proxies=()), OFFICE, TERMINALS)
    with pytest.raises(RosterError, match=r"entitlements\.0\.cycle: 2026-02 is no cycle of PKH"):
        sign_roster(replace(FIRST, entitlements=(replace(cash("s1"), cycle="2026-02"),), proxies=()), OFFICE, TERMINALS)


def test_a_policy_that_says_nothing_is_the_default() -> None:
    assert PolicyRecord.model_validate_json("{}").to_policy() == DEFAULT_POLICY
    assert PolicyRecord.of(POLICY).to_policy() == POLICY
