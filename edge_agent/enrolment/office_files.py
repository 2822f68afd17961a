"""Policy and programmes, proxies and officers: small files of the office beside the list.

Rules: a proxy or officer is named by an id or, where the office has its id key, by the national number, which becomes
the id here. A row that can't hold in this roster is a fault of that row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from edge_agent.core.model import Entitlement
from edge_agent.core.policy import Officer, Proxy
from edge_agent.enrolment.cells import CellFault, day_text
from edge_agent.enrolment.faults import Fault, Scope
from edge_agent.enrolment.listed_rows import EntitlementList, holds_national_number
from edge_agent.enrolment.national_number import office_subject_id, read_nik
from edge_agent.enrolment.office_table import TableRow, read_table
from edge_agent.enrolment.yaml_file import read_yaml
from edge_agent.roster_policy import OfficerRecord, PolicyRecord, ProgrammeRecord, ProxyRecord
from edge_agent.roster_schema import Closed

_PROXY_COLUMNS = (
    *("entitlement_id", "subject_id", "nik", "programme", "cycle", "item"),
    *("proxy_id", "proxy_nik", "valid_until"),
)


class PolicyFile(Closed):
    """`--policy`: what the terminals may, and the programmes with their cycles."""

    policy: PolicyRecord = PolicyRecord()
    programmes: tuple[ProgrammeRecord, ...] = ()


@dataclass(frozen=True)
class Enrolled:
    """Whom and what proxies and officers may refer to: subject ids, and entitlements."""

    subjects: Collection[str]
    entitlements: Sequence[Entitlement]


def read_policy(path: Path) -> PolicyFile:
    """Raises SettingsError with every problem's line and remedy."""
    return read_yaml(path, PolicyFile, "--policy", "docs/enrolment.md")


def check_programmes(path: Path, listed: EntitlementList, programmes: Sequence[ProgrammeRecord]) -> list[Fault]:
    """Entitlements that are of no programme or cycle that the policy file names, or outlast it."""
    known = {one.programme: {cycle.cycle: cycle for cycle in one.cycles} for one in programmes}
    faults = []
    for entitlement in listed.entitlements if known else ():
        cycles = known.get(entitlement.programme)
        cycle = cycles.get(entitlement.cycle) if cycles is not None else None
        if cycles is None:
            what, remedy = "is none of the policy file's programmes", f"they are: {', '.join(known)}"
            column = "programme"
        elif cycle is None:
            what, remedy = "is no cycle of its programme in the policy file", f"they are: {', '.join(cycles)}"
            column = "cycle"
        elif entitlement.valid_from < cycle.valid_from or entitlement.valid_until > cycle.valid_until:
            what = f"{entitlement.valid_from} to {entitlement.valid_until} is not within its cycle"
            remedy = f"the policy file has {cycle.valid_from} to {cycle.valid_until}"
            column = "valid_from"
        else:
            continue
        line = listed.line_of[entitlement.entitlement_id]
        column = listed.titles.get(column, column)
        faults.append(Fault(path, line, (column,), what, remedy, "", Scope.ROW, entitlement.subject_id))
    return faults


def read_proxies(path: Path, id_key: bytes | None, enrolled: Enrolled) -> tuple[tuple[Proxy, ...], list[Fault]]:
    """Each row: an entitlement (its id, or who, programme and cycle), and who fetches it."""
    faults: list[Fault] = []
    found: dict[tuple[str, str], Proxy] = {}
    by_id = {one.entitlement_id: one for one in enrolled.entitlements}
    by_person: dict[str, list[Entitlement]] = defaultdict(list)
    for one in enrolled.entitlements:
        by_person[one.subject_id].append(one)
    for row in read_table(path, (), _PROXY_COLUMNS, faults):
        try:
            proxy_id = _who(row, "proxy_id", "proxy_nik", id_key, enrolled)
            if not proxy_id:
                raise _RowFault("proxy_id", "is empty", "say who comes, by proxy_id or proxy_nik")
            for entitlement in _fetched(row, id_key, enrolled, by_id, by_person):
                proxy = _proxy(row, entitlement, proxy_id)
                if (proxy.entitlement_id, proxy_id) in found:
                    raise _RowFault("proxy_id", "is here already for the same entitlement", "delete one of the rows")
                found[proxy.entitlement_id, proxy_id] = proxy
        except _RowFault as fault:
            faults.append(fault.at(path, row.line))
    return tuple(found.values()), faults


