"""What a build has to say, for people and for programs: what is wrong, who is left out, and how to take a better
photograph.

Rules: ids, rows and columns only; no name, no national number, no image.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_agent.enrolment.build import Build, LeftOut
from edge_agent.enrolment.faults import Fault, Scope
from edge_agent.enrolment.listed_rows import ListedPerson
from edge_agent.enrolment.photos import PhotoReport
from edge_agent.ports import RosterError
from edge_agent.whole_file import write_whole

COLUMNS = (
    *("kind", "file", "row", "column", "subject_id", "what", "remedy", "left_out"),
    *("other_row", "other_id", "score"),
)
"""kind: row (a fault in a row), person, alike (two who look like one), file, photograph (refused).
left_out: `person` or `row` where the roster lacks them, else empty."""

_ROWS_SHOWN = 40


def require_report_name(path: Path) -> None:
    """Raises RosterError unless the report can be written under this name."""
    if path.suffix.lower() not in (".csv", ".json"):
        raise RosterError(f"--report {path}: give a name that ends in .csv or .json")


def report_rows(build: Build) -> list[dict[str, Any]]:
    """Every fault and refused photograph, in the order of the list."""
    written = build.roster is not None
    whole = {one.subject_id for one in build.left_out if one.whole and one.subject_id} if written else set()
    rows = [_fault_row(fault, written, whole) for fault in build.problems]
    rows += [_photo_row(report, whole) for report in build.reports if not report.accepted]
    return sorted(rows, key=lambda row: (row["file"], row["row"] or 0, row["kind"]))


def write_report(path: Path, build: Build) -> None:
    """Write the rows as CSV (UTF-8 with mark, for spreadsheets) or JSON, by the name's ending. Raises RosterError."""
    rows = report_rows(build)
    if path.suffix.lower() == ".json":
        content = json.dumps(rows, indent=1, ensure_ascii=False).encode()
    else:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
        content = text.getvalue().encode("utf-8-sig")
    write_whole(path, content)


def write_ids(path: Path, build: Build, people: Mapping[str, ListedPerson]) -> None:
    """Which id each row of the list got, as CSV; also of those who were left out. Raises RosterError."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(("subject_id", "rows", "in_roster"))
    written = {subject.subject_id for subject in build.roster.subjects} if build.roster is not None else set()
    for person in people.values():
        rows = " ".join(str(line) for line in person.lines)
        writer.writerow((person.subject_id, rows, "yes" if person.subject_id in written else "no"))
    write_whole(path, text.getvalue().encode("utf-8-sig"))


def fault_lines(faults: Sequence[Fault], alike_most: int = 20) -> list[str]:
    """One line for each fault, in the order of the list. Of faults that differ by their rows only, the first
    `alike_most`, and how many more there are: a wrong columns file makes the same fault in every row."""
    lines: list[str] = []
    told: Counter[tuple[str, str, str]] = Counter()
    for fault in sorted(faults, key=lambda one: (str(one.path), one.line)):
        kind = (str(fault.path), fault.field, fault.remedy if fault.other_id else fault.what)
        told[kind] += 1
        if told[kind] <= alike_most:
            lines.append(str(fault))
    lines += [
        f"{path}: {column}: the same in {count - alike_most} more rows ({what}); --report has them all"
        for (path, column, what), count in told.items()
        if count > alike_most
    ]
    return lines


def left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """One line for each person or row, so that nobody is missing unseen."""
    return [
        f"left out: {_rows(one.lines)}{one.subject_id or 'whose id is not known'}"
        f"{' (the whole person)' if one.whole else ' (only what this row gives)' if one.subject_id else ''}"
        for one in left_out
    ]


def alike_line(build: Build) -> str:
    """What the comparison of everybody with everybody found; empty when there was none."""
    compared = build.compared
    if compared is None or not compared.comparisons:
        return ""
    told = sum(1 for fault in build.problems if fault.other_id)
    expected = compared.false_expected
    return (
        f"faces: {compared.comparisons:,} pairs compared, {len(compared.pairs)} alike (score {compared.score_min:.3f} "
        f"or more), {len(compared.pairs) - told} of them known"
        + (f"; about {expected:.1f} such pairs of strangers are to be expected" if expected is not None else "")
    )


def summary(build: Build, terminals: Sequence[str]) -> dict[str, Any]:
    """For `--json`: counts, and the same rows as the report."""
    refused = sum(not report.accepted for report in build.reports)
    roster, compared = build.roster, build.compared
    return {
        "written": roster is not None,
        "people": len(roster.subjects) if roster is not None else 0,
        "entitlements": len(roster.entitlements) if roster is not None else 0,
        "proxies": len(roster.proxies) if roster is not None else 0,
        "officers": len(roster.officers) if roster is not None else 0,
        "without_entitlement": without_entitlement(build),
        "only_online": only_online(build, terminals),
        "homes_elsewhere": homes_elsewhere(build, terminals),
        "photographs": {"examined": len(build.reports), "refused": refused},
        "faces": None
        if compared is None
        else {
            "compared": compared.comparisons,
            "alike": len(compared.pairs),
            "score_min": round(compared.score_min, 4),
            "false_expected": compared.false_expected and round(compared.false_expected, 2),
        },
        "left_out": [
            {"subject_id": one.subject_id, "rows": list(one.lines), "whole_person": one.whole}
            for one in build.left_out
            if roster is not None
        ],
        "report": report_rows(build),
    }


def only_online(build: Build, terminals: Sequence[str]) -> int:
    """Entitlements that none of several terminals may give without asking the centre."""
    if build.roster is None or len(terminals) < 2:
        return 0
    return sum(one.home is None for one in build.roster.entitlements)


def homes_elsewhere(build: Build, terminals: Sequence[str]) -> dict[str, int]:
    """Home terminals that the roster isn't sealed to -> how many entitlements."""
    if build.roster is None:
        return {}
    homes = Counter(one.home for one in build.roster.entitlements if one.home is not None)
    return {home: count for home, count in sorted(homes.items()) if home not in terminals}


