"""Policy, programmes, proxies and officers beside the list."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from edge_agent.core.model import Benefit, Entitlement
from edge_agent.core.policy import Officer, OfficerLimits, OfflineLimits, Policy, Proxy
from edge_agent.enrolment.listed_rows import EntitlementList
from edge_agent.enrolment.national_number import office_subject_id
from edge_agent.enrolment.office_files import Enrolled, check_programmes, read_officers, read_policy, read_proxies
from edge_agent.settings_errors import SettingsError
from tests.enrolment.office_list import nik

KEY = b"an id key of the tests, 32 bytes"
MARCH = (date(2026, 3, 1), date(2026, 3, 31))


def right(person: str, item: str = "beras", programme: str = "BPNT") -> Entitlement:
    benefit = Benefit("goods", Decimal(10), "kg", item)
    return Entitlement(f"{person}.{item}", person, programme, "2026-03", benefit, *MARCH)


BY_NIK = office_subject_id(KEY, nik(1))
RIGHTS = [right("s1"), right("s1", "gula"), right("s2"), right(BY_NIK)]
ENROLLED = Enrolled({"s1", "s2", "s3", BY_NIK}, RIGHTS)
POLICY = """policy:
  roster_max_age_days: 30
  show_names: true
  offline: {claims_max: 200, value_max: {IDR: 50000000, kg: 2000.5}, hours_max: 72}
  officers: {voids_per_day: 1}
programmes:
  - programme: BPNT
    title: Sembako
    cycles:
      - {cycle: 2026-03, valid_from: 2026-03-01, valid_until: 2026-03-31}
