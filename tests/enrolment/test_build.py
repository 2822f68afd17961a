"""Lists and folders become a roster, or a complete account of what is wrong with them."""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from edge_agent.core.model import Benefit, Entitlement, EntitlementState
from edge_agent.enrolment.build import Build, BuildOptions, RosterLabel, build_roster
from edge_agent.enrolment.enrolment_file import write_enrolment
from edge_agent.enrolment.entitlement_list import read_list
from edge_agent.enrolment.office_files import PolicyFile
from edge_agent.enrolment.photos import Enrolment, enrol
from edge_agent.enrolment.source import read_source
from edge_agent.ports import EmbedderId
from edge_agent.roster_policy import PolicyRecord
from tests.enrolment.office import BLACK, BLUE, EMBEDDER, GREEN, HEADER, PINK, RED, picture, row, tools

LABEL = RosterLabel("desa-sukamaju", 3, datetime(2026, 3, 1, tzinfo=timezone.utc))
OFFICE_KEY = b"office secret of the tests, 32 b"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """s1 and s2 with photographs, s3 with an enrolment file."""
    source = tmp_path / "source"
    picture(source / "s1" / "a.png", RED)
    picture(source / "s1" / "b.png", PINK)
    (source / "s1" / "Thumbs.db").write_bytes(b"x")
    picture(source / "s2" / "a.png", GREEN)
    blue = picture(tmp_path / "blue.png", BLUE)
    write_enrolment(source, enrol("s3", [blue], tools()), OFFICE_KEY)
    (source / "entitlements.csv").write_text("\n".join([HEADER, row("s1"), row("s2"), row("s3")]) + "\n")
    return source


def build(source: Path, office_key: bytes | None = OFFICE_KEY) -> Build:
    return build_roster(read_source(source), source, LABEL, tools, BuildOptions(office_key=office_key))


def problems(source: Path, office_key: bytes | None = OFFICE_KEY) -> list[str]:
    result = build(source, office_key)
    assert result.roster is None
    return [str(fault) for fault in sorted(result.problems, key=lambda fault: (str(fault.path), fault.line))]


def test_a_folder_becomes_a_roster(folder: Path) -> None:
    result = build(folder)
    assert result.problems == ()
    roster = result.roster
    assert roster is not None
    assert (roster.site, roster.version, roster.embedder) == ("desa-sukamaju", 3, EMBEDDER)
    assert [subject.subject_id for subject in roster.subjects] == ["s1", "s2", "s3"]
    for subject in roster.subjects:
        assert subject.templates.shape == (1, 3)
        np.testing.assert_allclose(np.linalg.norm(subject.templates, axis=1), 1, atol=1e-6)
    assert roster.entitlements[0] == Entitlement(
        "s1.BPNT.2026-03.beras",
        "s1",
        "BPNT",
        "2026-03",
        Benefit("goods", Decimal("10"), "kg", "beras"),
        date(2026, 3, 1),
        date(2026, 3, 31),
    )
    assert len(result.reports) == 3