def without_entitlement(build: Build) -> int:
    """People of the roster with nothing to receive."""
    if build.roster is None:
        return 0
    entitled = {one.subject_id for one in build.roster.entitlements}
    return sum(subject.subject_id not in entitled for subject in build.roster.subjects)


def _fault_row(fault: Fault, written: bool, whole: set[str]) -> dict[str, Any]:
    kind = "alike" if fault.other_id else fault.scope.value
    left_out = ""
    if written:
        left_out = "person" if fault.scope is Scope.PERSON or fault.subject_id in whole else "row"
    what = f"{fault.value}: {fault.what}" if fault.value and fault.value != fault.subject_id else fault.what
    return {
        "kind": kind,
        "file": str(fault.path),
        "row": fault.line or None,
        "column": fault.field,
        "subject_id": fault.subject_id,
        "what": what,
        "remedy": fault.remedy,
        "left_out": left_out,
        "other_row": fault.other_line or None,
        "other_id": fault.other_id,
        "score": fault.score,
    }


def _photo_row(report: PhotoReport, whole: set[str]) -> dict[str, Any]:
    parts = report.reason.split("; ")
    where = report.where or str(report.path)
    file, row, column = where, None, ""
    if report.where:
        file, line, column = report.where.rsplit(":", 2)
        row, column = int(line), column.strip()
    return {
        "kind": "photograph",
        "file": file,
        "row": row,
        "column": column,
        "subject_id": report.subject_id,
        "what": "; ".join(parts[0::2]),
        "remedy": "; ".join(parts[1::2]),
        "left_out": "person" if report.subject_id in whole else "",
        "other_row": None,
        "other_id": "",
        "score": None,
    }


def _rows(lines: Sequence[int]) -> str:
    if not lines or not lines[0]:
        return ""
    shown = ", ".join(str(line) for line in lines[:_ROWS_SHOWN])
    more = f" and {len(lines) - _ROWS_SHOWN} more" if len(lines) > _ROWS_SHOWN else ""
    return f"{'row' if len(lines) == 1 else 'rows'} {shown}{more}: "
