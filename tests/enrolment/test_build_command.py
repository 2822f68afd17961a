"""`roster build` as an office runs it: one command from list and photographs to a roster that a terminal opens."""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import openpyxl
import pytest

from edge_agent import key_files
from edge_agent.enrolment import build_command
from edge_agent.enrolment.national_number import office_subject_id
from edge_agent.ports import TerminalError
from edge_agent.roster_content import Roster
from edge_agent.roster_file import read_roster
from edge_agent.roster_list import read_roster_list
from edge_agent.store import keys
from tests.enrolment.office_list import (
    COLUMNS_FILE,
    DARK,
    ERRORS,
    RULES,
    TITLES,
    FaceExaminer,
    OfficeList,
    face,
    make_list,
    name,
    nik,
    tools,
    write_list,
)


class Office:
    """An office with its keys and two terminals'."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        keys.make_roster_keys(folder / "office")
        keys.make_office_key(folder / "office")
        keys.make_office_id_key(folder / "office")
        for terminal in ("kiosk-1", "kiosk-2"):
            keys.make_terminal_keys(folder / terminal)
        self.out = folder / "roster.aid"
        self.examiner = FaceExaminer()

    @property
    def id_key(self) -> bytes:
        return key_files.load_secret(self.folder / "office" / "office-id.key")

    def id_of(self, number: int) -> str:
        return office_subject_id(self.id_key, nik(number))

    def build(self, source: Path, *words: str, terminals: tuple[str, ...] = ("kiosk-1", "kiosk-2")) -> int:
        """The exit status, as `edge-agent` would give it."""
        parser = argparse.ArgumentParser()
        build_command.add_options(parser, lambda _: tools(self.examiner), lambda _: RULES)
        sealed = [f"--terminal={name}={self.folder / name / 'exchange.pub.pem'}" for name in terminals]
        arguments = parser.parse_args(
            [
                *(str(source), f"--sign={self.folder / 'office' / 'roster.pem'}", "--site=desa", f"--out={self.out}"),
                *(f"--columns={COLUMNS_FILE}", f"--id-key={self.folder / 'office' / 'office-id.key'}"),
                *sealed,
                *words,
            ]
        )
        status: int = arguments.run(arguments)
        return status

    def roster(self) -> Roster:
        """As the first terminal opens it."""
        public = key_files.load_verifying_key(self.folder / "office" / "roster.pub.pem")
        exchange = key_files.exchange_key(key_files.load_secret(self.folder / "kiosk-1" / "template.key"))
        return read_roster(self.out, public, "kiosk-1", exchange)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def source(office: Office, people: int = 12, errors: int = 0) -> OfficeList:
    """A list in its own folder."""
    (office.folder / "in").mkdir()
    return make_list(office.folder / "in" / "kpm.xlsx", people, errors)


def test_a_right_list_becomes_a_roster(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert office.build(source(office).path) == 0
    roster = office.roster()
    assert {subject.subject_id for subject in roster.subjects} == {office.id_of(number) for number in range(1, 13)}
    assert len(roster.entitlements) == 12
    told = capsys.readouterr()
    assert told.err == ""
    assert "12 photographs, 0 refused\nfaces: 66 pairs compared, 0 alike" in told.out
    assert "12 people, 12 entitlements, sealed to kiosk-1, kiosk-2" in told.out
    assert "4 entitlements have no home" in told.out


def test_the_centres_list_names_every_entitlement_and_nobody(office: Office) -> None:
    path = office.folder / "centre.json"
    people = source(office)
    assert office.build(people.path, f"--centre-list={path}") == 0
    listed = {one.entitlement_id: (one.home, one.amount) for one in read_roster_list(path).entitlements}
    assert listed == {one.entitlement_id: (one.home, one.benefit.amount) for one in office.roster().entitlements}
    text = path.read_text()
    assert not [one.subject_id for one in office.roster().subjects if f'"{one.subject_id}"' in text]


def test_a_list_with_errors_writes_nothing_and_tells_all(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office, 60, len(ERRORS))
    report = office.folder / "report.csv"
    assert office.build(made.path, f"--report={report}") == 1
    assert not office.out.exists()
    said = capsys.readouterr().err
    for line, column in made.faults.items():
        place = {"again": "entitlement_id", "alike": "NIK"}.get(column, column)
        shown = 2 if column == "alike" else line
        assert f"{made.path}:{shown}: {place}: " in said, (line, column)
    assert "no roster was written" in said
    assert "--skip-bad" in said
    with report.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["left_out"] for row in rows} == {""}
    assert {int(row["row"]) for row in rows} | {int(row["other_row"]) for row in rows if row["other_row"]} == {
        2,
        *made.faults,
    }


def test_good_rows_are_kept_and_who_is_missing_is_told(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office, 60, len(ERRORS))
    report = office.folder / "report.json"
    assert office.build(made.path, "--skip-bad", f"--report={report}") == 1
    told = capsys.readouterr().out
    bad = {2, *made.faults}
    good = {office.id_of(number) for number in range(1, 61) if number + 1 not in bad}
    roster = office.roster()
    assert {subject.subject_id for subject in roster.subjects} == good
    assert {one.subject_id for one in roster.entitlements} == good
    missing = {int(word) for line in told.splitlines() if line.startswith("left out: row") for word in _numbers(line)}
    assert missing == bad
    assert "WITHOUT" in told
    rows = json.loads(report.read_text())
    assert all(row["left_out"] in ("person", "row") for row in rows)
    assert all(row["what"] and row["remedy"] for row in rows)
    dark = next(row for row in rows if row["kind"] == "photograph" and "dark" in row["what"])
    assert (dark["remedy"], dark["column"]) == ("turn it to the light", "Foto 1")


def _numbers(line: str) -> list[str]:
    return line.partition(": ")[2].removeprefix("rows ").removeprefix("row ").partition(":")[0].split(", ")


def test_no_file_and_no_word_holds_a_name_or_a_national_number(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    made = source(office, 60, len(ERRORS))
    for number in range(1, 61):
        picture = made.photo_folder / f"{number}.png"
        if picture.exists():
            picture.rename(made.photo_folder / f"{nik(number)}.png")
        made.rows[number - 1][-1] = nik(number)
    face(made.photo_folder / f"{nik(3)}-2.png", 3, DARK)
    write_list(made)
    written = [office.folder / file for file in ("r.csv", "r.json")]
    reports = [f"--report={path}" for path in written]
    said = ""
    for words in ((), ("--skip-bad",), ("--skip-bad", "--json")):
        office.build(made.path, *reports, *words)
        told = capsys.readouterr()
        said += told.out + told.err
    made_files = [path for path in office.folder.rglob("*") if path.is_file() and path.parent != made.photo_folder]
    outputs = [path for path in made_files if path != made.path]
    assert {path.name for path in outputs} >= {"roster.aid", "r.csv", "r.json", "kpm.xlsx.photo-cache"}
    contents = [path.read_bytes() for path in outputs]
    said += "".join(path.read_text() for path in written)
    for text in made.private:
        assert not [content for content in contents if text.encode() in content], "it left the office"
        assert not [word for word in text.split() if word in said]
    opened = office.roster()
    assert {subject.display_name for subject in opened.subjects} == {""}
    for text in made.private:
        assert text not in repr(opened)


def test_names_go_along_only_if_the_policy_shows_them(office: Office) -> None:
    policy = office.folder / "policy.yaml"
    policy.write_text("policy: {show_names: true, roster_max_age_days: 9}\n")
    assert office.build(source(office).path, f"--policy={policy}") == 0
    roster = office.roster()
    assert {subject.display_name for subject in roster.subjects} == {name(number) for number in range(1, 13)}
    assert roster.policy.roster_max_age_days == 9


def test_one_person_under_two_ids_stops_the_build_until_both_were_looked_at(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    made = source(office)
    face(made.photo_folder / "7.png", 4, picture=7)
    assert office.build(made.path) == 1
    said = capsys.readouterr().err
    assert f"{made.path}:5: NIK: {office.id_of(4)}: looks like {office.id_of(7)} in line 8 (score 0.9" in said
    assert office.build(made.path, "--skip-bad") == 1
    assert len(office.roster().subjects) == 10
    known = office.folder / "known.csv"
    known.write_text(f"first,second,reason\n{office.id_of(7)},{office.id_of(4)},twins\n")
    assert office.build(made.path, f"--known-alike={known}") == 0
    assert "1 alike (score 0.900 or more), 1 of them known" in capsys.readouterr().out
    assert len(office.roster().subjects) == 12


def test_a_second_build_looks_at_nothing_again(office: Office) -> None:
    made = source(office)
    assert office.build(made.path) == 0
    assert office.examiner.examined == 12
    face(made.photo_folder / "5.png", 5, picture=9)
    assert office.build(made.path) == 0
    assert office.examiner.examined == 13
    assert office.build(made.path, "--no-cache") == 0
    assert office.examiner.examined == 25


def test_a_list_that_cant_be_read_makes_nobody_forgotten(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office)
    assert office.build(made.path) == 0
    whole = made.path.read_bytes()
    made.path.write_bytes(whole[:5000])
    assert office.build(made.path) == 1
    assert "--skip-bad" not in capsys.readouterr().err, "that wouldn't help"
    made.rows[3][1] = "123"
    write_list(made)
    assert office.build(made.path) == 1
    made.path.write_bytes(whole)
    assert office.build(made.path) == 0
    assert office.examiner.examined == 12


def test_who_left_the_list_is_forgotten(office: Office) -> None:
    made = source(office)
    assert office.build(made.path) == 0
    gone = made.rows.pop()
    write_list(made)
    assert office.build(made.path) == 0
    made.rows.append(gone)
    write_list(made)
    assert office.build(made.path) == 0
    assert office.examiner.examined == 13


def test_proxies_and_officers_come_into_the_roster(office: Office) -> None:
    made = source(office)
    proxies, officers = office.folder / "proxies.csv", office.folder / "officers.csv"
    proxies.write_text(f"nik,programme,cycle,proxy_nik\n{nik(1)},BPNT,2026-03,{nik(2)}\n")
    officers.write_text(f"officer_id,nik\npetugas-1,{nik(3)}\n")
    assert office.build(made.path, f"--proxies={proxies}", f"--officers={officers}") == 0
    roster = office.roster()
    assert [(one.entitlement_id, one.proxy_id) for one in roster.proxies] == [
        (f"{office.id_of(1)}.BPNT.2026-03.beras", office.id_of(2))
    ]
    assert [(one.officer_id, one.subject_id) for one in roster.officers] == [("petugas-1", office.id_of(3))]


def test_a_proxy_who_was_left_out_is_told_and_the_rest_is_built(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    made = source(office)
    face(made.photo_folder / "2.png", 2, DARK)
    proxies = office.folder / "proxies.csv"
    proxies.write_text(f"nik,programme,cycle,proxy_nik\n{nik(1)},BPNT,2026-03,{nik(2)}\n")
    assert office.build(made.path, f"--proxies={proxies}") == 1
    assert "proxies.csv" not in capsys.readouterr().err, "one fault, told once"
    assert office.build(made.path, f"--proxies={proxies}", "--skip-bad") == 1
    assert f"{proxies}:2: proxy_nik: is not enrolled in this roster" in capsys.readouterr().err
    assert office.roster().proxies == ()
    assert len(office.roster().subjects) == 11


def test_somebody_with_one_good_row_keeps_it(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office)
    again = list(made.rows[0])
    again[TITLES.index("Program")], again[TITLES.index("Jumlah")] = "PKH", "banyak"
    made.rows.append(again)
    write_list(made)
    assert office.build(made.path, "--skip-bad") == 1
    assert [one.programme for one in office.roster().entitlements if one.subject_id == office.id_of(1)] == ["BPNT"]
    assert f"left out: row 14: {office.id_of(1)} (only what this row gives)" in capsys.readouterr().out


def test_who_only_fetches_for_others_is_enrolled_and_counted(
    office: Office, capsys: pytest.CaptureFixture[str]
) -> None:
    made = source(office)
    made.rows[4] = [5, nik(5), name(5), *[None] * 9, "5"]
    write_list(made)
    ids = office.folder / "ids.csv"
    assert office.build(made.path, f"--ids={ids}") == 0
    assert "1 people have nothing to receive" in capsys.readouterr().out
    assert len(office.roster().subjects) == 12
    assert len(office.roster().entitlements) == 11
    with ids.open(encoding="utf-8-sig", newline="") as file:
        found = {row["subject_id"]: row["rows"] for row in csv.DictReader(file)}
    assert found == {office.id_of(number): str(number + 1) for number in range(1, 13)}


def test_the_same_fault_in_every_row_is_told_so(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office, 60)
    for row in made.rows:
        row[TITLES.index("Satuan")] = "karung"
    write_list(made)
    report = office.folder / "r.json"
    assert office.build(made.path, f"--report={report}") == 1
    said = capsys.readouterr().err
    assert said.count(": Satuan: ") == 21
    assert "Satuan: the same in 40 more rows (is not in this field's map); --report has them all" in said
    assert "60 problem(s)" in said
    assert len(json.loads(report.read_text())) == 60


def test_hidden_rows_count_and_are_told(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office)
    book = openpyxl.load_workbook(made.path)
    book.worksheets[0].row_dimensions[4].hidden = True
    book.save(made.path)
    assert office.build(made.path) == 0
    assert "1 rows are hidden in the spreadsheet and count like all others: 4" in capsys.readouterr().out
    assert len(office.roster().subjects) == 12


def test_homes_of_other_terminals_are_told(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    assert office.build(source(office).path, terminals=("kiosk-1",)) == 0
    told = capsys.readouterr().out
    assert "4 entitlements are at home in kiosk-2, to which this roster is not sealed" in told
    assert "have no home" not in told


def test_a_summary_for_machines(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office, 60, len(ERRORS))
    office.build(made.path, "--skip-bad", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["written"] is True
    assert told["people"] == len(office.roster().subjects)
    assert told["sealed_to"] == ["kiosk-1", "kiosk-2"]
    assert {row for one in told["left_out"] for row in one["rows"]} == {2, *made.faults}
    assert told["photographs"]["refused"] == 2
    assert told["faces"]["alike"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--report=faults.txt",), "ends in .csv or .json"),
        (("--alike-min=7",), "a cosine between 0 and 1"),
        (("--terminal=kiosk-3",), "kiosk-1=exchange.pub.pem"),
        (("--columns=none.yaml",), "no such file; correct the path given with --columns"),
        (("--policy=none.yaml",), "no such file; correct the path given with --policy"),
        (("--known-alike=none.csv",), "none.csv: can't be read"),
        (("--id-key=none.key",), "none.key: no such key file"),
    ],
)
def test_words_that_are_wrong(office: Office, words: tuple[str, ...], told: str) -> None:
    made = source(office, 2)
    with pytest.raises(TerminalError) as caught:
        office.build(made.path, *words)
    assert told in str(caught.value)
    assert not office.out.exists()


@pytest.mark.parametrize("option", ["--proxies", "--officers"])
def test_a_table_that_is_not_there(office: Office, capsys: pytest.CaptureFixture[str], option: str) -> None:
    assert office.build(source(office, 2).path, f"{option}=none.csv", "--skip-bad") == 1
    assert "none.csv: can't be read (No such file or directory)" in capsys.readouterr().err
    assert not office.out.exists()


def test_nothing_good_is_no_roster(office: Office, capsys: pytest.CaptureFixture[str]) -> None:
    made = source(office, 2)
    for row in made.rows:
        row[1] = "123"
    write_list(made)
    assert office.build(made.path, "--skip-bad") == 1
    assert "has no good row" in capsys.readouterr().err
    assert not office.out.exists()


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
def test_five_thousand_rows_with_seeded_errors(office: Office, capsys: pytest.CaptureFixture[str], suffix: str) -> None:
    (office.folder / "in").mkdir()
    made = make_list(office.folder / "in" / f"kpm.{suffix}", 5000, len(ERRORS) * 10, seed=9)
    assert office.build(made.path, "--skip-bad", "--json") == 1
    told = json.loads(capsys.readouterr().out)
    bad = {2, *made.faults}
    assert {row for one in told["left_out"] for row in one["rows"]} == bad
    good = {office.id_of(number) for number in range(1, 5001) if number + 1 not in bad}
    roster = office.roster()
    assert {subject.subject_id for subject in roster.subjects} == good
    assert {one.subject_id for one in roster.entitlements} == good
    # Ten others have the first person's face: each pair of the eleven is told.
    assert told["faces"]["alike"] == 55
