"""What a build reads: a list, and beside it photographs and enrolment files.

SOURCE is a list (CSV or XLSX) that names photographs beside it, or a folder with `entitlements.csv`, one sub-folder of
photographs per subject (its name is the id), and `<subject>.enrolment` files; both kinds of template may be mixed.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from edge_agent.enrolment.columns import ColumnMap
from edge_agent.enrolment.enrolment_file import SUFFIX, read_enrolment
from edge_agent.enrolment.entitlement_list import read_list
from edge_agent.enrolment.faults import Fault, Scope, file_fault
from edge_agent.enrolment.listed_rows import EntitlementList
from edge_agent.enrolment.mapped_list import MappedList
from edge_agent.enrolment.photo_finder import may_be_photo
from edge_agent.enrolment.photos import Enrolment
from edge_agent.ports import RosterError
from edge_agent.roster_schema import SubjectId, first_problem

LIST_NAME = "entitlements.csv"


def read_source(
    source: Path, columns: ColumnMap | None = None, id_key: bytes | None = None, home_column: str | None = None
) -> EntitlementList:
    """The list, read as a whole. columns: of an office's own list, which must then be the source itself."""
    if columns is None:
        listed = read_list(source / LIST_NAME if source.is_dir() else source)
        listed.path = source / LIST_NAME if source.is_dir() else source
        return listed
    if source.is_dir():
        remedy = "name the list itself; photographs are looked for in its photo_folder, enrolment files in --enrolments"
        return EntitlementList(problems=[file_fault(source, "is a folder, and --columns describes a list", remedy)])
    listed = MappedList(source, columns, id_key, home_column).read()
    listed.path = source
    return listed


def read_enrolments(folder: Path, office_key: bytes | None) -> tuple[list[tuple[Path, Enrolment]], list[Fault]]:
    """Every enrolment file of a folder, and what is wrong with the others."""
    found: list[tuple[Path, Enrolment]] = []
    problems: list[Fault] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        if office_key is None:
            remedy = "give the office's key with --office-key"
            problems.append(file_fault(path, "is encrypted and there is no key to open it", remedy))
            continue
        try:
            found.append((path, read_enrolment(path, office_key)))
        except RosterError as error:
            what, _, remedy = str(error).removeprefix(f"{path}: ").rpartition("; ")
            subject_id = path.name.removesuffix(SUFFIX)
            problems.append(Fault(path, 0, (), what or remedy, remedy, scope=Scope.PERSON, subject_id=subject_id))
    return found, problems


def photo_folders(folder: Path) -> tuple[dict[str, list[Path]], list[Fault]]:
    """Subject id -> the photographs in the sub-folder of that name, and sub-folders whose name is no id."""
    photos: dict[str, list[Path]] = {}
    problems: list[Fault] = []
    for sub_folder in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        try:
            subject_id = TypeAdapter(SubjectId).validate_python(sub_folder.name)
        except ValidationError as error:
            what = f"a sub-folder's name is no id: {first_problem(error)}"
            remedy = "name the folder by the subject's opaque id, or move it out of the source"
            problems.append(Fault(folder, 0, (), what, remedy, scope=Scope.ROW))
            continue
        photos[subject_id] = [file for file in sorted(sub_folder.iterdir()) if may_be_photo(file)]
    return photos, problems