def test_a_list_with_photographs_beside_it(tmp_path: Path) -> None:
    for name, colour in (("a.png", RED), ("b.png", PINK), ("c.png", GREEN)):
        picture(tmp_path / "photos" / name, colour)
    listed = tmp_path / "list.csv"
    header = f"{HEADER},photos,display_name,home,lease_until,state,entitlement_id"
    lease = "2026-03-31T23:59:59+07:00"
    listed.write_text(
        "\ufeff"  # as Excel writes it
        + "\r\n".join(
            [
                header.replace(",", ";"),
                f"{row('s1')},photos/a.png|photos/b.png,Ibu Sri,kiosk-1,{lease},suspended,".replace(",", ";"),
                f"{row('s1', 'PKH', '600000', kind='money', unit='IDR', item='')},,,,,,pkh-1".replace(",", ";"),
                ";" * header.count(","),
                f"s2{',' * 8},photos/c.png,,,,,".replace(",", ";"),
            ]
        ),
        encoding="utf-8",
    )
    named = PolicyFile(policy=PolicyRecord(show_names=True))
    result = build_roster(read_source(listed), listed, LABEL, tools, BuildOptions(policy=named))
    assert result.problems == ()
    roster = result.roster
    assert roster is not None
    assert [(s.subject_id, s.display_name) for s in roster.subjects] == [("s1", "Ibu Sri"), ("s2", "")]
    unnamed = build(listed).roster
    assert unnamed is not None
    assert {s.display_name for s in unnamed.subjects} == {""}
    rice, cash = sorted(roster.entitlements, key=lambda e: e.programme)
    assert (rice.state, rice.home) == (EntitlementState.SUSPENDED, "kiosk-1")
    assert rice.lease_until == datetime(2026, 3, 31, 16, 59, 59, tzinfo=timezone.utc)
    assert (cash.entitlement_id, cash.benefit) == ("pkh-1", Benefit("money", Decimal("600000"), "IDR"))


def test_all_faults_are_told_with_line_field_value_and_remedy(folder: Path) -> None:
    rows = [
        row("s1"),
        row("s1"),  # 3
        row("s2", amount="ten"),  # 4
        row("s2", amount="600.000"),  # 5
        row("s2", valid_until="31/03/2026", kind="food"),  # 6
        row("s2", valid_until="2026-02-01"),  # 7
        row("3201234567890001"),  # 8
        row("s4"),  # 9
        row("s3", programme=""),  # 10
        row("s3").rpartition(",")[0],  # 11
        row("s3", kind="money", programme="PKH"),  # 12
        row("s3", amount="-5"),  # 13
        row("s3", amount="1e5", unit=""),  # 14
    ]
    listed = folder / "entitlements.csv"
    listed.write_text("\n".join([HEADER, *rows]) + "\n")
    lines = problems(folder)
    for place, field, value in (
        (3, "entitlement_id", "s1.BPNT.2026-03.beras: is the same entitlement as in line 2"),
        (4, "amount", "ten:"),
        (5, "amount", "600.000: can be read in two ways"),
        (6, "kind", "food:"),
        (6, "valid_until", "31/03/2026:"),
        (7, "valid_until", "2026-02-01: 2026-02-01 is before valid_from"),
        (8, "subject_id", "looks like a national number"),
        (9, "subject_id", "s4: has no photograph and no enrolment file"),
        (10, "programme", "is missing"),
        (12, "unit", "kg:"),
        (13, "amount", "-5:"),
        (14, "amount", "1e5: is not a plain number"),
        (14, "unit", "is missing"),
    ):
        start = f"{listed}:{place}: {field}: {value}"
        assert sum(line.startswith(start) for line in lines) == 1, (start, lines)
    assert f"{listed}:11: has another number of cells than the header" in "\n".join(lines)
    assert len(lines) == 14
    assert all("; " in line for line in lines), "every fault has a remedy"
    assert "3201234567890001" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("header", "fault"),
    [
        (HEADER.replace("amount", "jumlah"), ["amount: column is missing", "jumlah: unknown column"]),
        (HEADER + ",item", ["item: column appears twice"]),
        ("", ["has none of the product's columns; name your own columns in a file, --columns"]),
        ("no", ["has none of the product's columns"]),
    ],
)
def test_a_wrong_header_is_told_once(folder: Path, header: str, fault: list[str]) -> None:
    (folder / "entitlements.csv").write_text(f"{header}\n{row('s1')}\n")
    lines = "\n".join(problems(folder))
    for text in fault:
        assert len(re.findall(rf"entitlements.csv:[12]: {text}", lines)) == 1