"""


def test_a_policy_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    found = read_policy(path)
    value = (("IDR", Decimal(50_000_000)), ("kg", Decimal("2000.5")))
    assert found.policy.to_policy() == Policy(30, True, OfflineLimits(200, value, 72), OfficerLimits(voids_per_day=1))
    assert found.programmes[0].cycles[0].valid_until == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("roster_max_age_days: 30", "roster_max_age_day: 30"),
            "policy.yaml:2: policy.roster_max_age_day: unknown key",
        ),
        (("30", "30"), ""),
        (("roster_max_age_days: 30", "roster_max_age_days: 0"), "policy.yaml:2: policy.roster_max_age_days: 0:"),
        (("claims_max: 200", "claims_max: many"), "policy.yaml:4: policy.offline.claims_max: many:"),
        (("cycle: 2026-03, ", ""), "programmes.0.cycles.0.cycle: is required and missing"),
        (("valid_from: 2026-03-01", "valid_from: 2026-04-01"), "valid_until: 2026-03-31 is before valid_from"),
    ],
)
def test_mistakes_in_a_policy_file(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY.replace(*change))
    if not told:
        read_policy(path)
        return
    with pytest.raises(SettingsError) as caught:
        read_policy(path)
    assert told in str(caught.value)


def test_entitlements_of_no_programme_are_told_by_row(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    programmes = read_policy(path).programmes
    late = Entitlement("late", "s1", "BPNT", "2026-03", RIGHTS[0].benefit, date(2026, 3, 1), date(2026, 4, 1))
    april = Entitlement("april", "s1", "BPNT", "2026-04", RIGHTS[0].benefit, *MARCH)
    wrong = [right("s2", programme="PKH"), april, late]
    listed = EntitlementList(entitlements=[RIGHTS[0], *wrong])
    listed.line_of = {one.entitlement_id: line for line, one in enumerate(listed.entitlements, 2)}
    faults = check_programmes(Path("list.csv"), listed, programmes)
    assert [(fault.line, fault.field) for fault in faults] == [(3, "programme"), (4, "cycle"), (5, "valid_from")]
    assert not check_programmes(Path("list.csv"), listed, ())


def test_proxies_by_entitlement_by_person_and_by_number(tmp_path: Path) -> None:
    path = tmp_path / "proxies.csv"
    path.write_text(
        "entitlement_id,subject_id,nik,programme,cycle,item,proxy_id,proxy_nik,valid_until\n"
        f"s2.beras,,,,,,s1,,31/03/2026\n,s1,,BPNT,2026-03,,s3,,\n,,{nik(1)},BPNT,2026-03,beras,s2,,\ns2.beras,,,,,,,{nik(1)},\n"
    )
    proxies, faults = read_proxies(path, KEY, ENROLLED)
    assert faults == []
    assert proxies == (
        Proxy("s2.beras", "2026-03", "s1", date(2026, 3, 31)),
        Proxy("s1.beras", "2026-03", "s3"),
        Proxy("s1.gula", "2026-03", "s3"),
        Proxy(f"{BY_NIK}.beras", "2026-03", "s2"),
        Proxy("s2.beras", "2026-03", BY_NIK),
    )


@pytest.mark.parametrize(
    ("header", "row", "told"),
    [
        ("entitlement_id,proxy_id", "s9.beras,s1", "p.csv:2: entitlement_id: is not in this roster"),
        ("entitlement_id,proxy_id", "s2.beras,s9", "p.csv:2: proxy_id: is not enrolled"),
        ("entitlement_id,proxy_id", "s2.beras,s2", "p.csv:2: proxy_id: is the entitled person"),
        ("entitlement_id,proxy_id", "s2.beras,", "p.csv:2: proxy_id: is empty"),
        ("entitlement_id,proxy_id", "s2.beras,s1\ns2.beras,s1", "p.csv:3: proxy_id: is here already"),
        ("entitlement_id,proxy_id,valid_until", "s2.beras,s1,soon", "p.csv:2: valid_until: is no day"),
        ("subject_id,proxy_id", "s2,s1", "p.csv:2: entitlement_id: it isn't said what may be fetched"),
        ("subject_id,programme,cycle,proxy_id", "s2,PKH,2026-03,s1", "p.csv:2: programme: the person has no such"),
        ("entitlement_id,proxy_nik", f"s2.beras,{nik(2)}", "p.csv:2: proxy_nik: is not enrolled"),
        ("entitlement_id,proxy_nik", f"s2.beras,{nik(2)[:-1]}", "p.csv:2: proxy_nik: has 15 digits"),
        ("entitlement_id,proxy_id,proxy_nik", f"s2.beras,s1,{nik(2)}", "p.csv:2: proxy_nik: is given beside proxy_id"),
        ("entitlement_id,who", "s2.beras,s1", "p.csv:1: who: unknown column"),
    ],
)
def test_wrong_proxies(tmp_path: Path, header: str, row: str, told: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"{header}\n{row}\n")
    _, faults = read_proxies(path, KEY, ENROLLED)
    (fault,) = faults
    assert told in str(fault)
    assert fault.remedy
    assert nik(2) not in str(fault)


def test_a_number_needs_the_key(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"entitlement_id,proxy_nik\ns2.beras,{nik(1)}\n")
    _, faults = read_proxies(path, None, ENROLLED)
    assert "give --id-key" in str(faults[0])


def test_officers(tmp_path: Path) -> None:
    path = tmp_path / "officers.csv"
    path.write_text(f"officer_id,subject_id,nik\npetugas-1,,\npetugas-2,s1,\npetugas-3,,{nik(1)}\n")
    officers, faults = read_officers(path, KEY, ENROLLED)
    assert faults == []
    assert officers == (Officer("petugas-1"), Officer("petugas-2", "s1"), Officer("petugas-3", BY_NIK))


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("petugas-1,\npetugas-1,", "o.csv:3: officer_id: is here already"),
        ("Pak Budi,", "o.csv:2: officer_id: is no id"),
        (f"{nik(3)},", "o.csv:2: officer_id: looks like a national number"),
        ("3204.1255.0687.0001,", "o.csv:2: officer_id: looks like a national number"),
        (",s1", "o.csv:2: officer_id: is empty"),
        ("petugas-1,s9", "o.csv:2: subject_id: is not enrolled"),
    ],
)
def test_wrong_officers(tmp_path: Path, rows: str, told: str) -> None:
    path = tmp_path / "o.csv"
    path.write_text(f"officer_id,subject_id\n{rows}\n")
    _, faults = read_officers(path, KEY, ENROLLED)
    said = str(faults[0]).replace(str(tmp_path), "")
    assert told in said
    assert "Budi" not in said
    assert nik(3) not in said