def read_officers(path: Path, id_key: bytes | None, enrolled: Enrolled) -> tuple[tuple[Officer, ...], list[Fault]]:
    """Each row: an officer's id, and if enrolled too, as whom."""
    faults: list[Fault] = []
    found: dict[str, Officer] = {}
    for row in read_table(path, ("officer_id",), ("subject_id", "nik"), faults):
        try:
            subject_id = _who(row, "subject_id", "nik", id_key, enrolled) or None
            officer_id = row.cells["officer_id"]
            if officer_id in found:
                raise _RowFault("officer_id", "is here already", "delete one of the rows")
            if holds_national_number(officer_id):
                raise _RowFault("officer_id", "looks like a national number", "use an opaque id such as petugas-1")
            try:
                found[officer_id] = OfficerRecord(officer_id=officer_id, subject_id=subject_id).to_officer()
            except ValidationError as error:
                remedy = "use an opaque id of letters, digits, '.', '_' or '-' (at most 64), no name and no NIK"
                raise _RowFault("officer_id", "is no id" if officer_id else "is empty", remedy) from error
        except _RowFault as fault:
            faults.append(fault.at(path, row.line))
    return tuple(found.values()), faults


class _RowFault(Exception):  # noqa: N818 - a fault in the table, not in the program
    def __init__(self, column: str, what: str, remedy: str) -> None:
        self.column, self.what, self.remedy = column, what, remedy
        super().__init__(f"{column}: {what}; {remedy}")

    def at(self, path: Path, line: int) -> Fault:
        return Fault(path, line, (self.column,), self.what, self.remedy, scope=Scope.ROW)


def _who(row: TableRow, id_column: str, nik_column: str, id_key: bytes | None, enrolled: Enrolled) -> str:
    """The subject id of this row, or "" when both columns are empty."""
    subject_id, column = row.cells[id_column], id_column
    if row.cells[nik_column]:
        column = nik_column
        if subject_id:
            raise _RowFault(column, f"is given beside {id_column}", "fill one of the two")
        if id_key is None:
            raise _RowFault(column, "can't be turned into an id without the key", "give --id-key")
        try:
            subject_id = office_subject_id(id_key, read_nik(row.raw[nik_column]))
        except CellFault as fault:
            raise _RowFault(column, fault.what, fault.remedy) from fault
    if subject_id and subject_id not in enrolled.subjects:
        raise _RowFault(column, "is not enrolled in this roster", "add the person to the list, with a photograph")
    return subject_id


def _fetched(
    row: TableRow,
    id_key: bytes | None,
    enrolled: Enrolled,
    by_id: Mapping[str, Entitlement],
    by_person: Mapping[str, list[Entitlement]],
) -> list[Entitlement]:
    if key := row.cells["entitlement_id"]:
        if key not in by_id:
            raise _RowFault("entitlement_id", "is not in this roster", "or name person, programme and cycle")
        return [by_id[key]]
    subject_id = _who(row, "subject_id", "nik", id_key, enrolled)
    if not subject_id or not row.cells["programme"] or not row.cells["cycle"]:
        remedy = "give entitlement_id; or subject_id (or nik), programme and cycle"
        raise _RowFault("entitlement_id", "it isn't said what may be fetched", remedy)
    wanted = {name: row.cells[name] for name in ("programme", "cycle", "item") if row.cells[name]}
    fitting = [
        one
        for one in by_person.get(subject_id, ())
        if wanted.items() <= {"programme": one.programme, "cycle": one.cycle, "item": one.benefit.item}.items()
    ]
    if not fitting:
        raise _RowFault("programme", "the person has no such entitlement in this roster", "compare with the list")
    return fitting


def _proxy(row: TableRow, entitlement: Entitlement, proxy_id: str) -> Proxy:
    if proxy_id == entitlement.subject_id:
        raise _RowFault("proxy_id", "is the entitled person", "delete the row; everybody fetches their own")
    try:
        until = day_text(row.raw.get("valid_until")) or None
        return ProxyRecord.model_validate(
            {
                "entitlement_id": entitlement.entitlement_id,
                "cycle": entitlement.cycle,
                "proxy_id": proxy_id,
                "valid_until": until,
            }
        ).to_proxy()
    except CellFault as fault:
        raise _RowFault("valid_until", fault.what, fault.remedy) from fault
    except ValidationError as error:
        raise _RowFault("valid_until", "is no day", "write the day as 31/12/2026") from error