def test_files_that_are_no_list(folder: Path) -> None:
    listed = folder / "entitlements.csv"
    listed.write_bytes(f"{HEADER}\n{row('s1')}\n".encode() + b"s2,B\xe9\n")
    assert f"{listed}:3: is not UTF-8 text; save the list as 'CSV UTF-8'" in problems(folder)
    listed.write_text(f'{HEADER}\n{row("s1")}\n"s2,never closed\n{row("s3")}\n')
    assert any("is not CSV from here on" in line for line in problems(folder))
    listed.unlink()
    assert any("can't be read (No such file" in line for line in problems(folder))


def test_two_names_for_one_person_are_not_repeated_in_the_fault(folder: Path) -> None:
    (folder / "entitlements.csv").write_text(
        f"{HEADER},display_name\n{row('s1')},Ibu Sri\n{row('s1', 'PKH')},Ibu Tuti\n"
    )
    lines = "\n".join(problems(folder))
    assert "entitlements.csv:3: display_name: is not the one in line 2" in lines
    assert "Sri" not in lines
    assert "Tuti" not in lines


def test_refused_photographs_are_reported_and_matter_only_when_none_is_left(folder: Path) -> None:
    picture(folder / "s1" / "dark.png", BLACK)
    result = build(folder)
    assert result.roster is not None
    assert [report.path.name for report in result.reports if not report.accepted] == ["dark.png"]
    picture(folder / "s2" / "a.png", BLACK)
    picture(folder / "s9" / "a.png", BLACK)
    lines = problems(folder)
    assert len(lines) == 2
    assert lines[0].startswith(f"{folder / 'entitlements.csv'}:3: subject_id: s2: no photograph was accepted")
    assert lines[1].startswith(f"{folder / 's9'}: no photograph was accepted")


def test_a_person_may_be_enrolled_without_an_entitlement(folder: Path) -> None:
    picture(folder / "s5" / "a.png", BLUE)
    roster = build(folder).roster
    assert roster is not None
    assert "s5" in [subject.subject_id for subject in roster.subjects]


def test_enrolment_files_need_the_right_key(folder: Path) -> None:
    lines = problems(folder, None)
    assert any("s3.enrolment: is encrypted and there is no key" in line for line in lines)
    lines = problems(folder, b"x" * 32)
    assert any("s3.enrolment: damaged, or made with another office key" in line for line in lines)


def test_templates_of_two_embedders_do_not_mix(folder: Path) -> None:
    other = EmbedderId("older-net", "34" * 32)
    template = np.asarray([1, 0, 0], np.float32)
    write_enrolment(folder, Enrolment("s3", other, template, 1), OFFICE_KEY)
    text = "\n".join(problems(folder))
    assert "older-net" in text
    assert "colour-net" in text
    assert "enrol these people again" in text


def test_models_are_not_loaded_when_there_is_no_photograph(tmp_path: Path) -> None:
    blue = picture(tmp_path / "blue.png", BLUE)
    source = tmp_path / "source"
    write_enrolment(source, enrol("s3", [blue], tools()), OFFICE_KEY)
    (source / "entitlements.csv").write_text(f"{HEADER}\n{row('s3')}\n")

    def load_models() -> None:
        raise AssertionError("models were loaded")

    options = BuildOptions(office_key=OFFICE_KEY)
    assert build_roster(read_source(source), source, LABEL, load_models, options).roster is not None  # type: ignore[arg-type]


def test_an_empty_source_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(HEADER + "\n")
    assert any("names nobody" in line for line in problems(tmp_path / "list.csv"))


def test_a_folder_named_by_a_national_number(folder: Path) -> None:
    picture(folder / "3201234567890001" / "a.png", RED)
    lines = "\n".join(problems(folder))
    assert "looks like a national number" in lines
    assert "3201234567890001" not in lines


def test_five_thousand_rows_are_read(tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    rows = [row(f"s{n}", amount="x" if n in (17, 4321) else "10") for n in range(5000)]
    listed.write_text("\n".join([HEADER, *rows]))
    found = read_list(listed)
    assert [problem.line for problem in found.problems] == [19, 4323]
    assert len(found.people) == 5000
